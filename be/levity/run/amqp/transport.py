"""`amqp://`, the worker's side: pika in a thread of its own, handlers on the caller's thread.

A handler may be slow: the I/O thread sends heartbeats and acknowledgements, and the threads only
communicate through `add_callback_threadsafe` and a queue back (pika FAQ: a connection belongs to
one thread).
"""

import functools
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

import pika
from pika.channel import Channel

from levity.run.amqp.connection import TROUBLE, BrokerConnection, parameters_of
from levity.run.amqp.pushes import Pushes
from levity_ws.rpc.backoff import jittered_pause
from levity_ws.rpc.envelope import EnvelopeError, Reply, decode_batch, encode_reply
from levity_ws.rpc.topology import (
    DEFAULT_PREFIX,
    DEFAULT_URL,
    OTHERWISE,
    broker_label,
    dead_letter_queue,
    declarations,
    rpc_queue,
)
from levity_ws.rpc.transport import Delivery

__all__ = ["AmqpWorkerTransport"]

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT = 5.0
# The last messages wait this long for the broker's confirm.
LAST_CONFIRM_TIMEOUT = 2.0

# pika logs a traceback for every failed attempt to connect, and the first bytes of every returned
# message, which may contain a charger's secret. What matters is logged here, once.
logging.getLogger("pika").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class _Tag:
    """A delivery tag is only valid on the connection that delivered it."""

    generation: int
    number: int


