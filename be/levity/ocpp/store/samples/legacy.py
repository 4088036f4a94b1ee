"""MeterValues as releases before wrote them: a row for each sample."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from levity.ocpp.effects import Sample
from levity.ocpp.models import LegacySample
from levity.ocpp.store.samples.elements import MOST_SAMPLES, Element
from levity.ocpp.store.samples.shapes import shape_of
from levity.ocpp.store.samples.writing import recorded_of

__all__ = ["is_empty", "legacy_elements", "look_again"]

# Seconds for which a table that was empty is not asked again.
PATIENCE = 60.0
# The first six are the same for all samples of a MeterValue.
SAME = 6
COLUMNS = (
    "charge_point_id",
    "transaction_id",
    "evse",
    "connector",
    "sampled_at",
    "received_at",
    "id",
    "measurand",
    "raw_value",
    "value",
    "unit",
    "phase",
    "location",
    "context",
    "format",
)


_asked_from = [float("-inf")]


def is_empty() -> bool:
    """True if there is nothing left; asked again a minute later, for a worker of the release before
    may still be running."""
    if monotonic() < _asked_from[0]:
        return True
    if LegacySample.objects.exists():
        return False
    _asked_from[0] = monotonic() + PATIENCE
    return True


@receiver(post_migrate, dispatch_uid="levity.ocpp.store.samples.legacy")
def look_again(**_: object) -> None:
    """There may be something from now on."""
    _asked_from[0] = float("-inf")


def legacy_elements(rows: QuerySet[LegacySample]) -> list[Element]:
    """The MeterValues of which these rows are the samples.

    Their ids are below 0 and made from those of the rows, so they are the same each time, and when
    they have moved.
    """
    # (What is known is about the site's own database; tools look into others.)
    if rows.db == DEFAULT_DB_ALIAS and is_empty():
        return []
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    found: list[Element] = []
    for row in rows.order_by("id").values_list(*COLUMNS):
        group = groups.setdefault(row[:SAME], [])
        group.append(row[SAME:])
        if len(group) == MOST_SAMPLES:
            found.append(_element(row[:SAME], groups.pop(row[:SAME])))
    found += [_element(same, group) for same, group in groups.items()]
    return found


def _element(same: tuple[Any, ...], group: Sequence[tuple[Any, ...]]) -> Element:
    sampled_at = same[4]
    samples = [Sample(sampled_at, *row[1:]) for row in group]
    ids = tuple(row[0] for row in group)
    return Element(
        -ids[0],
        same[0],
        same[1],
        same[2],
        same[3],
        sampled_at,
        same[5],
        shape_of(samples),
        tuple(sample.raw_value for sample in samples),
        recorded_of(samples),
        rows=ids,
    )
