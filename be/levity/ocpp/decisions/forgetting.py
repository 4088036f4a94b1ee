"""A person who must be forgotten: the id tag becomes a pseudonym wherever it stands.

Sessions and their energy stay, and so do the frames that they are made of; what they say of the
person is gone, and nobody can go back: the pseudonym is made by chance, and the tag is noted
nowhere. It is done in portions; if it ends in the middle, it is started again and goes on.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

from django.db import models, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.dispatch import Signal
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.changes import changes_told
from levity.ocpp.deciding import NotPossible, allowed, portions
from levity.ocpp.models import (
    AuditEntry,
    Command,
    ConfigurationChange,
    ConfigurationKey,
    FailedMessage,
    IdTag,
    LocalList,
    QuarantinedMessage,
    Reservation,
    Transaction,
)
from levity.ocpp.store.messages.forgetting import rewrite_blocks, rewrite_rows
from levity.ocpp.store.queries import take_turns
from levity.ocpp.store.samples.forgetting import rewrite_values
from levity.ocpp.wire.masking import forgetting, without_word
from levity_ws.frozen import frozen

__all__ = ["Forgotten", "forget", "forgotten", "may_forget"]

# Asked before a tag is forgotten, with `id_tag`: a receiver returns why it must not be, for people,
# or an empty text. Billing says here which closed statements need the name.
may_forget = Signal()

# Sent while a tag is forgotten, with `id_tag`, `pseudonym` and `dry_run`: a receiver replaces the
# tag in its own tables, and returns what that is, and how many rows had it.
forgotten = Signal()

PREFIX = "gone-"
TEXTS: tuple[tuple[type[models.Model], tuple[str, ...]], ...] = (
    (QuarantinedMessage, ("payload", "reason")),
    (FailedMessage, ("text", "traceback")),
    (AuditEntry, ("object_name",)),
    # Some chargers have a key for the tag that may always charge.
    (ConfigurationKey, ("value", "pending_value", "refused_value", "previous_value")),
    (ConfigurationChange, ("old_value", "new_value")),
)
DOCUMENTS: tuple[tuple[type[models.Model], tuple[str, ...]], ...] = (
    (QuarantinedMessage, ("undo",)),
    (Command, ("payload", "result")),
    (AuditEntry, ("before", "after")),
)


@frozen
class Forgotten:
    """What was changed, or would be."""

    pseudonym: str
    counts: dict[str, int]
    """By what it is, for people: how many."""


def forget(
    id_tag: str,
    who: Who,
    *,
    dry_run: bool = False,
    progress: Callable[[str, int], None] = lambda what, count: None,
) -> Forgotten:
    """Put a pseudonym in the place of this tag; with `dry_run` only count.

    Raises `NotPossible` while the tag charges, or where a receiver of `may_forget` objects.
    """
    allowed(IdTag.objects.all(), who, "ocpp.delete_idtag", "ocpp.change_transaction")
    id_tag = id_tag.strip()
    if not id_tag:
        raise NotPossible("An empty id tag is nobody's.")
    _check(id_tag)
    # As long as an id tag may be (CiString20Type).
    pseudonym = f"{PREFIX}{secrets.token_hex(7)}"[:20]
    words = forgetting(id_tag, pseudonym)
    is_word = len(id_tag) >= 6

    def reason(text: str) -> str:
        return without_word(text, id_tag, pseudonym) if is_word else text

    # Before the sessions: by their tag they are found.
    values = _meter_values(id_tag, reason, dry_run=dry_run)
    counts = {"sessions": _sessions(id_tag, pseudonym, who, dry_run=dry_run)}
    counts["meter values"] = values
    counts["messages"] = rewrite_rows(id_tag, words, reason, dry_run=dry_run)
    counts["packed messages"] = rewrite_blocks(
        id_tag,
        words,
        reason,
        dry_run=dry_run,
        progress=lambda count: progress("blocks looked through", count),
    )
    if not dry_run:
        # What a worker has written in the meantime.
        counts["messages"] += rewrite_rows(id_tag, words, reason, dry_run=False)
    for model, columns in TEXTS:
        name = str(model._meta.verbose_name_plural)
        for column in columns:
            change = words if column in ("payload", "text") else reason
            if column == "object_name":
                change = _whole(id_tag, pseudonym)
            found = _rewrite(model, column, id_tag, change, dry_run=dry_run)
            counts[name] = counts.get(name, 0) + found
    for model, columns in DOCUMENTS:
        name = str(model._meta.verbose_name_plural)
        for column in columns:
            change = _whole(id_tag, pseudonym)
            found = _rewrite(model, column, id_tag, change, dry_run=dry_run, is_json=True)
            counts[name] = counts.get(name, 0) + found
    counts["reservations"] = _reservations(id_tag, pseudonym, dry_run=dry_run)
    counts["local lists"] = _lists(id_tag, dry_run=dry_run)
    about = {"id_tag": id_tag, "pseudonym": pseudonym, "dry_run": dry_run}
    answers: list[Any] = [said for _, said in forgotten.send(sender=None, **about) if said]
    for theirs, number in answers:
        counts[theirs] = counts.get(theirs, 0) + number
    counts["id tags"] = _tags(id_tag, pseudonym, who, dry_run=dry_run)
    return Forgotten(pseudonym, counts)


def _check(id_tag: str) -> None:
    running = Transaction.objects.filter(state="active", id_tag__iexact=id_tag).first()
    if running is not None:
        raise NotPossible(f"Session {running.pk} of this id tag is running: end it first.")
    said = [str(why) for _, why in may_forget.send(sender=None, id_tag=id_tag) if why]
    if said:
        raise NotPossible(" ".join(said))


def _meter_values(id_tag: str, change: Callable[[str], str], *, dry_run: bool) -> int:
    """Signed values name the tag; changed, they can't be verified any more."""
    theirs = Q(id_tag__iexact=id_tag) | Q(stop_id_tag__iexact=id_tag)
    sessions = Transaction.objects.filter(theirs).values_list("pk", "charge_point__identity")
    count = 0
    for pk, identity in list(sessions):
        with transaction.atomic():
            take_turns([identity.lower()])
            count += rewrite_values(pk, change, dry_run=dry_run)
    return count


