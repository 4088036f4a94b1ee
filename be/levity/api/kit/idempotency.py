"""The header `Idempotency-Key`: a request that is sent twice does its work once.

A key of a Call is the Call's own (`own_key`); one of what takes more than a Call is a `RequestKey`
(`once`).
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, TypeVar

from django.db.models import Model
from django.http import Http404, HttpRequest
from ninja import Header
from pydantic import BaseModel

from levity.api.kit.auth import principal
from levity.api.kit.orders import NOT_THE_SAME
from levity.api.kit.schemas import Text
from levity.api.problems import Problem
from levity.ocpp.commands.queueing import fingerprint
from levity.ocpp.once import asked_once

__all__ = ["Key", "once", "own_key"]

M = TypeVar("M", bound=Model)
Key = Annotated[
    Text | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="A request that is sent again with the same key and body does nothing new.",
    ),
]


def own_key(request: HttpRequest, kind: str, key: str | None) -> str | None:
    """Everybody's keys are their own: two programs that count from 1 do not meet."""
    if key is None:
        return None
    who = principal(request)
    token = getattr(who, "token", None)
    owner = f"token {token.pk}" if token is not None else f"user {who.pk}"
    return f"{kind}:{hashlib.sha256(f'{owner}:{key}'.encode()).hexdigest()}"


def once(
    request: HttpRequest,
    key: str | None,
    body: BaseModel | None,
    model: type[M],
    make: Callable[[], M],
) -> M:
    """What `make` makes or changes; with a key that was sent before, what was made then, as it is
    now.

    One transaction: of two requests at once, the second waits for the first. A problem (422) where
    the key was sent with another address or body.
    """
    if key is None:
        return make()
    name = str(own_key(request, "request", key))
    wish = body.model_dump(mode="json", exclude=set(NOT_THE_SAME)) if body is not None else {}
    mark = fingerprint(f"{request.method} {request.path_info}", wish)
    with asked_once(name, mark) as asked:
        row = asked.row
        if asked.is_new:
            made = make()
            asked.has_made(made.pk)
            return made
    if row.fingerprint != mark:
        raise Problem(
            422,
            "This idempotency key was used before, for another request: take a new key.",
            code="idempotency-key-used",
        )
    found: M | None = model._default_manager.filter(pk=row.object_id).first()  # noqa: SLF001  # Django's
    if found is None:
        raise Http404
    return found
