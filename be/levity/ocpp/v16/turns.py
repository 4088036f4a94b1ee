"""In which order Calls of 1.6 go out, which of them take others back, and which are sent again.

docs/commands.md has the same as a table.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["FIRST", "RETRIES", "connector_of", "ends_session", "is_start", "takes_starts_back"]

START, STOP, UNLOCK = "RemoteStartTransaction", "RemoteStopTransaction", "UnlockConnector"
FIRST = frozenset({STOP, UNLOCK})
"""Calls that go before all others: somebody wants to leave, or something is wrong."""
RETRIES: Mapping[str, int] = {
    "GetCompositeSchedule": 1,
    "GetConfiguration": 1,
    "GetInstalledCertificateIds": 1,
    "GetLocalListVersion": 1,
}
"""How often a Call is sent again that was not answered in time, on the same connection: only what
reads. A second start, reset or unlock would be an act of its own, whatever became of the first."""


def is_start(action: str) -> bool:
    """True for the Call that begins a session."""
    return action == START


def takes_starts_back(action: str) -> bool:
    """True for a Call after which no start that still waits for its connector may go out."""
    return action in FIRST


def connector_of(payload: Mapping[str, Any]) -> int | None:
    """The connector that this Call names."""
    number = payload.get("connectorId")
    return number if isinstance(number, int) else None


def ends_session(payload: Mapping[str, Any]) -> int | None:
    """The transactionId that this Call names."""
    number = payload.get("transactionId")
    return number if isinstance(number, int) else None
