"""What a charger keeps for the central system: its local list and its reservations.

Pure: a Call goes in, the status of the answer and what is to be kept come out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from levity.simulator.connector import Connector

__all__ = ["Free", "KeepList", "Kept", "Reservation", "cancel", "reserve", "updated_list"]

LONGEST_LIST, LONGEST_UPDATE = "LocalAuthListMaxLength", "SendLocalListMaxLength"


@dataclass(frozen=True, slots=True)
class Reservation:
    """A connector that is held for a tag; also the deed that holds it."""

    id: int
    connector: int
    tag: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Free:
    """Give up this reservation."""

    id: int


@dataclass(frozen=True, slots=True)
class KeepList:
    """The local list as it is from now on: id tag -> idTagInfo."""

    version: int
    entries: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Kept:
    """All that a charger keeps; empty as it leaves the factory."""

    local_list: KeepList = KeepList(0, {})
    reservations: dict[int, Reservation] = field(default_factory=dict)


def reserve(
    kept: Kept, connectors: Sequence[Connector], payload: Mapping[str, Any]
) -> tuple[str, Reservation | None]:
    """ReserveNow (OCPP 1.6, 5.13): a reservation with a known number is replaced."""
    number, key = int(payload["connectorId"]), int(payload["reservationId"])
    until = datetime.fromisoformat(str(payload["expiryDate"]))
    wanted = Reservation(key, number, str(payload["idTag"]), until)
    found = next((each for each in connectors if each.number == number), None)
    # Connector 0 is any of them: ReserveConnectorZeroSupported is not among our keys.
    if found is None:
        return "Rejected", None
    if found.status in ("Faulted", "Unavailable"):
        return found.status, None
    is_mine = key in kept.reservations and kept.reservations[key].connector == number
    if found.status != "Available" and not is_mine:
        return "Occupied", None
    return "Accepted", wanted


def cancel(kept: Kept, payload: Mapping[str, Any]) -> tuple[str, Free | None]:
    """CancelReservation (5.2): only of one that is known."""
    key = int(payload["reservationId"])
    return ("Accepted", Free(key)) if key in kept.reservations else ("Rejected", None)


def updated_list(
    kept: Kept, keys: Mapping[str, str], payload: Mapping[str, Any]
) -> tuple[str, KeepList | None]:
    """SendLocalList (5.15): full, or what has changed since the version that is here."""
    version, known = int(payload["listVersion"]), kept.local_list
    sent = payload.get("localAuthorizationList") or []
    if len(sent) > int(keys.get(LONGEST_UPDATE, len(sent))):
        return "Failed", None
    is_full = payload["updateType"] == "Full"
    if not is_full and version <= known.version:
        return "VersionMismatch", None
    entries = {} if is_full else dict(known.entries)
    for item in sent:
        tag = str(item["idTag"])
        if "idTagInfo" in item:
            entries[tag] = dict(item["idTagInfo"])
        elif is_full:
            return "Failed", None
        else:
            entries.pop(tag, None)
    if len(entries) > int(keys.get(LONGEST_LIST, len(entries))):
        return "Failed", None
    return "Accepted", KeepList(version, entries)
