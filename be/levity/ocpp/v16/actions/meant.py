"""Which session a StopTransaction means (OCPP 1.6, 4.10): its id, held against tag, time and meter.

Ids collide (a former central system gave the same small numbers), come of the session before or of
the other connector, or are missing. What is said beside the id has to allow it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp.chargers.clocks import AHEAD
from levity.ocpp.effects import NO_SUCH_TRANSACTION
from levity.ocpp.request import ChargePointState, RecordedSession, Request, TransactionState
from levity.ocpp.rules.chain.claims import DECIDED
from levity.ocpp.rules.fitting import METER, ROUNDED, TIME, End, Fit, fit, moment
from levity.ocpp.rules.lives import most
from levity.ocpp.rules.next_car import is_of_next_car
from levity.ocpp.rules.own_begin import begins_as_told, is_of_another_start
from levity.ocpp.rules.own_ids import (
    ANOTHER_START,
    OWN_ID,
    goes_by_own_ids,
    own_id_flag,
    with_own_id,
)
from levity.ocpp.v16.actions.crossed import (
    NAMELESS,
    WEAK,
    end_of_record,
    exchanged,
    is_doubtful,
    reopened,
)
from levity.ocpp.v16.actions.ends import NOTHING, named_id, said_end, sessions_of, with_candidates
from levity_ws.frozen import frozen

__all__ = ["Meant", "ends_plainly", "meant"]

TAG = "id tag"
# Of several whose register leads to the stop, one has to be so many times as near as the others.
NEARER = 5
ANOTHER_BEGIN = "what this stop ends began with another meter value than the session with this id"
ANOTHER_CAR = "another car had come to the connector before this end of the session with this id"


@frozen
class Meant:
    """The session that is meant, and by what it was found; or why it is none."""

    transaction: TransactionState | None
    flags: tuple[str, ...] = ()
    why_not: str = ""
    moved: RecordedSession | None = None
    """Its recorded end was another session's: `transaction` is this one, open again."""
    to: TransactionState | None = None
    """The session whose end that was, if it is known."""
    doubted: RecordedSession | None = None
    """That this is the end of `transaction` is as likely as that it is that of this session."""
    is_trimmed: bool = False
    """`transaction` is without its samples: the newest are of a later session, and named none."""


@frozen
class _Stop:
    """The StopTransaction, and all sessions that it may mean."""

    request: Request
    end: End
    sessions: tuple[TransactionState, ...]

    def fit(self, session: TransactionState, slack: timedelta = AHEAD) -> Fit:
        """This session held against it."""
        return fit(session, self.end, self.sessions, self.request.charge_point, slack)

    def good(self, *, but: TransactionState | None = None, slack: timedelta = AHEAD) -> list[Fit]:
        """The sessions without an end of their charger's that nothing speaks against."""
        found = (
            self.fit(item, slack)
            for item in self.sessions
            if item.state != "stopped" and (but is None or item.id != but.id)
        )
        return [item for item in found if not item.against]


def ends_plainly(
    named: TransactionState,
    payload: Mapping[str, Any],
    charge_point: ChargePointState,
    received_at: datetime,
) -> bool:
    """True if this StopTransaction is the end of the session that it names by all that it says:
    `meant` needs no other session for that, nor does `end_session`."""
    if named.charge_point_id != charge_point.id or named.state != "active":
        return False
    booted = charge_point.booted_at
    if named.meter_last is None or (booted is not None and booted >= named.started_at):
        return False
    known = fit(named, said_end(payload, charge_point, received_at), (), charge_point)
    return known.is_likely and not known.against


