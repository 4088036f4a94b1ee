"""Unrealistic jumps of energy registers: find them, correct them with a trail, take it back.

Each change is a `MeterValueCorrection` row; those of one run share its UUID, and `undo` of a run
puts back what was there. The raw values that the charger sent are never touched.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction as database
from django.db.models import Q, QuerySet
from django.utils import timezone

from levity.ocpp.believable import Finding, Reading, Verdict, judge
from levity.ocpp.conf import setting
from levity.ocpp.energy import IN_KWH, SESSION
from levity.ocpp.models import ChargePoint, MeterValue, MeterValueCorrection, Transaction
from levity.ocpp.readings import REGISTER
from levity.ocpp.store.rows import insert_rows, update_rows

__all__ = ["Change", "correct", "find", "undo"]

SESSIONS_AT_ONCE = 100
ROWS_AT_ONCE = 500
MILLI = Decimal("0.001")
COLUMNS = ("id", "phase", "sampled_at", "value")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is wrong, and what it should be."""

    charge_point: str
    connector: int
    transaction: int | None
    meter_value: int | None
    """None: a figure of the transaction itself."""
    at: datetime
    field: str
    old: Any
    new: Any
    reason: str


def find(
    start: datetime, end: datetime, charge_point: ChargePoint | None, max_power: int | None
) -> Iterator[list[Change]]:
    """The changes for sessions that began in [start, end) and samples outside of sessions.

    In portions, one for so many sessions (it may be empty: for showing that work goes on).
    """
    yield from _in_sessions(start, end, charge_point, max_power)
    yield from _outside(start, end, charge_point, max_power)


def correct(changes: list[Change], run: UUID) -> None:
    """Make these changes, with an audit row for each; all or none."""
    now = timezone.now()
    with database.atomic():
        values = [(item.meter_value, item.new) for item in changes if item.meter_value]
        update_rows(MeterValue, ("id", "value"), values)
        for name in {item.field for item in changes if not item.meter_value}:
            rows = [(item.transaction, item.new) for item in changes if item.field == name]
            update_rows(Transaction, ("id", name), rows)
        insert_rows(
            MeterValueCorrection,
            (
                "run",
                "transaction_id",
                "meter_value_id",
                "field",
                "old_value",
                "new_value",
                "old_text",
                "new_text",
                "reason",
                "corrected_at",
            ),
            [_audit(item, run, now) for item in changes],
        )


def undo(run: UUID) -> tuple[int, int]:
    """Put back what this run changed: how many values, and how many were left, for they have
    changed again since.

    The figures of a session go back together or not at all: an energy of a later run with the
    source and the confidence of an earlier one would be a lie. What is left can be put back once
    the later run is undone.
    """
    restored = left = 0
    with database.atomic():
        for batch in _in_batches(run):
            current = _current(batch)
            changed = {_whole(item) for item in batch if current.get(item.pk) != _new(item)}
            good = [item for item in batch if _whole(item) not in changed]
            for model, name, found in _by_column(good):
                update_rows(model, ("id", name), found)
            MeterValueCorrection.objects.filter(pk__in=[item.pk for item in good]).update(
                undone_at=timezone.now()
            )
            restored += len(good)
            left += len(batch) - len(good)
    return restored, left


def _in_batches(run: UUID) -> Iterator[list[MeterValueCorrection]]:
    """What of this run is not undone: the samples, then the sessions, each with all its figures."""
    rows = MeterValueCorrection.objects.filter(run=run, undone_at=None).order_by("id")
    samples, last = rows.exclude(meter_value=None), 0
    while batch := list(samples.filter(pk__gt=last)[:ROWS_AT_ONCE]):
        last = batch[-1].pk
        yield batch
    figures, last = rows.filter(meter_value=None), 0
    sessions = figures.order_by("transaction_id").values_list("transaction_id", flat=True)
    while some := list(sessions.filter(transaction__gt=last).distinct()[:SESSIONS_AT_ONCE]):
        last = some[-1] or 0
        yield list(figures.filter(transaction__in=some))


