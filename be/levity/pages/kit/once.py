"""A form that is sent twice, by a double click or again after a lost answer, does its work once.

The form has the tag `{% once %}` in it, its view is a `sent_once`. A script keeps browsers from
sending it twice (static/levity/admin.js); this here holds where the script does not.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from django import template
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import redirect
from django.utils.html import format_html

from levity.ocpp.once import asked_once

__all__ = ["FIELD", "once", "register", "sent_once", "was_done"]

FIELD = "once"
LONGEST = 64
register = template.Library()


@register.simple_tag
def once() -> str:
    """A field with a new key."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, uuid4())


def was_done(response: HttpResponse) -> HttpResponse:
    """For a page that shows what came of the work, where a redirection would lose it."""
    response.is_work_done = True  # type: ignore[attr-defined]  # for `sent_once`
    return response


def sent_once(view: Callable[..., Any]) -> Callable[..., Any]:
    """This view; a form that comes a second time, with the same content, leads where it led before.

    A page with errors is no work done: the form may be sent again. The view's work is one
    transaction, so that of two clicks at once the second waits for the first.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.POST.get(FIELD, "") if request.method == "POST" else ""
        if not key or len(key) > LONGEST:
            response: HttpResponse = view(request, *args, **kwargs)
            return response
        with asked_once(_key(request), "") as asked:
            if asked.is_new:
                waited = len(_waiting(request))
                response = view(request, *args, **kwargs)
                if isinstance(response, HttpResponseRedirectBase):
                    # What earlier pages said, and nobody has seen yet, is not this form's.
                    asked.has_led_to(response.url, _waiting(request)[waited:])
                elif not getattr(response, "is_work_done", False):
                    asked.has_done_nothing()
                return response
        row, shown = asked.row, _waiting(request)
        for level, text in row.said or [(messages.INFO, "This was sent already, and done once.")]:
            # A browser may have kept the messages of the answer that it dropped.
            if (level, text) not in shown:
                messages.add_message(request, level, text)
        return redirect(row.location or request.get_full_path())

    return inner


def _waiting(request: HttpRequest) -> list[tuple[int, str]]:
    """What the next page will say, the newest last. A browser drops the answer to the first of two
    clicks, and what was said in it."""
    waiting: Any = messages.get_messages(request)
    found = [(message.level, str(message.message)) for message in waiting]
    waiting.used = False
    return found


def _key(request: HttpRequest) -> str:
    """Of this person, this address and this content: after “back”, another content is another
    wish."""
    given = [(name, values) for name, values in request.POST.lists() if not name.startswith("csrf")]
    user: Any = request.user
    text = repr((user.pk, request.get_full_path(), sorted(given)))
    return f"form:{hashlib.sha256(text.encode()).hexdigest()}"
