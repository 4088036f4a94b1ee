"""The edge's own pages for monitoring: is it alive, is it ready, its metrics."""

import http
from collections.abc import Callable

from websockets.http11 import Response

from levity_ws.edge.handshake import is_private
from levity_ws.edge.metrics import CONTENT_TYPE, Metrics
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.socket import ChargerSocket

__all__ = ["StatusPages"]


class StatusPages:
    """`/healthz`, `/readyz` and `/metrics`, on the port of the websockets."""

    paths = ("/healthz", "/readyz", "/metrics")

    def __init__(
        self, settings: EdgeSettings, metrics: Metrics, why_not_ready: Callable[[], str]
    ) -> None:
        """`why_not_ready` describes a problem for an operator; empty if there is none."""
        self._settings = settings
        self._metrics = metrics
        self._why_not_ready = why_not_ready

    def page(self, charger: ChargerSocket, path: str, *, hidden: bool) -> Response:
        """One of `paths`; 404 for clients that may not see it. `hidden`: the client's address is
        unknown."""
        # A request through an untrusted proxy comes from outside.
        if not self._settings.metrics_public and (hidden or not is_private(charger.remote)):
            return charger.respond(http.HTTPStatus.NOT_FOUND, "Not found.\n")
        if path == "/metrics":
            response = charger.respond(http.HTTPStatus.OK, self._metrics.text())
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = CONTENT_TYPE
            return response
        # Alive: it answers. Ready: it can serve chargers.
        if path == "/readyz" and (why := self._why_not_ready()):
            return charger.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, f"{why}\n")
        return charger.respond(http.HTTPStatus.OK, "ok\n")
