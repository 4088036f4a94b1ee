"""A transport for the worker without a broker: deliveries in, replies and acknowledgements out."""

from collections import deque
from collections.abc import Callable
from uuid import uuid4

from levity_ws.rpc.envelope import Batch, Event, Reply, Send
from levity_ws.rpc.transport import Delivery

__all__ = ["FakeWorkerTransport"]


class FakeWorkerTransport:
    """A `WorkerTransport` that notes everything that is done with it, in order.

    `gone` are the addresses at which nobody listens any more; `on_empty` is called when nothing
    is left to receive.
    """

    def __init__(self) -> None:
        self.waiting: deque[Delivery] = deque()
        self.log: list[tuple[str, str]] = []
        """("send", reply address), ("ack", batch id), ("hand back", ""), ("listen", ""),
        ("wake", ""), ("close", "")."""
        self.replies: list[tuple[str, Reply]] = []
        self.gone: set[str] = set()
        self.on_empty: Callable[[], None] = lambda: None

    def deliver(self, *events: Event, reply_to: str = "replies", deliveries: int = 0) -> str:
        """Put a batch of these events on the queue; its id."""
        batch = Batch("edge-1", str(uuid4()), events)
        self.waiting.append(Delivery(batch, reply_to, deliveries))
        return batch.batch

    def receive(self, timeout: float) -> Delivery | None:
        """The next delivery."""
        if self.waiting:
            return self.waiting.popleft()
        self.on_empty()
        return None

    def send(self, reply_to: str, reply: Reply) -> bool:
        """Note it; False if nobody listens there."""
        self.log.append(("send", reply_to))
        if reply_to in self.gone:
            return False
        self.replies.append((reply_to, reply))
        return True

    def ack(self, delivery: Delivery) -> None:
        """Note it."""
        self.log.append(("ack", delivery.batch.batch))

    def hand_back(self) -> None:
        """Note it."""
        self.log.append(("hand back", ""))

    def listen(self) -> None:
        """Note it."""
        self.log.append(("listen", ""))

    def wake(self) -> None:
        """Note it."""
        self.log.append(("wake", ""))

    def close(self) -> None:
        """Note it."""
        self.log.append(("close", ""))

    def calls(self) -> list[str]:
        """The frames that were sent on nobody's request, in their order."""
        return [
            command.text
            for _, reply in self.replies
            if reply.batch is None
            for command in reply.commands
            if isinstance(command, Send)
        ]
