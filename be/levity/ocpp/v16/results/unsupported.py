"""Whether a charger has answered that it knows no such Call (OCPP-J 1.6, 4.2.3)."""

from levity.ocpp.request import Result

__all__ = ["is_unsupported"]


def is_unsupported(result: Result) -> bool:
    """True for an error that says so; the same again would be answered with the same."""
    return result.error_code in ("NotImplemented", "NotSupported")
