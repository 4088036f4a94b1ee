"""A charger that connects to the port of the web pages is told the right port, and so is its owner.
The edge does not see it, so it is listed in the onboarding doctor from here. The list is limited:
many different ones within seconds are only counted, as at the edge.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from django.db import DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse

from levity.ocpp.store import list_refusals
from levity_ws.edge.refusal import Refusal, printable
from levity_ws.edge.refusals import PAUSE, RefusalBook, Visitor
from levity_ws.edge.target import identity_in_path
from levity_ws.rpc.envelope import EdgeRefusal

__all__ = ["ChargersElsewhere"]

log = logging.getLogger(__name__)
EDGE = "web pages"
# How many are listed at once within PAUSE seconds; the others are listed together at its end.
AT_ONCE = 10


def _in_a_thread(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class ChargersElsewhere:
    """Answers and lists requests for a websocket at the web pages; passes on all others."""

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponse],
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = _in_a_thread,
    ) -> None:
        self.get_response = get_response
        self._clock, self._later = clock, later
        self._lock = threading.Lock()
        self._book = RefusalBook(time.time)
        self._began, self._listed, self._is_put_off = float("-inf"), 0, False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response of the other middleware, unless a charger asks."""
        if "websocket" not in request.META.get("HTTP_UPGRADE", "").lower():
            return self.get_response(request)
        path = quote(request.path_info, safe="/:@+=|*-_.~%")
        identity = identity_in_path(path)
        named = identity if isinstance(identity, str) else ""
        port = os.environ.get("WS_PORT") or "9000"
        address = f"ws://<this host>:{port}/ws/{named or '<charge point id>'}"
        refusal = Refusal(
            404,
            f"This is the port of the web pages. Chargers connect to port {port}: {address}",
            "web port",
            detail=f"use port {port}",
        )
        self._list(request, named, path, refusal)
        text = f"{refusal.reason}\n".encode()
        response = HttpResponse(
            text, content_type="text/plain; charset=utf-8", status=refusal.status
        )
        # Nothing after this middleware sets it, and a charger can't read chunks.
        response["Content-Length"] = str(len(text))
        remote = printable(request.META.get("REMOTE_ADDR", ""), 64)
        log.warning(
            "Refused '%s' from %s: %d %s",
            *(printable(path, 200), remote, refusal.status, refusal.reason),
        )
        # Django would say "Not Found", without the port.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
        return response

    def _list(self, request: HttpRequest, identity: str, path: str, refusal: Refusal) -> None:
        meta = request.META
        offered = meta.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "").split(",")
        visitor = Visitor(
            remote=meta.get("REMOTE_ADDR", "")[:64],
            charge_point=identity,
            path=printable(path, 200),
            user_agent=printable(meta.get("HTTP_USER_AGENT", "")),
            subprotocols=tuple(printable(name.strip(), 64) for name in offered[:8] if name.strip()),
            secure=request.is_secure(),
        )
        with self._lock:
            self._book.add(visitor, refusal)
            now = self._clock()
            if now - self._began >= PAUSE:
                self._began, self._listed = now, 0
            if self._listed >= AT_ONCE:
                if not self._is_put_off:
                    self._is_put_off = True
                    self._later(self._began + PAUSE - now, self._list_the_rest)
                return
            self._listed += 1
            refusals, _ = self._book.take()
        _write(refusals)

    def _list_the_rest(self) -> None:
        """In a thread of its own, which has its own connection to the database."""
        try:
            with self._lock:
                self._is_put_off = False
                refusals, _ = self._book.take()
            if refusals:
                _write(refusals)
        finally:
            connections.close_all()


def _write(refusals: Sequence[EdgeRefusal]) -> None:
    try:
        with transaction.atomic():
            list_refusals(refusals, EDGE)
    except DatabaseError:
        log.exception("A charger that connected to the web port could not be recorded")
