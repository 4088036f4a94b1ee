"""Settings of Levity. What an administrator sets comes from the environment:

DEBUG, HOSTNAME, SECRET_KEY, TIME_ZONE, DATABASE_URL, AMQP_URL, LEVITY_DATA_DIR (docs/deploying.md).
What nobody should start with is refused by levity/run/web/production.py.
"""

import contextlib
import os
import socket
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from levity import chosen, environment
from levity.db.options import tuned
from levity_ws import logs

# Migrations, the first login, the names of the site: `serve` looks after all of it.
LEVITY_OWN_PROJECT = True
LEVITY_DATA_DIR = environment.data_dir(os.environ)
with contextlib.suppress(OSError):
    # The database, the key and all that is beside them are for this user alone.
    LEVITY_DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = environment.flag(os.environ, "DEBUG", default=False)
# The one switch that allows DEBUG, a short SECRET_KEY and any host name.
LEVITY_DEVELOPMENT = environment.flag(os.environ, "LEVITY_DEVELOPMENT", default=False)

SECRET_KEY = environment.secret(os.environ, "SECRET_KEY") or environment.kept_secret(
    LEVITY_DATA_DIR / "secret_key"
)
# Those before it: what was signed or sealed with them still counts.
SECRET_KEY_FALLBACKS = environment.secret(os.environ, "SECRET_KEY_FALLBACKS").split()

# Every container runtime sets HOSTNAME to the container's id where nobody does, so it adds a
# name and never replaces the local ones.
ALLOWED_HOSTS = environment.allowed_hosts(os.environ, socket.gethostname())
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}"
    for host in ALLOWED_HOSTS
    if "." in host and not host.startswith("[")
]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "levity.run.web.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "levity.ocpp",
    "levity.integrations",
    "levity.monitoring",
    "levity.run.web.apps.PagesConfig",
    "levity.billing",
    "levity.run",
    # `levity bench` and `levity soak`, where a checkout is installed: users do not have it.
    *(["levity_lab"] if find_spec("levity_lab") else []),
    "levity.api",
    "levity.files",
    # After all others: its roles hold their permissions.
    "levity.accounts",
]

