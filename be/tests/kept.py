"""All samples that are kept, in whichever form, asked for as rows of a table would be."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Model

from levity.ocpp.effects import Sample
from levity.ocpp.models import (
    ChargePoint,
    LegacySample,
    MeterValue,
    SampleShape,
    SampleTrace,
    Transaction,
)
from levity.ocpp.rules.values import base_value
from levity.ocpp.store.samples import shapes
from levity.ocpp.store.samples.elements import samples_of
from levity.ocpp.store.samples.legacy import legacy_elements
from levity.ocpp.store.samples.reading import of_rows, of_traces, together
from levity.ocpp.store.samples.texts import recorded_json, values_text
from levity.ocpp.store.samples.writing import recorded_of

__all__ = ["FIELDS", "Kept", "Row", "Samples", "keep"]

COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "in": lambda value, wanted: value in wanted,
    "isnull": lambda value, wanted: (value is None) == wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "iexact": lambda value, wanted: value.lower() == wanted.lower(),
    "startswith": lambda value, wanted: value.startswith(wanted),
}


class Kept:
    """As Django's QuerySet, of samples."""

    def __init__(self, alias: str = "default", items: list[dict[str, Any]] | None = None) -> None:
        self.alias, self._items = alias, items

    @property
    def items(self) -> list[dict[str, Any]]:
        """What is there now."""
        return _all(self.alias) if self._items is None else self._items

    def using(self, alias: str) -> "Kept":
        """In this database."""
        return Kept(alias)

    def all(self) -> "Kept":
        """All of them."""
        return self

    def filter(self, **wanted: Any) -> "Kept":
        """Those of which all of this is true."""
        return self._with([item for item in self.items if _fits(item, wanted)])

    def exclude(self, **wanted: Any) -> "Kept":
        """The others."""
        return self._with([item for item in self.items if not _fits(item, wanted)])

    def order_by(self, *names: str) -> "Kept":
        """In this order."""
        items = list(self.items)
        for name in reversed(names):
            plain = name.removeprefix("-")
            place = "place" if plain in ("id", "pk") else plain
            items.sort(key=lambda item: item[place], reverse=name.startswith("-"))
        return self._with(items)

    def distinct(self) -> "Kept":
        """Each once."""
        return self._with(list({str(item): item for item in self.items}.values()))

    def values(self, *names: str) -> "Kept":
        """These fields."""
        kept = names or FIELDS
        return self._with([{name: item[name] for name in kept} for item in self.items])

    def values_list(self, *names: str, flat: bool = False) -> Any:
        """These fields, as tuples."""
        found = [tuple(item[name] for name in names) for item in self.items]
        return Plain([each[0] for each in found] if flat else found)

    def count(self) -> int:
        """How many."""
        return len(self.items)

    def exists(self) -> bool:
        """Whether there are any."""
        return bool(self.items)

    def get(self, **wanted: Any) -> Any:
        """The only one."""
        [item] = self.filter(**wanted).items
        return item if "place" not in item else Row(item)

    def first(self) -> Any:
        """The first one."""
        return next(iter(self), None)

    def __iter__(self) -> Iterator[Any]:
        return iter([item if "place" not in item else Row(item) for item in self.items])

    def __getitem__(self, place: Any) -> Any:
        return list(self)[place]

    def __len__(self) -> int:
        return len(self.items)

    def _with(self, items: list[dict[str, Any]]) -> "Kept":
        return Kept(self.alias, items)


class Plain(list[Any]):
    """What `values_list` gives."""

    def get(self) -> Any:
        """The only one."""
        [item] = self
        return item

    def first(self) -> Any:
        """The first one."""
        return self[0] if self else None

    def distinct(self) -> "Plain":
        """Each once."""
        return Plain(dict.fromkeys(self))

    def order_by(self, *names: str) -> "Plain":
        """They are in the order in which they arrived."""
        assert names == ("id",)
        return self


class Row:
    """One sample."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.__dict__.update(item)

    def __repr__(self) -> str:
        return f"<sample {self.__dict__}>"


class Samples:
    """Stands where a model stands: `Samples.objects`."""

    objects = Kept()
    _default_manager = objects


def keep(
    charge_point: ChargePoint,
    sampled_at: datetime,
    *samples: dict[str, Any],
    received_at: datetime | None = None,
    transaction: Transaction | None = None,
    connector: int = 1,
) -> MeterValue:
    """A MeterValue with these samples, as a row."""
    said = [
        Sample(
            sampled_at, **{"value": base_value(each["raw_value"], each.get("unit", ""), ""), **each}
        )
        for each in samples
    ]
    shape = shapes.shape_of(said)
    shapes.store_shapes([shape])
    return MeterValue.objects.create(
        charge_point=charge_point,
        transaction=transaction,
        connector=connector,
        sampled_at=sampled_at,
        received_at=received_at or sampled_at,
        shape_id=shape.id,
        raw_values=values_text([each.raw_value for each in said]),
        recorded=recorded_json(recorded_of(said)),
    )


FIELDS = (
    *("id", "charge_point_id", "evse", "connector", "transaction_id", "sampled_at", "received_at"),
    *("measurand", "phase", "location", "context", "format", "unit", "raw_value", "value"),
)


def _all(alias: str) -> list[dict[str, Any]]:
    if alias != "default":
        # A shape's id is the same in all databases.
        for pk, text in SampleShape.objects.using(alias).values_list("id", "names"):
            names = tuple(shapes.Names(*each) for each in orjson.loads(text))
            shapes._by_id[pk] = shapes.Shape(pk, names)
    elements = together(
        legacy_elements(LegacySample.objects.using(alias)),
        of_rows(MeterValue.objects.using(alias)),
        of_traces(SampleTrace.objects.using(alias)),
    )
    chargers = ChargePoint.objects.using(alias).in_bulk(
        {element.charge_point_id for element in elements}
    )
    return [
        {
            **{name: getattr(sample, name) for name in FIELDS if name != "id"},
            "id": sample.pk,
            "pk": sample.pk,
            "place": place,
            "transaction": sample.transaction_id,
            "charge_point": sample.charge_point_id,
            "charge_point__identity": chargers[sample.charge_point_id].identity,
        }
        for place, sample in enumerate(samples_of(elements))
    ]


def _fits(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(_is(item, name, value) for name, value in wanted.items())


def _is(item: dict[str, Any], name: str, wanted: Any) -> bool:
    wanted = wanted.pk if isinstance(wanted, Model) else wanted
    if name in item:
        return bool(item[name] == wanted)
    plain, _, comparison = name.rpartition("__")
    return COMPARED[comparison](item[plain], wanted)
