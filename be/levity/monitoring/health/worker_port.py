"""A worker's own port for /healthz, /readyz and /metrics, if LEVITY_WORKER_PORT is set."""

import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.db import connection

from levity.monitoring.health import checks
from levity.monitoring.health.access import may_see, shown_to
from levity.monitoring.metrics.counters import WORKER
from levity.monitoring.metrics.exposition import CONTENT_TYPE, exposition

__all__ = ["WorkerPort"]

Respond = Callable[[str, list[tuple[str, str]]], Any]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Without looking up our own name, which takes seconds if no DNS answers.
        super(WSGIServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    # A client that connects and sends nothing does not block a thread for ever.
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """No log: a line for every scrape is useless."""

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "REMOTE_ADDR": self.client_address[0]}

    def address_string(self) -> str:
        return str(self.client_address[0])


class WorkerPort:
    """Listens from the start until `close`; raises OSError if the port can't be used."""

    def __init__(self, host: str, port: int, readiness: Callable[[], checks.Answer]) -> None:
        self._readiness = readiness
        self._server = make_server(
            host, port, self.answer, server_class=_Server, handler_class=_Quiet
        )
        self.port = int(self._server.server_port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="worker-port", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Release the port."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, meta: Mapping[str, Any], respond: Respond) -> Iterable[bytes]:
        """The WSGI application."""
        path = meta.get("PATH_INFO", "")
        if path == "/metrics" and may_see(meta, secret=True):
            return _say(respond, "200 OK", CONTENT_TYPE, shown_to(meta, exposition(WORKER)))
        if path in ("/healthz", "/readyz") and may_see(meta, secret=False):
            try:
                answer = checks.Answer(True, {}) if path == "/healthz" else self._readiness()
            finally:
                connection.close()
            as_json = "application/json" in meta.get("HTTP_ACCEPT", "")
            status = "200 OK" if answer.is_well else "503 Service Unavailable"
            return _say(respond, status, *answer.body(as_json=as_json))
        return _say(respond, "404 Not Found", "text/plain", b"Not found.\n")


def _say(respond: Respond, status: str, kind: str, body: bytes) -> Iterable[bytes]:
    respond(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
