"""The edge's server: it listens, relays one frame after the other, and closes connections.

A connection's life reads: handshake (`handshakes`), Connected, frames, Disconnected. The backend
gets the events of a connection in this order.
"""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from levity_ws.edge.admission import is_loopback
from levity_ws.edge.handshake import user_agent
from levity_ws.edge.handshakes import Handshakes, answer_subprotocol
from levity_ws.edge.joined import messages_of
from levity_ws.edge.lane import BackendUnavailable, Lane
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.rate_limits import Pace
from levity_ws.edge.reading import FrameTooLarge
from levity_ws.edge.refusal_reports import RefusalReports
from levity_ws.edge.relay import Relay
from levity_ws.edge.room import Room
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.socket import ChargerSocket
from levity_ws.edge.spool.journal import Journal, SpoolUnusable
from levity_ws.edge.spool.spool import Spool
from levity_ws.edge.status import StatusPages
from levity_ws.edge.volume import Volume
from levity_ws.rpc.transport import EdgeTransport

__all__ = ["CannotListen", "EdgeServer", "run"]

logger = logging.getLogger("levity_ws.edge")
# A broker takes 16 MiB (RabbitMQ 4), envelope and all; a quotation mark becomes two signs.
LONG, LONGEST_ENCODED = 2_500_000, 15 * 1024 * 1024


class CannotListen(Exception):
    """The address (or the spool's folder) can't be used: it is taken, or not ours. The text says so
    in one line."""


