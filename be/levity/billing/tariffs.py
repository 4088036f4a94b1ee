"""Decisions about tariffs: made, given a new version. Who decides is checked and written down.

A version is never changed. Sessions that have a price keep the version that held when they began,
unless a new version is to hold from before then on and they are on no statement yet.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models import Tariff, TariffVersion
from levity.billing.receiving import refresh
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, check
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited

__all__ = ["add_tariff", "add_version", "checked_document"]


def checked_document(content: Any, begins: datetime | None = None) -> dict[str, Any]:
    """The document as it is stored, if it is a tariff of ours; raises `ValidationError` that says
    for each field what is wrong. Of a calendar of holidays it has the dates of twelve years, from
    the one before it begins on."""
    # Pydantic is loaded when a document is read, not at the start of a program (ADR 37).
    from levity.billing.computing import CannotPrice, read_tariff, with_holidays

    try:
        document = with_holidays(read_tariff(content), (begins or timezone.now()).year - 1)
    except CannotPrice as error:
        raise ValidationError(
            [f"{where.removeprefix('tariff.')}: {what}" for where, what in error.problems]
        ) from None
    stored: dict[str, Any] = document.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
    )
    return {"currency": document.currency, **stored}


def add_tariff(
    name: str, document: Mapping[str, Any], begins: datetime, who: Who, site: Site | None = None
) -> Tariff:
    """A new tariff with its first version; `ValidationError` for values that do not fit."""
    if who is not None and (is_limited(who) or not who.has_perm("billing.add_tariff")):
        raise NotAllowed(gettext_noop("only a user of all sites who may add tariffs can do that"))
    checked = checked_document({**document, "name": name}, begins)
    row = Tariff(name=name.strip(), site=site)
    row.full_clean()
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, [row], "added", {}, {"name": row.name})
        _add(row, 1, checked, begins, "", who)
    return row


def add_version(
    tariff: Tariff, document: Mapping[str, Any], begins: datetime, who: Who, reason: str = ""
) -> TariffVersion:
    """What the tariff says from this moment on; versions before it stay as they are."""
    check(tariff, who, "billing.change_tariff")
    if is_limited(who):
        raise NotAllowed(gettext_noop("only a user of all sites may change tariffs"))
    checked = checked_document({**document, "name": tariff.name}, begins)
    with transaction.atomic():
        locked = Tariff.objects.select_for_update(no_key=True).get(pk=tariff.pk)
        newest = locked.versions.order_by("-number").first()
        if newest is not None and newest.document.get("currency") != checked["currency"]:
            raise ValidationError(
                gettext_noop("A tariff keeps its currency: make another tariff instead.")
            )
        return _add(locked, newest.number + 1 if newest else 1, checked, begins, reason, who)


def _add(
    tariff: Tariff, number: int, document: dict[str, Any], begins: datetime, reason: str, who: Who
) -> TariffVersion:
    version = TariffVersion(
        tariff=tariff,
        number=number,
        begins=begins,
        document=document,
        note=reason[:200],
        created_by="" if who is None else who.get_username()[:150],
    )
    version.full_clean()
    version.save(force_insert=True)
    said = {"from": begins, "number": number, "note": version.note}
    note(who, [tariff], f"version {number} added", {}, said)
    transaction.on_commit(refresh)
    return version
