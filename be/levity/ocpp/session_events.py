"""Changes of sessions as events: one way to tell them, whoever has changed the session."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from levity.ocpp.events import LOOK_UP, Happened, plain

__all__ = ["session_data", "session_events"]

ACTIVE = "active"


def session_data(
    pk: int,
    place: tuple[int, int | None],
    state: str,
    *,
    started_at: datetime,
    stopped_at: datetime | None = None,
    meter_start: Decimal | None = None,
    meter_stop: Decimal | None = None,
    energy: Decimal | None = None,
    power: Decimal | None = None,
    source: str = "",
    confidence: str = "",
    flags: tuple[str, ...] = (),
    reason: str = "",
) -> dict[str, Any]:
    """What an event says of a session; what is not known, or not so yet, is left out."""
    evse, connector = place
    said = {
        "session": pk,
        "evse": evse or None,
        "connector": connector,
        "state": state,
        "started_at": plain(started_at),
        "stopped_at": plain(stopped_at),
        "meter_start_wh": plain(meter_start),
        "meter_stop_wh": plain(meter_stop),
        "energy_wh": plain(energy),
        "power_w": plain(power),
        "energy_source": source or None,
        "confidence": confidence or None,
        "flags": list(flags) or None,
        "stop_reason": reason or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def session_events(changes: Any, at: datetime) -> Iterator[Happened]:
    """The events of these `SessionChange`s."""
    for change in changes:
        before, after = change.before, change.after
        session = after or before
        data = session_data(
            session.id,
            (session.evse, session.connector),
            session.state,
            started_at=session.started_at,
            stopped_at=session.stopped_at,
            meter_start=session.meter_start,
            meter_stop=session.meter_stop,
            energy=session.energy,
            source=session.energy_source,
            confidence=session.confidence,
            flags=session.flags,
        )
        for kind in _kinds(before and before.state, after and after.state):
            more = {} if after else {"removed": True}
            yield Happened(
                kind,
                at,
                session.charge_point_id,
                session.identity,
                {**data, **more},
                session.id_tag,
                LOOK_UP,
            )


def _kinds(before: str | None, after: str | None) -> Iterator[str]:
    """The types of a change from this state to that; None: there is no such session."""
    if before is None:
        yield "session.started"
    if after is None or (before is not None and before != ACTIVE and after != ACTIVE):
        yield "session.corrected"
    elif after != ACTIVE:
        yield "session.ended"
    elif before is not None:
        yield "session.updated"
