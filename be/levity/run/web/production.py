"""Settings with which Levity refuses to start, except on a development machine.

The same list for every way to start: a system check (`runserver`, `serve`, `consume_rpc_queue`,
every other command), and `refuse` for a WSGI server, which runs no checks.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

__all__ = ["check_production", "problems", "refuse"]

# Like Django's own W009.
SHORTEST_KEY, FEWEST_SIGNS = 50, 5
INSECURE = "django-insecure-"
# Placeholders for a key in example files and on web pages.
PLACEHOLDERS = ("changeme", "change-me", "change_me", "your-secret", "your_secret", "secret_key")
MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
LEAVE_IT_OUT = (
    f"Remove SECRET_KEY, and Levity generates and stores one; or generate one: {MAKE_A_KEY}"
)
SWITCH = "For development on this machine only: LEVITY_DEVELOPMENT=true"


def problems(conf: Any) -> list[tuple[str, str, str]]:
    """(id of the check, what is wrong, what to do) for each reason not to start with `conf`."""
    if getattr(conf, "LEVITY_DEVELOPMENT", False):
        return []
    found = []
    if key := _wrong_with_key(str(conf.SECRET_KEY)):
        found.append(("levity.E001", key, LEAVE_IT_OUT))
    if conf.DEBUG:
        found.append(
            (
                "levity.E002",
                "DEBUG is on: error pages would reveal internals to everyone.",
                f"Set DEBUG=false. {SWITCH}",
            )
        )
    if any("*" in host for host in conf.ALLOWED_HOSTS):
        found.append(
            (
                "levity.E003",
                "The web pages would answer to any host name (“*”), so links could be forged.",
                (
                    "Set HOSTNAME or LEVITY_ALLOWED_HOSTS to this site's name, such as "
                    "chargers.example.net."
                ),
            )
        )
    return found


def _wrong_with_key(key: str) -> str:
    lower = key.lower()
    if not key.strip():
        return "SECRET_KEY is empty."
    if lower.startswith(INSECURE):
        return f"SECRET_KEY begins with {INSECURE}: it was made for development."
    if any(word in lower for word in PLACEHOLDERS):
        return "SECRET_KEY is a publicly known example."
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_SIGNS:
        return (
            f"SECRET_KEY can be guessed: it has {len(key)} characters, {len(set(key))} different "
            f"ones; at least {SHORTEST_KEY} and {FEWEST_SIGNS} are needed. (In a compose file, "
            "write $$ for each $ in it.)"
        )
    return ""


@register(Tags.security)
def check_production(**kwargs: Any) -> list[CheckMessage]:
    """levity.E001 to E003: Levity refuses to start with this."""
    return [Error(what, hint=remedy, id=name) for name, what, remedy in problems(settings)]


def refuse() -> None:
    """ImproperlyConfigured, with every reason and its remedy, if there is a reason not to start."""
    if found := problems(settings):
        lines = "\n".join(f"- {what} ({name})\n  {remedy}" for name, what, remedy in found)
        raise ImproperlyConfigured(f"Levity does not start with these settings:\n{lines}")
