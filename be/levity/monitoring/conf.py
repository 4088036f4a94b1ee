"""The settings of this app, their defaults and their meaning (docs/monitoring.md lists them)."""

from typing import Any

from django.conf import settings

__all__ = ["DEFAULTS", "setting"]

DEFAULTS: dict[str, Any] = {
    # Minutes without a connection after which an alert is raised.
    "OPERATION_OFFLINE_MINUTES": 10,
    # Percent of a disk in use: a warning, and a critical alert.
    "OPERATION_DISK_PERCENT": (90, 95),
    # Days until a disk is full at its recent rate, below which an alert is raised.
    "OPERATION_DISK_DAYS": 7,
    # Days before a certificate expires: a warning, and a critical alert.
    "OPERATION_CERTIFICATE_DAYS": (21, 3),
    # Percent of OCPP 1.6's transaction ids (an int4) that are used up.
    "OPERATION_TRANSACTION_ID_PERCENT": 80,
    # Seconds after which events that are not delivered yet are an alert.
    "OPERATION_EVENT_DELAY_SECONDS": 120,
    # Wrong passwords within ten minutes, of all users together.
    "OPERATION_FAILED_LOGINS": 20,
    # Days after which alerts that are over are deleted; 0 keeps them for ever.
    "OPERATION_ALERT_RETENTION_DAYS": 365,
}


def setting(name: str) -> Any:
    """The value of a setting of this app, else the default."""
    return getattr(settings, name, DEFAULTS[name])
