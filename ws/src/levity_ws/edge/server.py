"""The edge's server: handshake, then one frame after the other, then goodbye.

A connection's life reads: limits, `parse_handshake`, ask the backend, upgrade, Connected, frames,
Disconnected. What the backend hears of a connection, it hears in this order.
"""

import asyncio
import contextlib
import functools
import http
import logging
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from levity_ws.edge.admission import Admission, is_loopback
from levity_ws.edge.gate import Gate
from levity_ws.edge.handshake import (
    Handshake,
    came_over_tls,
    client_address,
    is_private,
    is_trusted_proxy,
    mend,
    no_websocket,
    offered_subprotocols,
    only,
    parse_handshake,
)
from levity_ws.edge.lane import BackendUnavailable, Lane
from levity_ws.edge.metrics import CONTENT_TYPE, Metrics
from levity_ws.edge.pace import Churn, Pace
from levity_ws.edge.refusal import Refusal, printable
from levity_ws.edge.refusals import DELAY, PAUSE, RefusalBook, Visitor
from levity_ws.edge.relay import Relay
from levity_ws.edge.room import Room
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.socket import ChargerSocket, FrameTooLarge
from levity_ws.edge.spool.journal import Journal, SpoolUnusable
from levity_ws.edge.spool.keeper import Spool
from levity_ws.edge.target import identity_in_path, target_path
from levity_ws.edge.volume import Volume
from levity_ws.rpc.envelope import Refuse
from levity_ws.rpc.transport import EdgeTransport

__all__ = ["CannotListen", "EdgeServer", "run"]

logger = logging.getLogger("levity_ws.edge")
# A broker takes 16 MiB (RabbitMQ 4), envelope and all; a quotation mark becomes two signs.
LONG, LONGEST_ENCODED = 2_500_000, 15 * 1024 * 1024
_REFUSABLE = (400, 401, 403, 404, 429, 503)


class CannotListen(Exception):
    """The address (or the spool's folder) can't be had: it is taken, or not ours. The text says so
    in one line."""


