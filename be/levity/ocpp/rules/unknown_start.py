"""StartTransactions that lack their id tag or their connector, and are sessions all the same.

Without an id tag the payer is unknown. Where no connector is told, or 0, which is the charger as a
whole, the session is on the only connector that can be meant. Pure rules, no I/O.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from levity.ocpp.request import ChargePointState, Request, TransactionState
from levity.ocpp.wire.fields import MAX_CONNECTOR, integer, readable
from levity.ocpp.wire.frames import OcppError
from levity_ws.frozen import frozen

__all__ = [
    "CONNECTOR_GUESSED",
    "NO_ID_TAG",
    "Beginning",
    "beginning_of",
    "connector_of",
    "payer_of",
    "same_guess",
    "told_connector",
]

NO_ID_TAG = "no-id-tag"
CONNECTOR_GUESSED = "connector-guessed"
# A car is there; Available, Finishing and the rest say that none waits for a session.
PLUGGED_IN = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"})


@frozen
class Beginning:
    """Where a session begins."""

    connector: int | None
    """None: it is not known."""
    flags: tuple[str, ...] = ()
    refusal: OcppError | None = None
    """Why it is not known: what is wrong with the field, and where it could be."""


def payer_of(payload: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """(id tag, flags); an empty tag is an unknown payer, which is flagged where none was told."""
    id_tag = readable(payload, "idTag")
    return id_tag or "", (NO_ID_TAG,) if id_tag is None else ()


def told_connector(payload: Mapping[str, Any]) -> int | None:
    """The connector that this StartTransaction names; None where it names none."""
    try:
        return integer(payload, "connectorId", 1, MAX_CONNECTOR)
    except OcppError:
        return None


def beginning_of(
    payload: Mapping[str, Any],
    charge_point: ChargePointState,
    started_at: datetime | None,
    received_at: datetime,
) -> Beginning:
    """Where this StartTransaction begins a session.

    Without a usable connector: on the only one that the charger has told of; of several, on the
    only one that has a car and no session. What connectors show now says nothing of a start that
    was kept while the charger was offline.
    """
    try:
        return Beginning(integer(payload, "connectorId", 1, MAX_CONNECTOR))
    except OcppError as error:
        refusal = error
    known = sorted(number for _, number in charge_point.connectors if number > 0)
    meant = known
    if len(known) > 1 and not charge_point.lag.is_backlog(started_at, received_at):
        meant = [
            item.number
            for place, item in charge_point.connectors.items()
            if item.number > 0 and item.status in PLUGGED_IN and place not in charge_point.active
        ]
    if len(meant) == 1:
        return Beginning(meant[0], (CONNECTOR_GUESSED,))
    among = ", ".join(map(str, sorted(meant) or known))
    said = f"{refusal.description}; it could be on connector {among}" if among else ""
    return Beginning(None, (), OcppError(refusal.code, said or refusal.description))


def same_guess(
    sessions: Iterable[TransactionState], words: tuple[Any, ...]
) -> TransactionState | None:
    """The newest session whose connector was guessed, and that began with these words.

    `words`: charge point id, id tag, time, meter value. Once it runs, its connector is no longer
    free, so that a guess would not find it again.
    """
    found = [
        item
        for item in sessions
        if (item.charge_point_id, item.id_tag, item.started_at, item.register_at_start) == words
        and CONNECTOR_GUESSED in item.flags.split()
    ]
    return max(found, key=lambda item: item.id, default=None)


def connector_of(request: Request) -> int:
    """The connector on which this StartTransaction begins a session; 0 where that is not known."""
    charge_point = request.charge_point
    found = beginning_of(
        request.payload, charge_point, request.time("timestamp"), request.received_at
    )
    return found.connector or 0