MIDDLEWARE = [
    # The very first: health checks come by addresses that are no names of the site.
    "levity.monitoring.health.middleware.Operation",
    # Before all others: they shall see true addresses only.
    "levity.run.web.proxies.TrustedProxies",
    "levity.run.web.visitors.VisitorsFromOutside",
    # Before hosts and TLS are asked about: a charger knows neither.
    "levity.run.web.chargers.ChargersElsewhere",
    "levity.files.web.FileDrop",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "levity.run.web.languages.LanguageOfPages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "levity.urls"
WSGI_APPLICATION = "levity.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before those of unfold.
        "DIRS": [Path(__file__).parent / "pages" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database.

try:
    _database = dj_database_url.parse(
        environment.secret(os.environ, "DATABASE_URL")
        or f"sqlite:///{LEVITY_DATA_DIR / 'levity.sqlite3'}"
    )
except (ValueError, KeyError) as error:
    raise ImproperlyConfigured(
        "DATABASE_URL is not a database URL; use postgres://user:password@host:5432/name, or "
        "unset it for a SQLite file in LEVITY_DATA_DIR"
    ) from error

if _database["ENGINE"] == "django.db.backends.sqlite3" and _database["NAME"] != ":memory:":
    with contextlib.suppress(OSError):
        # SQLite would make it readable for everybody on this machine, and what is beside it, too.
        os.close(os.open(_database["NAME"], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
# dj_database_url says 0, and no health checks: that is not what Levity wants.
_of_connections = ("CONN_MAX_AGE", "CONN_HEALTH_CHECKS")
DATABASES = {
    "default": tuned(
        {name: value for name, value in _database.items() if name not in _of_connections}
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Who comes in (levity/accounts).

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "levity.accounts.backends.AccountBackend",
]
LOGIN_URL, LOGIN_REDIRECT_URL = "levity:login", "levity:index"
# Everybody who logs in with a password needs a code from their phone, too.
LEVITY_REQUIRE_TWO_FACTOR = environment.flag(os.environ, "LEVITY_REQUIRE_TWO_FACTOR", default=False)
SESSION_COOKIE_AGE = 3600 * environment.number(
    os.environ, "LEVITY_SESSION_HOURS", default=12, least=1
)

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
# Who goes on trying does not make it longer: the owner of the account gets in again.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = "levity.accounts.lockout.counted_by"
AXES_CLIENT_IP_CALLABLE = "levity.visitors.address"
AXES_LOCKOUT_CALLABLE = "levity.accounts.lockout.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# A password that was typed into the wrong field stays out of the log; the address goes in.
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]

OTP_TOTP_ISSUER = "Levity"

# What browsers may do (levity/run/web).

# Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; the edge reads it, too.
LEVITY_TRUSTED_PROXIES = environment.networks(os.environ, "LEVITY_TRUSTED_PROXIES")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# There is TLS in front, and no other way in. Without it the pages work on plain http as well, as
# in a house's own network; cookies that were set over TLS are Secure in any case.
LEVITY_HTTPS = environment.flag(os.environ, "LEVITY_HTTPS", default=False)
SECURE_SSL_REDIRECT = LEVITY_HTTPS
# What a container or a load balancer asks, inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = (
    environment.number(os.environ, "LEVITY_HSTS_SECONDS", default=31_536_000) if LEVITY_HTTPS else 0
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LEVITY_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "levity.run.web.errors.csrf_failure"
SILENCED_SYSTEM_CHECKS = [
    # HSTS for all subdomains, and for ever in the browsers' own lists: Levity does not decide
    # over what else is below its owner's domain.
    "security.W005",
    "security.W021",
]
# No script runs here but the files of this site: no inline script, no on... attribute.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Alpine, which unfold is made with, evaluates its attributes: docs/adr/0015.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Of each token, and of each user with a session; 0: unlimited (levity/api).
LEVITY_API_REQUESTS_PER_MINUTE = environment.number(
    os.environ, "LEVITY_API_REQUESTS_PER_MINUTE", default=600
)

# Language and time.

try:
    LANGUAGE_CODE = chosen.language(os.environ, LEVITY_DATA_DIR)
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error
LANGUAGES = chosen.LANGUAGES
# Somebody's own choice, in this browser; it says nothing about them.
LANGUAGE_COOKIE_AGE = 5 * 365 * 86_400
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = environment.time_zone(
    os.environ, chosen=chosen.chosen(LEVITY_DATA_DIR).get(chosen.TIME_ZONE, "")
)
USE_I18N = True
# Before Django's own words: its "session" is not one of charging.
LOCALE_PATHS = [Path(__file__).parent / app / "locale" for app in ("billing", "pages")]
FORMAT_MODULE_PATH = ["levity.run.web.formats"]
USE_TZ = True

# Static files.

STATIC_URL = "static/"
STATIC_ROOT = LEVITY_DATA_DIR / "static"
with contextlib.suppress(OSError):
    # For collectstatic, which is not needed here; whitenoise warns if it is missing.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Served straight from the installed packages: nobody has to run collectstatic.
# Swagger UI, for /api/docs: without importing ninja, which no process needs before it is asked.
STATICFILES_DIRS = [
    ("swagger-ui", Path(place) / "static" / "ninja")
    for place in getattr(find_spec("ninja"), "submodule_search_locations", None) or ()
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Logging.

try:
    _log_line, _log_level = type(logs.formatter(os.environ)), logs.level(os.environ)
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": _log_line}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": _log_level},
    "loggers": {
        # Their INFO lines tell of sockets and frames of the broker, not of chargers.
        **{name: {"level": "WARNING"} for name in ("pika", "aio_pika", "aiormq", "websockets")},
        # It warns of every request that waits for a thread; a browser asks for six files at once.
        "waitress.queue": {"level": "ERROR"},
    },
}

# Mail.

# Host, port, user and encryption of EMAIL_URL, and whom mails come from.
try:
    globals().update(environment.email_settings(os.environ, socket.gethostname()))
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error

# OCPP.

OCPP_SECURITY_PROFILE = environment.security_profile(os.environ)
OCPP_CA_KEY_FILE = os.environ.get("LEVITY_CA_KEY_FILE", "")
OCPP_CA_PASSPHRASE = environment.secret(os.environ, "LEVITY_CA_PASSPHRASE")
OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
# Half of the web threads may wait for chargers; the others answer (gunicorn.conf.py).
OCPP_WAITING_REQUESTS = environment.number(os.environ, "LEVITY_WEB_THREADS", default=4) // 2
OCPP_LOCATION_HOSTS = tuple(os.environ.get("LEVITY_LOCATION_HOSTS", "").replace(",", " ").split())

# Chargers' files (levity/files/conf.py).

LEVITY_FILES_DIR = os.environ.get("LEVITY_FILES_DIR", "").strip()
LEVITY_FILES_URL = os.environ.get("LEVITY_FILES_URL", "").strip()
LEVITY_FILES_BY_NGINX = environment.flag(os.environ, "LEVITY_FILES_BY_NGINX", default=False)
LEVITY_FILES_MAX_MB = environment.number(os.environ, "LEVITY_FILES_MAX_MB", default=200)
LEVITY_FILES_TOTAL_MB = environment.number(os.environ, "LEVITY_FILES_TOTAL_MB", default=5_000)
LEVITY_FILES_DAYS = environment.number(os.environ, "LEVITY_FILES_DAYS", default=90)
LEVITY_FIRMWARE_MAX_MB = environment.number(os.environ, "LEVITY_FIRMWARE_MAX_MB", default=1_000)
LEVITY_FTP_HOST = os.environ.get("LEVITY_FTP_HOST", "").strip()
LEVITY_FTP_PORT = environment.number(os.environ, "LEVITY_FTP_PORT", default=2121)
LEVITY_FTP_PASSIVE_PORTS = os.environ.get("LEVITY_FTP_PASSIVE_PORTS", "").strip()

# Where chargers connect, as the pages tell people; `serve` knows better once it listens.
LEVITY_WS_PORT = environment.number(os.environ, "WS_PORT", default=9000)

AMQP_URL = environment.secret(os.environ, "AMQP_URL")
"""Empty: `serve` needs no broker; `consume_rpc_queue` meets the edge on the local one."""
