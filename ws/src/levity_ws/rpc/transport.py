"""The seam between edge and backend: what every transport promises, whatever carries it.

Two sides. `EdgeTransport` is asyncio and lives in the edge; `WorkerTransport` is blocking and
lives in the backend's worker, which is ordinary synchronous Django. `memory` and `amqp` implement
both, and one contract test suite runs on each.
"""

from collections.abc import Callable
from typing import Any, Protocol

from levity_ws.frozen import frozen
from levity_ws.rpc.envelope import Batch, Reply

__all__ = ["Delivery", "EdgeTransport", "TransportUnavailable", "WorkerTransport"]


class TransportUnavailable(Exception):  # names a state, which passes
    """The other side can't be reached now. Keep what you have and try again later."""


class EdgeTransport(Protocol):
    """The edge's way to the backend."""

    @property
    def available(self) -> bool:
        """False as soon as the transport knows that a publish would not get through."""

    async def start(
        self,
        on_reply: Callable[[Reply], None],
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        """Connect and from then on keep connected, with jittered pauses, until `close`.

        `on_reply` is called on the event loop for every reply, in the order of arrival.
        `on_connect` is called each time a connection stands, the first included: a reply to what
        was published before that may be lost, so publish again what is not answered yet. Returns
        when the first connection stands, or raises `TransportUnavailable` after one failed try
        (and goes on trying in the background).
        """

    async def publish(self, batch: Batch) -> None:
        """Hand the batch over; returns once it is safe on the other side (a confirmed publish).

        Raises `TransportUnavailable` when that is not certain: the batch may or may not arrive,
        so publish it again with `attempt` one higher. Batches arrive in the order of the calls.
        """

    async def close(self) -> None:
        """Let go of everything. Idempotent."""


@frozen
class Delivery:
    """One batch in a worker's hands, until it is acknowledged."""

    batch: Batch
    reply_to: str
    """Where the edge that sent it listens; also an address for `WorkerTransport.send`."""
    deliveries: int
    """How often it was delivered before: 0 the first time. Above 0, a worker died holding it,
    or lost its connection."""
    tag: Any = None


class WorkerTransport(Protocol):
    """The worker's way to the edges. `send`, `wake` and `hand_back` are for any thread, the others
    for one: the worker's."""

    def receive(self, timeout: float) -> Delivery | None:
        """The next batch, or None after `timeout` seconds (or after `wake`).

        Never raises for trouble on the way: the transport reconnects by itself meanwhile.
        """

    def send(self, reply_to: str, reply: Reply) -> bool:
        """Send to the edge that listens at `reply_to`. False if nobody is there any more."""

    def ack(self, delivery: Delivery) -> None:
        """The batch is committed and answered. Silently does nothing for a delivery whose
        connection is gone: the broker delivers that one again, and it is recognised."""

    def hand_back(self) -> None:
        """Give back what is not acknowledged, and take nothing more until `listen`. Where there is
        no broker that would mind, this does nothing, and so does `listen`."""

    def listen(self) -> None:
        """Take batches again."""

    def wake(self) -> None:
        """Make a waiting `receive` return at once."""

    def close(self) -> None:
        """Give back what was not acknowledged, and let go of everything. Idempotent."""