# --- finding --------------------------------------------------------------------------------------


def _in_sessions(
    start: datetime, end: datetime, charge_point: ChargePoint | None, max_power: int | None
) -> Iterator[list[Change]]:
    sessions = Transaction.objects.filter(started_at__gte=start, started_at__lt=end)
    if charge_point is not None:
        sessions = sessions.filter(charge_point=charge_point)
    last = 0
    while True:
        rows = sessions.filter(pk__gt=last).select_related("charge_point").order_by("pk")
        portion = {row.pk: row for row in rows[:SESSIONS_AT_ONCE]}
        if not portion:
            return
        last = max(portion)
        changes: list[Change] = []
        without = dict(portion)
        samples = _register(MeterValue.objects.filter(transaction__in=list(portion)))
        ordered = samples.order_by("transaction_id", "phase", "sampled_at", "id")
        found = ordered.values_list("transaction_id", *COLUMNS)
        for pk, group in groupby(found.iterator(chunk_size=2000), key=lambda row: row[0]):
            session = without.pop(pk)
            changes += _of_session(session, ((row[1:]) for row in group), max_power)
        for session in without.values():
            changes += _of_session(session, (), max_power)
        yield changes


def _of_session(
    session: Transaction, samples: Iterable[tuple[Any, ...]], max_power: int | None
) -> list[Change]:
    power = max_power or session.charge_point.max_power or setting("OCPP_MAX_POWER")
    found: list[Change] = []
    whole: Verdict | None = None
    for phase, group in groupby(samples, key=lambda row: row[1]):
        readings = (Reading(pk, at, wh) for pk, _, at, wh in group)
        verdict = judge(readings if phase else _with_ends(session, readings), power)
        whole = whole if phase else verdict
        found += [_change(session, item) for item in verdict.findings if item.reading.id]
    if whole is None:
        whole = judge(_with_ends(session, ()), power)
    if session.state != Transaction.State.ACTIVE and (whole.findings or whole.breaks):
        found += _figures(session, whole)
    return found


def _with_ends(session: Transaction, readings: Iterable[Reading]) -> Iterator[Reading]:
    """The samples between what StartTransaction and StopTransaction said."""
    flags = session.flags.split()
    if SESSION in flags or IN_KWH in flags:
        # Start and Stop are another register, or of another unit. What counts from the session's
        # start begins at 0.
        if SESSION in flags:
            yield Reading(0, session.started_at, Decimal(0))
        yield from readings
        return
    yield Reading(0, session.started_at, session.meter_start)
    yield from readings
    if session.state == Transaction.State.STOPPED and session.meter_stop is not None:
        yield Reading(0, session.stopped_at or session.started_at, session.meter_stop)


def _figures(session: Transaction, whole: Verdict) -> Iterator[Change]:
    """The figures of the session that follow from the corrected series."""
    reasons = [item.reason for item in whole.findings] + whole.breaks
    reason = reasons[0] + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else "")
    energy = max(whole.energy, Decimal(0)).quantize(MILLI)
    # Where the samples count from the session's start, or Start and Stop are of another unit, the
    # samples say nothing of an energy that is Start's and Stop's.
    is_other = session.energy_source == "registers" and not {SESSION, IN_KWH}.isdisjoint(
        session.flags.split()
    )
    if energy != session.energy and not is_other:
        sure = not whole.breaks and all(item.is_between for item in whole.findings)
        yield _figure(session, "energy", session.energy, energy, reason)
        yield _figure(session, "energy_source", session.energy_source, "corrected", reason)
        confidence = "medium" if sure else "low"
        yield _figure(session, "confidence", session.confidence, confidence, reason)
    for item in whole.findings:
        if item.reading.at == session.meter_last_at and item.reading.wh == session.meter_last:
            last = item.wh.quantize(MILLI)
            yield _figure(session, "meter_last", session.meter_last, last, item.reason)
            if session.state == Transaction.State.ORPHANED:
                yield _figure(session, "meter_stop", session.meter_stop, last, item.reason)
            return


