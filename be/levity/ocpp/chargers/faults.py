"""What of a connector's words is a fault, and what is only an event. One meaning, for everybody."""

from django.db.models import Q

__all__ = ["FAULT", "NOTICE", "is_fault"]

# OCPP 1.6, 7.6: chargers that have an error but are Available tell that something happened
# (LocalListConflict, say). There is no word for its end, so it is no state, and no fault.
_ERROR = ~Q(error_code__in=["", "NoError"])

FAULT = Q(status="Faulted") | (_ERROR & ~Q(status="Available"))
"""Connectors that are Faulted, or that report an error and are not Available."""

NOTICE = _ERROR & Q(status="Available")
"""Connectors that told an error beside Available: an event, which ends by itself."""


def is_fault(status: str, error_code: str) -> bool:
    """What `FAULT` asks the database, of these words."""
    return status == "Faulted" or (error_code not in ("", "NoError") and status != "Available")
