"""Local lists of chargers, kept in step with the id tags: switched on, sent, cleared.

`keep_in_step` looks every few seconds at those for which something is to be done. At most one
message about a list is under way; its answer comes through the pipeline (`store/local_lists.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Subquery
from django.utils import timezone

from levity.db.prepared import Prepared
from levity.db.rows import update_rows
from levity.ocpp.audit import Who, note
from levity.ocpp.commands.each import Asked, queue_each
from levity.ocpp.commands.sending import SEND, send
from levity.ocpp.deciding import Decided, NotPossible, allowed, check, portions
from levity.ocpp.decisions.local_list_tags import Wanted, entries_of, text_of, wanted_by
from levity.ocpp.models import AuditEntry, ChargePoint, Command, ConfigurationKey, LocalList
from levity.ocpp.rules.local_list import BACKOFF, DEFAULT_PART, Part, difference, next_part
from levity.ocpp.versions import version_of

__all__ = ["SOURCE", "clear", "keep_in_step", "send_full", "send_now", "switch"]

SOURCE = "local list"
"""The `source` of commands that keep lists in step."""
State = LocalList.State
TAGS = "ocpp.idtag"
# Of these keys, in lower case, the charger says what it takes.
MOST, AT_ONCE, ENABLED = (
    *("localauthlistmaxlength", "sendlocallistmaxlength"),
    "localauthlistenabled",
)
LIMITS = (MOST, AT_ONCE, ENABLED)
QUIET = timedelta(seconds=5)
"""Without another change of a tag: a hundred edits are one update."""
CHECK_AGAIN = timedelta(days=1)
LOOK_AGAIN = timedelta(seconds=15)
NOT_AT_ONCE = timedelta(hours=12)
"""A list that was given up is tried again after a change of tags, but not before."""
CHARGERS_AT_ONCE = 200
OPEN = (Command.State.QUEUED, Command.State.SENT)
UNSENT = {
    Command.State.TIMED_OUT: "The charger did not answer in time.",
    Command.State.EXPIRED: "It could not be sent in time.",
    Command.State.FAILED: "It could not be sent.",
    Command.State.CANCELLED: "The command was cancelled.",
}


def switch(rows: QuerySet[ChargePoint], who: Who, *, on: bool) -> Decided:
    """Keep the lists of these in step with the id tags from now on, or no longer.

    Switched off, a charger keeps the list that it has; `clear` empties it.
    """
    rows = allowed(rows, who, SEND)
    now, count = timezone.now(), 0
    for keys in portions(rows):
        with transaction.atomic():
            if on:
                LocalList.objects.bulk_create(
                    [LocalList(charge_point_id=pk) for pk in keys], ignore_conflicts=True
                )
            mine = LocalList.objects.select_for_update(no_key=True, of=("self",))
            found = list(
                mine.filter(charge_point__in=keys, is_on=not on).select_related("charge_point")
            )
            LocalList.objects.filter(pk__in=[row.pk for row in found]).update(
                is_on=on,
                state=State.BEHIND if on else State.OFF,
                is_checked=False,
                tries=0,
                reason="",
                next_at=now if on else None,
            )
            what = "local list kept in step" if on else "local list no longer kept in step"
            note(who, found, what)
        count += len(found)
    return Decided(count)


def send_now(local_list: LocalList, who: Who, *, is_full: bool = False) -> None:
    """Look at this list at once, also where it was given up."""
    check(local_list, who, SEND)
    if not local_list.is_on:
        raise NotPossible("this list is not kept in step: switch that on first")
    values: dict[str, Any] = {"state": State.BEHIND, "tries": 0, "reason": "", "is_checked": False}
    if is_full:
        values["is_known"] = False
    with transaction.atomic():
        LocalList.objects.filter(pk=local_list.pk).update(**values, next_at=timezone.now())
        note(who, [local_list], "full list requested" if is_full else "update requested")


def send_full(local_list: LocalList, who: Who) -> None:
    """Send the whole list anew, whatever the charger has."""
    send_now(local_list, who, is_full=True)


def clear(local_list: LocalList, who: Who, *, source: str) -> Command:
    """Empty the charger's list, and keep it in step no longer."""
    check(local_list, who, SEND)
    with transaction.atomic():
        row = LocalList.objects.select_for_update(of=("self",), no_key=True).get(pk=local_list.pk)
        part = Part(max(row.version or 0, 0) + 1, True, (), {}, 0)
        asked = version_of(row.charge_point.subprotocol).asks.list_part(part)
        command = send(row.charge_point, *asked, who, source=source).command
        row.is_on, row.state, row.command = False, State.OFF, command
        row.pending, row.next_at, row.reason, row.wanted, row.behind = "{}", None, "", 0, 0
        row.save()
        note(who, [row], "cleared, and no longer kept in step")
    return command


