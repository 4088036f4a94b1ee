"""Who did what here: every decision leaves one `AuditEntry` for each row that it was about.

The history page of a row shows them. They hold no payloads and no keys.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from levity.db.rows import insert_rows
from levity.ocpp.models import AuditEntry
from levity_ws.frozen import frozen

__all__ = ["Noted", "Who", "kind_of", "name_of", "note", "note_each", "person"]

Who: TypeAlias = Any
"""The user who decides, or what acts like one (levity.api.principals); None: the command line, or
Levity itself."""

NAME_LENGTH = 150
COLUMNS = (
    *("at", "who_id", "who_name", "kind", "object_id", "object_name", "what", "before", "after"),
)


def note(
    who: Who,
    rows: Iterable[Model],
    what: str,
    before: Mapping[str, Any] | Iterable[str] = (),
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down that this was done to these rows, in one statement however many they are.

    `before`: values; or names of columns, whose values are those of the rows as they were read.
    """
    name = name_of(who)
    named = None if isinstance(before, Mapping) else tuple(before)
    now = timezone.now()
    entries = []
    for row in rows:
        was: Any = before if named is None else {name: getattr(row, name) for name in named}
        entries.append(_entry(who, name, row, what, was, after, now))
    insert_rows(AuditEntry, COLUMNS, entries)


@frozen
class Noted:
    """What was done to one row."""

    row: Model
    what: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def note_each(who: Who, done: Iterable[Noted]) -> None:
    """Write down what was done to each of these rows, in one statement however many they are."""
    name, now = name_of(who), timezone.now()
    entries = [_entry(who, name, it.row, it.what, it.before, it.after, now) for it in done]
    insert_rows(AuditEntry, COLUMNS, entries)


def person(who: Who) -> Any:
    """The user of whoever decides, for a foreign key; None where there is none."""
    return getattr(who, "person", who)


def kind_of(model: type[Model] | Model) -> str:
    """How the entries name a model."""
    return model._meta.label_lower


def name_of(who: Who) -> str:
    """`anna`, or `token billing (anna)`; empty: the command line, or Levity itself."""
    return "" if who is None else str(who.get_username())[:NAME_LENGTH]


def _entry(
    who: Who, name: str, row: Model, what: str, before: Any, after: Any, now: datetime
) -> tuple[Any, ...]:
    return (
        now,
        None if who is None else who.pk,
        name,
        kind_of(row),
        "" if row.pk is None else str(row.pk)[:64],
        str(row)[:200],
        what[:255],
        _json(before),
        _json(after),
    )


def _json(values: Mapping[str, Any] | None) -> str | None:
    return json.dumps(values, cls=DjangoJSONEncoder) if values else None
