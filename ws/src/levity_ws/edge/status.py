"""The edge's own pages, for those who watch it: is it alive, is it ready, its figures."""

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
        """`why_not_ready` says what is wrong, for an operator; empty while nothing is."""
        self._settings = settings
        self._metrics = metrics
        self._why_not_ready = why_not_ready

    def page(self, charger: ChargerSocket, path: str, *, hidden: bool) -> Response:
        """One of `paths`; 404 for whoever may not see it. `hidden`: its address is not known."""
        # A request that came through a proxy nobody vouches for comes from outside.
        if not self._settings.metrics_public and (hidden or not is_private(charger.remote)):
            return charger.respond(http.HTTPStatus.NOT_FOUND, "Not found.\n")
        if path == "/metrics":
            response = charger.respond(http.HTTPStatus.OK, self._metrics.text())
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = CONTENT_TYPE
            return response
        # Alive is whoever answers; ready is who can do a charger a service.
        if path == "/readyz" and (why := self._why_not_ready()):
            return charger.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, f"{why}\n")
        return charger.respond(http.HTTPStatus.OK, "ok\n")
