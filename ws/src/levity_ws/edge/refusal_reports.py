"""Reports the edge's own refusals to the backend, for the page of refused connections."""

import asyncio
import logging
import time

from websockets.frames import CloseCode
from websockets.http11 import Request

from levity_ws.edge.handshake import is_secure, offered_subprotocols, user_agent
from levity_ws.edge.lane import Lane
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.reading import ReadingSocket
from levity_ws.edge.refusal import Refusal, printable
from levity_ws.edge.refusals import DELAY, PAUSE, RefusalBook, Visitor
from levity_ws.edge.relay import Relay
from levity_ws.edge.socket import ChargerSocket
from levity_ws.edge.target import identity_in_path

__all__ = ["LISTED", "RefusalReports"]

# Written to the same log as the connections that are accepted.
logger = logging.getLogger("levity_ws.edge")

LISTED = frozenset(
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
"""Labels of refusals that are reported; our own outages and the backend's refusals are not."""


class RefusalReports:
    """Collects refusals and reports them together, a while after the first."""

    def __init__(self, relay: Relay, metrics: Metrics) -> None:
        self.book = RefusalBook(time.time)
        self._relay = relay
        self._metrics = metrics
        self._due: asyncio.TimerHandle | None = None
        self._reported_at = float("-inf")
        self._stopped = False

    def stop(self) -> None:
        """Report nothing from now on."""
        self._stopped = True

    def refused(
        self, charger: ChargerSocket, request: Request, refusal: Refusal, *, from_proxy: bool
    ) -> None:
        """Keep a handshake that the edge refused, if it is one of `LISTED`."""
        if refusal.label not in LISTED:
            return
        identity = identity_in_path(request.path)
        offered = offered_subprotocols(request.headers.get_all("Sec-WebSocket-Protocol"))
        visitor = Visitor(
            remote=charger.remote,
            charge_point=identity if isinstance(identity, str) else "",
            path=printable(request.path.partition("?")[0], 200),
            user_agent=user_agent(request),
            subprotocols=tuple(printable(name, 64) for name in offered[:8]),
            secure=is_secure(charger.transport, request, from_proxy=from_proxy),
        )
        self._list(visitor, refusal)

    def unreadable(self, charger: ReadingSocket) -> None:
        """Keep a connection that was not HTTP, most often TLS on the plain port."""
        remote = charger.remote_address[0] if charger.remote_address else ""
        refusal = charger.why_unreadable()
        if refusal is not None:
            self._metrics.count("refusals", refusal.label)
            self._list(Visitor(remote=remote), refusal)

    def too_large(self, charger: ChargerSocket, lane: Lane, why: str) -> None:
        """A charger repeats a message that is too large, so a person must be told."""
        self._metrics.count("frames_too_large")
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
        self.book.add(visitor, refusal)
        if self._due is None and not self._stopped:
            loop = asyncio.get_running_loop()
            wait = max(DELAY, self._reported_at + PAUSE - loop.time())
            self._due = loop.call_later(wait, self._report)

    def _report(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = None
        if self._stopped or not self.book:
            return
        if not self._relay.available:
            self._due = loop.call_later(PAUSE, self._report)
            return
        self._reported_at = loop.time()
        self._relay.report(*self.book.take())
