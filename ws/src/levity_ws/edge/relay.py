"""The relay: events of all connections go to the backend, and its commands to the right socket.

It knows the connections, the backend's answers to their handshakes, and whether the backend answers
at all. `batches` turns events into batches.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.frames import CloseCode

from levity_ws.edge.batches import Batches
from levity_ws.edge.lane import BackendUnavailable, Entry, Lane, Peer
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.steady_clock import SteadyClock
from levity_ws.rpc.envelope import (
    Accept,
    Alive,
    Close,
    Command,
    Connected,
    Disconnected,
    EdgeRefusal,
    Event,
    Lease,
    Leased,
    Received,
    Refuse,
    Refused,
    Reply,
    Send,
    Spooled,
)
from levity_ws.rpc.transport import EdgeTransport, TransportUnavailable

__all__ = ["Relay", "StandIn"]

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# So many intervals without an answered sign of life, and the backend may think the edge dead
# (OCPP_EDGE_TIMEOUT there is three of them).
SILENCE_INTERVALS = 2
_EVENT_BYTES = 200  # bytes of an event in addition to its text
_ENDED_BY_ANSWER = (Received, Spooled)


@dataclass(slots=True)
class _Pulse:
    """The edge's own lane, and what its events show about the backend."""

    lane: Lane
    sent_at: float | None = None
    next_at: float = 0.0
    answered_at: float = 0.0
    stale: bool = False


@dataclass(slots=True)
class _NoPeer:
    def write(self, text: str) -> None:
        """Nobody is there."""

    def hang_up(self, code: int, reason: str) -> None:
        """Nobody is there."""


class StandIn(Protocol):
    """What answers chargers while the backend is away: the spool."""

    def look(self, now: float) -> None:
        """Called once per second."""

    def backend_answers(self) -> None:
        """The backend has just answered a sign of life."""

    def leased(self, command: Leased) -> None:
        """Transaction ids that may be used."""

    def swallows(self, command: Send) -> bool:
        """True if the charger already has this answer."""


