"""A row of every model that the admin shows, whatever models there are, and every address it has.

Nothing here names a model's fields: a column that somebody adds tomorrow is filled, too.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from levity.billing.rules.balance import KINDS as BALANCE_KINDS
from levity.pages.calls.kinds import KINDS, MANY
from levity.pages.chargers.certificate_decisions import DECISIONS as CERTIFICATE_DECISIONS
from levity.pages.chargers.quarantine import DECISIONS
from levity.pages.stored.local_lists import LocalListAdmin
from levity.pages.stored.profiles import InstalledProfileAdmin
from levity.pages.stored.reservations import ReservationAdmin
from levity.pages.stored.trusted_certificates import InstalledCertificateAdmin

__all__ = ["SHOWN", "Page", "one_of_each", "pages", "row_of"]

Row = models.Model
SHOWN = sorted(admin.site._registry, key=lambda model: model._meta.label)
# The values of the words in addresses, by the name of the pattern.
WORDS = {
    "ocpp_chargepoint_send": tuple(KINDS),
    "ocpp_chargepoint_send_many": MANY,
    "ocpp_chargepointcertificate_decide": tuple(CERTIFICATE_DECISIONS),
    "ocpp_quarantinedmessage_decide": tuple(DECISIONS),
    "billing_statement_file": ("csv",),
    "ocpp_reservation_decide": tuple(ReservationAdmin.buttons),
    "ocpp_locallist_decide": tuple(LocalListAdmin.buttons),
    "ocpp_installedprofile_decide": tuple(InstalledProfileAdmin.buttons),
    "ocpp_installedcertificate_decide": tuple(InstalledCertificateAdmin.buttons),
}


# JSON that pages read, and do not only show; {} is the text.
LINE = {
    "kind": "energy",
    "name": "{}",
    "quantity": "1",
    "unit": "kWh",
    "price": "1",
    "amount": "1.00",
    "vat": "19",
}
SESSION = {
    "session": 1,
    "sign": 1,
    "wh": "1",
    "amount": "1.00",
    "start": "2026-11-01T10:00+01:00",
    "end": "2026-11-01T11:00+01:00",
    "charger": "{}",
    "id_tag": "{}",
    "tariff": "{}",
    "connector": 1,
    "meter_start": "0",
    "meter_stop": "1",
    "marks": ["estimated"],
}
BALANCE = ("moved", "outside", "difference", *BALANCE_KINDS)
READ: dict[str, Any] = {
    "billing.TariffVersion.document": {
        "time_zone": "UTC",
        "currency": "EUR",
        "energy": [{"price_per_kwh": "1", "name": "{}"}],
    },
    "billing.SessionPrice.lines": [LINE],
    "billing.StatementRun.balance": {
        **dict.fromkeys(BALANCE, "1"),
        "sessions": dict.fromkeys(BALANCE_KINDS, 1),
    },
    "billing.Statement.document": {
        "number": "{}",
        "language": "en",
        "currency": "EUR",
        "tax_included": True,
        "first_day": "2026-11-01",
        "last_day": "2026-11-30",
        "closed_on": "2026-12-01",
        "time_zone": "UTC",
        "payment_text": "{}",
        "before": None,
        "wh": "1",
        "net": "1.00",
        "tax": "0.19",
        "gross": "1.19",
        "issuer": {"name": "{}", "address": "{}", "tax_number": "{}"},
        "household": {"name": "{}", "flat": "{}", "parking": "{}"},
        "taxes": [{"vat": "19", "net": "1.00", "tax": "0.19", "gross": "1.19"}],
        "sessions": [SESSION],
        "bands": [LINE],
        "fees": [LINE | {"unit": "month"}],
    },
}


def _with_text(content: Any, text: str) -> Any:
    if isinstance(content, Mapping):
        return {name: _with_text(value, text) for name, value in content.items()}
    if isinstance(content, list):
        return [_with_text(value, text) for value in content]
    return text if content == "{}" else content


def one_of_each(text: str, number: int = 0, **given: Row) -> dict[type[Row], Row]:
    """A row of every model, with this text wherever a text fits; `given` rows by field name."""
    rows: dict[type[Row], Row] = {}
    for model in SHOWN:
        row_of(model, text, number, rows, given)
    # (What they refer to may have no page of its own.)
    return {model: rows[model] for model in SHOWN}


def row_of(
    model: type[Row],
    text: str,
    number: int,
    rows: dict[type[Row], Row],
    given: Mapping[str, Row],
) -> Row:
    """The row of this model; what it refers to is made before."""
    if model in rows:
        return rows[model]
    once = {"identity", "id_tag", *(name for each in _unique(model) for name in each)}
    values: dict[str, Any] = {}
    parents: dict[str, list[Row]] = {}
    for field in model._meta.get_fields():
        if not getattr(field, "concrete", False) or isinstance(field, models.AutoField):
            continue
        if isinstance(field, models.ManyToManyField):
            if field.name in given:
                parents[field.name] = [given[field.name]]
            elif field.name == "charge_points":
                parents[field.name] = [row_of(field.related_model, text, number, rows, given)]
        elif isinstance(field, models.ForeignKey):
            if field.name in given:
                values[field.name] = given[field.name]
            elif field.related_model is not model and field.related_model is not User:
                values[field.name] = row_of(field.related_model, text, number, rows, given)
        elif field.primary_key and isinstance(field, models.IntegerField):
            values[field.name] = number + 1
        else:
            unique = getattr(field, "unique", False) or field.name in once
            said = READ.get(str(field))
            value = (
                _value(field, f"{number}{text}" if unique else text)
                if said is None
                else _with_text(said, text)
            )
            if value is not None:
                values[field.name] = value
    row = model._default_manager.create(**values)
    for name, items in parents.items():
        getattr(row, name).set(items)
    rows[model] = row
    return row


def _unique(model: type[Row]) -> Iterator[tuple[str, ...]]:
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield constraint.fields
    yield from model._meta.unique_together


def _value(field: Any, text: str) -> Any:
    if field.name == "lives":
        # It is read, not only shown: our own notation, which no charger can write.
        return None
    if isinstance(field, models.CharField | models.TextField) and not field.choices:
        return text[: field.max_length] if field.max_length else text
    if isinstance(field, models.JSONField):
        # Overrides of quirks are read, not only shown.
        return {} if field.name == "quirk_overrides" else {"text": text, text: [text]}
    if isinstance(field, models.DateTimeField):
        # Open, not dealt with: a row that is still to be decided shows the most.
        return None if field.null else timezone.now()
    if field.has_default():
        return None
    if field.null and not isinstance(field, models.GenericIPAddressField):
        return None
    if isinstance(field, models.DateField):
        return timezone.localdate()
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.GenericIPAddressField):
        return "192.0.2.1"
    if isinstance(field, models.DecimalField):
        return Decimal(1)
    if isinstance(field, models.IntegerField):
        return 1
    if isinstance(field, models.DurationField):
        return timedelta(0)
    if isinstance(field, models.BooleanField):
        return False
    return field.choices[0][0] if field.choices else None


@dataclass(frozen=True)
class Page:
    """An address of the admin; `model` is what it shows, `row` whether it shows one row."""

    name: str
    path: str
    model: type[Row] | None = None
    row: bool = False


def pages(rows: Mapping[type[Row], Row]) -> list[Page]:
    """Every address of the whole URL map, with the keys of these rows where it wants one."""
    return list(dict.fromkeys(_pages(get_resolver().url_patterns, "/", rows)))


def _pages(patterns: Any, prefix: str, rows: Mapping[type[Row], Row]) -> Iterator[Page]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _pages(entry.url_patterns, f"{prefix}{_route(entry)}", rows)
            continue
        assert isinstance(entry, URLPattern)
        route = f"{prefix}{_route(entry)}"
        name = entry.name or ""
        model = next(
            (
                item
                for item in rows
                if name.startswith(f"{item._meta.app_label}_{item._meta.model_name}_")
            ),
            None,
        )
        pk = quote(rows[model].pk) if model else "1"
        for word in WORDS.get(name, ("x",)):
            path, one = route, False
            for kind, value in _arguments(entry, pk, word):
                path, one = path.replace(kind, value, 1), one or value == str(pk)
            yield Page(name, path, model, one and model is not None)


def _route(entry: Any) -> str:
    # Two patterns of the admin are regular expressions: the list of an app, and all the rest.
    text = str(entry.pattern)
    if text.startswith("^"):
        return "ocpp/" if "app_label" in text else "nothing-here/"
    return text if text != "(?P<url>.*)$" else "nothing-here/"


def _arguments(entry: URLPattern, pk: Any, word: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"<(?:(\w+):)?(\w+)>", str(entry.pattern)):
        kind, name = found.groups()
        if kind in ("slug", "str") and name not in ("object_id", "pk"):
            yield found[0], word
        else:
            yield found[0], str(pk)