def meant(request: Request) -> Meant:
    """The session that this StopTransaction means.

    The one that it names, unless two of tag, time and meter speak against it: then the only one
    that all of them fit, or none. One that only the tag speaks against may have been stopped with
    another card; but not where a session with that card runs whose register is nearer.
    """
    named, charge_point = request.transaction, request.charge_point
    if request.is_plain and named is not None:
        # (As `ends_plainly` has found when it was loaded.)
        return Meant(named)
    end = said_end(request.payload, charge_point, request.received_at)
    if named is not None and named.charge_point_id == charge_point.id and named.state == "active":
        known = fit(named, end, (), charge_point)
        if known.is_likely and not known.against:
            doubtful = is_doubtful(named, end, request)
            flags = ("ids-may-be-swapped",) if doubtful else ()
            return Meant(named, flags, doubted=doubtful)
    stop = _Stop(request, end, sessions_of(request))
    own = _by_own_id(stop)
    if own is not None:
        return own
    if named is None:
        return _without_id(stop)
    if named.charge_point_id != charge_point.id:
        return Meant(named)
    if named.state == "stopped":
        other = _after_its_end(named, stop)
        if other is not None:
            return Meant(other, ("id-of-another",))
        return _replaced(named, stop) or Meant(named)
    before = _before_its_samples(named, stop)
    if before is not None:
        return Meant(before, ("samples-after-stop",), is_trimmed=True)
    mine = stop.fit(named)
    other = _better(mine, stop)
    if other is not None:
        return Meant(other, ("id-of-another",))
    if mine.against or not mine.is_possible:
        moved = exchanged(named, end, request)
        if moved is not None:
            return _moved(moved, named, stop)
    return _named(mine, stop)


def _named(mine: Fit, stop: _Stop) -> Meant:
    """The session that is named, of which no other is likelier, if enough speaks for it."""
    named, end, charge_point = mine.session, stop.end, stop.request.charge_point
    others = stop.good(but=named)
    is_more = mine.tail is None or mine.tail > ROUNDED
    if is_more and is_of_next_car(named, moment(named, end), end.received_at, end.id_tag):
        return Meant(None, (), with_candidates(ANOTHER_CAR, others))
    if TAG not in mine.agreeing and is_of_another_start(named, end):
        return Meant(None, (), with_candidates(ANOTHER_BEGIN, others))
    is_its = TAG in mine.agreeing or not others
    if len(mine.against) < 2 or (is_its and not fit(named, end, (), charge_point).against):
        # (What lies beyond the next start on its connector is cut off there.)
        return Meant(named)
    said = " and ".join(sorted(mine.against))
    reason = f"the session with this id is running, but {said} of this stop do not match it"
    return Meant(None, (), with_candidates(reason, others))


def _better(mine: Fit, stop: _Stop) -> TransactionState | None:
    """The session that is meant rather than the one that is named, if there is one.

    Two connectors stop with each other's ids; a charger goes on with the id of the session before.
    """
    named = mine.session
    if not mine.against and (mine.is_likely or mine.tail is None):
        return None
    found = stop.good(but=named)
    by_begin = [item for item in found if begins_as_told(item.session, stop.end)]
    if by_begin and is_of_another_start(named, stop.end):
        return _only(by_begin)
    if not mine.against:
        # Its register could be there, but never rose so fast; the other's was about to be there.
        return _only([item for item in found if item.is_likely])
    if TAG in mine.against:
        by_tag = [item for item in found if TAG in item.agreeing]
        if METER not in mine.against:
            # (Another card of the house stops it, whose own session is elsewhere.)
            return _only(
                [item for item in by_tag if item.is_likely or item.tail is None]
                if mine.is_likely or mine.tail is None
                else by_tag
            )
        found = by_tag or found
    elif METER not in mine.against:
        return _begun_since(mine, found)
    elif named.state == "active" and _may_be_anew(mine, stop):
        # It is its own all the same, unless the other's samples lead to just here.
        found = [item for item in found if item.session.meter_last is not None and item.is_likely]
    found = [item for item in found if _distance(item) < _distance(mine)]
    return _only(_after(named, found)) or _only(found)


