"""Which session a message means: each candidate held against tag, time, register and power.

An id alone is no proof: ids collide, come of the session before or of the other connector, or are
missing. A session may have begun, and may have ended, only within what its charger's other sessions
leave: the next start on its connector bounds it, and so do its own samples. Pure rules, no I/O.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from levity.ocpp.chargers.clocks import AHEAD, clock_flags
from levity.ocpp.request import ChargePointState, TransactionState
from levity.ocpp.rules.checks import AGREES, CONTRADICTS, MISSING, POWER, SILENT, Check
from levity.ocpp.rules.lives import FASTEST, Trail, most
from levity.ocpp.rules.sampled import (
    NO_START,
    RESET,
    SAMPLES_IN_KWH,
    SESSION,
    lacks_start,
    trail_of,
)
from levity.ocpp.wire.fields import same_tag
from levity_ws.frozen import frozen

__all__ = [
    "ID_TAG",
    "METER",
    "ROUNDED",
    "TIME",
    "End",
    "Fit",
    "candidates",
    "fit",
    "next_on_connector",
]

ID_TAG, TIME, METER = "id tag", "time", "meter"
# Registers are rounded, and read a moment apart.
ROUNDED = Decimal(100)
# Wh. Some round what they tell at the start and the end to whole kWh, and not their samples.
WHOLE = Decimal(1000)
# By one of these clocks nothing is told about when the session began.
NO_CLOCK = frozenset({"start-clock-unset", "start-clock-ahead", "no-start-time"})


@frozen
class End:
    """What a message says of the end of a session, or of how far it is, whichever it means."""

    register: Decimal | None
    """Wh. None: nothing that can be read."""
    at: datetime | None
    """The charger's clock. None: it told no time that can be true."""
    received_at: datetime
    """Ours."""
    id_tag: str = ""
    second: datetime | None = None
    """The same words read as the second of the hour that comes twice in a local time."""
    began: Decimal | None = None
    """Wh that the session began with, where the message repeats that."""


@frozen
class Fit:
    """A session, and what of the message speaks for it and against it."""

    session: TransactionState
    checks: tuple[Check, ...]
    tail: Decimal | None = None
    """Wh from what its register showed last to what the message says."""

    @property
    def against(self) -> frozenset[str]:
        """The kinds that contradict."""
        return frozenset(item.kind for item in self.checks if item.verdict == CONTRADICTS)

    @property
    def agreeing(self) -> frozenset[str]:
        """The kinds that agree."""
        return frozenset(item.kind for item in self.checks if item.verdict == AGREES)


def candidates(
    end: End, sessions: Iterable[TransactionState], charge_point: ChargePointState
) -> list[tuple[TransactionState, tuple[Check, ...]]]:
    """The sessions that may be meant, the likeliest first, each with what it was held against.

    `sessions` are those of one charge point, with their neighbours on the connectors.
    """
    known = tuple(sessions)
    found = [fit(item, end, known, charge_point) for item in known]
    return [(item.session, item.checks) for item in sorted(found, key=_rank)]


def _rank(item: Fit) -> tuple[int, bool, int, Decimal, int]:
    tail = abs(item.tail) if item.tail is not None else Decimal("Infinity")
    has_ended = item.session.state == "stopped"
    return (len(item.against), has_ended, -len(item.agreeing), tail, -item.session.id)


def fit(
    session: TransactionState,
    end: End,
    sessions: Sequence[TransactionState],
    charge_point: ChargePointState,
) -> Fit:
    """This session held against the message, among the others of its charge point."""
    until = next_on_connector(session, sessions)
    at = moment(session, end)
    checks = (
        _tag(session, end),
        _time(session, at, end.received_at, until),
        *_register(session, end, at, until, charge_point),
    )
    tail = None
    if end.register is not None and not _counts_by_session(session, charge_point):
        tail = end.register - _last(session)[0]
    return Fit(session, checks, tail)


def next_on_connector(
    session: TransactionState, sessions: Iterable[TransactionState]
) -> TransactionState | None:
    """The session that began on its connector after this one; None while this one runs.

    Not one that may be this very session, whose start was told twice.
    """
    if session.state == "active":
        return None
    later = [
        item
        for item in sessions
        if item.place == session.place
        and item.id != session.id
        and item.started_at >= session.started_at
        and NO_CLOCK.isdisjoint(item.flags.split())
        and not _may_be_the_same(session, item)
    ]
    return min(later, key=lambda item: (item.started_at, item.id)) if later else None


def _may_be_the_same(session: TransactionState, item: TransactionState) -> bool:
    return item.started_at == session.started_at or (
        item.state != "stopped"
        and item.meter_last is None
        and same_tag(item.id_tag, session.id_tag)
        and abs(item.register_at_start - session.newest_register) <= ROUNDED
    )


def moment(session: TransactionState, end: End) -> datetime | None:
    """The charger's time in the message, if it is of this session.

    In autumn an hour of local time comes twice, and is read as the first. It was the second where
    the session would have ended before it began, or before its newest meter value. Not where
    minutes would do to explain that: clocks are set in a session, too.
    """
    said, second = end.at, end.second
    if said is None or second is None or second <= said or "start-clock" in session.flags:
        return said
    if session.state == "stopped":
        return second if second == session.stopped_at else said
    begun = max(session.started_at, session.meter_last_at or session.started_at)
    is_second = said < begun - AHEAD and begun <= second <= end.received_at + AHEAD
    return second if is_second else said


