"""Batches: events of all connections are sent together, in batches that pace themselves.

A batch is sent at once while fewer than `window` are in flight; events that arrive meanwhile are
collected and sent together after the next answer. No timer adds latency at a low rate, and batches
grow by themselves at a high one.

At most one event of a connection is in flight (see `Lane`), so any number of workers may share one
queue while each charger's order is kept. A batch that is not answered is published again.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from levity_ws.edge.lane import Entry
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.envelope import Batch
from levity_ws.rpc.transport import EdgeTransport, TransportUnavailable

__all__ = ["Batches", "Flight"]


@dataclass(slots=True, eq=False)
class Flight:
    """A batch that is sent and not answered."""

    batch: Batch
    entries: list[Entry]
    published_at: float
    publishing: bool = False
    lost: bool = False


@dataclass(slots=True)
class Batches:
    """The events that wait for a batch, and the batches in flight. Everything runs on one event
    loop.

    `clock` is monotonic and decides what is late.
    """

    transport: EdgeTransport
    settings: EdgeSettings
    metrics: Metrics
    clock: Callable[[], float]
    idle: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    """Set while nothing waits and nothing is in flight."""
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _waiting: deque[Entry] = field(init=False, default_factory=deque)
    _flights: dict[str, Flight] = field(init=False, default_factory=dict)
    _tasks: "set[asyncio.Task[None]]" = field(init=False, default_factory=set)
    _pump_due: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.idle.set()

    @property
    def waiting(self) -> int:
        """Events waiting for a batch."""
        return len(self._waiting)

    @property
    def under_way(self) -> int:
        """Batches that are sent and not answered."""
        return len(self._flights)

    async def close(self, *others: "asyncio.Task[None]") -> None:
        """Stop publishing, and cancel these other tasks at the same time."""
        tasks = [*self._tasks, *others]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def add(self, entry: Entry) -> None:
        """Send this entry when it is its turn in its lane."""
        self.idle.clear()
        if entry.lane.take_turn(entry):
            self._waiting.append(entry)
            self._pump_soon()

    def answered(self, batch: str) -> Flight | None:
        """The batch is answered; None if it is no longer in flight. Call `end_turn` for its
        entries, then `pump` to send what waits.
        """
        return self._flights.pop(batch, None)

    def end_turn(self, entry: Entry) -> None:
        """The entry is answered or dropped: the next one of its lane may be sent."""
        entry.lane.say_held()
        following = entry.lane.end_turn()
        while following is not None and following.dropped:
            following = entry.lane.end_turn()
        if following is not None:
            self._waiting.append(following)

    def oldest(self) -> float:
        """When the oldest waiting entry was submitted; infinity if none waits."""
        heads = [flight.entries[0].since for flight in self._flights.values()]
        if self._waiting:
            heads.append(self._waiting[0].since)
        return min(heads, default=float("inf"))

    def unanswered(self) -> list[Entry]:
        """All entries that are in flight or wait for their turn."""
        heads = itertools.chain(
            *(flight.entries for flight in self._flights.values()), self._waiting
        )
        return [entry for head in heads for entry in (head, *head.lane.queued())]

    def repeat_late(self, now: float) -> None:
        """Publish lost batches again, and those without an answer after `repeat_after` seconds."""
        late = now - self.settings.repeat_after
        for flight in self._flights.values():
            if not flight.publishing and (flight.lost or flight.published_at <= late):
                self._publish_again(flight)
        self._pump_soon()

    def publish_all_again(self) -> None:
        """The transport has reconnected."""
        # Answers to batches of the last connection went to a queue that no longer exists.
        for flight in self._flights.values():
            if flight.publishing:
                flight.lost = True
            else:
                self._publish_again(flight)
        self._pump_soon()

    def _pump_soon(self) -> None:
        # Not immediately: events that other sockets bring in the same turn of the loop go along.
        if not self._pump_due:
            self._pump_due = True
            self._loop.call_soon(self.pump)

    def pump(self) -> None:
        """Send waiting events, as far as the window allows."""
        self._pump_due = False
        while self._waiting and self._may_depart:
            entries = self._next_entries()
            if entries:
                self._depart(entries)
        if not self._waiting and not self._flights:
            self.idle.set()

    @property
    def _may_depart(self) -> bool:
        return len(self._flights) < self.settings.window and self.transport.available

    def _next_entries(self) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        while self._waiting and len(entries) < self.settings.max_batch_frames:
            entry = self._waiting[0]
            if entries and size + entry.size > self.settings.max_batch_bytes:
                break
            self._waiting.popleft()
            if entry.dropped:
                self.end_turn(entry)
                continue
            entries.append(entry)
            size += entry.size
        return entries

    def _depart(self, entries: list[Entry]) -> None:
        for entry in entries:
            entry.sent = True
        batch = Batch(
            edge=self.settings.edge_id,
            batch=uuid.uuid4().hex,
            events=tuple(entry.event() for entry in entries),
        )
        flight = Flight(batch, entries, self.clock())
        self._flights[batch.batch] = flight
        self._publish(flight)

    def _publish(self, flight: Flight) -> None:
        flight.publishing = True
        flight.lost = False
        flight.published_at = self.clock()
        self.metrics.count("batches_published")
        task = asyncio.create_task(self._publish_once(flight))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish_once(self, flight: Flight) -> None:
        try:
            await self.transport.publish(flight.batch)
        except TransportUnavailable:
            flight.lost = True  # the next connection, or the next tick, publishes it again
        finally:
            flight.publishing = False

    def _publish_again(self, flight: Flight) -> None:
        flight.batch = dataclasses.replace(flight.batch, attempt=flight.batch.attempt + 1)
        self.metrics.count("batches_repeated")
        self._publish(flight)
