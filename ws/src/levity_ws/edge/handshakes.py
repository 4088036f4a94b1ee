"""Which handshakes are upgraded to websockets: the edge's limits decide first, then the backend.
The order is: `parse_handshake`, limits, ask the backend, upgrade or refuse.
"""

import http
import logging
import random
import time
from typing import cast

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from levity_ws.edge.admission import Admission
from levity_ws.edge.handshake import (
    Handshake,
    client_address,
    is_secure,
    is_trusted_proxy,
    mend,
    no_websocket,
    only,
    parse_handshake,
    user_agent,
)
from levity_ws.edge.handshake_gate import Gate
from levity_ws.edge.lane import BackendUnavailable
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.rate_limits import Churn, Pace
from levity_ws.edge.refusal import Refusal, printable
from levity_ws.edge.refusal_reports import RefusalReports
from levity_ws.edge.relay import Relay
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.socket import ChargerSocket
from levity_ws.edge.status import StatusPages
from levity_ws.edge.target import target_path
from levity_ws.rpc.envelope import Refuse

__all__ = ["Handshakes", "answer_subprotocol"]

# Written to the same log as the connections that are accepted.
logger = logging.getLogger("levity_ws.edge")
_REFUSABLE = (400, 401, 403, 404, 429, 503)


class Handshakes:
    """Answers every HTTP request; an accepted charger then has a lane."""

    def __init__(
        self,
        settings: EdgeSettings,
        metrics: Metrics,
        relay: Relay,
        status: StatusPages,
        reports: RefusalReports,
    ) -> None:
        self.admission = Admission(
            in_total=settings.max_connections, per_address=settings.max_connections_per_address
        )
        self._settings = settings
        self._metrics = metrics
        self._relay = relay
        self._status = status
        self._reports = reports
        self._gate = Gate(settings.handshakes_at_once, settings.handshakes_waiting)
        self._churn = Churn(Pace(settings.max_connect_rate, settings.connect_burst), time.monotonic)
        self._refuses_all = False

    def refuse_all(self) -> None:
        """The edge is stopping: accept no handshakes from now on."""
        self._refuses_all = True

    def flooded(self, charger: ChargerSocket) -> None:
        """This charger is being disconnected for flooding: it may not reconnect at once."""
        if charger.lane is not None:
            self._churn.flooded(charger.lane.charge_point)

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        charger = cast("ChargerSocket", connection)
        peer = charger.remote_address[0] if charger.remote_address else ""
        forwarded = request.headers.get_all("X-Forwarded-For")
        charger.remote = client_address(peer, forwarded, self._settings.trusted_proxies)
        path = target_path(request.path)
        if path in self._status.paths:
            hidden = charger.remote == peer and bool(forwarded)
            return self._status.page(charger, path, hidden=hidden)
        proxied = is_trusted_proxy(peer, self._settings.trusted_proxies)
        refusal = await self._admit(charger, request, from_proxy=proxied)
        if refusal is None:
            return None
        self._metrics.count("refusals", refusal.label)
        logger.warning(
            "Refused %r from %s: %d %s",
            printable(path, 100),
            charger.remote,
            refusal.status,
            refusal.reason,
        )
        self._reports.refused(charger, request, refusal, from_proxy=proxied)
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
        """None if the upgrade may continue; the charger is then counted and has a lane."""
        if self._refuses_all:
            return _unavailable("Restarting.", "restarting")
        handshake = parse_handshake(request, self._settings.allowed_origins)
        if isinstance(handshake, Refusal):
            return handshake
        # Before asking the backend: is it a websocket handshake at all?
        mend(request)
        if refusal := no_websocket(request):
            return refusal
        if not self._relay.available:
            return _unavailable(
                "The central system is currently unavailable.", "backend unavailable"
            )
        refusal = self._churn.refusal(handshake.charge_point)
        refusal = refusal or self.admission.enter(charger.remote)
        if refusal is not None:
            return refusal
        charger.when_gone(lambda: self.admission.leave(charger.remote))
        # Early enough for a 503 before websockets gives up on the handshake.
        last = charger.loop.time() + self._settings.open_timeout * 0.8
        if not await self._gate.enter(self._settings.open_timeout * 0.5):
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
        secure = is_secure(charger.transport, request, from_proxy=from_proxy)
        # The proxy checks a client certificate, and only the proxy may report one.
        certified = secure and from_proxy
        verified = only(headers.get_all("X-Client-Verify")) if certified else ""
        certificate = only(headers.get_all("X-Client-Cert")) if verified == "SUCCESS" else ""
        lane = self._relay.open(handshake.charge_point, charger)
        try:
            answer = await lane.authenticate(
                last - charger.loop.time(),
                remote=charger.remote,
                path=printable(handshake.path, 512),
                subprotocols=tuple(printable(name, 64) for name in handshake.subprotocols[:16]),
                user_agent=user_agent(request),
                # The backend can't read two such headers.
                authorization=printable(", ".join(headers.get_all("Authorization")), 8192),
                secure=secure,
                certificate_verified=printable(verified, 256),
                certificate=printable(certificate, 16_384),
            )
        except BackendUnavailable:
            return _unavailable("The central system is currently not responding.", "no answer")
        if isinstance(answer, Refuse):
            self._relay.forget(lane)
            status = answer.status if answer.status in _REFUSABLE else 403
            wait = round(answer.retry_after) or (_retry_after() if status in (429, 503) else 0)
            return Refusal(status, answer.reason or "Refused.", "backend", retry_after=wait)
        if charger.gone:
            lane.disconnected(CloseCode.ABNORMAL_CLOSURE, "gone before the handshake was finished")
            return _unavailable("Gone.", "gone")
        # Check again: many handshakes at once may all have been allowed to ask.
        if refusal := self._churn.refusal(handshake.charge_point):
            self._relay.forget(lane)
            return refusal
        self._churn.accepted(handshake.charge_point)
        charger.admit(lane, answer)
        return None


def answer_subprotocol(connection: ServerConnection, _request: Request, response: Response) -> None:
    """Put the subprotocol that the backend chose into the response of the upgrade."""
    answer = cast("ChargerSocket", connection).subprotocol_answer
    if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS and answer:
        response.headers["Sec-WebSocket-Protocol"] = answer


def _retry_after() -> int:
    # Jittered, so that ten thousand chargers don't come back in the same second.
    return random.randint(10, 60)


def _unavailable(reason: str, label: str) -> Refusal:
    return Refusal(503, reason, label, retry_after=_retry_after())
