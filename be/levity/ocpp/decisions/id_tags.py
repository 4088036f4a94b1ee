"""Id tags approved, blocked, unblocked and deleted, however many they are.

Not by somebody who sees some sites only: a tag may be good at others as well.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from levity.ocpp.audit import Who, note, note_each
from levity.ocpp.deciding import (
    Decided,
    Left,
    NotAllowed,
    NotPossible,
    allowed,
    decide_all,
)
from levity.ocpp.decisions.id_tags_import import Imported, import_file
from levity.ocpp.models import ChargePoint, IdTag
from levity.ocpp.visibility import is_limited

__all__ = [
    "HasMembers",
    "add_tag",
    "approve",
    "block",
    "change_tag",
    "check_deletion",
    "delete_tags",
    "import_tags",
    "unblock",
]

CHANGE, DELETE, ADD = "ocpp.change_idtag", "ocpp.delete_idtag", "ocpp.add_idtag"
AUDITED = ("id_tag", "status", "expires_at", "parent_id", "max_transactions", "owner", "type")
ACCEPTED, BLOCKED = IdTag.Status.ACCEPTED, IdTag.Status.BLOCKED


class HasMembers(NotPossible):
    """A group stays while it has tags: without it those of a blocked household could charge."""


def approve(rows: QuerySet[IdTag], who: Who) -> Decided:
    """Let those charge that presented themselves and were recorded."""
    return _set(rows, who, ACCEPTED, "approved", Q(status=IdTag.Status.RECORDED))


def block(rows: QuerySet[IdTag], who: Who) -> Decided:
    """Refuse these from now on, under every rule."""
    return _set(rows, who, BLOCKED, "blocked", ~Q(status=BLOCKED))


def unblock(rows: QuerySet[IdTag], who: Who) -> Decided:
    """Let these charge again."""
    return _set(rows, who, ACCEPTED, "unblocked", Q(status=BLOCKED))


def check_deletion(rows: QuerySet[IdTag], who: Who) -> QuerySet[IdTag]:
    """Raise what `delete_tags` would: `HasMembers` if a tag that is not among these has its group
    there."""
    rows = _of_all_sites(rows, who, DELETE)
    chosen = rows.order_by().values("pk")
    members = IdTag.objects.filter(parent__in=chosen).exclude(pk__in=chosen).count()
    if members:
        raise HasMembers(
            f"Nothing was deleted: {members:,} tags outside your selection belong to these "
            "groups. Take them out of their group first, or select them as well."
        )
    return rows


def delete_tags(rows: QuerySet[IdTag], who: Who) -> Decided:
    """Delete these, or none of them where `check_deletion` says no."""
    rows = check_deletion(rows, who)
    # First the members: a tag of a blocked household is at no time without its group.
    count = sum(
        decide_all(some, who, "deleted", lambda found: found.delete(), before=["status", "owner"])
        for some in (rows.filter(parent__isnull=False), rows)
    )
    return Decided(count)


def add_tag(row: IdTag, charge_points: Iterable[ChargePoint], who: Who) -> IdTag:
    """A new one, good at these charge points, or everywhere if there are none."""
    _of_all_sites(IdTag.objects.none(), who, ADD)
    row.id_tag = row.id_tag.strip()
    row.full_clean()
    with transaction.atomic():
        row.save(force_insert=True)
        row.charge_points.set(charge_points)
        note(who, [row], "added", {}, {name: getattr(row, name) for name in AUDITED})
    return row


def change_tag(
    row: IdTag,
    values: Mapping[str, Any],
    who: Who,
    charge_points: Iterable[ChargePoint] | None = None,
) -> IdTag:
    """Owner, end, group and the like; `charge_points`: where it is good from now on.

    Its status is set by `approve`, `block` and `unblock`. Raises `ValidationError`.
    """
    _of_all_sites(IdTag.objects.filter(pk=row.pk), who, CHANGE)
    with transaction.atomic():
        found = IdTag.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
        changed = {name: new for name, new in values.items() if getattr(found, name) != new}
        words = list(changed)
        before = {name: getattr(found, name) for name in map(_column, changed) if name in AUDITED}
        for name, value in changed.items():
            setattr(found, name, value)
        if changed:
            found.full_clean()
            found.save(update_fields=list(changed))
        if charge_points is not None:
            found.charge_points.set(charge_points)
            words.append("charge_points")
        if words:
            after = {name: getattr(found, name) for name in before}
            note(who, [found], f"changed: {', '.join(words)}", before, after)
    return found


def _column(name: str) -> str:
    return "parent_id" if name == "parent" else name


def import_tags(data: bytes, who: Who, **rules: bool) -> Imported:
    """A CSV file of tags (see `id_tags_import.import_lines` for the rules).

    Each tag that is new or changed has an entry in its history.
    """
    _of_all_sites(IdTag.objects.none(), who, ADD, CHANGE)
    with transaction.atomic():
        done = import_file(data, **rules)
        note_each(who, done.changes)
    return done


def _set(rows: QuerySet[IdTag], who: Who, status: str, word: str, only: Q) -> Decided:
    rows = _of_all_sites(rows, who, CHANGE)
    total = rows.count()
    done = decide_all(
        rows,
        who,
        word,
        lambda found: found.update(status=status),
        only=only,
        before=["status"],
        after={"status": str(status)},
    )
    others = total - done
    left = (Left(others, f"could not be {word}: they have another status"),) if others > 0 else ()
    return Decided(done, left)


def _of_all_sites(rows: QuerySet[IdTag], who: Who, *permissions: str) -> QuerySet[IdTag]:
    rows = allowed(rows, who, *permissions)
    if who is not None and is_limited(who):
        raise NotAllowed(
            "id tags may be valid at other sites, too: only a user of all sites may change them"
        )
    return rows