def _begun_since(mine: Fit, found: Sequence[Fit]) -> TransactionState | None:
    """The session that began on its connector after the one that is named, which had no end, if the
    stop is dated in that one's time, and its samples lead to just here."""
    if TIME not in mine.against or mine.session.state != "orphaned":
        return None
    near = [
        item
        for item in _after(mine.session, found)
        if item.is_likely and item.session.meter_last is not None
    ]
    return _only([item for item in near if _distance(item) * NEARER < _distance(mine)])


def _moved(session: RecordedSession, to: TransactionState | None, stop: _Stop) -> Meant:
    return Meant(
        reopened(session, stop.request.charge_point), ("id-of-another",), moved=session, to=to
    )


def _replaced(named: TransactionState, stop: _Stop) -> Meant | None:
    """The session that is named, if a stop with another id, or none, has ended it: this is its own.

    That other one may be the end of a session that runs.
    """
    recorded = next((item for item in stop.request.chain if item.id == named.id), None)
    if recorded is None or (WEAK | NAMELESS).isdisjoint(recorded.flags.split()):
        return None
    if recorded.energy_source in DECIDED or stop.end.register == recorded.meter_stop:
        return None
    charge_point = stop.request.charge_point
    open_again = reopened(recorded, charge_point)
    others = tuple(item for item in stop.sessions if item.id != named.id)
    mine = fit(open_again, stop.end, (*others, open_again), charge_point)
    bare = _before_its_samples(open_again, stop, without_tag=True)
    if bare is None and (mine.against or not (mine.is_possible or METER not in mine.agreeing)):
        return None
    before = _Stop(stop.request, end_of_record(recorded), (*others, open_again))
    to = _only([item for item in before.good(but=named, slack=NOTHING) if item.is_possible])
    if bare is not None:
        # (The samples that came with that other one are none of its own, either.)
        return Meant(bare, ("samples-after-stop",), moved=recorded, to=to, is_trimmed=True)
    return Meant(open_again, (), moved=recorded, to=to)


def _before_its_samples(
    named: TransactionState, stop: _Stop, *, without_tag: bool = False
) -> TransactionState | None:
    """The session that is named, without its samples, if these ran past its end.

    Where a charger tells the present before its backlog, samples without an id go to the session
    that runs in the books, which had ended long before. Its id and tag are right, and nothing but
    these samples speaks against time and meter.

    `without_tag`: none has to be told.
    """
    end, newest_at = stop.end, named.meter_last_at
    if end.register is None or end.at is None or newest_at is None:
        return None
    if newest_at <= end.at + AHEAD or named.newest_register <= end.register + ROUNDED:
        return None
    if end.at < named.started_at - AHEAD or end.register < named.register_at_start:
        # The end of one before.
        return None
    bare = replace(named, lives="", meter_last=None, meter_last_at=None, energy=None)
    others = tuple(bare if item.id == named.id else item for item in stop.sessions)
    found = fit(bare, end, others, stop.request.charge_point, NOTHING)
    if METER not in found.agreeing or found.against or not found.is_possible:
        return None
    if TAG not in found.agreeing and not without_tag:
        return None
    likely = [item for item in stop.good(but=named) if item.is_likely]
    if TAG in found.agreeing:
        likely = [item for item in likely if TAG in item.agreeing]
    return None if likely else bare


def _may_be_anew(mine: Fit, stop: _Stop) -> bool:
    """True if the meter of this session may have begun anew, and shown that since its start."""
    register, session = stop.end.register, mine.session
    seconds = (stop.end.received_at - (session.start_received_at or session.started_at)).seconds
    could = most(seconds, stop.request.charge_point.max_power)
    return register is not None and register <= could


