"""The first of Django's middleware: /healthz, /readyz and /metrics, and a count of all requests.

Before all others: a container's probe uses an address that is not among the host names, and no TLS.
"""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone

from levity.monitoring.health import checks
from levity.monitoring.health.access import may_see, shown_to
from levity.monitoring.metrics.counters import count_request
from levity.monitoring.metrics.exposition import CONTENT_TYPE, exposition

__all__ = ["Operation"]

PAGES = ("/healthz", "/readyz", "/metrics")


class Operation:
    """Status pages for this machine and its network; 404 for all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """A status page, or the response of the other middleware."""
        if request.path_info in PAGES:
            return _status_page(request)
        began = time.perf_counter()
        response = self.get_response(request)
        count_request(request.method or "", response.status_code, time.perf_counter() - began)
        return response


def _status_page(request: HttpRequest) -> HttpResponse:
    response = _answer(request)
    # Django would log every 404 and 503 of a probe that comes every few seconds.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    path = request.path_info
    if request.method not in ("GET", "HEAD") or not may_see(
        request.META, secret=path == "/metrics"
    ):
        return HttpResponseNotFound("Not found.\n", content_type="text/plain")
    if path == "/metrics":
        return HttpResponse(shown_to(request.META, exposition()), content_type=CONTENT_TYPE)
    answer = checks.Answer(True, {}) if path == "/healthz" else readiness()
    as_json = "application/json" in request.META.get("HTTP_ACCEPT", "")
    kind, body = answer.body(as_json=as_json)
    return HttpResponse(body, content_type=kind, status=200 if answer.is_well else 503)


def readiness() -> checks.Answer:
    """For the web pages: they only need the database, but an installation without a worker is not
    ready."""
    seen: list[str] = []

    def workers() -> str:
        seen.extend(checks.workers(timezone.now()))
        return seen[0]

    return checks.ready(
        {
            "database": checks.database,
            "migrations": checks.migrations,
            "worker": workers,
            "broker": lambda: seen[1] if seen else "",
        }
    )
