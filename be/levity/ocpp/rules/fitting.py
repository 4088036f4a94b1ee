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
from levity.ocpp.rules.checks import AGREES, CONTRADICTS, POWER, SILENT, Check
from levity.ocpp.rules.fitting_register import (
    AS_BEFORE,
    BEYOND,
    METER,
    End,
    counts_by_session,
    goes_on_by,
)
from levity.ocpp.rules.next_car import is_of_next_car
from levity.ocpp.rules.next_session import ROUNDED, next_on_connector
from levity.ocpp.rules.set_back import is_set_back
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
    "counts_by_session",
    "fit",
    "moment",
]

ID_TAG, TIME = "id tag", "time"


@frozen
class Fit:
    """A session, and what of the message speaks for it and against it."""

    session: TransactionState
    checks: tuple[Check, ...]
    tail: Decimal | None = None
    """Wh from what its register showed last to what the message says."""
    is_likely: bool = False
    """Its register goes on as it did before, or ends where the next session began."""
    is_possible: bool = False
    """It goes on by no more than the connector is known to deliver, or AC may deliver."""
    is_exact: bool = False
    """It ends at the very Wh with which the next session on its connector began."""

    @property
    def against(self) -> frozenset[str]:
        """What of tag, time and meter contradicts; power is told by the meter."""
        found = {item.kind for item in self.contradicting}
        return frozenset(METER if kind == POWER else kind for kind in found)

    @property
    def contradicting(self) -> tuple[Check, ...]:
        """The checks that contradict."""
        return tuple(item for item in self.checks if item.verdict == CONTRADICTS)

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
    found = sorted((fit(item, end, known, charge_point) for item in known), key=_rank)
    return [(item.session, item.checks) for item in found]


def _rank(item: Fit) -> tuple[int, bool, int, bool, Decimal, int]:
    tail = abs(item.tail) if item.tail is not None else Decimal("Infinity")
    has_ended = item.session.state == "stopped"
    likely = not item.is_likely
    return (len(item.against), has_ended, -len(item.agreeing), likely, tail, -item.session.id)


def fit(
    session: TransactionState,
    end: End,
    sessions: Sequence[TransactionState],
    charge_point: ChargePointState,
    slack: timedelta = AHEAD,
) -> Fit:
    """This session held against the message, among the others of its charge point.

    `slack`: by so much a clock may have been set in the session.
    """
    until = next_on_connector(session, sessions)
    at = moment(session, end)
    time = _time(session, at, end.received_at, until, slack)
    meter, power, tail, pace = goes_on_by(session, end, at, until, charge_point)
    if is_of_next_car(session, at, end.received_at, end.id_tag):
        time = Check(TIME, CONTRADICTS, "after another car had come")
    if time.verdict == CONTRADICTS:
        pace = BEYOND
        is_before = at is not None and at < session.started_at
        # (Where registers count from the session's start, no other session ends there.)
        is_before = is_before and not counts_by_session(session, charge_point)
        if is_before and tail is not None and tail <= ROUNDED and meter.verdict != CONTRADICTS:
            # Nothing charged in it, and told before it began: the end of the one before.
            meter = Check(METER, CONTRADICTS, "no more than it showed last")
    checks = (_tag(session, end), time, meter, power)
    is_exact = (
        pace == AS_BEFORE
        and until is not None
        and tail is not None
        and tail > ROUNDED
        and end.register == until.register_at_start
    )
    return Fit(session, checks, tail, pace == AS_BEFORE, pace != BEYOND, is_exact)


def moment(session: TransactionState, end: End) -> datetime | None:
    """The charger's time in the message, if it is of this session and its clock not set back in it.

    In autumn an hour of local time comes twice, and is read as the first. It was the second where
    the session would have ended before it began, or before its newest meter value. Not where
    minutes would do to explain that: clocks are set in a session, too.
    """
    said, second = end.at, end.second
    if said is None or is_set_back(session, said, end.received_at):
        return None
    if second is None or second <= said or "start-clock" in session.flags:
        return said
    if session.state == "stopped":
        return second if second == session.stopped_at else said
    begun = max(session.started_at, session.meter_last_at or session.started_at)
    is_second = said < begun - AHEAD and begun <= second <= end.received_at + AHEAD
    return second if is_second else said


def _tag(session: TransactionState, end: End) -> Check:
    if not end.id_tag:
        return Check(ID_TAG, SILENT, "the message names none")
    if not session.id_tag:
        return Check(ID_TAG, SILENT, "nobody knows who pays")
    if same_tag(end.id_tag, session.id_tag):
        return Check(ID_TAG, AGREES, "the same")
    return Check(ID_TAG, CONTRADICTS, "another one")


def _time(
    session: TransactionState,
    at: datetime | None,
    received_at: datetime,
    until: TransactionState | None,
    slack: timedelta,
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
    if at < begun - slack:
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


def _lasted(span: timedelta) -> str:
    """A time span in the largest unit of which there are two."""
    seconds = abs(span.total_seconds())
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
