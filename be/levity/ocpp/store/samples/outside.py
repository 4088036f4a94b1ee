"""The register in MeterValues of no session, of many charge points, one after the other."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db.models import Q

from levity.ocpp.effects import Sample
from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.rules.chain.unassigned import Point
from levity.ocpp.rules.readings import REGISTER, registers
from levity.ocpp.store.samples.elements import Element
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.reading import rows_in_turn, together, traces_in_turn

__all__ = ["Place", "Samples", "points_of"]

Place = tuple[int, int]
"""(EVSE, connector)."""


class Samples:
    """Of these charge points within [since, until); of all if none are named.

    Read once, in the order of the charge points' ids, so that only those of one are in memory; two
    statements, however many there are.
    """

    def __init__(
        self, charge_points: Collection[int] | None, since: datetime, until: datetime
    ) -> None:
        none = Q(transaction=None)
        if charge_points is not None:
            none &= Q(charge_point__in=list(charge_points))
        self._in_time = none & Q(sampled_at__gte=since, sampled_at__lt=until)
        self.since, self.until = since, until
        # (Rows before traces: what moves meanwhile is found twice, and not missed.)
        self._rows = _Turns(rows_in_turn(MeterValue.objects.filter(self._in_time)))
        traces = SampleTrace.objects.filter(none & Q(last_at__gte=since, first_at__lt=until))
        self._traces = _Turns(traces_in_turn(traces))

    def of(self, charge_point: int) -> dict[Place, list[Point]]:
        """What its registers showed, by place; ask in the order of the ids."""
        before: list[Element] = []
        if not is_empty():
            rows = LegacySample.objects.filter(self._in_time, charge_point=charge_point)
            before = legacy_elements(rows)
        found = together(before, self._rows.of(charge_point), self._traces.of(charge_point))
        within = (item for item in found if self.since <= item.sampled_at < self.until)
        return points_of(within)


def points_of(elements: Iterable[Element]) -> dict[Place, list[Point]]:
    """What the registers in these showed, by place; not those of a charge point as a whole."""
    found: dict[Place, list[Point]] = {}
    registers_in: dict[int, list[int]] = {}
    for element in elements:
        place, shape = (element.evse, element.connector), element.shape
        if place == (0, 0):
            continue
        if shape.id not in registers_in:
            registers_in[shape.id] = [
                at for at, names in enumerate(shape.names) if names.measurand == REGISTER
            ]
        if not (positions := registers_in[shape.id]):
            continue
        # (Few of the samples of a message are registers: the others need not be made.)
        for reading in registers(_samples(element, positions)):
            # What the station draws, and one phase of three, are other registers.
            if not (reading.is_begin or reading.is_inlet or len(reading.phases) in (1, 2)):
                found.setdefault(place, []).append(Point(reading.at, reading.value))
    return found


def _samples(element: Element, positions: Iterable[int]) -> Iterator[Sample]:
    for at in positions:
        if at < len(element.values):
            names = element.shape.names[at]
            yield Sample(
                element.sampled_at,
                names.measurand,
                element.values[at],
                element.value(at),
                names.unit,
                names.phase,
                names.location,
                names.context,
                names.format,
            )


class _Turns:
    """Groups of MeterValues in the order of their charge points, each read when it is asked for."""

    def __init__(self, groups: Iterator[list[Element]]) -> None:
        self._groups = groups
        self._next: list[Element] = []

    def of(self, charge_point: int) -> list[Element]:
        while not self._next or self._next[0].charge_point_id < charge_point:
            self._next = next(self._groups, [])
            if not self._next:
                return []
        return self._next if self._next[0].charge_point_id == charge_point else []
