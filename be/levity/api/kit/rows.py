"""Rows as whoever asks may see them, and changes of those that nobody changed meanwhile."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse

from levity.api.kit.auth import principal
from levity.api.problems import Problem
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible

__all__ = [
    "changing",
    "charge_point_at",
    "etag",
    "given",
    "given_charge_points",
    "may",
    "one",
    "seen",
    "tag",
    "unfit",
]

M = TypeVar("M", bound=Model)


def may(request: HttpRequest, permission: str) -> None:
    """Raise a problem (403) unless whoever asks has this permission."""
    if not principal(request).has_perm(permission):
        raise Problem(403, f"Your role, or your token's scope, lacks the permission {permission}.")


def seen(request: HttpRequest, model: type[M]) -> QuerySet[M]:
    """The rows of this model that whoever asks may see; a problem if it is none of any."""
    label, name = model._meta.app_label, model._meta.model_name
    may(request, f"{label}.view_{name}")
    return visible(_all(model), principal(request))


def _all(model: type[M]) -> QuerySet[M]:
    rows: QuerySet[M] = model._meta.default_manager.all()  # type: ignore[union-attr]
    return rows


def one(rows: QuerySet[M], **lookup: Any) -> M:
    """The row that is meant; 404 if it is not among these."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise Http404
    return row


def charge_point_at(rows: QuerySet[M], identity: str) -> M:
    """The charge point of this identity, however it is spelt."""
    return one(rows, identity__iexact=identity)


def given(request: HttpRequest, model: type[M], pk: int | None, where: str) -> M | None:
    """The row that a body names by its key; a problem (422) if whoever asks sees no such row."""
    if pk is None:
        return None
    row: M | None = visible(_all(model), principal(request)).filter(pk=pk).first()
    if row is None:
        raise unfit(where, f"There is no {model._meta.verbose_name} {pk}.")
    return row


def given_charge_points(
    request: HttpRequest, identities: Sequence[str], where: str
) -> list[ChargePoint]:
    """The charge points of these identities; a problem (422) if one is not among those seen."""
    wanted = {identity.lower() for identity in identities}
    seen_by = visible(ChargePoint.objects.all(), principal(request)).annotate(key=Lower("identity"))
    rows = list(seen_by.filter(key__in=wanted))
    if lacking := wanted - {row.identity.lower() for row in rows}:
        raise unfit(where, f"There is no charge point “{min(lacking)}”.")
    return rows


def unfit(where: str, message: str) -> Problem:
    """A value that does not fit, as a problem to raise."""
    return Problem(422, message, errors=[{"where": where, "message": message}])


def etag(row: Model, fields: Iterable[str]) -> str:
    """The version of what can be changed of a row. It does not cover what a charger reports, for
    that changes all the time."""
    values = [getattr(row, name) for name in fields]
    text = json.dumps(values, cls=DjangoJSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def tag(response: HttpResponse, row: Model, fields: Iterable[str]) -> None:
    """Send the version along."""
    response["ETag"] = etag(row, fields)


@contextmanager
def changing(
    request: HttpRequest, rows: QuerySet[M], fields: Iterable[str], **lookup: Any
) -> Iterator[M]:
    """The row that is to be changed. With `If-Match`, it is locked, and 412 if it is another
    version than the client has seen.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        yield one(rows, **lookup)
        return
    with transaction.atomic():
        row = one(rows.select_for_update(of=("self",), no_key=True), **lookup)
        known = [text.strip() for text in wanted.split(",")]
        if "*" not in known and etag(row, fields) not in known:
            raise Problem(
                412,
                "It was changed meanwhile. Get it again, then repeat your change.",
                code="changed",
            )
        yield row