def keep_in_step(now: datetime) -> int:
    """Send the next message about each list that has something to be done; how many."""
    if not _ANY.rows(now, now - QUIET):
        return 0
    with transaction.atomic():
        return _next_messages(now)


def _next_messages(now: datetime) -> int:
    newest = AuditEntry.objects.filter(kind=TAGS).aggregate(it=Max("pk"))["it"] or 0
    is_quiet = not AuditEntry.objects.filter(pk=newest, at__gt=now - QUIET).exists()
    changed = Q(seen__lt=newest) if is_quiet else Q(pk__in=())
    found = LocalList.objects.filter(is_on=True).filter(
        changed | Q(next_at__lte=now, charge_point__connection__isnull=False)
    )
    rows = list(
        found.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("charge_point")
        .order_by("pk")[:CHARGERS_AT_ONCE]
    )
    if not rows:
        return 0
    commands = Command.objects.in_bulk([row.command_id for row in rows if row.command_id])
    limits = _limits([row.charge_point_id for row in rows])
    most = {pk: keys.get(MOST) for pk, keys in limits.items()}
    wanted = wanted_by([row.charge_point_id for row in rows], most, now)
    asked: list[tuple[LocalList, str, Mapping[str, Any]]] = []
    for row in rows:
        is_change = row.seen < newest and is_quiet
        row.seen = newest if is_quiet else row.seen
        _compare(row, wanted[row.charge_point_id])
        ask = _next_ask(
            row,
            commands.get(row.command_id or 0),
            wanted[row.charge_point_id],
            limits.get(row.charge_point_id),
            now,
            is_change=is_change,
        )
        if ask is not None:
            asked.append((row, *ask))
    _queue(asked, now)
    sent = [(row.pk, row.pending) for row, _, _ in asked if row.pending]
    update_rows(LocalList, ("id", "pending"), sent)
    update_rows(
        LocalList,
        ("id", *WRITTEN),
        [(row.pk, *(getattr(row, name) for name in WRITTEN)) for row in rows],
    )
    return len(asked)


WRITTEN = (
    *("state", "reason", "wanted", "behind", "left_out", "is_known", "is_checked", "command_id"),
    *("tries", "next_at", "seen", "in_step_at", "has_asked_limits"),
)


def _compare(row: LocalList, wanted: Wanted) -> None:
    row.wanted, row.left_out = len(wanted.entries), wanted.left_out
    known = entries_of(row.content) if row.is_known else {}
    row.behind = len(difference(known, wanted.entries))


def _next_ask(
    row: LocalList,
    command: Command | None,
    wanted: Wanted,
    limits: Mapping[str, int | None] | None,
    now: datetime,
    *,
    is_change: bool,
) -> tuple[str, Mapping[str, Any]] | None:
    """What to send about this list now, if anything."""
    if row.state == State.NOT_SUPPORTED and row.next_at is None:
        return None
    if row.state == State.FAILED and row.next_at is None:
        is_old = row.answered_at is None or now - row.answered_at > NOT_AT_ONCE
        if not (is_change and is_old):
            return None
        row.tries = 0
    if command is not None and command.state in OPEN:
        row.next_at = now + LOOK_AGAIN
        return None
    if command is not None and command.state in UNSENT:
        row.command_id = None
        row.is_checked = row.is_known = False
        _failed(row, UNSENT[Command.State(command.state)], now)
        return None
    if row.charge_point.connection is None:
        if row.behind or not row.is_known:
            # As soon as it is back.
            row.state, row.next_at = State.BEHIND, now
        return None
    if is_change and row.next_at is not None and row.next_at > now and row.tries:
        return None
    return _ask(row, wanted, limits, now)


