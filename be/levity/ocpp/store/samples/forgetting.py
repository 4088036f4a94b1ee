"""Changing what the samples of a session say of a person: signed values name the id tag."""

from collections.abc import Callable
from dataclasses import replace

from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.store.samples.reading import of_whole_trace
from levity.ocpp.store.samples.texts import read_values, values_text
from levity.ocpp.store.samples.traces import write_trace

__all__ = ["rewrite_values"]


def rewrite_values(transaction: int, change: Callable[[str], str], *, dry_run: bool) -> int:
    """The raw values of this session, in whichever form; how many MeterValues change.

    Inside the caller's database transaction, which has the charge point's turn.
    """
    return _rows(transaction, change, dry_run=dry_run) + _traces(
        transaction, change, dry_run=dry_run
    )


def _rows(transaction: int, change: Callable[[str], str], *, dry_run: bool) -> int:
    count = 0
    for row in MeterValue.objects.filter(transaction=transaction):
        before = read_values(row.raw_values)
        after = tuple(change(value) for value in before)
        if after != before:
            count += 1
            if not dry_run:
                MeterValue.objects.filter(pk=row.pk).update(raw_values=values_text(after))
    for pk, raw in LegacySample.objects.filter(transaction=transaction).values_list(
        "pk", "raw_value"
    ):
        if change(raw) != raw:
            count += 1
            if not dry_run:
                LegacySample.objects.filter(pk=pk).update(raw_value=change(raw))
    return count


def _traces(transaction: int, change: Callable[[str], str], *, dry_run: bool) -> int:
    count = 0
    for trace in SampleTrace.objects.filter(transaction=transaction):
        try:
            there = of_whole_trace(trace)
        except ValueError:
            # Damaged: nobody reads anything of it.
            continue
        new = [
            replace(each, values=tuple(change(value) for value in each.values)) for each in there
        ]
        changed = sum(
            before.values != after.values for before, after in zip(there, new, strict=True)
        )
        if changed and not dry_run:
            write_trace(trace, new)
        count += changed
    return count
