"""The settings of this app, their defaults and their meaning (docs/events.md lists them)."""

from typing import Any

from django.conf import settings

__all__ = ["DEFAULTS", "setting"]

DEFAULTS: dict[str, Any] = {
    # Days after which events are deleted, whether or not they were delivered.
    "INTEGRATIONS_EVENT_DAYS": 30,
}


def setting(name: str) -> Any:
    """The value of a setting of this app, else the default."""
    return getattr(settings, name, DEFAULTS[name])
