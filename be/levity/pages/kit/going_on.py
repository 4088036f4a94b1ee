"""Work on so many rows that no page can wait for its end: a portion, then a page that goes on.

That page says how far it has come, and sends the rest by itself (static/levity/admin.js). What was
done is done: whoever closes it leaves the rest as it was, and may choose it again.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

__all__ = ["BUDGET", "KEYS", "going_on", "handed_on", "keys_in", "so_far", "within_budget"]

BUDGET = 5.0
"""Seconds of work for one page."""
KEYS = "ids"
_DIGITS = 18


def keys_in(text: str) -> list[int] | None:
    """The keys that a page names, each once, in their order; None if this is no list of keys."""
    words = text.split(",") if text else []
    if not all(word.isascii() and word.isdigit() and len(word) <= _DIGITS for word in words):
        return None
    return list(dict.fromkeys(map(int, words)))


def within_budget(keys: list[int], size: int) -> Iterator[list[int]]:
    """Portions of these keys until the time is over; at least one."""
    end = time.monotonic() + BUDGET
    for at in range(0, len(keys), size):
        if at and time.monotonic() >= end:
            return
        yield keys[at : at + size]


def so_far(request: HttpRequest, name: str) -> int:
    """A count that the page before has sent along, for what is said at the end."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def going_on(
    request: HttpRequest,
    admin: Any,
    title: str,
    left: list[int],
    done: int,
    fields: Iterable[tuple[str, Any]],
) -> HttpResponse:
    """The page between two portions; it sends `fields` and the keys that are `left`."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "done": f"{done:,}",
        "total": f"{done + len(left):,}",
        "fields": [*fields, (KEYS, ",".join(map(str, left)))],
        "back": f"levity:{admin.opts.app_label}_{admin.opts.model_name}_changelist",
        "percent": done * 100 // (done + len(left)),
    }
    return TemplateResponse(request, "levity/going_on.html", context)


def handed_on(
    request: HttpRequest, admin: Any, title: str, address: str, keys: list[int]
) -> HttpResponse:
    """The way from a list to the page that asks what to do with these, where their keys are too
    many for its address: a form that sends itself."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "count": f"{len(keys):,}",
        "address": address,
        "ids": ",".join(map(str, keys)),
        "back": f"levity:{admin.opts.app_label}_{admin.opts.model_name}_changelist",
    }
    return TemplateResponse(request, "levity/handed_on.html", context)