def _sessions(id_tag: str, pseudonym: str, who: Who, *, dry_run: bool) -> int:
    theirs = Q(id_tag__iexact=id_tag) | Q(stop_id_tag__iexact=id_tag)
    rows = Transaction.objects.filter(theirs)
    if dry_run:
        return rows.count()
    count = 0
    for keys in portions(rows):
        with changes_told(lambda keys=keys: keys):  # type: ignore[misc]  # a lambda's default
            some = list(Transaction.objects.filter(pk__in=keys).select_for_update(no_key=True))
            mine = Transaction.objects.filter(pk__in=keys)
            mine.filter(id_tag__iexact=id_tag).update(id_tag=pseudonym)
            mine.filter(stop_id_tag__iexact=id_tag).update(stop_id_tag=pseudonym)
            note(who, some, "id tag forgotten", {}, {"id_tag": pseudonym})
        count += len(keys)
    return count


def _reservations(id_tag: str, pseudonym: str, *, dry_run: bool) -> int:
    theirs = Reservation.objects.filter(id_tag__iexact=id_tag)
    groups = Reservation.objects.filter(parent_id_tag__iexact=id_tag)
    count = (theirs | groups).count()
    if not dry_run:
        groups.update(parent_id_tag=pseudonym)
        theirs.update(id_tag=pseudonym)
    return count


def _lists(id_tag: str, *, dry_run: bool) -> int:
    """What is known of chargers' lists that name it: the next one that is sent is a whole one,
    without it."""
    quoted = json.dumps(id_tag, ensure_ascii=False)
    rows = LocalList.objects.filter(Q(content__icontains=quoted) | Q(pending__icontains=quoted))
    count = rows.count()
    if not dry_run:
        # What is under way is answered for another list.
        rows.update(content="", pending="", is_known=False, command=None, next_at=timezone.now())
    return count


def _tags(id_tag: str, pseudonym: str, who: Who, *, dry_run: bool) -> int:
    rows = IdTag.objects.filter(id_tag__iexact=id_tag)
    if dry_run:
        return rows.count()
    with transaction.atomic():
        found = list(rows.select_for_update(no_key=True))
        for row in found:
            row.id_tag, row.owner, row.notes = pseudonym, "", ""
            row.status = IdTag.Status.BLOCKED
            row.save(update_fields=["id_tag", "owner", "notes", "status"])
        note(who, found, "forgotten", {}, {"status": str(IdTag.Status.BLOCKED)})
    return len(found)


def _rewrite(
    model: type[models.Model],
    column: str,
    word: str,
    change: Callable[[str], str],
    *,
    dry_run: bool,
    is_json: bool = False,
) -> int:
    """Rows with this word in the column; how many change."""
    everything: models.Manager[Any] = model._meta.default_manager  # type: ignore[assignment]  # each has one
    rows = everything.annotate(said=Cast(column, TextField()))
    count = 0
    for keys in portions(rows.filter(said__icontains=word)):
        with transaction.atomic():
            for row in everything.filter(pk__in=keys):
                before = getattr(row, column)
                after = _within(before, change) if is_json else change(before)
                if after == before:
                    continue
                count += 1
                if not dry_run:
                    everything.filter(pk=row.pk).update(**{column: after})
    return count


def _whole(id_tag: str, pseudonym: str) -> Callable[[str], str]:
    lower = id_tag.lower()
    return lambda text: pseudonym if text.lower() == lower else text


def _within(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_within(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _within(item, change) for name, item in value.items()}
    return value
