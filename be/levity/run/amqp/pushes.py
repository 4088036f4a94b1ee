"""Messages that the backend sends on its own initiative, and their results."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pika
from pika import spec
from pika.channel import Channel

__all__ = ["Pushes"]


class Pushes:
    """Publishes on a channel with confirms; each push learns whether it has reached a queue.
    Everything here is for the I/O thread. `on_settled` is called when no push waits any longer.
    """

    def __init__(self, on_settled: Callable[[], None]) -> None:
        self._on_settled = on_settled
        self._channel: Channel | None = None
        self._last = 0
        self._waiting: dict[int, Future[bool]] = {}

    @property
    def channel(self) -> Channel | None:
        """The open channel, if there is one."""
        return self._channel if self._channel is not None and self._channel.is_open else None

    @property
    def settled(self) -> bool:
        """True while no push waits for the broker's confirm."""
        return not self._waiting

    def start(
        self,
        channel: Channel,
        started: Callable[[], None],
        guarded: Callable[[Callable[..., None]], Callable[..., None]],
    ) -> None:
        """Use this channel from now on; the broker counts from one on each channel."""
        self._channel, self._last = channel, 0
        channel.add_on_return_callback(guarded(self._returned))
        channel.confirm_delivery(
            guarded(self._confirmed), callback=guarded(lambda _frame: started())
        )

    def publish(self, reply_to: str, body: bytes, arrived: "Future[bool]") -> None:
        """Send it, unless the sender has given up."""
        if not arrived.set_running_or_notify_cancel():
            return
        channel = self.channel
        if channel is None:
            arrived.set_result(False)
            return
        self._last += 1
        self._waiting[self._last] = arrived
        channel.basic_publish(
            "",
            reply_to,
            body,
            pika.BasicProperties(content_type="application/json", message_id=str(self._last)),
            mandatory=True,
        )

    def stop(self) -> None:
        """The connection is gone: the results will remain unknown."""
        self._channel = None
        self._settle(list(self._waiting), arrived=False)

    def _returned(self, _channel: Channel, _method: Any, properties: Any, _body: bytes) -> None:
        # Before its acknowledgement (rabbitmq.com, "Consumer Acknowledgements and Publisher
        # Confirms"), which then finds nobody waiting.
        self._settle([int(properties.message_id)], arrived=False)

    def _confirmed(self, frame: Any) -> None:
        last = frame.method.delivery_tag
        numbers = [last]
        if frame.method.multiple:
            numbers = [each for each in self._waiting if each <= last]
        self._settle(numbers, arrived=isinstance(frame.method, spec.Basic.Ack))

    def _settle(self, numbers: list[int], *, arrived: bool) -> None:
        for number in numbers:
            if (waiting := self._waiting.pop(number, None)) is not None:
                waiting.set_result(arrived)
        if self.settled:
            self._on_settled()
