"""`amqp://`, the edge's side: batches to the durable queue, replies from a queue of its own.

aio-pika's robust connection is not used: after a reconnect it is known to come back without its
exclusive reply queue or with a silent consumer (aio-pika #231, #644, #679). Here a connection is
thrown away whole as soon as anything about it is doubtful, and a new one is built from nothing:
new channel, new reply queue, new consumer.

Batches and replies pass its underlay (aiormq, which comes with it): a message object and a
consumer of aio-pika's own for each cost the edge over a tenth of its CPU.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError, PublishError
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage
from yarl import URL

from levity_ws.rpc.backoff import jittered_pause
from levity_ws.rpc.envelope import Batch, EnvelopeError, Reply, decode_reply, encode_batch
from levity_ws.rpc.topology import (
    DEFAULT_PREFIX,
    DEFAULT_URL,
    OTHERWISE,
    broker_label,
    declarations,
    rpc_queue,
)
from levity_ws.rpc.transport import TransportUnavailable

__all__ = ["AmqpEdgeTransport"]

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10
CONNECT_TIMEOUT = 10.0
PERSISTENT = 2  # the delivery mode of AMQP 0-9-1
# aiormq logs a traceback for every lost connection; what matters is logged here, once.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)

_LOST = (*CONNECTION_EXCEPTIONS, TimeoutError, EOFError)


class AmqpEdgeTransport:
    """The edge's way to the workers over RabbitMQ; see `EdgeTransport` for the promises.

    `confirm_timeout` is how long the broker may take to say that a batch is safe. `?heartbeat=` in
    the URL overrides the heartbeat of 10 s.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        prefix: str = DEFAULT_PREFIX,
        confirm_timeout: float = 10.0,
        pause: Callable[[int], float] = jittered_pause,
    ) -> None:
        self._label = broker_label(url)
        self._url = _with_defaults(url)
        self._prefix = prefix
        self._queue = rpc_queue(prefix).name
        self._confirm_timeout = confirm_timeout
        self._pause = pause
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._reply_to = ""
        self._lost = asyncio.Event()
        self._closed = False
        self._keeper: asyncio.Task[None] | None = None
        self._on_reply: Callable[[Reply], None] = _ignore
        self._on_connect: Callable[[], None] | None = None

    @property
    def available(self) -> bool:
        """False without a connection, and while the broker blocks publishers (an alarm)."""
        if self._channel is None or self._lost.is_set():
            return False
        return not self._blocked()

    async def start(
        self,
        on_reply: Callable[[Reply], None],
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        """See `EdgeTransport.start`."""
        self._on_reply = on_reply
        self._on_connect = on_connect
        first_try: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep_connected(first_try))
        await first_try

    async def publish(self, batch: Batch) -> None:
        """See `EdgeTransport.publish`: persistent, mandatory and confirmed, or an exception."""
        channel = self._channel
        if channel is None or not self.available:
            raise TransportUnavailable(f"no usable connection to {self._label}")
        properties = spec.Basic.Properties(
            content_type="application/json",
            delivery_mode=PERSISTENT,
            reply_to=self._reply_to,
            message_id=f"{batch.batch}.{batch.attempt}",
        )
        try:
            await channel.basic_publish(
                encode_batch(batch),
                routing_key=self._queue,
                properties=properties,
                mandatory=True,
                timeout=self._confirm_timeout,
            )
        except PublishError as error:
            # Returned: the queue was deleted. A new connection declares it again.
            self._lose("the queue has gone")
            raise TransportUnavailable("the queue has gone") from error
        except DeliveryError as error:
            # Refused: a quorum queue does that for a moment while it has no leader.
            raise TransportUnavailable("the broker did not take the batch") from error
        except _LOST as error:
            if isinstance(error, TimeoutError) and self._blocked():
                # An alarm: the broker reads nothing more, on no connection that publishes. When
                # it is over, this one is as good as a new one.
                raise TransportUnavailable("the broker blocks publishers") from error
            # No confirm in time: nobody knows what this connection is still good for.
            self._lose(f"a publish was not confirmed: {type(error).__name__}")
            raise TransportUnavailable("the batch was not confirmed") from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # aiormq cancels what waits on a connection that goes away; nobody cancelled us.
            self._lose("the connection went away under a publish")
            raise TransportUnavailable("the batch was not confirmed") from error

    async def close(self) -> None:
        """See `EdgeTransport.close`."""
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None

    async def _keep_connected(self, first_try: "asyncio.Future[None]") -> None:
        failures = 0
        try:
            while not self._closed:
                try:
                    async with asyncio.timeout(CONNECT_TIMEOUT):
                        await self._connect()
                except _LOST as error:
                    failures += 1
                    await self._disconnect()
                    reason = _reason(error)
                    if failures == 1:
                        logger.warning("No connection to %s: %s", self._label, reason)
                    if not first_try.done():
                        first_try.set_exception(TransportUnavailable(reason))
                    await asyncio.sleep(self._pause(failures))
                    continue
                failures = 0
                logger.info("Connected to %s, replies to %s", self._label, self._reply_to)
                if not first_try.done():
                    first_try.set_result(None)
                if self._on_connect is not None:
                    self._on_connect()
                await self._lost.wait()
                await self._disconnect()
                # A broker that takes connections and loses them at once must not be hammered.
                await asyncio.sleep(self._pause(1))
        finally:
            if not first_try.done():
                first_try.set_exception(TransportUnavailable("closed before it connected"))
                first_try.exception()
            await self._disconnect()

    async def _connect(self) -> None:
        self._lost = lost = asyncio.Event()
        # Not `aio_pika.connect`: it drops its half-made connection when it fails, whose destructor
        # then starts a task of its own, after the loop has gone if need be.
        connection = aio_pika.Connection(self._url)
        self._connection = connection
        await connection.connect(timeout=CONNECT_TIMEOUT)

        def gone(_sender: Any, error: BaseException | None = None) -> None:
            if not lost.is_set():
                logger.warning("Lost the connection to %s: %s", self._label, _reason(error))
                lost.set()

        connection.close_callbacks.add(gone)
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        channel.close_callbacks.add(gone)
        for queue in declarations(self._prefix):
            await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        # Exclusive and named by the broker, new for each connection: it goes with the connection,
        # so a worker that answers an edge that has gone learns it from the mandatory flag.
        replies = await channel.declare_queue(exclusive=True)
        self._reply_to = replies.name
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _frame: self._lose("consumer cancelled"))
        # No acknowledgement for replies: a reply that is lost on the way is asked for again, since
        # the edge publishes every unanswered batch again on a new connection, and the backend
        # recognises the events and answers them as it did the first time.
        await underlay.basic_consume(replies.name, self._reply_arrived, no_ack=True)
        self._channel = underlay

    async def _disconnect(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._lost.set()
        if connection is not None:
            with contextlib.suppress(*_LOST, asyncio.CancelledError):
                async with asyncio.timeout(2.0):
                    await connection.close()

    def _lose(self, reason: str) -> None:
        if not self._lost.is_set() and not self._closed:
            logger.warning("Giving up the connection to %s: %s", self._label, reason)
            self._lost.set()

    def _blocked(self) -> bool:
        # aiormq answers connection.blocked only by making `ready()` wait, so that is asked: one
        # step of the coroutine either finishes it (not blocked) or leaves it waiting (blocked).
        transport = self._connection.transport if self._connection is not None else None
        if transport is None:
            return True
        waiting = transport.connection.ready()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        finally:
            waiting.close()
        return True

    async def _reply_arrived(self, message: DeliveredMessage) -> None:
        try:
            reply = decode_reply(message.body)
        except EnvelopeError as error:
            logger.error("Dropped a reply that is not an envelope: %s", error)
            return
        self._on_reply(reply)


def _with_defaults(url: str) -> URL:
    parsed = URL(url)
    if "heartbeat" not in parsed.query:
        parsed = parsed.update_query(heartbeat=str(HEARTBEAT_SECONDS))
    return parsed


def _reason(error: BaseException | None) -> str:
    if error is None:
        return "closed"
    text = str(error)
    if "PRECONDITION_FAILED" in text:
        text += f" ({OTHERWISE})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _ignore(_reply: Reply) -> None:
    """Replies before `start` have nobody to go to."""
