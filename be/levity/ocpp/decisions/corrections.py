"""What the rules of today say otherwise than what is recorded: correct it, and take it back.

Each change is a `MeterValueCorrection` row; those of one run share its UUID, and `undo` of a run
puts back what was there. The raw values that the charger sent are never touched.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction as database
from django.db.models import Q
from django.utils import timezone

from levity.db.rows import insert_rows, update_rows
from levity.ocpp.audit import Who, note
from levity.ocpp.changes import changes_told
from levity.ocpp.deciding import PORTION, allowed
from levity.ocpp.decisions.jumps import Change
from levity.ocpp.decisions.proposals import SESSIONS_AT_ONCE, TRAIL, find
from levity.ocpp.models import ChargePoint, LegacySample, MeterValueCorrection, Transaction
from levity.ocpp.store.queries import take_turns
from levity.ocpp.store.samples.changing import At, kept_at, record

__all__ = ["TRAIL", "Change", "correct", "find", "undo"]

CHANGE = "ocpp.change_transaction"
ROWS_AT_ONCE = 500


def correct(changes: list[Change], run: UUID, who: Who) -> None:
    """Make these changes, with a `MeterValueCorrection` for each and an audit entry for each
    session; all or none. A session that has changed since they were found is left as it is."""
    now = timezone.now()
    pks = {item.transaction for item in changes if not item.meter_value and item.transaction}
    with database.atomic(), changes_told(lambda: pks):
        named = {item.charge_point for item in changes}
        take_turns([identity.lower() for identity in named])
        sessions = _sessions({item.transaction for item in changes if item.transaction}, who)
        chargers = {row.charge_point.identity: row.charge_point_id for row in sessions}
        chargers |= _ids_of(named - chargers.keys())
        changes = _as_found(changes, {row.pk: row for row in sessions})
        record(
            {
                At(item.meter_value, chargers[item.charge_point], item.at): item.new
                for item in changes
                if item.meter_value
            }
        )
        _set_figures([item for item in changes if not item.meter_value])
        insert_rows(
            MeterValueCorrection,
            (
                "run",
                "transaction_id",
                "sample",
                "charge_point_id",
                "sampled_at",
                "field",
                "old_value",
                "new_value",
                "old_text",
                "new_text",
                "reason",
                "corrected_at",
            ),
            [_trail(item, run, now, chargers[item.charge_point]) for item in changes],
        )
        corrected = {item.transaction for item in changes}
        sessions = [row for row in sessions if row.pk in corrected]
        note(who, sessions, f"figures corrected, run {run}")


def _set_figures(changes: list[Change]) -> None:
    """Set what changes of each session, in one statement; a new figure is never None."""
    names = sorted({item.field for item in changes})
    new: dict[int | None, dict[str, Any]] = {}
    for item in changes:
        new.setdefault(item.transaction, {})[item.field] = item.new
    rows = [(pk, *map(figures.get, names)) for pk, figures in new.items()]
    update_rows(Transaction, ("id", *names), rows, keep_null=names)


def _as_found(changes: list[Change], rows: Mapping[int, Transaction]) -> list[Change]:
    """Without those of sessions whose figures are no longer what they were: a worker was faster."""
    moved = {
        item.transaction
        for item in changes
        if item.transaction
        and not item.meter_value
        and getattr(rows.get(item.transaction), item.field, None) != item.old
    }
    return [item for item in changes if item.transaction not in moved]


def undo(run: UUID, who: Who) -> tuple[int, int]:
    """Put back what this run changed: how many values, and how many were left, for they have
    changed again since.

    The figures of a session go back together or not at all: an energy of a later run with the
    source and the confidence of an earlier one would be a lie. What is left can be put back once
    the later run is undone.
    """
    restored = left = 0
    put_back: set[int] = set()
    rows = MeterValueCorrection.objects.filter(run=run, transaction__isnull=False)
    allowed(Transaction.objects.filter(pk__in=rows.values("transaction")), who, CHANGE)
    with database.atomic(), changes_told():
        take_turns([identity.lower() for identity in _charge_points_of(run)])
        for batch in _in_batches(run):
            current = _current(batch)
            changed = {_whole(item) for item in batch if current.get(item.pk) != _new(item)}
            good = [item for item in batch if _whole(item) not in changed]
            _put_back(good)
            MeterValueCorrection.objects.filter(pk__in=[item.pk for item in good]).update(
                undone_at=timezone.now()
            )
            told = sum(item.field not in TRAIL for item in good)
            restored += told
            left += sum(item.field not in TRAIL for item in batch) - told
            put_back |= {item.transaction_id for item in good if item.transaction_id}
        keys = sorted(put_back)
        for at in range(0, len(keys), PORTION):
            some = _sessions(set(keys[at : at + PORTION]), who)
            note(who, some, f"correction taken back, run {run}")
    return restored, left


def _charge_points_of(run: UUID) -> set[str]:
    rows = MeterValueCorrection.objects.filter(run=run, undone_at=None).order_by()
    own = rows.exclude(charge_point=None).values_list("charge_point__identity", flat=True)
    # (A trail of a release before has only the session.)
    other = rows.filter(charge_point=None, transaction__isnull=False)
    named = other.values_list("transaction__charge_point__identity", flat=True)
    return set(own.distinct()) | set(named.distinct())


def _put_back(good: list[MeterValueCorrection]) -> None:
    figures = [item.transaction_id for item in good if item.transaction_id]
    with changes_told(lambda: figures):
        record({_place(item): _old(item) for item in good if item.sample is not None})
        for model, name, found in _by_column(good):
            update_rows(model, ("id", name), found)


def _in_batches(run: UUID) -> Iterator[list[MeterValueCorrection]]:
    """What of this run is not undone: the samples, then the sessions, each with all its figures."""
    rows = MeterValueCorrection.objects.filter(run=run, undone_at=None).order_by("id")
    is_sample = Q(meter_value__isnull=False) | Q(sample__isnull=False)
    samples, last = rows.filter(is_sample), 0
    while batch := list(samples.filter(pk__gt=last)[:ROWS_AT_ONCE]):
        last = batch[-1].pk
        yield batch
    figures, last = rows.exclude(is_sample), 0
    sessions = figures.order_by("transaction_id").values_list("transaction_id", flat=True)
    while some := list(sessions.filter(transaction__gt=last).distinct()[:SESSIONS_AT_ONCE]):
        last = some[-1] or 0
        yield list(figures.filter(transaction__in=some))


def _sessions(keys: set[int], who: Who) -> list[Transaction]:
    rows = Transaction.objects.filter(pk__in=keys).select_related("charge_point").order_by("pk")
    return list(allowed(rows, who, CHANGE))


def _ids_of(identities: set[str]) -> dict[str, int]:
    if not identities:
        return {}
    rows = ChargePoint.objects.filter(identity__in=identities)
    return dict(rows.values_list("identity", "pk"))


def _trail(item: Change, run: UUID, now: datetime, charge_point: int) -> tuple[Any, ...]:
    is_text = isinstance(item.new, str)
    numbers = (None, None) if is_text else (item.old, item.new)
    texts = (item.old, item.new) if is_text else ("", "")
    return (
        run,
        item.transaction,
        item.meter_value,
        charge_point,
        item.at if item.meter_value else None,
        item.field,
        *numbers,
        *texts,
        item.reason[:255],
        now,
    )


def _new(item: MeterValueCorrection) -> Any:
    return item.new_text if item.new_value is None else item.new_value


def _old(item: MeterValueCorrection) -> Any:
    return item.old_text if item.new_value is None else item.old_value


def _whole(item: MeterValueCorrection) -> tuple[str, int | None]:
    """What goes back as one: a sample, or all figures of a session."""
    if item.sample is not None:
        return "sample", item.sample
    if item.meter_value_id is not None:
        return "legacy sample", item.meter_value_id
    return "session", item.transaction_id


def _place(item: MeterValueCorrection) -> At:
    assert item.sample is not None
    assert item.charge_point_id is not None
    assert item.sampled_at is not None
    return At(item.sample, item.charge_point_id, item.sampled_at)


def _current(batch: list[MeterValueCorrection]) -> dict[int, Any]:
    """What stands there now, by the audit row."""
    samples = kept_at({_place(item) for item in batch if item.sample is not None})
    before = LegacySample.objects.in_bulk(
        [item.meter_value_id for item in batch if item.meter_value_id]
    )
    sessions = Transaction.objects.in_bulk(
        [item.transaction_id for item in batch if item.transaction_id]
    )
    current: dict[int, Any] = {}
    for item in batch:
        row: Any = sessions.get(item.transaction_id or 0)
        if item.meter_value_id:
            row = before.get(item.meter_value_id)
        if item.sample is not None:
            row = samples.get(item.sample)
        if row is not None:
            current[item.pk] = getattr(row, item.field)
    return current


def _by_column(
    batch: list[MeterValueCorrection],
) -> Iterator[tuple[Any, str, list[tuple[Any, Any]]]]:
    columns: dict[tuple[Any, str], list[tuple[Any, Any]]] = {}
    for item in batch:
        if item.sample is not None:
            continue
        is_sample = item.meter_value_id is not None
        key = (LegacySample if is_sample else Transaction, item.field)
        row = (item.meter_value_id if is_sample else item.transaction_id, _old(item))
        columns.setdefault(key, []).append(row)
    for (model, name), rows in columns.items():
        yield model, name, rows
