"""What the answers to all Calls about files have in common."""

from collections.abc import Mapping

from levity.ocpp.effects import Effect, FileAnswered
from levity.ocpp.request import Result
from levity.ocpp.rules.file_jobs import REFUSED

__all__ = ["file_name_in", "is_accepted", "refused"]

_TAKEN = ("", "Accepted", "AcceptedCanceled")


def refused(result: Result) -> tuple[Effect, ...]:
    """The charger does not do it; empty if it may. Half an answer says nothing."""
    if result.is_unreadable:
        return (FileAnswered(result.command_id, ""),)
    if result.error_code or result.status not in _TAKEN:
        why = result.error_code or result.status
        return (FileAnswered(result.command_id, REFUSED, detail=why),)
    return ()


def is_accepted(result: Result) -> bool:
    """True unless it has given up something else for it."""
    return result.status in ("", "Accepted")


def file_name_in(result: Result, name: str) -> str:
    """What the charger calls the file; empty if it names none."""
    value = result.payload.get(name) if isinstance(result.payload, Mapping) else None
    return value.strip()[:255] if isinstance(value, str) else ""
