"""Error pages in plain words: what happened, and what the reader can do about it."""

import sqlite3
import sys
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from levity.api.problems import is_for_the_api, problem
from levity.db.damage import is_damage

__all__ = ["bad_request", "csrf_failure", "server_error"]

# SQLSTATE of Postgres: disk full; read-only.
FULL, READ_ONLY = "53100", "25006"


def bad_request(request: HttpRequest, exception: Any) -> HttpResponse:
    """400. The most frequent reason is a host name that Levity is not configured for."""
    is_host = isinstance(exception, DisallowedHost)
    if is_for_the_api(request):
        detail = (
            "Levity does not answer to this name; set HOSTNAME to it on the server."
            if is_host
            else ""
        )
        return problem(400, detail)
    # The name itself is not repeated, because it is arbitrary input.
    context = {"is_host": is_host}
    return render(request, "400.html", context, status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form did not come from a page of this site, or its page was too old."""
    return render(request, "403_csrf.html", {}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500. If the disk is the cause, the reader may be able to fix it."""
    if is_for_the_api(request):
        return problem(500)
    error = sys.exc_info()[1]
    context = {"disk": _what_about_the_disk(error)}
    return render(request, "500.html", context, status=500)


def _what_about_the_disk(error: BaseException | None) -> str:
    """`full`, `read-only` or `damaged`; empty for any other cause."""
    if is_damage(error):
        return "damaged"
    while error is not None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        state = getattr(error, "pgcode", None)
        if code == sqlite3.SQLITE_FULL or state == FULL:
            return "full"
        if code == sqlite3.SQLITE_READONLY or state == READ_ONLY:
            return "read-only"
        # Django's sessions raise an error of their own in place of the database's.
        error = error.__cause__ or error.__context__
    return ""
