"""One connection to the broker with an I/O loop of its own, from the first try to its end.

Everything here is for the thread that calls `run`, except `call_threadsafe`.
"""

import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pika
from pika.adapters.utils.connection_workflow import (
    AMQPConnectionWorkflowFailed,
    AMQPConnectorException,
    AMQPConnectorPhaseErrorBase,
    AMQPConnectorStackTimeout,
)
from pika.channel import Channel
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ConnectionOpenAborted,
)

__all__ = ["TROUBLE", "BrokerConnection", "parameters_of"]

HEARTBEAT_SECONDS = 10
BLOCKED_TIMEOUT = 20.0
HANDSHAKE_TIMEOUT = 10.0
GOODBYE_TIMEOUT = 2.0
# A broker that accepts the connection but never answers raises pika's AMQPConnectorStackTimeout,
# which is not an AMQPError.
TROUBLE = (AMQPError, AMQPConnectorException, OSError, EOFError)


class BrokerConnection:
    """A connection whose callbacks may raise: it then ends, and `run` raises the error. `opened` is
    called when channels are available.
    """

    def __init__(self, parameters: pika.ConnectionParameters, opened: Callable[[], None]) -> None:
        self._trouble: BaseException | None = None
        self._ending = False
        self._connection = _Connection(
            parameters,
            on_open_callback=self.guarded(lambda _connection: opened()),
            on_open_error_callback=self._ended,
            on_close_callback=self._ended,
        )
        self._loop = self._connection.ioloop

    def run(self) -> None:
        """Run until the connection has ended; raises the cause, unless it was `end`."""
        try:
            self._loop.start()
        except AssertionError:
            # pika 1.4 fails on an aborted attempt to connect, once everything is closed.
            if not self._ending:
                raise
        finally:
            try:
                if not self._connection.is_closed:  # pika itself has raised an exception
                    self._connection.hang_up()
                    self._loop.start()
            finally:
                self._loop.close()
        if self._trouble is not None:
            raise self._trouble

    def end(self) -> None:
        """Close the connection; what was written before is sent first."""
        self._ending = True
        self._say_goodbye()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call this unless the connection has ended by then."""
        self._loop.call_later(seconds, self.guarded(callback))

    def call_threadsafe(self, work: Callable[[], None]) -> None:
        """From any thread: have `run` do this work; what it writes is sent in one piece."""
        self._loop.add_callback_threadsafe(
            self.guarded(lambda: self._connection.in_one_piece(work))
        )

    def channel(self, opened: Callable[[Channel], None]) -> Channel:
        """A channel; if the broker closes it, the connection ends."""
        channel = self._connection.channel(on_open_callback=self.guarded(opened))
        channel.add_on_close_callback(self.guarded(_raise_if_closed_by_broker))
        return channel

    def guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """For callbacks: pika loses their exceptions, and the worker would receive nothing any
        more."""

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001  # `run` raises it
                if self._trouble is None:
                    self._trouble = error
                self._say_goodbye()

        return call

    def _say_goodbye(self) -> None:
        connection = self._connection
        if not (connection.is_closing or connection.is_closed):
            self._loop.call_later(GOODBYE_TIMEOUT, connection.hang_up)
            connection.close()

    def _ended(self, _connection: pika.SelectConnection, error: Exception) -> None:
        if self._trouble is None and not self._ending:
            self._trouble = _last_cause(error)
        self._loop.stop()


class _Connection(pika.SelectConnection):
    """pika's connection, with two things that pika leaves to its adapters: when to write, and when
    to disconnect. If a later pika writes differently, the frames are sent one by one.
    """

    _gathered: list[bytes] | None = None

    def in_one_piece(self, work: Callable[[], None]) -> None:
        """Join the frames that this work writes: pika would send each in a segment of its own.

        A reply and its acknowledgement are four of them, and each wakes the broker up.
        """
        gathered: list[bytes] = []
        self._gathered = gathered
        try:
            work()
        finally:
            self._gathered = None
            if gathered:
                self._adapter_emit_data(b"".join(gathered))

    def hang_up(self) -> None:
        """Disconnect without closing: the broker does not answer."""
        if not self.is_closed:
            self._terminate_stream(AMQPConnectionError("Hung up"))

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._gathered is None:
            super()._adapter_emit_data(data)
        else:
            self._gathered.append(data)


def parameters_of(url: str) -> pika.ConnectionParameters:
    """The parameters in an `amqp://` or `amqps://` URL, and a worker's defaults for the rest."""
    parts = urlsplit(url)
    # The query is for the edge's library (heartbeat, cafile); pika refuses names it doesn't know.
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


def _raise_if_closed_by_broker(_channel: Channel, reason: Exception) -> None:
    if isinstance(reason, ChannelClosedByBroker):
        raise reason


def _last_cause(error: BaseException) -> BaseException:
    """The cause of the last failed attempt to connect, without pika's wrapping."""
    if isinstance(error, ConnectionOpenAborted):  # by pika's own timer
        return AMQPConnectorStackTimeout("It accepts the connection but does not respond")
    if isinstance(error, AMQPConnectionError) and error.args:
        error = error.args[0] if isinstance(error.args[0], AMQPConnectorException) else error
    if isinstance(error, AMQPConnectionWorkflowFailed):
        error = error.exceptions[-1]
    if isinstance(error, AMQPConnectorPhaseErrorBase):
        error = error.exception
    return error
