"""Shapes: what the samples of a MeterValue are called, kept once however often it is said.

A shape's id is a part of its digest: whoever writes a MeterValue knows it without asking, and two
workers that meet a new one at once mean the same row.
"""

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from time import monotonic
from typing import Any, NamedTuple

import orjson
from django.db import transaction
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from levity.db.rows import insert_rows
from levity.ocpp.effects import Sample
from levity.ocpp.models import SampleShape
from levity_ws.frozen import frozen

__all__ = ["Names", "Shape", "shape_of", "shapes_of", "store_again", "store_shapes"]


class Names(NamedTuple):
    """What a sample says beside its value (OCPP 1.6, 7.43)."""

    measurand: str
    phase: str = ""
    location: str = ""
    context: str = ""
    format: str = ""
    unit: str = ""


@frozen
class Shape:
    """The names of all samples of a MeterValue, in their order."""

    id: int
    names: tuple[Names, ...]


# A charger says the same all its life; a hostile one has no end of words.
_KNOWN = 4096
MOST_NAMES = 40_000
"""Kept in memory, all shapes together: 15 MB at worst. One shape has up to a hundred."""


class _Known(dict[Any, Shape]):
    """Shapes by their names or ids; begins anew when it is full."""

    names = 0

    def keep(self, key: Any, shape: Shape) -> None:
        """Remember this one; it is not there yet."""
        size = len(shape.names) + 1
        if self.names + size > MOST_NAMES:
            self.clear()
        self[key] = shape
        self.names += size

    def clear(self) -> None:
        """Forget all."""
        super().clear()
        self.names = 0


_by_names, _by_id = _Known(), _Known()
# Those of which this process knows that they are in the table; and until when it believes that,
# for the database may be restored under a running worker, and a value without names is lost.
_stored: set[int] = set()
BELIEVED = 600.0
"""Seconds."""
_believed_until = [0.0]


def shape_of(samples: Sequence[Sample]) -> Shape:
    """The shape of these samples."""
    said = tuple(
        [
            (each.measurand, each.phase, each.location, each.context, each.format, each.unit)
            for each in samples
        ]
    )
    # (Names are equal to what they are made of.)
    found = _by_names.get(said)
    if found is None:
        names = tuple(Names(*each) for each in said)
        digest = sha256(_text(names).encode()).digest()
        found = Shape(int.from_bytes(digest[:8], "big") >> 1, names)
        _by_names.keep(names, found)
    return found


def store_shapes(shapes: Iterable[Shape]) -> None:
    """See to it that the table has these: nothing to do for nearly all batches."""
    now = monotonic()
    if now >= _believed_until[0]:
        store_again()
        _believed_until[0] = now + BELIEVED
    new = {shape.id: shape for shape in shapes if shape.id not in _stored}
    if not new:
        return
    rows = [(pk, _text(new[pk].names)) for pk in sorted(new)]
    insert_rows(SampleShape, ("id", "names"), rows, new_only=True)
    # Not before: what is rolled back is not there.
    transaction.on_commit(lambda: _remember(new))


def shapes_of(ids: Collection[int]) -> dict[int, Shape]:
    """The shapes with these ids. (One that the table has lost has no names.)"""
    found = {pk: _by_id[pk] for pk in ids if pk in _by_id}
    missing = [pk for pk in ids if pk not in found]
    if missing:
        rows = SampleShape.objects.filter(pk__in=missing).values_list("id", "names")
        read = {pk: Shape(pk, _read(text)) for pk, text in rows}
        for pk, shape in read.items():
            _by_id.keep(pk, shape)
        found |= read
    return {pk: found.get(pk) or Shape(pk, ()) for pk in ids}


def _read(text: str) -> tuple[Names, ...]:
    """Nothing where the row is damaged: samples without names, instead of none."""
    try:
        return tuple(Names(*names) for names in orjson.loads(text))
    except (TypeError, orjson.JSONDecodeError):
        return ()


def _text(names: tuple[Names, ...]) -> str:
    return orjson.dumps([list(each) for each in names]).decode()


def _remember(shapes: Collection[int]) -> None:
    if len(_stored) >= _KNOWN:
        _stored.clear()
    _stored.update(shapes)


def store_again() -> None:
    """Know of none that the table has it: the next batch sees to it again."""
    _stored.clear()


@receiver(post_migrate, dispatch_uid="levity.ocpp.store.samples.shapes")
def _forget(**_: object) -> None:
    """The table may be another one, or empty."""
    store_again()
    _by_id.clear()
