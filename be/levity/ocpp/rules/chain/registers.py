"""From which value of its connector's register to which a session lies, with its neighbours."""

from datetime import datetime
from decimal import Decimal

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.unassigned import Interval
from levity.ocpp.rules.chain.words import CUT, ENDS_AT_NEXT, STARTS_AT_LAST, TWICE
from levity.ocpp.rules.energy import IN_KWH, STOP
from levity.ocpp.rules.sampled import FELL, NO_START, RESET, SAMPLES_IN_KWH, SESSION, START

__all__ = ["CORRECTED", "interval_of"]

CORRECTED = "corrected"
"""The `energy_source` of what a person has decided."""


def interval_of(session: RecordedSession) -> Interval:
    """What this session has of its connector's register.

    An end that its figures leave in doubt is not known: nothing is held against it.
    """
    flags, source = set(session.flags.split()), session.energy_source
    since, until = _begun(session), _ended(session)
    by_session = source == SESSION or (SESSION in flags and source not in ("registers", CORRECTED))
    if by_session:
        return Interval(session.id, since, until, None, None, by_session=True)
    first, last = session.meter_start, session.meter_stop
    if source == CORRECTED:
        if first is None or last is None or last < first:
            first = last = None
        return Interval(session.id, since, until, first, last)
    if NO_START in flags or START in flags:
        first = None
    if source != "registers":
        last = _last_of(session, flags)
    if SAMPLES_IN_KWH in flags and source != "registers":
        known = first is not None and session.energy is not None
        last = first + session.energy if known else None  # type: ignore[operator]  # both are
    if IN_KWH in flags:
        first = last = None
    first, last = _settled(session, flags, first, last)
    return Interval(session.id, since, until, first, last, anew=RESET in flags or FELL in flags)


def _settled(
    session: RecordedSession, flags: set[str], first: Decimal | None, last: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """Where it begins and ends with its neighbours: they may have some of what it told."""
    wh = session.energy
    if wh is None:
        return first, last
    if TWICE in flags:
        return first, first
    if first is not None and flags & {CUT, ENDS_AT_NEXT}:
        return first, first + wh
    if last is not None and STARTS_AT_LAST in flags:
        return last - wh, last
    return first, last


def _last_of(session: RecordedSession, flags: set[str]) -> Decimal | None:
    """Where it ended, or how far it has come; the stop only where the samples don't speak against
    it."""
    stop, sampled = session.meter_stop, session.meter_last
    if sampled is None:
        return None if session.energy_source == "none" else stop
    return stop if stop is not None and stop >= sampled and STOP not in flags else sampled


def _begun(session: RecordedSession) -> datetime:
    received = session.start_received_at
    if received is not None and (
        "start-clock" in session.flags or is_unset(session.started_at, received)
    ):
        return received
    return session.started_at


def _ended(session: RecordedSession) -> datetime | None:
    """None: it runs."""
    if session.state == "active":
        return None
    said, received = session.stopped_at, session.stop_received_at
    if said is None or (
        received is not None and ("stop-clock" in session.flags or is_unset(said, received))
    ):
        said = received
    begun = _begun(session)
    return begun if said is None else max(said, begun)