class EdgeServer:
    """Ends the chargers' websockets and relays their frames over `transport`.

    The transport is the server's from `start` to `stop`, which also closes it.
    """

    def __init__(self, settings: EdgeSettings, transport: EdgeTransport) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._transport = transport
        self._admission = Admission(
            in_total=settings.max_connections, per_address=settings.max_connections_per_address
        )
        self._gate = Gate(settings.handshakes_at_once, settings.handshakes_waiting)
        self._churn = Churn(Pace(settings.max_connect_rate, settings.connect_burst), time.monotonic)
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
        self._refusals = RefusalBook(time.time)
        self._report_due: asyncio.TimerHandle | None = None
        self._reported_at = float("-inf")
        self._relay: Relay | None = None
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
        """Where it listens; the one chosen if the settings say 0."""
        assert self._server is not None, "not started"
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def relay(self) -> Relay:
        """The relay behind the sockets."""
        assert self._relay is not None, "not started"
        return self._relay

    async def start(self) -> None:
        """Listen, and connect to the backend, now or in the background.

        `CannotListen` if the port, or the spool's folder, can't be had.
        """
        settings = self.settings
        self._relay = Relay(
            self._transport, settings, self.metrics, connections=lambda: len(self._sockets)
        )
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
        """Say goodbye to everybody (1012), tell the backend, and let go. At most about 10 s."""
        if self._server is None or self._draining:
            return
        self._draining = True
        self._server.close(close_connections=False)
        for charger in tuple(self._everyone):
            if charger.request is None:  # TCP without a request: nobody to say goodbye to
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
            # Typed as a class; any callable that makes a connection will do.
            create_connection=cast(
                "type[ServerConnection]",
                functools.partial(
                    ChargerSocket,
                    settings=settings,
                    metrics=self.metrics,
                    room=self._room,
                    everyone=self._everyone,
                    unreadable=self._note_unreadable,
                    on_flood=self._note_flood,
                ),
            ),
            process_request=self._process_request,
            process_response=_answer_subprotocol,
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
            # What the kernel has accepted is accepted here in one go, while all others wait.
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

    async def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        charger = cast("ChargerSocket", connection)
        peer = charger.remote_address[0] if charger.remote_address else ""
        forwarded = request.headers.get_all("X-Forwarded-For")
        charger.remote = client_address(peer, forwarded, self.settings.trusted_proxies)
        path = target_path(request.path)
        if path in ("/healthz", "/readyz", "/metrics"):
            hidden = charger.remote == peer and bool(forwarded)
            return self._status_page(charger, path, hidden=hidden)
        proxied = is_trusted_proxy(peer, self.settings.trusted_proxies)
        refusal = await self._admit(charger, request, from_proxy=proxied)
        if refusal is None:
            return None
        self.metrics.count("refusals", refusal.label)
        logger.warning(
            "Refused %r from %s: %d %s",
            printable(path, 100),
            charger.remote,
            refusal.status,
            refusal.reason,
        )
        self._note_refusal(charger, request, refusal, from_proxy=proxied)
        response = charger.respond(http.HTTPStatus(refusal.status), refusal.reason + "\n")
        if refusal.retry_after:
            response.headers["Retry-After"] = str(refusal.retry_after)
        if refusal.status == http.HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if refusal.status == http.HTTPStatus.UPGRADE_REQUIRED:
            response.headers["Upgrade"] = "websocket"
        if refusal.status == http.HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = "GET"
        return response

    async def _admit(
        self, charger: ChargerSocket, request: Request, *, from_proxy: bool
    ) -> Refusal | None:
        """None where the upgrade may go on; the charger is counted and has a lane then."""
        if self._draining:
            return _unavailable("Restarting.", "restarting")
        handshake = parse_handshake(request, self.settings.allowed_origins)
        if isinstance(handshake, Refusal):
            return handshake
        # Before anybody is asked: is it a websocket handshake at all?
        mend(request)
        if refusal := no_websocket(request):
            return refusal
        if not self.relay.available:
            return _unavailable(
                "The central system is currently unavailable.", "backend unavailable"
            )
        refusal = self._churn.refusal(handshake.charge_point)
        refusal = refusal or self._admission.enter(charger.remote)
        if refusal is not None:
            return refusal
        charger.when_gone(lambda: self._admission.leave(charger.remote))
        # Early enough for a 503 before websockets gives up on the handshake.
        last = charger.loop.time() + self.settings.open_timeout * 0.8
        if not await self._gate.enter(self.settings.open_timeout * 0.5):
            return _unavailable("Too many chargers are connecting at once.", "storm")
        try:
            if charger.gone:
                return _unavailable("Gone.", "gone")
            return await self._authenticate(
                charger, handshake, request, from_proxy=from_proxy, last=last
            )
        finally:
            self._gate.leave()

    async def _authenticate(
        self,
        charger: ChargerSocket,
        handshake: Handshake,
        request: Request,
        *,
        from_proxy: bool,
        last: float,
    ) -> Refusal | None:
        headers = request.headers
        secure = _is_secure(charger, request, from_proxy=from_proxy)
        # A client certificate is ended at the proxy, and nobody else may tell of one.
        certified = secure and from_proxy
        verified = only(headers.get_all("X-Client-Verify")) if certified else ""
        certificate = only(headers.get_all("X-Client-Cert")) if verified == "SUCCESS" else ""
        lane = self.relay.open(handshake.charge_point, charger)
        try:
            answer = await lane.authenticate(
                last - charger.loop.time(),
                remote=charger.remote,
                path=printable(handshake.path, 512),
                subprotocols=tuple(printable(name, 64) for name in handshake.subprotocols[:16]),
                user_agent=_user_agent(request),
                # Two such headers are none that the backend can read.
                authorization=printable(", ".join(headers.get_all("Authorization")), 8192),
                secure=secure,
                certificate_verified=printable(verified, 256),
                certificate=printable(certificate, 16_384),
            )
        except BackendUnavailable:
            return _unavailable("The central system is currently not responding.", "no answer")
        if isinstance(answer, Refuse):
            self.relay.forget(lane)
            status = answer.status if answer.status in _REFUSABLE else 403
            wait = round(answer.retry_after) or (_retry_after() if status in (429, 503) else 0)
            return Refusal(status, answer.reason or "Refused.", "backend", retry_after=wait)
        if charger.gone:
            lane.disconnected(CloseCode.ABNORMAL_CLOSURE, "gone before the handshake was finished")
            return _unavailable("Gone.", "gone")
        # Again: of many handshakes at once, all were free to ask.
        if refusal := self._churn.refusal(handshake.charge_point):
            self.relay.forget(lane)
            return refusal
        self._churn.accepted(handshake.charge_point)
        charger.admit(lane, answer)
        return None

    def _note_refusal(
        self, charger: ChargerSocket, request: Request, refusal: Refusal, *, from_proxy: bool
    ) -> None:
        """Keep what the edge refused by itself; our own trouble and the backend's word are not."""
        if refusal.label not in _LISTED:
            return
        identity = identity_in_path(request.path)
        offered = offered_subprotocols(request.headers.get_all("Sec-WebSocket-Protocol"))
        visitor = Visitor(
            remote=charger.remote,
            charge_point=identity if isinstance(identity, str) else "",
            path=printable(request.path.partition("?")[0], 200),
            user_agent=_user_agent(request),
            subprotocols=tuple(printable(name, 64) for name in offered[:8]),
            secure=_is_secure(charger, request, from_proxy=from_proxy),
        )
        self._list(visitor, refusal)

    def _note_unreadable(self, charger: ChargerSocket) -> None:
        """Keep what was not HTTP: TLS on the plain port, above all."""
        remote = charger.remote_address[0] if charger.remote_address else ""
        refusal = charger.why_unreadable()
        if refusal is not None:
            self.metrics.count("refusals", refusal.label)
            self._list(Visitor(remote=remote), refusal)

    def _note_flood(self, charger: ChargerSocket) -> None:
        """Whoever is being closed for a flood does not come back at once."""
        if charger.lane is not None:
            self._churn.flooded(charger.lane.charge_point)

    def _note_too_large(self, charger: ChargerSocket, lane: Lane, why: str) -> None:
        """What is too large comes again and again: somebody must hear of it."""
        self.metrics.count("frames_too_large")
        logger.warning(
            "%s sent too much: %s (%s)",
            lane.charge_point,
            why,
            lane.connection,
            extra={"charge_point": lane.charge_point, "connection": lane.connection},
        )
        visitor = Visitor(remote=charger.remote, charge_point=lane.charge_point)
        self._list(visitor, Refusal(CloseCode.MESSAGE_TOO_BIG, why, "frame too large", detail=why))

    def _list(self, visitor: Visitor, refusal: Refusal) -> None:
        self._refusals.add(visitor, refusal)
        if self._report_due is None and not self._draining:
            loop = asyncio.get_running_loop()
            wait = max(DELAY, self._reported_at + PAUSE - loop.time())
            self._report_due = loop.call_later(wait, self._report)

    def _report(self) -> None:
        loop = asyncio.get_running_loop()
        self._report_due = None
        if self._draining or not self._refusals:
            return
        if not self.relay.available:
            self._report_due = loop.call_later(PAUSE, self._report)
            return
        self._reported_at = loop.time()
        self.relay.report(*self._refusals.take())

    async def _handle(self, connection: ServerConnection) -> None:
        charger = cast("ChargerSocket", connection)
        lane = charger.lane
        assert lane is not None, "nobody gets here without Accept"
        assert charger.request is not None
        lane.connected(
            remote=charger.remote,
            subprotocol=charger.subprotocol_answer,
            user_agent=_user_agent(charger.request),
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
                self._note_too_large(charger, lane, error.what)
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
                self._note_too_large(charger, lane, why)
                return
            charger.busy = True
            try:
                if self._spool is None:
                    await lane.received(frame)
                else:
                    await self._spool.receive(lane, frame)
            except BackendUnavailable:
                charger.hang_up(CloseCode.TRY_AGAIN_LATER, "try again later")
                return
            charger.busy = False
            charger.taken()
            if self._draining:
                charger.hang_up(CloseCode.SERVICE_RESTART, "restarting")
                return

    async def _keep_pace(self, charger: ChargerSocket, lane: Lane, for_bytes: float) -> None:
        """Read no faster than is allowed: meanwhile the charger waits in TCP, and nobody else."""
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
            # Minutes, where it has sent megabytes: who is gone meanwhile is gone at once.
            await asyncio.wait((charger.connection_lost_waiter,), timeout=wait)
        charger.forgotten_at = self._frame_pace.spend(charger.forgotten_at, loop.time())

    def _status_page(self, charger: ChargerSocket, path: str, *, hidden: bool) -> Response:
        # A request that came through a proxy nobody vouches for comes from outside.
        if not self.settings.metrics_public and (hidden or not is_private(charger.remote)):
            return charger.respond(http.HTTPStatus.NOT_FOUND, "Not found.\n")
        if path == "/metrics":
            response = charger.respond(http.HTTPStatus.OK, self.metrics.text())
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = CONTENT_TYPE
            return response
        # Alive is whoever answers; ready is who can do a charger a service.
        if path == "/readyz" and (why := self._why_not_ready()):
            return charger.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, f"{why}\n")
        return charger.respond(http.HTTPStatus.OK, "ok\n")

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
        # Not there on Windows, and not outside the main thread.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, stopping.set)
    await server.start()
    if on_started is not None:
        on_started(server)
    try:
        await stopping.wait()
    finally:
        await server.stop()


_LISTED = frozenset(
    {
        "address limit",
        "after a flood",
        "churn",
        "full",
        "identity",
        "no identity",
        "not a websocket handshake",
        "origin",
        "path",
        "placeholder",
    }
)


def _is_secure(charger: ChargerSocket, request: Request, *, from_proxy: bool) -> bool:
    """True where the charger came over TLS: to us, or to a proxy that we trust."""
    if charger.transport.get_extra_info("ssl_object") is not None:
        return True
    return from_proxy and came_over_tls(request.headers.get_all("X-Forwarded-Proto"))


def _answer_subprotocol(
    connection: ServerConnection, _request: Request, response: Response
) -> None:
    answer = cast("ChargerSocket", connection).subprotocol_answer
    if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS and answer:
        response.headers["Sec-WebSocket-Protocol"] = answer


def _user_agent(request: Request) -> str:
    values = request.headers.get_all("User-Agent")
    return printable(values[0]) if values else ""


def _retry_after() -> int:
    # Jittered, or ten thousand chargers come back in the same second.
    return random.randint(10, 60)


def _unavailable(reason: str, label: str) -> Refusal:
    return Refusal(503, reason, label, retry_after=_retry_after())
