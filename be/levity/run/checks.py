"""System checks: apps that the worker and `serve` need, and mistyped variables."""

import os
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from levity_ws.edge.settings import VARIABLES as EDGE

__all__ = ["VARIABLES", "check_apps", "check_variables"]

NEEDED = ("levity.ocpp", "levity.monitoring")


@register(Tags.compatibility)
def check_apps(**kwargs: Any) -> list[CheckMessage]:
    """run.E001: `consume_rpc_queue` and `serve` use an app that is not installed."""
    return [
        Error(
            f"consume_rpc_queue and serve need {name}",
            hint=f'Add to the settings: INSTALLED_APPS += ["{name}"]',
            id="run.E001",
        )
        for name in NEEDED
        if not apps.is_installed(name)
    ]


VARIABLES = frozenset(
    {
        *("LEVITY_ALERT_EMAIL", "LEVITY_ALERT_QUIET_HOURS"),
        *("LEVITY_ALERT_WEBHOOK", "LEVITY_ALERT_WEBHOOK_SECRET"),
        *("LEVITY_ALLOWED_HOSTS", "LEVITY_AMQP_PREFIX", "LEVITY_API_REQUESTS_PER_MINUTE"),
        "LEVITY_CA_KEY_FILE",
        *("LEVITY_CA_PASSPHRASE", "LEVITY_CERTIFICATES", "LEVITY_DATA_DIR", "LEVITY_DEVELOPMENT"),
        *("LEVITY_EMAIL_FROM", "LEVITY_FROZEN", "LEVITY_HSTS_SECONDS", "LEVITY_HTTPS"),
        *("LEVITY_LANGUAGE", "LEVITY_LOCATION_HOSTS", "LEVITY_LOG_FORMAT", "LEVITY_METRICS_TOKEN"),
        *("LEVITY_FILES_DAYS", "LEVITY_FILES_DIR", "LEVITY_FILES_MAX_MB", "LEVITY_FILES_TOTAL_MB"),
        *("LEVITY_FILES_BY_NGINX", "LEVITY_FILES_URL", "LEVITY_FIRMWARE_MAX_MB", "LEVITY_FTP_HOST"),
        *("LEVITY_FTP_PASSIVE_PORTS", "LEVITY_FTP_PORT"),
        *("LEVITY_MQTT_COMMANDS", "LEVITY_MQTT_DISCOVERY", "LEVITY_MQTT_PREFIX"),
        *("LEVITY_REQUIRE_TWO_FACTOR", "LEVITY_SECURITY_PROFILE", "LEVITY_SESSION_HOURS"),
        *(
            "LEVITY_WEB_THREADS",
            "LEVITY_WEBHOOK_ALLOWED",
            "LEVITY_WORKER_HOST",
            "LEVITY_WORKER_PORT",
        ),
        *(name for name in EDGE if name.startswith("LEVITY_")),
    }
)
"""The environment variables with Levity's prefix."""
# The similarity of names that differ by one letter; less similar ones are not Levity's: docker
# compose and scripts have variables of their own.
ALIKE = 0.88


@register(Tags.compatibility)
def check_variables(**kwargs: Any) -> list[CheckMessage]:
    """run.W001: an environment variable is mistyped, so nothing reads it."""
    problems: list[CheckMessage] = []
    for name in sorted(os.environ):
        if not name.startswith("LEVITY_") or name.removesuffix("_FILE") in VARIABLES:
            continue
        if name not in VARIABLES and (near := get_close_matches(name, VARIABLES, 1, ALIKE)):
            hint = f"Did you mean {near[0]}?"
            problems.append(Warning(f"Levity does not read {name}", hint=hint, id="run.W001"))
    return problems