def _after_its_end(named: TransactionState, stop: _Stop) -> TransactionState | None:
    """The session that is meant by a stop with the id of one that has its end.

    EN+ goes on with the id of the session before. The same end again is no news, nor is a little
    more.
    """
    if stop.end.register is None or named.meter_stop is None:
        return None
    distance = abs(stop.end.register - named.meter_stop)
    found = [item for item in stop.good() if item.tail is not None]
    if TAG in stop.fit(named).against:
        by_tag = _only([item for item in found if TAG in item.agreeing])
        if by_tag is not None:
            return by_tag
    if distance <= ROUNDED:
        return None
    after = _after(named, found)
    elsewhere = [item for item in found if item.is_likely and _distance(item) < distance]
    if "id-of-another" in named.flags.split() and named.stopped_at is not None:
        # Two connectors with each other's ids: this is the other half.
        ended = named.stopped_at
        half = [item for item in found if item.is_likely and item.session.started_at < ended]
        if (other := _only(half)) is not None:
            return other
    likely = [item for item in after if item.is_likely]
    return _only(likely) or _only(elsewhere) or _only(after)


def _after(named: TransactionState, found: Iterable[Fit]) -> list[Fit]:
    """Those that began after this one on its connector."""
    return [
        item
        for item in found
        if item.session.place == named.place and item.session.started_at >= named.started_at
    ]


def _only(found: Sequence[Fit]) -> TransactionState | None:
    """The one that is meant; of several, the one that goes on as it did, and by far the nearest."""
    likely = [item for item in found if item.is_likely] or list(found)
    if len(likely) > 1:
        nearest, second = sorted(likely, key=_distance)[:2]
        is_near = nearest.tail is not None and _distance(nearest) * NEARER < _distance(second)
        if not is_near or nearest.session.meter_last is None:
            return None
        return nearest.session
    return likely[0].session if likely else None


def _distance(item: Fit) -> float:
    """By how many Wh the stop is away from where the session was last."""
    return float(abs(item.tail)) if item.tail is not None else float("inf")


def _by_own_id(stop: _Stop) -> Meant | None:
    """The session that the charger calls by this id, which is not one of ours; None if none is.

    If its samples came with it, that is proof. Without any, the tag has to be told and right, and
    time and meter have to fit: an id of an old session must not end the one of today. Nor one whose
    samples came with another id. Of a charger that calls its sessions by ids of its own the meter
    is enough, and where the session ends at the very Wh with which the next one began.
    """
    request = stop.request
    number, named = named_id(request.payload.get("transactionId")), request.transaction
    is_ours = named is not None and named.charge_point_id == request.charge_point.id
    if number is None or (named is not None and is_ours and named.state != "stopped"):
        return None
    called = with_own_id(stop.sessions, number)
    if called is not None:
        return Meant(called) if len(stop.fit(called).against) < 2 else None
    if is_ours:
        return None
    is_habit = goes_by_own_ids(stop.sessions)
    fitting = [
        item
        for item in stop.good(slack=NOTHING)
        if item.is_likely
        and (TAG in item.agreeing or item.is_exact or (is_habit and named is None))
        and (item.session.meter_last is None or item.session.state != "active")
        and not {OWN_ID, ANOTHER_START} & _words(item.session)
    ]
    found = _only(fitting)
    return Meant(found, (own_id_flag(number),)) if found is not None else None


def _words(session: TransactionState) -> set[str]:
    return {word.partition(":")[0] for word in session.flags.split()}


def _without_id(stop: _Stop) -> Meant:
    """The session that must be meant, where the charger names none that we can give.

    The one that tag, time and meter fit, running or closed by us: its stop comes late. The only
    one that runs may be meant as well where its meter may have been set back while the tag is
    right. Where several fit, a person decides.
    """
    if named_id(stop.request.payload.get("transactionId")) is not None:
        return Meant(None, (), NO_SUCH_TRANSACTION)
    good = stop.good(slack=NOTHING)
    found = _only(
        [
            item
            for item in good
            if item.is_possible or METER not in item.agreeing or TAG in item.agreeing
        ]
    )
    running = list(stop.request.charge_point.active.values())
    if found is None and not good and len(running) == 1:
        only = stop.fit(running[0], NOTHING)
        if only.against <= {METER} and TAG in only.agreeing:
            found = running[0]
    if found is None:
        return Meant(None, (), with_candidates(NO_SUCH_TRANSACTION, good))
    return Meant(found, ("matched-by-connector",))