@dataclass(slots=True)
class Relay:
    """Between the sockets and the transport. Everything runs on one event loop.

    `clock` is monotonic and decides what is late; `wall` stamps the events. `start` begins to call
    `tick` once a second.
    """

    transport: EdgeTransport
    settings: EdgeSettings
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = field(default_factory=SteadyClock)
    connections: Callable[[], int] = lambda: 0
    stand_in: StandIn | None = None
    loop: asyncio.AbstractEventLoop = field(init=False)
    _lanes: dict[str, Lane] = field(init=False, default_factory=dict)
    _verdicts: "dict[str, asyncio.Future[Accept | Refuse]]" = field(
        init=False, default_factory=dict
    )
    _batches: Batches = field(init=False)
    _ticker: "asyncio.Task[None] | None" = field(init=False, default=None)
    _pulse: _Pulse = field(init=False)
    _was_available: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        now = self.clock()
        self._pulse = _Pulse(Lane(self, "", "", _NoPeer()), next_at=now, answered_at=now)
        self._batches = Batches(self.transport, self.settings, self.metrics, self.clock)

    @property
    def available(self) -> bool:
        """False while, as far as the edge knows, the broker or the backend can't be reached."""
        return self.transport.available and not self._pulse.stale

    @property
    def why_unavailable(self) -> str:
        """A problem, described for an operator; empty if there is none."""
        if not self.transport.available:
            return "no connection to the message broker"
        if self._pulse.stale:
            return (
                "no worker answers: is one running, and can it reach the broker and the database?"
            )
        return ""

    @property
    def waiting(self) -> int:
        """Events waiting for a batch."""
        return self._batches.waiting

    @property
    def under_way(self) -> int:
        """Batches that are sent and not answered."""
        return self._batches.under_way

    async def start(self, *, ticking: bool = True) -> None:
        """Connect the transport, now or in the background, and begin to relay."""
        try:
            await self.transport.start(self._on_reply, self._batches.publish_all_again)
        except TransportUnavailable as error:
            logger.warning("The backend can't be reached yet: %s", error)
        if ticking:
            self._ticker = asyncio.create_task(self._keep_ticking())

    async def flush(self, within: float) -> bool:
        """Wait until everything submitted is answered; False if that takes longer."""
        try:
            async with asyncio.timeout(within):
                await self._batches.idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop; callers that still wait for an answer get `BackendUnavailable`."""
        ticking = () if self._ticker is None else (self._ticker,)
        await self._batches.close(*ticking)
        for entry in self._batches.unanswered():
            self._give_up(entry)
        for verdict in self._verdicts.values():
            if not verdict.done():
                verdict.set_exception(BackendUnavailable("the edge stops"))
        await self.transport.close()

    def open(self, charge_point: str, peer: Peer) -> Lane:
        """A lane for a new connection, with a connection id of its own."""
        lane = Lane(self, charge_point, str(uuid.uuid4()), peer)
        self._lanes[lane.connection] = lane
        return lane

    def has_lane(self, connection: str) -> bool:
        """True while this connection is open."""
        return connection in self._lanes

    def forget(self, lane: Lane) -> None:
        """Nobody is at the end of this lane any more."""
        self._lanes.pop(lane.connection, None)
        self._verdicts.pop(lane.connection, None)

    def expect_verdict(self, connection: str) -> "asyncio.Future[Accept | Refuse]":
        """Fulfilled with what the backend says to this connection's handshake."""
        verdict: asyncio.Future[Accept | Refuse] = self.loop.create_future()
        self._verdicts[connection] = verdict
        return verdict

    def submit(
        self,
        lane: Lane,
        kind: type[Event],
        details: dict[str, Any],
        *,
        done: "asyncio.Future[Any] | None" = None,
        size: int = 0,
    ) -> Entry:
        """Put an event on its way. `done` is fulfilled when its batch is answered."""
        entry = Entry(
            lane, kind, details, self.wall(), self.clock(), size + _EVENT_BYTES, done=done
        )
        self._batches.add(entry)
        return entry

    def ask_for_ids(self, count: int) -> None:
        """Ask the backend for transaction ids; it answers with `Leased`."""
        self.submit(self._pulse.lane, Lease, {"count": count})

    async def deliver(self, event: Spooled) -> None:
        """Send an event of an earlier time; returns when the backend has it, however long that
        takes. Raises `BackendUnavailable` only when the relay closes.
        """
        lane = self._lanes.get(event.connection)
        if lane is None:
            lane = Lane(self, event.charge_point, event.connection, _NoPeer())
        details = {"text": event.text, "answer": event.answer, "transaction": event.transaction}
        size = len(event.text) + len(event.answer) + _EVENT_BYTES
        done: asyncio.Future[None] = self.loop.create_future()
        self._batches.add(
            Entry(lane, Spooled, details, event.at, self.clock(), size, done=done, seq=event.seq)
        )
        await done

    def report(self, refusals: "Sequence[EdgeRefusal]", unlisted: int) -> None:
        """Report the edge's own refusals to the backend."""
        details = {"refusals": tuple(refusals), "unlisted": unlisted}
        self.submit(self._pulse.lane, Refused, details)

    def _on_reply(self, reply: Reply) -> None:
        flight = None if reply.batch is None else self._batches.answered(reply.batch)
        if flight is None and reply.batch is not None:
            # A worker died between its reply and its ack, and another one processed the batch
            # again. The chargers already have these frames.
            self.metrics.count("replies_unknown")
            return
        for command in reply.commands:
            self._obey(command, asked=flight is not None)
        if flight is None:
            return
        self.metrics.count("batches_answered")
        now = self.clock()
        self.metrics.batch_seconds.observe(now - flight.published_at)
        self.metrics.batch_events.observe(len(flight.entries))
        for entry in flight.entries:
            if entry.kind is Received:
                self.metrics.answer_seconds.observe(now - entry.since)
            if entry.done is not None and not entry.done.done() and entry.kind in _ENDED_BY_ANSWER:
                entry.done.set_result(None)
            if entry.kind is Alive:
                self._alive_answered()
            self._batches.end_turn(entry)
        self._batches.pump()

    def _obey(self, command: Command, *, asked: bool) -> None:
        if isinstance(command, Accept | Refuse):
            verdict = self._verdicts.pop(command.connection, None)
            if verdict is not None and not verdict.done():
                verdict.set_result(command)
                return
        else:
            lane = self._lanes.get(command.connection)
            if lane is not None and isinstance(command, Send):
                if self.stand_in is not None and self.stand_in.swallows(command):
                    return
                if asked:
                    lane.peer.write(command.text)
                else:
                    lane.say(command.text)
                return
            if isinstance(command, Leased):
                if self.stand_in is not None:
                    self.stand_in.leased(command)
                    return
            elif lane is not None and isinstance(command, Close):
                lane.peer.hang_up(command.code, command.reason)
                return
        # The charger has disconnected meanwhile. The answer must not reach its next connection, on
        # which the charger repeats its Call.
        self.metrics.count("commands_dropped", command.type)
        if isinstance(command, Send) and not asked:
            # A Call to a connection that the backend believes to be open: tell it that it is
            # closed.
            self._tell_gone(command.connection)

    def _tell_gone(self, connection: str) -> None:
        """Report this connection as closed, as if it closed now."""
        lane = Lane(self, "", connection, _NoPeer())
        details = {
            "code": CloseCode.ABNORMAL_CLOSURE,
            "reason": "its edge knows of no such connection",
        }
        self.submit(lane, Disconnected, details)

    async def _keep_ticking(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)

    def tick(self) -> None:
        """Send a sign of life, give up frames that waited too long, retry what failed."""
        now = self.clock()
        self._feel_pulse(now)
        if self._batches.oldest() < now - self.settings.hold:
            for entry in self._batches.unanswered():
                # Frames that the spool has answered wait as long as necessary.
                if entry.expired or entry.kind is Spooled:
                    continue
                if entry.since < now - self.settings.hold:
                    self._give_up(entry)
        if self.transport.available:
            self._batches.repeat_late(now)
        self._tell_availability()
        if self.stand_in is not None:
            self.stand_in.look(now)

    def _feel_pulse(self, now: float) -> None:
        pulse = self._pulse
        if pulse.sent_at is not None:
            pulse.stale = now - pulse.sent_at > self.settings.alive_timeout
        else:
            pulse.stale = False
            if now >= pulse.next_at:
                pulse.sent_at = now
                pulse.next_at = now + self.settings.alive_interval
                self.submit(pulse.lane, Alive, {"connections": self.connections()})

    def _alive_answered(self) -> None:
        """Announce the open websockets again after a silence.

        A backend that received nothing for a while (it was away, or this process was stopped) may
        show the chargers as offline, and most of them send nothing for minutes.
        """
        now, pulse = self.clock(), self._pulse
        if now - pulse.answered_at > SILENCE_INTERVALS * self.settings.alive_interval:
            for lane in tuple(self._lanes.values()):
                if lane.is_open:
                    lane.still_connected()
        pulse.sent_at, pulse.answered_at = None, now
        if self.stand_in is not None:
            self.stand_in.backend_answers()

    def _give_up(self, entry: Entry) -> None:
        entry.expired = True
        if entry.kind is Received:
            self.metrics.count("frames_given_up")
            # What was not sent is not sent later: the charger repeats it when it reconnects.
            entry.dropped = not entry.sent
        elif entry.kind is Connected:
            entry.lane.peer.hang_up(CloseCode.TRY_AGAIN_LATER, "try again later")
        if entry.done is not None and not entry.done.done():
            entry.done.set_exception(BackendUnavailable("no answer in time"))

    def _tell_availability(self) -> None:
        available = self.available
        if available != self._was_available:
            self._was_available = available
            if available:
                logger.info("The backend answers again")
            else:
                reason = "no answer" if self.transport.available else "no connection"
                logger.warning("The backend is unavailable: %s", reason)
