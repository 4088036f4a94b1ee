"""Ends that were recorded with one session and are another's: what a later message shows of them.

Where two connectors stop with each other's ids, or with none, and both registers fit both sessions,
the first stop may be taken for the wrong one. The second stop shows that, or the next start: a
register begins where it ended, to the Wh.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from levity.ocpp.chargers.clocks import AHEAD
from levity.ocpp.effects import StartTransaction
from levity.ocpp.request import ChargePointState, RecordedSession, Request, TransactionState
from levity.ocpp.rules.chain.claims import DECIDED
from levity.ocpp.rules.chain.plain import Glance
from levity.ocpp.rules.fitting import ROUNDED, End, fit
from levity.ocpp.rules.sampled import charged, meter_of, trail_of
from levity.ocpp.rules.weighing import OF_THE_STOP

__all__ = [
    "NAMELESS",
    "WEAK",
    "begins_plainly",
    "end_of_record",
    "exchanged",
    "is_doubtful",
    "may_change_ends",
    "proven_by_start",
    "reopened",
    "session_before",
    "weakly_ended",
]

WEAK = frozenset({"matched-by-connector", "id-of-another"})
"""Flags of a session whose end names no session, or another one."""
NAMELESS = frozenset({"matched-by-connector", "stop-came-first"})
"""Flags of a session whose end does not name it."""
# Flags of what came after an end.
LATER = frozenset({"samples-after-stop", "charging-after-stop", "stopped-again"})
# Wh. Registers that begin at 0 with each session, or are new, are the same by chance.
TELLING = Decimal(1000)
# Two stops of which one shows that the other was taken for the wrong session's.
WITHIN = timedelta(days=3)


def reopened(session: RecordedSession, charge_point: ChargePointState) -> RecordedSession:
    """The session as it was before its end was told."""
    found = charged(session, trail_of(session), meter_of(charge_point))
    return replace(
        session,
        state="active",
        stopped_at=None,
        meter_stop=None,
        stop_reason="",
        stop_id_tag="",
        energy=found.wh if found else None,
        flags=" ".join(item for item in session.flags.split() if _is_of_start(item)),
    )


def _is_of_start(flag: str) -> bool:
    """True for a flag that is not of how its end was found, nor of what came after that."""
    return (
        flag not in WEAK | NAMELESS
        and flag not in OF_THE_STOP
        and flag.partition(":")[0] not in LATER
    )


def end_of_record(session: RecordedSession) -> End:
    """What the end that is recorded with this session said."""
    received_at = session.stop_received_at or session.stopped_at or session.started_at
    return End(session.meter_stop, session.stopped_at, received_at, session.stop_id_tag)


def exchanged(named: TransactionState, end: End, request: Request) -> RecordedSession | None:
    """The session that has ended with the end of the one that is named, if this message is its own.

    The message does not fit the named one, but goes on from that one, whose recorded end fits the
    named one in turn.
    """
    charge_point = request.charge_point
    found = []
    for session in _ended_elsewhere(named, request):
        others = _without(session, request.chain)
        was = reopened(session, charge_point)
        its, theirs = fit(was, end, (*others, was), charge_point), end_of_record(session)
        if its.against or not its.is_likely or _is_its_own(session, request.chain):
            continue
        other = fit(named, theirs, request.chain, charge_point)
        if not other.against and other.is_possible:
            found.append(session)
    return found[0] if len(found) == 1 else None


def is_doubtful(named: TransactionState, end: End, request: Request) -> RecordedSession | None:
    """The session on another connector with which this one may have changed ends, and nothing
    tells: no tag, no sample of either, and both registers fit both."""
    charge_point = request.charge_point
    if named.meter_last is not None or not named.id_tag or not request.chain:
        return None
    for session in _ended_elsewhere(named, request):
        if session.meter_last is not None or session.stopped_at is None:
            continue
        was, theirs = reopened(session, charge_point), end_of_record(session)
        its = fit(was, end, (*_without(session, request.chain), was), charge_point)
        other = fit(named, theirs, request.chain, charge_point)
        fit_both = its.is_possible and other.is_possible and not (its.against or other.against)
        if fit_both and not _is_its_own(session, request.chain):
            return session
    return None


def begins_plainly(before: Glance, meter_start: Decimal) -> bool:
    """True if a start with this register shows nothing of other ends, as `proven_by_start` asks:
    the session before has ended, and there."""
    if before.state != "stopped":
        return False
    return meter_start < TELLING or _is_near(before.meter_stop, meter_start)


def proven_by_start(
    begun: StartTransaction, request: Request
) -> tuple[RecordedSession, RecordedSession] | None:
    """(X, S): the end that is recorded with X on another connector is that of S, the session before
    on the connector on which one begins now, at the very Wh with which X ended."""
    meter_start = begun.meter_start
    before = session_before(begun, request.chain)
    if before is None or meter_start is None or meter_start < TELLING:
        return None
    if before.state == "stopped" and _is_near(before.meter_stop, meter_start):
        return None
    charge_point = request.charge_point
    was = reopened(before, charge_point) if before.state == "stopped" else before
    found = []
    for session in _ended_elsewhere(before, request):
        ended = session.stopped_at
        if session.meter_stop is None or ended is None or ended > begun.started_at + AHEAD:
            continue
        if abs(session.meter_stop - meter_start) > 1 or _is_its_own(session, request.chain):
            continue
        if not _may_be_exchanged(before, session, request.chain):
            continue
        mine = fit(was, end_of_record(session), (was,), charge_point)
        if not mine.against and mine.is_possible and mine.tail and mine.tail > ROUNDED:
            found.append(session)
    return (found[0], before) if len(found) == 1 else None


def _may_be_exchanged(
    before: RecordedSession, session: RecordedSession, chain: Sequence[RecordedSession]
) -> bool:
    """True if one next start is enough to show it, or the other connector's shows it as well.

    Both have ended with stops that named their ids, and nothing else tells: it may be the start
    that tells the register of another connector. Nobody is billed more for that.
    """
    if before.state != "stopped" or not WEAK.isdisjoint(_flags(before) | _flags(session)):
        return True
    if before.meter_last is not None or session.meter_last is not None:
        return True
    if before.meter_stop is None or session.meter_stop is None:
        return True
    return before.meter_stop <= session.meter_stop or any(
        item.place == session.place
        and item.started_at > session.started_at
        and _is_near(before.meter_stop, item.register_at_start)
        for item in chain
    )


def _flags(session: RecordedSession) -> set[str]:
    return set(session.flags.split())


def may_change_ends(before: RecordedSession, session: RecordedSession, request: Request) -> bool:
    """True if each of these two may have ended with what is recorded as the end of the other.

    An end that named no session never takes the place of one that named its own.
    """
    named_none = "matched-by-connector"
    if named_none in session.flags.split() and WEAK.isdisjoint(before.flags.split()):
        return False
    was = reopened(session, request.charge_point)
    others = _without(session, request.chain)
    back = fit(was, end_of_record(before), (*others, was), request.charge_point)
    return not back.against and back.is_possible


def weakly_ended(
    begun: StartTransaction, transaction: TransactionState, request: Request
) -> RecordedSession | None:
    """The session on the same connector whose recorded end, which named no session, is that of the
    one that begins: it began within that one, by time and register, and the end fits it."""
    found = []
    for session in request.chain:
        ended = session.stopped_at
        if session.state != "stopped" or session.place != begun.place or ended is None:
            continue
        if WEAK.isdisjoint(session.flags.split()) or session.energy_source in DECIDED:
            continue
        if not session.started_at < begun.started_at < ended or session.meter_stop is None:
            continue
        if transaction.register_at_start < session.register_at_start - ROUNDED:
            continue
        its = fit(transaction, end_of_record(session), (transaction,), request.charge_point)
        if not its.against and its.is_possible:
            found.append(session)
    return found[0] if len(found) == 1 else None


def _ended_elsewhere(named: TransactionState, request: Request) -> Iterator[RecordedSession]:
    """Those on other connectors whose end was told, and that nobody has decided about."""
    for session in request.chain:
        ended = session.stop_received_at
        if session.state != "stopped" or session.place == named.place or ended is None:
            continue
        if session.energy_source in DECIDED or request.received_at - ended > WITHIN:
            continue
        yield session


def _without(
    session: RecordedSession, chain: Sequence[RecordedSession]
) -> Iterator[RecordedSession]:
    return (item for item in chain if item.id != session.id)


def session_before(
    begun: StartTransaction, chain: Sequence[RecordedSession]
) -> RecordedSession | None:
    """The last session on its connector before this one, if nobody has decided about it."""
    found = [
        item for item in chain if item.place == begun.place and item.started_at < begun.started_at
    ]
    newest = max(found, key=lambda item: (item.started_at, item.id), default=None)
    return newest if newest is not None and newest.energy_source not in DECIDED else None


def _is_its_own(session: RecordedSession, chain: Sequence[RecordedSession]) -> bool:
    """True if the next session on its connector began where it ended."""
    return any(
        item.place == session.place
        and item.started_at > session.started_at
        and _is_near(session.meter_stop, item.register_at_start)
        for item in chain
    )


def _is_near(one: Decimal | None, other: Decimal) -> bool:
    return one is not None and abs(one - other) <= ROUNDED