class EdgeServer:
    """Terminates the chargers' websockets and relays their frames over `transport`.

    The transport is the server's from `start` to `stop`, which also closes it.
    """

    def __init__(self, settings: EdgeSettings, transport: EdgeTransport) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._transport = transport
        self._frame_pace = Pace(settings.max_frame_rate, settings.frame_burst)
        self._volume = Volume(
            per_charger=settings.max_byte_rate,
            per_address=settings.max_byte_rate_per_address,
            in_all=settings.max_byte_rate_in_all,
            clock=time.monotonic,
        )
        self._everyone: set[ChargerSocket] = set()
        self._sockets: set[ChargerSocket] = set()
        self._room = Room(settings.large_frames)
        # These three are made by `start`.
        self._relay: Relay | None = None
        self._reports: RefusalReports
        self._handshakes: Handshakes
        self._spool: Spool | None = None
        self._server: Server | None = None
        self._draining = False
        self.metrics.gauge("connections", "Open websockets.", lambda: len(self._sockets))
        self.metrics.gauge("backend_available", "1 if the backend answers.", self._available)
        self.metrics.gauge("events_waiting", "Events waiting for a batch.", lambda: self._waiting)
        self.metrics.gauge(
            "batches_under_way", "Batches sent but not answered yet.", lambda: self._under_way
        )
        self.metrics.edge = settings.edge_id

    @property
    def port(self) -> int:
        """The port on which it listens; the chosen one if the settings say 0."""
        assert self._server is not None, "not started"
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def relay(self) -> Relay:
        """The relay behind the sockets."""
        assert self._relay is not None, "not started"
        return self._relay

    async def start(self) -> None:
        """Listen, and connect to the backend, now or in the background.

        Raises `CannotListen` if the port, or the spool's folder, can't be used.
        """
        settings = self.settings
        self._relay = Relay(
            self._transport, settings, self.metrics, connections=lambda: len(self._sockets)
        )
        status = StatusPages(settings, self.metrics, self._why_not_ready)
        self._reports = RefusalReports(self._relay, self.metrics)
        self._handshakes = Handshakes(settings, self.metrics, self._relay, status, self._reports)
        if settings.spool:
            self._open_spool(self._relay)
        try:
            self._server = await self._serve()
        except OSError as error:
            number = error.errno or 0
            # gaierror has numbers of its own, below zero.
            why = os.strerror(number) if number > 0 else str(error)
            raise CannotListen(f"Can't listen on {settings.host}:{settings.port}: {why}") from error
        logger.info("Listening on ws://%s:%d/ws/{charge point id}", settings.host, self.port)
        await self._relay.start()

    def _open_spool(self, relay: Relay) -> None:
        settings = self.settings
        journal = Journal(Path(settings.spool), settings.spool_size)
        try:
            spool = Spool(journal, relay, settings, self.metrics)
        except SpoolUnusable as error:
            raise CannotListen(f"LEVITY_SPOOL: {error}") from error
        self._spool = relay.stand_in = spool
        for name, description, read in (
            (
                "spool_frames",
                "Frames in the spool that the backend has not received yet.",
                lambda: spool.waiting,
            ),
            ("spool_bytes", "Size of the spool on disk.", lambda: spool.size),
            ("spool_ids", "Transaction ids available to the spool.", lambda: spool.ids_left),
        ):
            self.metrics.gauge(name, description, read)

    async def stop(self) -> None:
        """Close all connections (1012), tell the backend, and stop. Takes at most about 10 s."""
        if self._server is None or self._draining:
            return
        self._draining = True
        self._handshakes.refuse_all()
        self._reports.stop()
        self._server.close(close_connections=False)
        for charger in tuple(self._everyone):
            if charger.request is None:  # TCP without a request: there is no websocket to close
                charger.transport.abort()
            elif not charger.busy:
                charger.hang_up(CloseCode.SERVICE_RESTART, "restarting")
        closed = asyncio.ensure_future(self._server.wait_closed())
        await asyncio.wait([closed], timeout=self.settings.shutdown_grace)
        for charger in tuple(self._sockets):
            charger.hang_up(CloseCode.SERVICE_RESTART, "restarting")
        await asyncio.wait([closed], timeout=self.settings.close_timeout)
        for charger in tuple(self._everyone):
            charger.transport.abort()
        if not await self.relay.flush(self.settings.goodbye_timeout):
            logger.warning("Stopped before the backend had acknowledged every closed connection")
        if self._spool is not None:
            await self._spool.close()
        await self.relay.close()
        await closed

    async def _serve(self) -> Server:
        settings = self.settings
        quiet = logging.getLogger("levity_ws.websockets")
        # At DEBUG websockets writes every header, Authorization included.
        quiet.setLevel(logging.CRITICAL)
        return await serve(
            self._handle,
            settings.host,
            settings.port,
            # Typed as a class, but any callable that makes a connection works.
            create_connection=cast(
                "type[ServerConnection]",
                functools.partial(
                    ChargerSocket,
                    settings=settings,
                    metrics=self.metrics,
                    room=self._room,
                    everyone=self._everyone,
                    unreadable=self._reports.unreadable,
                    on_flood=self._handshakes.flooded,
                ),
            ),
            process_request=self._handshakes.answer,
            process_response=answer_subprotocol,
            compression=None,
            server_header="Levity",
            open_timeout=settings.open_timeout,
            close_timeout=settings.close_timeout,
            ping_interval=None,
            ping_timeout=settings.ping_timeout,
            max_size=settings.max_frame_size,
            max_queue=1,
            write_limit=16 * 1024,
            logger=quiet,
            # Connections that the kernel has accepted are accepted here at once, while all others
            # wait.
            backlog=settings.backlog,
        )

    def _available(self) -> bool:
        return self._relay is not None and self._relay.available

    @property
    def _waiting(self) -> int:
        return 0 if self._relay is None else self._relay.waiting

    @property
    def _under_way(self) -> int:
        return 0 if self._relay is None else self._relay.under_way

    async def _handle(self, connection: ServerConnection) -> None:
        charger = cast("ChargerSocket", connection)
        lane = charger.lane
        assert lane is not None, "nobody gets here without Accept"
        assert charger.request is not None
        lane.connected(
            remote=charger.remote,
            subprotocol=charger.subprotocol_answer,
            user_agent=user_agent(charger.request),
        )
        charger.handled = True
        charger.handshake_over()
        self._sockets.add(charger)
        self.metrics.count("connections_opened")
        about = {"charge_point": lane.charge_point, "connection": lane.connection}
        logger.info(
            "%s connected from %s (%s)",
            lane.charge_point,
            charger.remote,
            lane.connection,
            extra=about,
        )
        try:
            await self._relay_frames(charger)
        finally:
            await charger.hung_up()
            self._sockets.discard(charger)
            code, reason = charger.end()
            lane.disconnected(code, reason)
            if isinstance(error := charger.protocol.parser_exc, FrameTooLarge):
                self._reports.too_large(charger, lane, error.what)
            self.metrics.count("connections_closed", str(code))
            logger.info(
                "%s disconnected: %d %s (%s)",
                lane.charge_point,
                code,
                reason,
                lane.connection,
                extra=about,
            )

    async def _relay_frames(self, charger: ChargerSocket) -> None:
        lane = charger.lane
        assert lane is not None
        address = "" if is_loopback(charger.remote) else charger.remote
        whose = lane.charge_point.lower(), address
        while True:
            await self._keep_pace(charger, lane, self._volume.wait(*whose))
            try:
                frame = await charger.recv()
            except ConnectionClosed:
                return
            if not isinstance(frame, str):
                charger.hang_up(CloseCode.UNSUPPORTED_DATA, "OCPP-J is text")
                return
            self.metrics.count("frames_received")
            self._volume.read(*whose, len(frame))
            if len(frame) > LONG and (size := len(orjson.dumps(frame))) > LONGEST_ENCODED:
                why = f"a message of {size} bytes when it is written as JSON, {LONGEST_ENCODED} fit"
                charger.hang_up(CloseCode.MESSAGE_TOO_BIG, why)
                self._reports.too_large(charger, lane, why)
                return
            charger.busy = True
            try:
                for message in self._apart(charger, frame):
                    if self._spool is None:
                        await lane.received(message)
                    else:
                        await self._spool.receive(lane, message)
            except BackendUnavailable:
                charger.hang_up(CloseCode.TRY_AGAIN_LATER, "try again later")
                return
            charger.busy = False
            charger.taken()
            if self._draining:
                charger.hang_up(CloseCode.SERVICE_RESTART, "restarting")
                return

    def _apart(self, charger: ChargerSocket, frame: str) -> tuple[str, ...]:
        """The messages in this frame, each of which counts for the pace."""
        messages = messages_of(frame)
        for _ in messages[1:]:
            self.metrics.count("messages_joined")
            charger.forgotten_at = self._frame_pace.spend(charger.forgotten_at, charger.loop.time())
        return messages

    async def _keep_pace(self, charger: ChargerSocket, lane: Lane, for_bytes: float) -> None:
        """Read no faster than allowed; meanwhile only this charger waits, in TCP."""
        loop = charger.loop
        wait = max(self._frame_pace.wait(charger.forgotten_at, loop.time()), for_bytes)
        if wait:
            self.metrics.count("frames_paced")
            if not charger.paced:
                charger.paced = True
                what = "bytes than LEVITY_MAX_BYTE_RATE allows"
                if wait > for_bytes:
                    what = f"than {self._frame_pace.rate:g} frames a second"
                logger.warning(
                    "%s sends more %s and is throttled (%s)",
                    lane.charge_point,
                    what,
                    lane.connection,
                    extra={"charge_point": lane.charge_point, "connection": lane.connection},
                )
            # This may take minutes after megabytes; stop at once if the charger is gone meanwhile.
            await asyncio.wait((charger.connection_lost_waiter,), timeout=wait)
        charger.forgotten_at = self._frame_pace.spend(charger.forgotten_at, loop.time())

    def _why_not_ready(self) -> str:
        return "restarting" if self._draining else self.relay.why_unavailable


async def run(
    settings: EdgeSettings,
    transport: EdgeTransport,
    *,
    on_started: Callable[[EdgeServer], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM (or cancellation), then stop cleanly."""
    server = EdgeServer(settings, transport)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not available on Windows, nor outside the main thread.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, stopping.set)
    await server.start()
    if on_started is not None:
        on_started(server)
    try:
        await stopping.wait()
    finally:
        await server.stop()