def _ask(
    row: LocalList, wanted: Wanted, limits: Mapping[str, int | None] | None, now: datetime
) -> tuple[str, Mapping[str, Any]] | None:
    asks = version_of(row.charge_point.subprotocol).asks
    is_due = row.next_at is not None and row.next_at <= now
    if row.state == State.IN_STEP and is_due:
        # A day has passed: is it still what it was?
        row.state, row.is_checked = State.SENDING, False
    row.next_at = now + LOOK_AGAIN
    if not row.is_checked:
        if limits is None and not row.has_asked_limits:
            # Once: a charger that does not answer this is sent parts of the usual size.
            row.has_asked_limits = True
            return asks.list_limits()
        return asks.list_version()
    size = (limits or {}).get(AT_ONCE) or DEFAULT_PART
    known = entries_of(row.content) if row.is_known else None
    part = next_part(known, wanted.entries, row.version or 0, size)
    if part is None:
        row.state, row.reason, row.tries = State.IN_STEP, _note_on(row, limits), 0
        row.in_step_at, row.next_at = now, now + CHECK_AGAIN
        return None
    row.state, row.pending = State.SENDING, text_of(part.after)
    return asks.list_part(part)


def _note_on(row: LocalList, limits: Mapping[str, int | None] | None) -> str:
    notes = []
    if row.left_out:
        most = (limits or {}).get(MOST)
        takes = f" (it takes {most})" if most else ""
        notes.append(f"{row.left_out} tags are not on it: too many or too long{takes}.")
    if (limits or {}).get(ENABLED) == 0:
        notes.append("The charger does not use its list: set LocalAuthListEnabled to true.")
    return " ".join(notes)


def _failed(row: LocalList, reason: str, now: datetime) -> None:
    row.tries += 1
    if row.tries > len(BACKOFF):
        row.state, row.next_at = State.FAILED, None
        row.reason = f"{reason} Given up after {row.tries} attempts."
        row.answered_at = row.answered_at or now
    else:
        row.state, row.next_at = State.BEHIND, now + BACKOFF[row.tries - 1]
        row.reason = reason


def _limits(charge_points: Sequence[int]) -> dict[int, dict[str, int | None]]:
    """What these chargers have said of what they take; not those that said nothing."""
    found: dict[int, dict[str, int | None]] = {}
    keys = ConfigurationKey.objects.filter(charge_point__in=charge_points, name__in=LIMITS)
    for pk, name, value in keys.values_list("charge_point_id", "name", "value"):
        said = (value or "").strip().lower()
        number = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else None
        if name == ENABLED and said in ("true", "false"):
            number = int(said == "true")
        found.setdefault(pk, {})[name] = number
    return found


def _queue(asked: Sequence[tuple[LocalList, str, Mapping[str, Any]]], now: datetime) -> None:
    """These commands, in two statements however many they are."""
    calls = [Asked(row.charge_point, action, payload) for row, action, payload in asked]
    made = queue_each(calls, now, source=SOURCE, priority=None)
    for (row, _, _), command in zip(asked, made, strict=True):
        row.command_id = command


# The newest change is not too new: otherwise more are to come.
_SETTLED = AuditEntry.objects.filter(kind=TAGS).order_by("-id").values("id", "at")[:1]
_ANY = Prepared(
    lambda now, quiet: (
        LocalList.objects.annotate(
            newest=Subquery(_SETTLED.values("id")), newest_at=Subquery(_SETTLED.values("at"))
        )
        .filter(
            Q(next_at__no_later_than=now, charge_point__connection__isnull=False)
            | Q(seen__lt=F("newest"), newest_at__no_later_than=quiet),
            is_on=True,
        )
        .order_by()
        .values_list("pk")[:1]
    ),
    parameters=2,
)
