"""System checks: what the worker and `serve` miss in a project, with the line to add."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, register

__all__ = ["check_apps"]

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