def _outside(
    start: datetime, end: datetime, charge_point: ChargePoint | None, max_power: int | None
) -> Iterator[list[Change]]:
    chargers = [charge_point] if charge_point else ChargePoint.objects.order_by("pk").iterator()
    for charger in chargers:
        power = max_power or charger.max_power or setting("OCPP_MAX_POWER")
        samples = _register(
            MeterValue.objects.filter(
                charge_point=charger,
                transaction=None,
                sampled_at__gte=start,
                sampled_at__lt=end,
            )
        ).order_by("connector", "phase", "sampled_at", "id")
        changes: list[Change] = []
        found = samples.values_list("connector", *COLUMNS).iterator(chunk_size=2000)
        for (connector, _), group in groupby(found, key=lambda row: (row[0], row[2])):
            verdict = judge((Reading(row[1], row[3], row[4]) for row in group), power)
            changes += [
                Change(
                    charger.identity,
                    connector,
                    None,
                    item.reading.id,
                    item.reading.at,
                    "value",
                    item.reading.wh,
                    item.wh,
                    item.reason,
                )
                for item in verdict.findings
            ]
        yield changes


def _register(samples: QuerySet[MeterValue]) -> QuerySet[MeterValue]:
    return samples.filter(
        Q(location="") | Q(location="Outlet"), measurand=REGISTER, value__isnull=False
    )


def _change(session: Transaction, item: Finding) -> Change:
    return Change(
        session.charge_point.identity,
        session.connector,
        session.pk,
        item.reading.id,
        item.reading.at,
        "value",
        item.reading.wh,
        item.wh,
        item.reason,
    )


def _figure(session: Transaction, name: str, old: Any, new: Any, reason: str) -> Change:
    return Change(
        session.charge_point.identity,
        session.connector,
        session.pk,
        None,
        session.stopped_at or session.started_at,
        name,
        old,
        new,
        reason,
    )


# --- the trail ------------------------------------------------------------------------------------


def _audit(item: Change, run: UUID, now: datetime) -> tuple[Any, ...]:
    is_text = isinstance(item.new, str)
    numbers = (None, None) if is_text else (item.old, item.new)
    texts = (item.old, item.new) if is_text else ("", "")
    return (
        run,
        item.transaction,
        item.meter_value,
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
    if item.meter_value_id is not None:
        return "sample", item.meter_value_id
    return "session", item.transaction_id


def _current(batch: list[MeterValueCorrection]) -> dict[int, Any]:
    """What stands there now, by the audit row."""
    samples = MeterValue.objects.in_bulk(
        [item.meter_value_id for item in batch if item.meter_value_id]
    )
    sessions = Transaction.objects.in_bulk(
        [item.transaction_id for item in batch if item.transaction_id]
    )
    current: dict[int, Any] = {}
    for item in batch:
        row: Any = sessions.get(item.transaction_id or 0)
        if item.meter_value_id:
            row = samples.get(item.meter_value_id)
        if row is not None:
            current[item.pk] = getattr(row, item.field)
    return current


def _by_column(
    batch: list[MeterValueCorrection],
) -> Iterator[tuple[Any, str, list[tuple[Any, Any]]]]:
    columns: dict[tuple[Any, str], list[tuple[Any, Any]]] = {}
    for item in batch:
        is_sample = item.meter_value_id is not None
        key = (MeterValue if is_sample else Transaction, item.field)
        row = (item.meter_value_id if is_sample else item.transaction_id, _old(item))
        columns.setdefault(key, []).append(row)
    for (model, name), rows in columns.items():
        yield model, name, rows
