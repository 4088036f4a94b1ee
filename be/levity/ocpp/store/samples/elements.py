"""A MeterValue as it is kept, in whichever form: a row, in a trace, or rows of a release before.

Its id stays the same when it moves from one form to another, and so does a sample's key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest

from levity.ocpp.effects import Sample
from levity.ocpp.rules.values import base_value
from levity.ocpp.store.samples.coding import Coded
from levity.ocpp.store.samples.shapes import Names, Shape
from levity_ws.frozen import frozen

__all__ = [
    "MOST_SAMPLES",
    "NAMELESS",
    "Element",
    "KeptSample",
    "arrival",
    "coded_of",
    "element_of",
    "key_of",
    "moment_of",
    "place_of",
    "samples_of",
]

# More samples of one moment are several MeterValues. The last digits of a sample's key.
MOST_SAMPLES = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NAMELESS = Names("")


@frozen
class KeptSample:
    """One sample of a MeterValue; `value` in base units (Wh, W, A, V, ...)."""

    pk: int
    """Its key."""
    charge_point_id: int
    transaction_id: int | None
    evse: int
    connector: int
    sampled_at: datetime
    received_at: datetime
    measurand: str
    phase: str
    location: str
    context: str
    format: str
    unit: str
    raw_value: str
    value: Decimal | None

    def as_sample(self) -> Sample:
        """As a handler sees it."""
        return Sample(
            self.sampled_at,
            self.measurand,
            self.raw_value,
            self.value,
            self.unit,
            self.phase,
            self.location,
            self.context,
            self.format,
        )


@frozen
class Element:
    """One MeterValue."""

    id: int
    """Rises as they arrive; below 0, falling: from a release before."""
    charge_point_id: int
    transaction_id: int | None
    evse: int
    connector: int
    sampled_at: datetime
    received_at: datetime
    shape: Shape
    values: tuple[str, ...]
    recorded: Mapping[int, Decimal | None] = field(default_factory=dict)
    """By position: what was recorded where that is not what the raw value comes to."""
    trace: int = 0
    """The id of the trace in which it is."""
    rows: tuple[int, ...] = ()
    """The ids of its samples in the table of the releases before."""

    @property
    def identity(self) -> tuple[object, ...]:
        """The same again is no new one: a charger whose answer was lost sends it again."""
        return self.charge_point_id, self.connector, self.sampled_at, self.shape.id, self.values

    def value(self, position: int) -> Decimal | None:
        """A sample's value in base units."""
        if position in self.recorded:
            return self.recorded[position]
        names = self.shape.names[position] if position < len(self.shape.names) else NAMELESS
        return base_value(self.values[position], names.unit, names.format)

    def samples(self) -> list[KeptSample]:
        """Its samples, in their order."""
        found = []
        pairs = zip_longest(self.values, self.shape.names[: len(self.values)], fillvalue=NAMELESS)
        for position, (raw_value, names) in enumerate(pairs):
            if position in self.recorded:
                value = self.recorded[position]
            else:
                value = base_value(str(raw_value), names.unit, names.format)
            found.append(
                KeptSample(
                    key_of(self.id, position),
                    self.charge_point_id,
                    self.transaction_id,
                    self.evse,
                    self.connector,
                    self.sampled_at,
                    self.received_at,
                    *names,
                    str(raw_value),
                    value,
                )
            )
        return found


def key_of(element: int, position: int) -> int:
    """The key of the sample at this position."""
    return element * MOST_SAMPLES + position


def place_of(key: int) -> tuple[int, int]:
    """The MeterValue's id and the position of the sample with this key."""
    return divmod(key, MOST_SAMPLES)


def arrival(element: Element) -> tuple[bool, int]:
    """By this, MeterValues stand in the order in which they arrived."""
    return element.id > 0, abs(element.id)


def moment_of(time: int) -> datetime:
    """A time of a trace."""
    return EPOCH + timedelta(0, 0, time)


def coded_of(element: Element) -> Coded:
    """As it goes into a trace."""
    return Coded(
        element.id,
        (element.evse, element.connector),
        (element.sampled_at - EPOCH) // MICROSECOND,
        (element.received_at - EPOCH) // MICROSECOND,
        element.shape.id,
        element.values,
        {
            at: None if value is None else format(value, "f")
            for at, value in element.recorded.items()
        },
    )


def element_of(
    coded: Coded,
    charge_point: int,
    transaction: int | None,
    shapes: Mapping[int, Shape],
    trace: int,
) -> Element:
    """As it comes out of a trace."""
    return Element(
        coded.id,
        charge_point,
        transaction,
        *coded.place,
        moment_of(coded.sampled_at),
        moment_of(coded.received_at),
        shapes[coded.shape],
        coded.values,
        {at: None if value is None else Decimal(value) for at, value in coded.recorded.items()},
        trace,
    )


def samples_of(elements: Iterable[Element]) -> list[KeptSample]:
    """All samples of these, in their order."""
    return [sample for element in elements for sample in element.samples()]
