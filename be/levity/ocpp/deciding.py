"""What all decisions have in common: who may decide, what is in the way, and doing it to many.

A decision takes who decides (`None`: the command line, or Levity itself) and rows or a queryset. It
returns a value that says what was done, what not and why, or raises `NotAllowed` or `NotPossible`;
either way it is all or nothing for a portion of rows, and leaves one audit entry for each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, ProtectedError, Q, QuerySet

from levity.ocpp.audit import Who, note
from levity.ocpp.visibility import is_limited, may_see, visible
from levity.writing import Worded
from levity_ws.frozen import frozen

__all__ = [
    "LACKS",
    "PORTION",
    "Decided",
    "Left",
    "NotAllowed",
    "NotPossible",
    "Refused",
    "allowed",
    "check",
    "decide_all",
    "delete_unreferenced",
    "portions",
]

LACKS = "your role, or your token's scope, lacks the permission %(permission)s"
PORTION = 500
"""Rows of one transaction: none holds the database for longer than that takes."""


class Refused(Worded):
    """A decision that was not carried out; the text says why, for people."""


class NotAllowed(Refused, PermissionDenied):
    """This person may not decide about this: a page that does not catch it answers with 403."""


class NotPossible(Refused):
    """Not possible as things are; the text says why, and what to do."""


@frozen
class Left:
    """Rows that were not changed, and why."""

    count: int
    why: str
    names: tuple[str, ...] = ()
    """Of the first of them."""


@frozen
class Decided:
    """How many rows were changed, and which were not."""

    count: int
    left: tuple[Left, ...] = ()


def check(row: Model, who: Who, *permissions: str) -> None:
    """Raise `NotAllowed` unless this person may see this row, and has these permissions."""
    _permit(who, permissions)
    if who is not None and not may_see(row, who):
        raise NotAllowed(f"there is no such {row._meta.verbose_name} at your sites")


def allowed(rows: QuerySet[Any], who: Who, *permissions: str) -> QuerySet[Any]:
    """These rows, if this person may see every one of them and has these permissions; else
    `NotAllowed`, and nothing is done to any of them."""
    _permit(who, permissions)
    if who is None or not is_limited(who):
        return rows
    foreign = rows.order_by().exclude(pk__in=visible(rows.model.objects.all(), who).values("pk"))
    if foreign.exists():
        names = rows.model._meta.verbose_name_plural
        raise NotAllowed(f"some of these {names} are not at your sites")
    return rows


def delete_unreferenced(row: Model) -> None:
    """Delete this row; `NotPossible` where records refer to it that have to be kept."""
    try:
        row.delete()
    except ProtectedError as error:
        kinds = {type(each)._meta.verbose_name_plural for each in error.protected_objects}
        names = ", ".join(sorted(map(str, kinds)))
        raise NotPossible(f"{row} can't be deleted: {names} refer to it") from error


def portions(rows: QuerySet[Any], size: int = PORTION) -> Iterator[list[int]]:
    """The keys of all these rows, a portion at a time: changing some leaves none out."""
    last = None
    keys = rows.order_by("pk").values_list("pk", flat=True)
    while found := list((keys if last is None else keys.filter(pk__gt=last))[:size]):
        last = found[-1]
        yield found


def decide_all(
    rows: QuerySet[Any],
    who: Who,
    what: str,
    change: Callable[[QuerySet[Any]], Any],
    *,
    only: Q | None = None,
    before: Sequence[str] = (),
    after: Mapping[str, Any] | None = None,
    with_related: Sequence[str] = (),
) -> int:
    """Change those of these rows that are `only` so, in portions; how many they were.

    `change` gets a queryset of a portion that is locked. What stood in the columns `before` and
    stands there `after` goes into the audit.
    """
    wanted = rows if only is None else rows.filter(only)
    count = 0
    for keys in portions(wanted):
        with transaction.atomic():
            mine = rows.model.objects.filter(pk__in=keys)
            locked = mine if only is None else mine.filter(only)
            if with_related:
                locked = locked.select_related(*with_related)
            found = list(locked.select_for_update(of=("self",), no_key=True).order_by("pk"))
            change(rows.model.objects.filter(pk__in=[row.pk for row in found]))
            note(who, found, what, before, after)
        count += len(found)
    return count


def _permit(who: Who, permissions: Sequence[str]) -> None:
    lacking = [name for name in permissions if who is not None and not who.has_perm(name)]
    if lacking:
        raise NotAllowed(LACKS, permission=", ".join(lacking))
