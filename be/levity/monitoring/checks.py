"""System checks: report variables that would keep alerts from being sent."""

import os
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from levity.monitoring.alerts.recipients import from_environ
from levity.monitoring.alerts.webhook import BadWebhook, check_url
from levity.monitoring.conf import DEFAULTS, setting

__all__ = ["check_alerts", "check_settings"]

PAIRS = ("OPERATION_DISK_PERCENT", "OPERATION_CERTIFICATE_DAYS")


@register(Tags.compatibility)
def check_alerts(**kwargs: Any) -> list[CheckMessage]:
    """operation.E001: LEVITY_ALERT_... is invalid. operation.W001: mail without a mail server."""
    try:
        route = from_environ(os.environ)
        if route is not None and route.webhook_url:
            check_url(route.webhook_url)
    except ValueError as error:
        return [Error(str(error), id="operation.E001")]
    except BadWebhook as error:
        return [Error(f"LEVITY_ALERT_WEBHOOK: {error}", id="operation.E001")]
    if route is not None and route.emails and not os.environ.get("EMAIL_URL"):
        return [
            Warning(
                "LEVITY_ALERT_EMAIL is set, but EMAIL_URL is not: no alert can be sent",
                hint="EMAIL_URL=smtps://user:password@mail.example.net, unless the mail server was "
                "entered on the page First steps",
                id="operation.W001",
            )
        ]
    return []


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """operation.E002: a setting is out of range. operation.W002: there is no such setting."""
    problems: list[CheckMessage] = []
    for name in DEFAULTS:
        value = setting(name)
        numbers = value if name in PAIRS and isinstance(value, tuple | list) else [value]
        good = len(numbers) == (2 if name in PAIRS else 1) and all(
            isinstance(item, int | float) and not isinstance(item, bool) and item >= 0
            for item in numbers
        )
        if not good:
            expected = "two numbers" if name in PAIRS else "a number"
            problems.append(
                Error(f"{name} must be {expected}, 0 or more, not {value!r}", id="operation.E002")
            )
    for name in dir(settings):
        if name.startswith("OPERATION_") and name not in DEFAULTS:
            near = get_close_matches(name, DEFAULTS, n=1)
            hint = f"Did you mean {near[0]}?" if near else "docs/monitoring.md lists all of them."
            said = f"{name} is not a setting of Levity"
            problems.append(Warning(said, hint=hint, id="operation.W002"))
    return problems
