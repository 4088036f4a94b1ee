"""How the image serves the web pages: `gunicorn --config gunicorn.conf.py levity.wsgi`."""

import os

from levity_ws import logs

bind = os.environ.get("LEVITY_HTTP_BIND", "0.0.0.0:8000")
workers = int(os.environ.get("LEVITY_WEB_WORKERS", "2"))
# A thread holds a database connection while it answers; nginx keeps slow readers away from it.
worker_class = "gthread"
threads = int(os.environ.get("LEVITY_WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 20
keepalive = 5
# The heartbeat files of the workers: in memory, because the root file system is read-only.
worker_tmp_dir = "/dev/shm"  # noqa: S108
max_requests = 10_000
max_requests_jitter = 1_000
# Who asked is in nginx's log; X-Forwarded-* is judged by levity.run.web.proxies alone.
accesslog = None
errorlog = "-"
# One event a line, as text or JSON, like every other process of Levity.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": type(logs.formatter(os.environ))}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"level": "INFO", "handlers": [], "propagate": False},
    },
}
forwarded_allow_ips = ""
limit_request_fields = 100
limit_request_field_size = 8190