def _tag(session: TransactionState, end: End) -> Check:
    if not end.id_tag:
        return Check(ID_TAG, SILENT, "the message names none")
    if same_tag(end.id_tag, session.id_tag):
        return Check(ID_TAG, AGREES, "the same")
    return Check(ID_TAG, CONTRADICTS, "another one")


def _time(
    session: TransactionState,
    at: datetime | None,
    received_at: datetime,
    until: TransactionState | None,
) -> Check:
    if at is None:
        return Check(TIME, SILENT, "the message names none that can be true")
    if clock_flags(at, received_at, "stop"):
        return Check(TIME, SILENT, "the charger's clock is wrong")
    if "start-clock" in session.flags:
        return Check(TIME, SILENT, "the charger's clock was wrong at the start")
    begun = session.started_at
    if session.start_received_at is not None:
        begun = min(begun, session.start_received_at)
    if at < begun - AHEAD:
        return Check(TIME, CONTRADICTS, f"{_lasted(begun - at)} before it began")
    newest = session.meter_last_at
    if newest is not None and newest <= received_at + AHEAD and at < newest - AHEAD:
        return Check(TIME, CONTRADICTS, f"{_lasted(newest - at)} before its newest meter value")
    ended = session.stopped_at if session.state == "stopped" else None
    if ended is not None and at > ended + AHEAD:
        return Check(TIME, CONTRADICTS, f"{_lasted(at - ended)} after it had ended")
    if until is not None and at > until.started_at + AHEAD:
        after = _lasted(at - until.started_at)
        return Check(TIME, CONTRADICTS, f"{after} after the next session began on its connector")
    return Check(TIME, AGREES, f"{_lasted(at - session.started_at)} after it began")


def _register(
    session: TransactionState,
    end: End,
    at: datetime | None,
    until: TransactionState | None,
    charge_point: ChargePointState,
) -> tuple[Check, Check]:
    """Whether the register goes on from the session's, and by what can have flowed."""
    silent = Check(POWER, SILENT)
    if end.register is None:
        return Check(METER, MISSING, "the message names none"), silent
    if _counts_by_session(session, charge_point):
        return Check(METER, SILENT, "its register does not count for life"), silent
    register, (last, last_at, seen) = end.register, _last(session)
    if end.began is not None and abs(end.began - session.register_at_start) > ROUNDED:
        said = f"the session that ended began with {_wh(end.began)}"
        return Check(METER, CONTRADICTS, said), silent
    tail = register - last
    if register == 0 and last > 0:
        return Check(METER, SILENT, "0 Wh is no reading"), silent
    slack = WHOLE if register % WHOLE == 0 and session.meter_last is not None else ROUNDED
    if register < session.register_at_start - ROUNDED and not lacks_start(session):
        below = session.register_at_start - register
        return Check(METER, CONTRADICTS, f"{_wh(below)} below its start"), silent
    if tail < -slack:
        return Check(METER, CONTRADICTS, f"{_wh(-tail)} below its newest meter value"), silent
    above = _above(session, register, until)
    if above:
        return Check(METER, CONTRADICTS, above), silent
    agrees = Check(METER, AGREES, f"{_wh(tail)} above what it showed last")
    seconds = (end.received_at - seen).total_seconds() if seen else 0.0
    if at is not None and "start-clock" not in session.flags:
        seconds = max(seconds, (at - last_at).total_seconds())
    elif seen is None:
        return agrees, silent
    could = most(seconds, _limit(trail_of(session), charge_point))
    if tail > could:
        return agrees, Check(POWER, CONTRADICTS, f"at most {could:,.0f} Wh can have flowed since")
    return agrees, Check(POWER, AGREES, f"up to {could:,.0f} Wh can have flowed since")


def _above(session: TransactionState, register: Decimal, until: TransactionState | None) -> str:
    """What says that the session had ended by then; empty if nothing does."""
    if session.state == "stopped" and session.meter_stop is not None:
        beyond = register - session.meter_stop
        if beyond > ROUNDED:
            return f"{_wh(beyond)} above its end"
    if until is None or lacks_start(until) or until.register_at_start < session.register_at_start:
        # (A meter that began anew meanwhile bounds nothing.)
        return ""
    beyond = register - until.register_at_start
    return f"{_wh(beyond)} above where the next session began" if beyond > ROUNDED else ""


def _counts_by_session(session: TransactionState, charge_point: ChargePointState) -> bool:
    return charge_point.quirks.session_register or not {SESSION, RESET}.isdisjoint(
        session.flags.split()
    )


def _last(session: TransactionState) -> tuple[Decimal, datetime, datetime | None]:
    """Wh that its register showed last, when by the charger's clock, and when by ours."""
    trail = trail_of(session)
    flags = session.flags.split()
    if session.meter_last is None or not trail.lives or SAMPLES_IN_KWH in flags:
        start = session.register_at_start
        if NO_START in flags and trail.lives:
            start = trail.lives[0].first
        return start, session.started_at, session.start_received_at
    life = trail.lives[-1]
    zone = session.started_at.tzinfo
    return (
        life.last,
        datetime.fromtimestamp(life.last_at, zone),
        datetime.fromtimestamp(life.seen, zone),
    )


def _limit(trail: Trail, charge_point: ChargePointState) -> int:
    """W that can have flowed; what nobody has told of may be a DC charger."""
    known = max(charge_point.max_power, trail.power)
    return known if charge_point.power_is_told or trail.power else max(known, FASTEST)


def _wh(value: Decimal) -> str:
    return f"{value:,.0f} Wh"


def _lasted(span: timedelta) -> str:
    """A time span in the largest unit of which there are two."""
    seconds = abs(span.total_seconds())
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
