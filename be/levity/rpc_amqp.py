"""`amqp://`, the worker's side: pika in a thread of its own, handlers on the caller's thread.

A handler may take its time: heartbeats and acknowledgements are the I/O thread's, and the only way
from one thread to the other is `add_callback_threadsafe` there and a queue back (pika FAQ: a
connection belongs to one thread).
"""

import logging
import queue
import ssl
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, NackError, UnroutableError

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

HEARTBEAT_SECONDS = 10
BLOCKED_TIMEOUT = 20.0
POLL_SECONDS = 1.0
CLOSE_TIMEOUT = 5.0
HANDSHAKE_TIMEOUT = 10.0
# A broker that takes the connection and says nothing (it stands still) is pika's
# AMQPConnectorStackTimeout, which is no AMQPError.
_TROUBLE = (AMQPError, AMQPConnectorException, OSError, EOFError)

# pika logs a traceback for every failed try to connect, and the first bytes of every returned
# message, which may hold a charger's secret. What matters is logged here, once.
logging.getLogger("pika").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class _Tag:
    """A delivery tag means something on the connection that delivered it, and nowhere else."""

    generation: int
    number: int


class AmqpWorkerTransport:
    """The worker's way to the edges over RabbitMQ; see `WorkerTransport` for the promises.

    `prefetch` batches lie ready in this process while one is handled. `send` waits for the broker
    only for what the backend says on its own account: there the boolean is exact. A reply that
    names a batch is handed over without waiting, in order before the `ack` that follows it, and
    returns True unless there is no connection; should it get lost, the edge publishes the batch
    again. `returned_replies` counts those whose edge had gone.
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
        self._parameters = _parameters(url)
        self._prefix = prefix
        self._prefetch = prefetch
        self._send_timeout = send_timeout
        self._pause = pause
        self._deliveries: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._work: deque[Callable[[], None]] = deque()
        self._woken: pika.BlockingConnection | None = None
        self._generation = 0
        self._cancelled = False
        self._paused = False
        self._connection: pika.BlockingConnection | None = None
        self._replies: BlockingChannel | None = None
        self._pushes: BlockingChannel | None = None
        self._closing = threading.Event()
        self.returned_replies = 0
        self.undecodable = 0
        self._thread = threading.Thread(target=self._run, name="levity-amqp", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """True while a connection stands and delivers."""
        return self._connection is not None

    # --- the worker's thread -----------------------------------------------------------------

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
        """See `WorkerTransport.send`, and the class for what the answer means."""
        body = encode_reply(reply)
        if reply.batch is not None:
            return self._hand_over(lambda: self._publish_reply(reply_to, body))
        arrived: Future[bool] = Future()
        if not self._hand_over(lambda: self._publish_push(reply_to, body, arrived)):
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
            self._hand_over(_nothing)
        self._thread.join(CLOSE_TIMEOUT)

    def _hand_over(self, work: Callable[[], None]) -> bool:
        connection = self._connection
        if connection is None:
            return False
        self._work.append(work)
        if self._woken is connection:
            # The I/O thread has not come round yet: it finds this, too.
            return True
        self._woken = connection
        try:
            connection.add_callback_threadsafe(self._do_work)
        except AMQPError:  # it has just gone; the I/O thread drops the work and reconnects
            return False
        return True

    # --- the I/O thread ----------------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                connection = self._connect()
                if failures:
                    logger.info("Connected to %s again", self._label)
                failures = 0
                while not (self._closing.is_set() or self._cancelled):
                    connection.process_data_events(POLL_SECONDS)
                self._do_work()
                connection.close()
            except _TROUBLE as error:
                failures += 1
                if failures == 1:
                    logger.warning("No connection to %s: %s", self._label, _reason(error))
            except Exception:
                # A bug, here or in pika. Without this thread the worker would sit there deaf.
                failures += 1
                logger.exception("The connection to %s failed; a new one is made", self._label)
            finally:
                self._forget_connection()
            if failures:
                self._closing.wait(self._pause(failures))

    def _connect(self) -> pika.BlockingConnection:
        connection = pika.BlockingConnection(self._parameters)
        try:
            pushes = connection.channel()
            for declaration in declarations(self._prefix):
                pushes.queue_declare(
                    declaration.name, durable=True, arguments=dict(declaration.arguments)
                )
            pushes.confirm_delivery()
            self._cancelled = False
            self._pushes = pushes
            self._connection = connection
            self._listen()
        except BaseException:
            if connection.is_open:
                connection.close()
            raise
        return connection

    def _listen(self) -> None:
        """Let batches come, unless they do already or must not."""
        connection = self._connection
        if connection is None or self._paused or self._replies is not None:
            return
        channel = connection.channel()
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.add_on_return_callback(self._reply_returned)
        channel.add_on_cancel_callback(self._consumer_cancelled)
        self._generation += 1
        self._replies = channel
        channel.basic_consume(rpc_queue(self._prefix).name, self._arrived)

    def _stop_listening(self) -> None:
        """With its channel everything that was delivered on it goes back into the queue."""
        channel, self._replies = self._replies, None
        if self._paused and channel is not None and channel.is_open:
            channel.close()
        else:
            self._replies = channel

    def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        self._replies = self._pushes = None
        self._work.clear()
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except (AMQPError, OSError):
                logger.debug("The old connection to %s did not close", self._label)

    def _do_work(self) -> None:
        # First: what is handed over while we work wakes us again.
        self._woken = None
        while self._work:
            self._work.popleft()()
        _in_one_piece(self._connection)

    def _arrived(self, channel: BlockingChannel, method: Any, properties: Any, body: bytes) -> None:
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
                # RabbitMQ 4 no longer counts every way back into x-delivery-count, but says
                # redelivered for all of them.
                deliveries=max(count if isinstance(count, int) else 0, int(method.redelivered)),
                tag=_Tag(self._generation, method.delivery_tag),
            )
        )

    def _publish_reply(self, reply_to: str, body: bytes) -> None:
        if self._replies is not None and self._replies.is_open:
            # Of the channel below, here and in _acknowledge: BlockingChannel's own methods go
            # through the I/O loop once each; so both frames leave together, after our work.
            below = self._replies._impl  # noqa: SLF001  # no public way
            below.basic_publish("", reply_to, body, _PROPERTIES, mandatory=True)

    def _publish_push(self, reply_to: str, body: bytes, arrived: "Future[bool]") -> None:
        if not arrived.set_running_or_notify_cancel():
            return  # the sender has given up: it must not be sent after all
        sent = False
        try:
            if self._pushes is not None and self._pushes.is_open:
                self._pushes.basic_publish("", reply_to, body, _PROPERTIES, mandatory=True)
                sent = True
        except (UnroutableError, NackError):
            logger.debug("Nobody listens at %s", reply_to)
        finally:
            arrived.set_result(sent)

    def _ask_depths(self, found: "Future[tuple[int, int]]") -> None:
        channel = self._pushes
        if channel is None or not channel.is_open or not found.set_running_or_notify_cancel():
            return
        try:
            waiting, dead = (
                int(channel.queue_declare(name, passive=True).method.message_count)
                for name in (rpc_queue(self._prefix).name, dead_letter_queue(self._prefix).name)
            )
        except BaseException as error:
            found.set_exception(CancelledError())
            raise error
        found.set_result((waiting, dead))

    def _acknowledge(self, tag: _Tag) -> None:
        if tag.generation == self._generation and self._replies is not None:
            self._replies._impl.basic_ack(tag.number)  # noqa: SLF001  # see _publish_reply

    def _reply_returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        self.returned_replies += 1
        logger.info("The edge at %s has gone; its reply is dropped", method.routing_key)

    def _consumer_cancelled(self, _frame: Any) -> None:
        # The queue was deleted, or its leader moved: start again from nothing. Not from in here:
        # pika is in the middle of handing out events.
        logger.warning("%s ended the delivery", self._label)
        self._cancelled = True


_PROPERTIES = pika.BasicProperties(content_type="application/json")


def _parameters(url: str) -> pika.ConnectionParameters:
    parts = urlsplit(url)
    # The query is the edge's library's (heartbeat, cafile); pika refuses names it doesn't know.
    query = dict(parse_qsl(parts.query))
    tls = None
    if parts.scheme == "amqps":
        tls = pika.SSLOptions(
            ssl.create_default_context(cafile=query.get("cafile")), parts.hostname
        )
    return pika.ConnectionParameters(
        host=parts.hostname or "localhost",
        port=parts.port or (5671 if tls else 5672),
        virtual_host=unquote(parts.path[1:]) or "/",
        credentials=pika.PlainCredentials(
            unquote(parts.username or "guest"), unquote(parts.password or "guest")
        ),
        heartbeat=int(query.get("heartbeat", HEARTBEAT_SECONDS)),
        blocked_connection_timeout=BLOCKED_TIMEOUT,
        socket_timeout=10.0,
        stack_timeout=HANDSHAKE_TIMEOUT,
        ssl_options=tls,
    )


def _reason(error: BaseException) -> str:
    text = str(error) or repr(error)
    if "PRECONDITION_FAILED" in text:
        text += f" ({OTHERWISE})"
    return f"{type(error).__name__}: {text}"


def _in_one_piece(connection: pika.BlockingConnection | None) -> None:
    """Join the frames that wait to be sent: pika would make a segment of each.

    A reply and its acknowledgement are four of them, and each wakes the broker up. Where a later
    pika keeps them elsewhere, they go out one by one.
    """
    impl = getattr(connection, "_impl", None)
    waiting = getattr(getattr(impl, "_transport", None), "_tx_buffers", None)
    if isinstance(waiting, deque) and len(waiting) > 1:
        whole = b"".join(waiting)
        waiting.clear()
        waiting.append(whole)


def _nothing() -> None:
    """Work that only makes the I/O thread look at what has changed."""
