"""Error pages in plain words: what happened, and what the reader can do about it."""

from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

__all__ = ["bad_request", "csrf_failure"]


def bad_request(request: HttpRequest, exception: Any) -> HttpResponse:
    """400. The most frequent reason is a name of this machine that Levity was not told."""
    # The name itself is not repeated: it is whatever somebody sent.
    context = {"is_host": isinstance(exception, DisallowedHost)}
    return render(request, "400.html", context, status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form did not come from a page of this site, or its page was too old."""
    return render(request, "403_csrf.html", {}, status=403)
