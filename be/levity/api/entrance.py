"""The way into the API. ninja and pydantic cost 30 MB: they are imported for the first request.

Whatever goes wrong inside is answered as a problem, and nothing of a traceback leaves the server.
"""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern
from django.views.decorators.csrf import csrf_exempt

from levity.api.problems import CONTENT_TYPE, answer_to, problem

__all__ = ["entrance"]

# What the log of the server says already, or what clients do every day.
QUIET = frozenset({401, 403, 404, 405, 409, 412, 422, 429})


@csrf_exempt  # kit.auth checks it where a cookie is what lets somebody in
def entrance(request: HttpRequest) -> HttpResponseBase:
    """Answer a request to the API."""
    if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return problem(400, "The address contains a NUL character.")
    head = request.method == "HEAD"
    if head:
        # RFC 9110, 9.3.2: as GET; the server leaves the body out.
        request.method = "GET"
    try:
        match = _resolver().resolve(request.path_info.lstrip("/"))
        response = match.func(request, *match.args, **match.kwargs)
    except Resolver404:
        response = problem(404)
    except Exception as error:  # noqa: BLE001  (answer_to logs it)
        response = answer_to(error, request)
    if head:
        request.method = "HEAD"
    return _as_problem(response)


def _as_problem(response: Any) -> HttpResponseBase:
    if response.status_code >= 400 and response.headers.get("Content-Type") != CONTENT_TYPE:
        kept = {
            name: value
            for name in ("Allow", "Retry-After", "WWW-Authenticate")
            if (value := response.headers.get(name))
        }
        response = problem(response.status_code, headers=kept)
    response.headers.setdefault("Cache-Control", "no-store")
    if response.status_code in QUIET:
        response._has_been_logged = True  # noqa: SLF001
    return response


@cache
def _resolver() -> URLResolver:
    from levity.api.v1 import urlpatterns

    return URLResolver(RegexPattern(r"^api/v1/"), urlpatterns)
