"""`memory://`: edge and backend in one process, with every promise the broker's transport makes.

Everything that passes is encoded to JSON bytes and decoded on the other side, exactly as on the
wire, so that what works here works on RabbitMQ. What is in the queue lives as long as the process:
the edge has not answered it, so the charger sends it again.
"""

import asyncio
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from levity_ws.rpc.envelope import (
    Batch,
    Reply,
    decode_batch,
    decode_reply,
    encode_batch,
    encode_reply,
)
from levity_ws.rpc.transport import Delivery, TransportUnavailable

__all__ = ["MemoryBroker", "MemoryEdgeTransport", "MemoryWorkerTransport"]


@dataclass(slots=True)
class _Queued:
    body: bytes
    reply_to: str
    deliveries: int = 0


class MemoryBroker:
    """One queue from the edges to the workers, and an address for each edge.

    `capacity` batches may wait; then a publish raises `TransportUnavailable`.
    """

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._queue: deque[_Queued] = deque()
        self._changed = threading.Condition()
        self._edges: dict[str, Callable[[bytes], bool]] = {}

    def edge_transport(self) -> "MemoryEdgeTransport":
        """A new edge's way to the workers."""
        return MemoryEdgeTransport(self)

    def worker_transport(self) -> "MemoryWorkerTransport":
        """A new worker's way to the edges; all workers share the one queue."""
        return MemoryWorkerTransport(self)

    def attach(self, deliver: Callable[[bytes], bool]) -> str:
        """A new address; `deliver` gets what is sent there and says whether anybody took it."""
        address = f"memory.{uuid.uuid4().hex}"
        with self._changed:
            self._edges[address] = deliver
        return address

    def detach(self, address: str) -> None:
        """Nobody listens at this address any more."""
        with self._changed:
            self._edges.pop(address, None)

    def put(self, body: bytes, reply_to: str) -> None:
        """Queue a batch; `TransportUnavailable` when too many wait already."""
        with self._changed:
            if len(self._queue) >= self._capacity:
                raise TransportUnavailable(f"{self._capacity} batches are waiting already")
            self._queue.append(_Queued(body, reply_to))
            self._changed.notify_all()

    def take(self, timeout: float, woken: Callable[[], bool]) -> _Queued | None:
        """The next batch; None after `timeout` seconds or as soon as `woken` says so."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                if woken():
                    return None
                if self._queue:
                    return self._queue.popleft()
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return None
                self._changed.wait(remaining)

    def give_back(self, items: list[_Queued]) -> None:
        """A worker goes without having acknowledged these: they are next, in their order."""
        with self._changed:
            for item in reversed(items):
                item.deliveries += 1
                self._queue.appendleft(item)
            self._changed.notify_all()

    def notify(self) -> None:
        """Let every waiting worker look again at what woke it."""
        with self._changed:
            self._changed.notify_all()

    def send(self, address: str, body: bytes) -> bool:
        """Hand a reply to the edge at this address; False if nobody is there."""
        with self._changed:
            deliver = self._edges.get(address)
        return deliver is not None and deliver(body)


class MemoryEdgeTransport:
    """The edge's side; runs on the event loop that called `start`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._address = ""

    @property
    def available(self) -> bool:
        """True from `start` to `close`."""
        return bool(self._address)

    async def start(
        self,
        on_reply: Callable[[Reply], None],
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        """See `EdgeTransport.start`. There is one connection, and it stands at once."""
        loop = asyncio.get_running_loop()

        def arrived(body: bytes) -> None:
            if self._address:
                on_reply(decode_reply(body))

        def deliver(body: bytes) -> bool:
            try:
                loop.call_soon_threadsafe(arrived, body)
            except RuntimeError:  # the loop is closed: this edge is gone
                return False
            return True

        self._address = self._broker.attach(deliver)
        if on_connect is not None:
            on_connect()

    async def publish(self, batch: Batch) -> None:
        """See `EdgeTransport.publish`."""
        if not self._address:
            raise TransportUnavailable("the transport is closed")
        self._broker.put(encode_batch(batch), self._address)

    async def close(self) -> None:
        """See `EdgeTransport.close`."""
        self._broker.detach(self._address)
        self._address = ""


class MemoryWorkerTransport:
    """The worker's side; as on AMQP, one worker is one of these in one thread."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._unacknowledged: dict[int, _Queued] = {}
        self._tags = 0
        self._woken = threading.Event()
        self._closed = False

    def receive(self, timeout: float) -> Delivery | None:
        """See `WorkerTransport.receive`."""
        if self._closed:
            return None
        item = self._broker.take(timeout, self._woken.is_set)
        if item is None:
            self._woken.clear()
            return None
        self._tags += 1
        self._unacknowledged[self._tags] = item
        return Delivery(
            batch=decode_batch(item.body),
            reply_to=item.reply_to,
            deliveries=item.deliveries,
            tag=self._tags,
        )

    def send(self, reply_to: str, reply: Reply) -> bool:
        """See `WorkerTransport.send`."""
        return self._broker.send(reply_to, encode_reply(reply))

    def ack(self, delivery: Delivery) -> None:
        """See `WorkerTransport.ack`."""
        self._unacknowledged.pop(delivery.tag, None)

    def hand_back(self) -> None:
        """See `WorkerTransport.hand_back`: nobody else could do better in this process."""

    def listen(self) -> None:
        """See `WorkerTransport.listen`."""

    def wake(self) -> None:
        """See `WorkerTransport.wake`."""
        self._woken.set()
        self._broker.notify()

    def close(self) -> None:
        """See `WorkerTransport.close`."""
        self._closed = True
        items, self._unacknowledged = list(self._unacknowledged.values()), {}
        self._broker.give_back(items)
