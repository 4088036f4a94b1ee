"""From a charger's frame to its answer. This module reads as the sentence of the design:

receive -> identify -> load -> route -> handle (middleware chain) -> settle -> persist -> commit
        -> reply -> ack

(`loop.py` receives and acknowledges.) The unit of work is the batch: one database transaction,
a fixed number of statements. Only if a batch fails is it taken apart, so that one bad frame
hurts itself only.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    transaction,
)
from django.utils import timezone
from websockets.frames import CloseCode

from levity.db.damage import is_damage, mend
from levity.ocpp.conf import setting
from levity.ocpp.middleware import build_chain
from levity.ocpp.store import (
    Arrival,
    Loaded,
    Outcome,
    apply,
    claims,
    in_few_trips,
    is_overtaken,
    load,
    lost_its_plan,
)
from levity.ocpp.versions import ROUTES, version_of
from levity.ocpp.wire.frames import parse
from levity.ocpp.worker import calls as answers
from levity.ocpp.worker import handshakes, parking
from levity.ocpp.worker.garbage_collector import LARGE, collected_later
from levity.ocpp.worker.settling import settle_outcomes
from levity.ocpp.worker.time_limit import FrameTookTooLong, TimeLimit
from levity_ws.rpc.envelope import (
    Authenticate,
    Batch,
    Close,
    Command,
    Connected,
    Event,
    Received,
    Reply,
    Send,
    Spooled,
)

__all__ = ["DatabaseAway", "HeldUp", "Pipeline", "Taken"]

log = logging.getLogger(__name__)

# A frame that fails like this may well succeed the next time: another worker was faster.
TRANSIENT = (IntegrityError, OperationalError, InterfaceError)
TRIES = 3
# SQLSTATE of Postgres: a standby after a failover; and the class of disk full, out of memory and
# too many connections.
READ_ONLY, NO_RESOURCES = "25006", "53"
# What others do to us, never the frame's fault however often it happens: a deadlock, a
# serialization failure, a lock that is not let go within lock_timeout.
BLOCKED = ("40P01", "40001", "55P03")
# How a session ends that somebody else ends: an operator, a restart, a time-out. Where the
# connection just breaks there is no SQLSTATE at all.
SESSION_ENDED = ("57P01", "57P02", "57P03", "57P05", "25P03", "08")
# So often in a row a batch is put off for that; then its frame may be what ends them.
LOST_SESSIONS = 6


class DatabaseAway(Exception):
    """The database does not answer. Nothing is lost: keep the batch and take it again later."""


class HeldUp(DatabaseAway):
    """The database answers, but others hold what this batch needs (a lock, say)."""


@dataclass(slots=True)
class Taken:
    """What a batch came to, after the commit."""

    reply: Reply
    elsewhere: list[tuple[str, Close]] = field(default_factory=list)
    """(edge id, close): old connections at other edges that a newer one has replaced."""
    commands_due: bool = False
    """A Call was queued or answered, so there may be one to send right now."""
    calls: list[tuple[str, str, int | None, str, str]] = field(default_factory=list)
    """(charge point, action, transaction id, connection, unique id) of each Call that was answered,
    for the log."""


class Pipeline:
    """Takes batches, one at a time; one instance per worker."""

    def __init__(self) -> None:
        self.time_limit = TimeLimit(setting("OCPP_FRAME_TIME_LIMIT"))
        self.chain = build_chain(setting("OCPP_MIDDLEWARE"))
        # (connection, seq) of the frame that this worker has marked and could not take yet.
        self._held: tuple[str, int] | None = None
        self.lost_sessions = 0
        self._now = timezone.now()

    def take(
        self, batch: Batch, reply_to: str, deliveries: int = 0, now: datetime | None = None
    ) -> Taken:
        """Everything in this batch, committed; raises only `DatabaseAway`.

        `deliveries` above 0: a worker had this batch before and did not finish it. `now` is this
        machine's time, if not told; the events say theirs.
        """
        self._now = now or timezone.now()
        if any(len(getattr(event, "text", "")) > LARGE for event in batch.events):
            with collected_later():
                return self._take(batch, reply_to, deliveries)
        return self._take(batch, reply_to, deliveries)

    def _take(self, batch: Batch, reply_to: str, deliveries: int) -> Taken:
        taken = Taken(Reply())
        commands: list[Command] = []
        for events in rounds(batch.events):
            if deliveries == 0:
                try:
                    outcomes = self._together(events, batch.edge, reply_to)
                except Exception as error:  # noqa: BLE001  # whatever it is, one frame is to blame
                    if is_damage(error):
                        mend(transaction.get_connection(), error)
                    else:
                        _raise_if_away(error)
                    if len(events) > 1:
                        log.warning("batch failed (%r), processing it frame by frame", error)
                    late = error if isinstance(error, FrameTookTooLong) else None
                    outcomes = self._one_by_one(events, batch.edge, reply_to, mark=False, late=late)
            else:
                outcomes = self._one_by_one(events, batch.edge, reply_to, mark=True)
            for outcome in outcomes:
                commands += _reply(outcome)
                taken.elsewhere += outcome.elsewhere
                taken.commands_due |= outcome.commands_due
                if outcome.action in ROUTES and outcome.answer and not outcome.error_code:
                    event = outcome.arrival.event
                    taken.calls.append(
                        (
                            event.charge_point,
                            outcome.action,
                            outcome.transaction_id,
                            event.connection,
                            outcome.unique_id,
                        )
                    )
        taken.reply = Reply(commands=tuple(commands), batch=batch.batch)
        self._held = None
        self.lost_sessions = 0
        return taken

    def _together(self, events: Sequence[Event], edge: str, reply_to: str) -> list[Outcome]:
        within = self.time_limit.within
        arrivals = [
            within(event.charge_point, "reading it", identify, event, whose=event)
            for event in events
        ]
        only = events[0] if len(events) == 1 else None
        about = only.charge_point if only is not None else f"{len(events)} frames"
        with in_few_trips():
            loaded = within(about, "loading", load, arrivals, self._now, busy=True, whose=only)
            outcomes = [
                within(
                    arrival.event.charge_point,
                    getattr(arrival.frame, "action", "") or "an answer",
                    self._handle,
                    *(arrival, loaded, edge),
                    whose=arrival.event,
                )
                for arrival in arrivals
            ]
            within(about, "settling", settle_outcomes, outcomes, loaded, busy=True, whose=only)
            what_to_store = (outcomes, loaded, edge, reply_to, self._now)
            within(about, "storing", apply, *what_to_store, busy=True, whose=only)
        return outcomes

    def _handle(self, arrival: Arrival, loaded: Loaded, edge: str) -> Outcome:
        if isinstance(arrival.event, Received):
            outcome = answers.answer(arrival, loaded, self.chain)
        else:
            outcome = handshakes.answer(arrival, loaded)
        if outcome.charge_point and outcome.charge_point.connection and claims(outcome, loaded):
            _replace(outcome, loaded.edges.get(outcome.charge_point.id), edge)
        elif is_overtaken(outcome):
            outcome.commands += (_took_over(arrival.connection),)
        return outcome

    def _one_by_one(
        self,
        events: Sequence[Event],
        edge: str,
        reply_to: str,
        *,
        mark: bool,
        late: FrameTookTooLong | None = None,
    ) -> list[Outcome]:
        """Each in its own transaction. The frame that was too `late` already had its time: it would
        take as long again, and all others would wait."""
        outcomes: list[Outcome] = []
        for event in events:
            frame = event.connection, event.seq
            marked = frame == self._held
            try:
                if mark and not marked:
                    if parking.is_killer(event):
                        outcomes += parking.park(
                            event, "the worker died while processing this frame"
                        )
                        continue
                    marked = True
                if late is not None and late.whose is event:
                    outcomes += _park(event, late)
                    continue
                outcomes += self._alone(event, edge, reply_to)
                if mark:
                    parking.survived(event)
            except (DatabaseError, InterfaceError, DatabaseAway) as error:
                if is_damage(error):
                    cut = _cut_off(event, error)
                    if cut is not None:
                        outcomes += cut
                        continue
                elif not isinstance(error, (*TRANSIENT, InternalError, DatabaseAway)):
                    raise
                if marked:
                    self._hold(event, error)
                if isinstance(error, DatabaseAway):
                    raise
                raise DatabaseAway(str(error)) from error
        return outcomes

    def _hold(self, event: Event, error: Exception) -> None:
        """This worker lives, and takes the frame again: the mark that it finds then is its own.

        Where the database answers, the mark goes: whoever stops this worker meanwhile, and the
        next one, does not make a killer of a frame that waits for a lock.
        """
        self._held = event.connection, event.seq
        if isinstance(error, HeldUp):
            with suppress(DatabaseError, InterfaceError):
                parking.survived(event)
                self._held = None

    def _alone(self, event: Event, edge: str, reply_to: str) -> list[Outcome]:
        """One event in its own transaction; parked if it fails whatever we try."""
        for left in reversed(range(TRIES)):
            try:
                return self._together([event], edge, reply_to)
            except Exception as error:
                if is_damage(error):
                    raise DatabaseAway(str(error)) from error
                _raise_if_away(error)
                if isinstance(error, TRANSIENT) and left:
                    continue
                if getattr(error.__cause__, "pgcode", None) in BLOCKED:
                    raise HeldUp(str(error)) from error
                if _session_ended(error) and self.lost_sessions < LOST_SESSIONS:
                    # Django has connected again each time, and each time somebody ended that.
                    self.lost_sessions += 1
                    raise DatabaseAway(str(error)) from error
                return _park(event, error)
        raise AssertionError("unreachable")


def _park(event: Event, error: Exception) -> list[Outcome]:
    parked = parking.park(event, error)
    # Once it is: where the database goes away meanwhile, the frame is tried again.
    log.error(
        "%s: frame %s failed and is parked",
        event.charge_point,
        event.seq,
        exc_info=error,
        extra={"charge_point": event.charge_point, "connection": event.connection},
    )
    return parked


def _cut_off(event: Event, error: Exception) -> list[Outcome] | None:
    """What it needs is damaged: its charger keeps it, and what is whole is served meanwhile.

    None if the frame is to be held instead: the database was repaired, or no one would send the
    frame again.
    """
    if mend(transaction.get_connection(), error):
        return None
    if isinstance(event, Authenticate):
        return []  # without an answer it tries again
    if isinstance(event, Spooled) or not isinstance(event, Received | Connected):
        return None
    close = Close(
        event.connection, CloseCode.TRY_AGAIN_LATER, "the database is damaged; try again later"
    )
    return [Outcome(Arrival(event, datetime.fromtimestamp(event.at, UTC)), None, commands=(close,))]


def identify(event: Event) -> Arrival:
    """The event with its frame parsed, and with what its payload points to."""
    at = datetime.fromtimestamp(event.at, UTC)
    if not isinstance(event, Received):
        return Arrival(event, at)
    frame, version = parse(event.text), version_of(event.subprotocol)
    found = version.references(frame, event.text)
    if found.needs_new_id and isinstance(event, Spooled) and event.transaction:
        # The edge has said which one it is: is it recorded?
        found = replace(found, transaction_id=event.transaction)
    return Arrival(event, at, frame, found, version)


def rounds(events: Iterable[Event]) -> list[list[Event]]:
    """The events in their order, in groups in which no charge point occurs twice.

    An edge has one frame of a connection in flight, so nearly always there is one group. Two
    connections of one charge point at once are why there can be more: the second event must
    see what the first one did.
    """
    groups: list[list[Event]] = []
    depth: dict[str, int] = {}
    for event in events:
        key = event.charge_point.lower()
        number = depth.get(key, 0)
        depth[key] = number + 1
        if number == len(groups):
            groups.append([])
        groups[number].append(event)
    return groups


def _reply(outcome: Outcome) -> list[Command]:
    if isinstance(outcome.arrival.event, Spooled):
        return []  # the edge has answered it
    commands: list[Command] = []
    if outcome.answer:
        commands.append(Send(outcome.arrival.connection, outcome.answer))
    commands += outcome.commands
    return commands


def _took_over(connection: str) -> Close:
    return Close(connection, CloseCode.NORMAL_CLOSURE, "a newer connection took over")


def _replace(outcome: Outcome, old_edge: str | None, edge: str) -> None:
    """Close the connection that the new one takes over from."""
    assert outcome.charge_point is not None
    assert outcome.charge_point.connection is not None
    close = _took_over(outcome.charge_point.connection)
    if old_edge is None or old_edge == edge:
        outcome.commands += (close,)
    else:
        outcome.elsewhere += ((old_edge, close),)


def _session_ended(error: Exception) -> bool:
    """True if the database took our session away, or the line to it broke."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "pgcode", None) or ""
    return not code or code.startswith(SESSION_ENDED)


def _raise_if_away(error: Exception) -> None:
    """Tell a database that is gone from a statement that failed."""
    if isinstance(error, DatabaseError) and lost_its_plan(error):
        transaction.get_connection().close()
        raise DatabaseAway(str(error)) from error
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return
    code = getattr(error.__cause__, "pgcode", None) or ""
    if code == READ_ONLY or code.startswith(NO_RESOURCES):
        raise DatabaseAway(str(error)) from error
    connection = transaction.get_connection()
    if connection.vendor == "sqlite":
        # One file, no server: locked, full or read-only, all of which pass.
        raise DatabaseAway(str(error)) from error
    if connection.connection is None or not connection.is_usable():
        connection.close()
        raise DatabaseAway(str(error)) from error
