"""Lists in pages. The cursor names the last row of the page before, so rows that are added or
deleted meanwhile move nothing; each page is one query by an index.
"""

import base64
import binascii
import json
from typing import Any

from django.db.models import Model, QuerySet

from levity.api.kit.schemas import LARGEST, Paged
from levity.api.problems import Problem

__all__ = ["cursor_of", "page", "position"]

NOT_OURS = "This cursor does not belong to this list. Start again without one."


def page(rows: QuerySet[Any], asked: Paged, *, newest_first: bool = False) -> dict[str, Any]:
    """One page of these rows, by their key, as `Page[...]` has it."""
    if asked.cursor is not None:
        last = position(asked.cursor)
        rows = rows.filter(pk__lt=last) if newest_first else rows.filter(pk__gt=last)
    ordered = rows.order_by("-pk" if newest_first else "pk")
    found: list[Model] = list(ordered[: asked.limit + 1])
    more = len(found) > asked.limit
    shown = found[: asked.limit]
    return {"items": shown, "next": cursor_of(shown[-1].pk) if more else None}


def cursor_of(*values: int | str) -> str:
    """A position in a list as a text that means nothing to clients."""
    text = json.dumps(values, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(cursor: str) -> int:
    """The key in a cursor of `page`."""
    values = positions(cursor)
    if len(values) != 1 or not _is_key(values[0]):
        raise _not_ours()
    return int(values[0])


def positions(cursor: str) -> list[Any]:
    """The values that `cursor_of` was given."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list):
        raise _not_ours()
    return values


def _is_key(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def _not_ours() -> Problem:
    return Problem(422, NOT_OURS, errors=[{"where": "query.cursor", "message": NOT_OURS}])
