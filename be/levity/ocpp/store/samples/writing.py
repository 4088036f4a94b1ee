"""What a batch's MeterValues come to as rows: one for what was sampled at one moment."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from levity.db.rows import insert_rows
from levity.ocpp.effects import RecordMeterValues, Sample
from levity.ocpp.models import MeterValue
from levity.ocpp.rules.values import base_value
from levity.ocpp.store.samples.elements import MOST_SAMPLES
from levity.ocpp.store.samples.shapes import Shape, shape_of, store_shapes
from levity.ocpp.store.samples.texts import recorded_text, values_text
from levity.ocpp.store.values import Outcome, each

__all__ = ["COLUMNS", "recorded_of", "write_meter_values"]

COLUMNS = (
    "charge_point_id",
    "evse",
    "connector",
    "transaction_id",
    "sampled_at",
    "received_at",
    "shape_id",
    "raw_values",
    "recorded",
)
# A charger whose answer was lost sends the message again, on a new connection or with a new id: the
# same MeterValue again is no new one. (Ledger verdict of `make soak`.)
SAME = ("charge_point_id", "sampled_at", "connector", "shape_id", "raw_values")
_PLACES = tuple(COLUMNS.index(name) for name in SAME)


def write_meter_values(outcomes: Sequence[Outcome]) -> None:
    """Insert the MeterValues that are not there yet."""
    rows: list[tuple[Any, ...]] = []
    seen: set[tuple[Any, ...]] = set()
    shapes: dict[int, Shape] = {}
    for outcome, charge_point, effect in each(outcomes, RecordMeterValues):
        said: list[tuple[Any, ...]] = []
        for samples in _moments(effect.samples):
            shape = shape_of(samples)
            shapes[shape.id] = shape
            row = (
                charge_point.id,
                effect.evse,
                effect.connector,
                effect.transaction_id,
                samples[0].sampled_at,
                outcome.arrival.at,
                shape.id,
                values_text([sample.raw_value for sample in samples]),
                recorded_text(recorded_of(samples)),
            )
            same = tuple([row[place] for place in _PLACES])
            if same not in seen:
                rows.append(row)
            said.append(same)
        seen.update(said)
    if rows:
        store_shapes(shapes.values())
        insert_rows(MeterValue, COLUMNS, rows, unless_same=SAME)


def _moments(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """The samples of each moment, as many as go into one row."""
    begin = 0
    for number in range(1, len(samples) + 1):
        if (
            number == len(samples)
            or samples[number].sampled_at != samples[begin].sampled_at
            or number - begin == MOST_SAMPLES
        ):
            yield samples[begin:number]
            begin = number


def recorded_of(samples: Sequence[Sample]) -> dict[int, Decimal | None]:
    """By position, the values that differ from what the raw value comes to."""
    found: dict[int, Decimal | None] = {}
    for position, sample in enumerate(samples):
        by_rule = base_value(sample.raw_value, sample.unit, sample.format)
        if sample.value is not by_rule and sample.value != by_rule:
            found[position] = sample.value
    return found