class AmqpWorkerTransport:
    """The worker's way to the edges over RabbitMQ; see `WorkerTransport` for the promises.

    `prefetch` batches wait in this process while one is handled. `send` waits for the broker only
    for messages on the backend's own initiative: for these the boolean is exact. A reply that names
    a batch is handed over without waiting, in order before the `ack` that follows it, and returns
    True unless there is no connection; if it is lost, the edge publishes the batch again.
    `returned_replies` counts replies whose edge was gone.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        prefix: str = DEFAULT_PREFIX,
        prefetch: int = 1,  # a batch that waits here waits while another worker is idle
        send_timeout: float = 10.0,
        pause: Callable[[int], float] = jittered_pause,
    ) -> None:
        self._label = broker_label(url)
        self._parameters = parameters_of(url)
        self._prefix = prefix
        self._prefetch = prefetch
        self._send_timeout = send_timeout
        self._pause = pause
        self._deliveries: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._work: deque[Callable[[], None]] = deque()
        self._woken: BrokerConnection | None = None
        self._generation = 0
        self._failures = 0
        self._paused = self._leaving = False
        # The newest connection in any state, and the same once it is open and delivers.
        self._newest: BrokerConnection | None = None
        self._connection: BrokerConnection | None = None
        self._replies: Channel | None = None
        self._pushes = Pushes(self._leave_if_settled)
        self._asked: set[Future[tuple[int, int]]] = set()
        self._closing = threading.Event()
        self.returned_replies = 0
        self.undecodable = 0
        self._thread = threading.Thread(target=self._run, name="levity-amqp", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """True while a connection is open and delivers."""
        return self._connection is not None

    def receive(self, timeout: float) -> Delivery | None:
        """See `WorkerTransport.receive`."""
        while not self._closing.is_set():
            try:
                delivery = self._deliveries.get(timeout=timeout)
            except queue.Empty:
                return None
            # What an earlier connection delivered is delivered again by this one.
            if delivery is None or delivery.tag.generation == self._generation:
                return delivery
        return None

    def send(self, reply_to: str, reply: Reply) -> bool:
        """See `WorkerTransport.send`, and the class for the meaning of the result."""
        body = encode_reply(reply)
        if reply.batch is not None:
            return self._hand_over(lambda: self._publish_reply(reply_to, body))
        arrived: Future[bool] = Future()
        if not self._hand_over(lambda: self._pushes.publish(reply_to, body, arrived)):
            return False
        try:
            return arrived.result(self._send_timeout)
        except TimeoutError:
            arrived.cancel()
            return False

    def ack(self, delivery: Delivery) -> None:
        """See `WorkerTransport.ack`."""
        self._hand_over(lambda: self._acknowledge(delivery.tag))

    def hand_back(self) -> None:
        """See `WorkerTransport.hand_back`."""
        self._paused = True
        self._hand_over(self._stop_listening)

    def listen(self) -> None:
        """See `WorkerTransport.listen`."""
        self._paused = False
        self._hand_over(self._listen)

    def depths(self, timeout: float) -> tuple[int, int] | None:
        """(batches that wait for a worker, batches in the dead-letter queue); None: not known."""
        found: Future[tuple[int, int]] = Future()
        if not self._hand_over(lambda: self._ask_depths(found)):
            return None
        try:
            return found.result(timeout)
        except (TimeoutError, CancelledError):
            found.cancel()
            return None

    def wake(self) -> None:
        """See `WorkerTransport.wake`; safe in a signal handler."""
        self._deliveries.put(None)

    def close(self) -> None:
        """See `WorkerTransport.close`; what was sent and acknowledged before goes out first."""
        if not self._closing.is_set():
            self._closing.set()
            self.wake()
            if (connection := self._newest) is not None:
                connection.call_threadsafe(self._leave)
        self._thread.join(CLOSE_TIMEOUT)

    def _hand_over(self, work: Callable[[], None]) -> bool:
        connection = self._connection
        if connection is None:
            return False
        self._work.append(work)
        if self._woken is connection:
            # The I/O thread has not processed it yet: it also checks this.
            return True
        self._woken = connection
        connection.call_threadsafe(self._do_work)
        return True

    def _run(self) -> None:
        while not self._closing.is_set():
            failed = True
            try:
                self._newest = connection = BrokerConnection(self._parameters, self._opened)
                if self._closing.is_set():
                    connection.end()
                connection.run()
                failed = False
            except TROUBLE as error:
                if not self._failures:
                    logger.warning("No connection to %s: %s", self._label, _reason(error))
            except Exception:
                # A bug, here or in pika. Without this thread the worker would receive nothing any
                # more.
                logger.exception("The connection to %s failed; reconnecting", self._label)
            finally:
                self._forget_connection()
            if failed:
                self._failures += 1
                self._closing.wait(self._pause(self._failures))

    def _opened(self) -> None:
        if self._newest is not None:
            self._newest.channel(self._declare)

    def _declare(self, channel: Channel) -> None:
        # The broker works in order: when confirms are on, it has declared the queues, or has closed
        # the channel.
        for declaration in declarations(self._prefix):
            channel.queue_declare(
                declaration.name, durable=True, arguments=dict(declaration.arguments)
            )
        self._pushes.start(channel, self._declared, self._guarded)

    def _declared(self) -> None:
        if self._paused:
            self._stands()
        else:
            self._listen()

    def _stands(self, _frame: Any = None) -> None:
        if self._connection is None:
            self._connection = self._newest
            if self._failures:
                logger.info("Connected to %s again", self._label)
            self._failures = 0
        # It may have been cancelled while the channel was being made.
        self._stop_listening()
        self._listen()

    def _listen(self) -> None:
        """Start consuming, unless already started or not allowed."""
        if self._newest is None or self._paused or self._replies is not None:
            return
        self._generation += 1
        self._replies = self._newest.channel(self._consume)

    def _consume(self, channel: Channel) -> None:
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.add_on_return_callback(self._guarded(self._reply_returned))
        channel.add_on_cancel_callback(self._guarded(self._consumer_cancelled))
        channel.basic_consume(
            rpc_queue(self._prefix).name,
            self._guarded(functools.partial(self._arrived, self._generation)),
            callback=self._guarded(self._stands),
        )

    def _stop_listening(self) -> None:
        """When the channel closes, everything that was delivered on it goes back into the queue."""
        channel = self._replies
        if self._paused and channel is not None:
            self._replies = None
            if not (channel.is_closing or channel.is_closed):
                channel.close()

    def _leave(self) -> None:
        self._do_work()
        self._leaving = True
        if self._newest is not None and not self._pushes.settled:
            self._newest.call_later(LAST_CONFIRM_TIMEOUT, self._newest.end)
        self._leave_if_settled()

    def _leave_if_settled(self) -> None:
        if self._leaving and self._newest is not None and self._pushes.settled:
            self._newest.end()

    def _forget_connection(self) -> None:
        self._connection = self._newest = self._replies = None
        self._work.clear()
        self._pushes.stop()
        while self._asked:
            self._asked.pop().set_exception(CancelledError())

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        return self._newest.guarded(callback) if self._newest is not None else callback

    def _do_work(self) -> None:
        # First, so that work handed over meanwhile wakes us again.
        self._woken = None
        while self._work:
            self._work.popleft()()

    def _arrived(
        self, generation: int, channel: Channel, method: Any, properties: Any, body: bytes
    ) -> None:
        try:
            batch = decode_batch(body)
        except EnvelopeError as error:
            self.undecodable += 1
            logger.error("A batch goes to the dead-letter queue: %s", error)
            channel.basic_reject(method.delivery_tag, requeue=False)
            return
        headers = properties.headers or {}
        count = headers.get("x-delivery-count", 0)
        self._deliveries.put(
            Delivery(
                batch=batch,
                reply_to=properties.reply_to or "",
                # RabbitMQ 4 no longer counts every return in x-delivery-count, but marks all of
                # them as redelivered.
                deliveries=max(count if isinstance(count, int) else 0, int(method.redelivered)),
                tag=_Tag(generation, method.delivery_tag),
            )
        )

    def _publish_reply(self, reply_to: str, body: bytes) -> None:
        if self._replies is not None and self._replies.is_open:
            self._replies.basic_publish("", reply_to, body, _PROPERTIES, mandatory=True)

    def _acknowledge(self, tag: _Tag) -> None:
        if (
            tag.generation == self._generation
            and self._replies is not None
            and self._replies.is_open
        ):
            self._replies.basic_ack(tag.number)

    def _ask_depths(self, found: "Future[tuple[int, int]]") -> None:
        channel = self._pushes.channel
        if channel is None:
            found.cancel()
        if channel is None or not found.set_running_or_notify_cancel():
            return
        self._asked.add(found)
        counts: list[int] = []

        def count(frame: Any) -> None:
            counts.append(int(frame.method.message_count))
            if len(counts) == 2:
                self._asked.discard(found)
                found.set_result((counts[0], counts[1]))

        for declaration in (rpc_queue(self._prefix), dead_letter_queue(self._prefix)):
            channel.queue_declare(declaration.name, passive=True, callback=self._guarded(count))

    def _reply_returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        self.returned_replies += 1
        logger.info("The edge at %s is gone; its reply was dropped", method.routing_key)

    def _consumer_cancelled(self, _frame: Any) -> None:
        # The queue was deleted, or its leader moved: start again from nothing.
        logger.warning("%s ended the delivery", self._label)
        if self._newest is not None:
            self._newest.end()


_PROPERTIES = pika.BasicProperties(content_type="application/json")


def _reason(error: BaseException) -> str:
    text = str(error) or repr(error)
    if "PRECONDITION_FAILED" in text:
        text += f" ({OTHERWISE})"
    return f"{type(error).__name__}: {text}"
