"""A session priced by an OCPI 2.2.1 tariff, by OCPI's own rules (OCPI 2.2.1-d2, part II, 11).

For each dimension the first element whose restrictions all hold has the say; without one the
dimension is free. The step size is applied once to a session's total, at the price that held last.
What a tariff of ours means is in `pricing`; the two differ (grace, free quota, tiers of a month).
"""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from levity.billing.rules.bands import Band, instants
from levity.billing.rules.least_and_most import within_limits
from levity.billing.rules.lines import Line, sums_of
from levity.billing.rules.money import rounded
from levity.billing.rules.pricing import Priced
from levity.billing.rules.tariff import Limit, Tariff
from levity.billing.rules.usage import Span, Usage
from levity_ws.frozen import frozen

__all__ = ["Component", "Element", "OcpiTariff", "Restrictions", "price_by_ocpi"]

# Dimension -> (kind of line, unit, what one step of size 1 is of that unit).
DIMENSIONS = {
    "ENERGY": ("energy", "kWh", Decimal("0.001")),
    "TIME": ("time", "h", Decimal(1) / 3600),
    "PARKING_TIME": ("parking", "h", Decimal(1) / 3600),
}


@frozen
class Component:
    """A price of one dimension: per kWh, per hour or (FLAT) per session."""

    dimension: str
    price: Decimal
    vat: Decimal = Decimal()
    step_size: int = 1
    """Wh or seconds."""


@frozen
class Restrictions:
    """When an element holds; what is None restricts nothing."""

    band: Band = Band()
    start_date: date | None = None
    end_date: date | None = None
    """Excluded."""
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    """Excluded."""
    min_seconds: int | None = None
    max_seconds: int | None = None
    """Excluded."""
    min_kw: Decimal | None = None
    max_kw: Decimal | None = None


@frozen
class Element:
    """Prices and when they hold."""

    components: tuple[Component, ...]
    restrictions: Restrictions = Restrictions()


@frozen
class OcpiTariff:
    """An OCPI tariff, read and checked."""

    currency: str
    zone: ZoneInfo
    """Of the place: OCPI's times are local."""
    elements: tuple[Element, ...]
    min_price: Limit = Limit()
    max_price: Limit = Limit()


@frozen
class _Slice:
    """A part of the session within which no restriction begins or ends to hold."""

    start: datetime
    end: datetime
    kwh: Decimal
    kwh_before: Decimal
    seconds: Decimal
    seconds_before: Decimal
    parked: bool


def price_by_ocpi(tariff: OcpiTariff, usage: Usage) -> Priced:
    """The lines of this session; `usage.full` is its PARKING_TIME, all else its TIME."""
    slices = list(_slices(tariff, usage))
    lines = list(_flat_line(tariff, usage))
    for dimension in DIMENSIONS:
        lines += _lines_of(dimension, tariff, slices)
    as_ours = Tariff(
        tariff.currency, tariff.zone, minimum=tariff.min_price, maximum=tariff.max_price
    )
    lines = within_limits(lines, as_ours) if lines else lines
    return Priced(tuple(lines), sums_of(lines, tariff.currency, gross=False), usage.wh)


def _lines_of(dimension: str, tariff: OcpiTariff, slices: Sequence[_Slice]) -> Iterator[Line]:
    kind, unit, step = DIMENSIONS[dimension]
    quantities: dict[Component, Decimal] = {}
    last: Component | None = None
    for part in slices:
        quantity = _quantity(dimension, part)
        found = _component(tariff, dimension, part) if quantity else None
        if found:
            quantities[found] = quantities.get(found, Decimal()) + quantity
            last = found
    if last and not (dimension == "TIME" and _parking_follows(tariff, slices)):
        total = sum(quantities.values(), Decimal())
        size = step * last.step_size
        quantities[last] += _up_to(total, size) - total if last.step_size > 1 else 0
    for component, quantity in quantities.items():
        amount = rounded(quantity * component.price, tariff.currency)
        yield Line(kind, "", quantity, unit, component.price, amount, component.vat)


def _flat_line(tariff: OcpiTariff, usage: Usage) -> Iterator[Line]:
    zero = Decimal()
    first = _Slice(usage.start, usage.end, zero, zero, zero, zero, parked=False)
    if found := _component(tariff, "FLAT", first):
        amount = rounded(found.price, tariff.currency)
        yield Line("session", "", Decimal(1), "session", found.price, amount, found.vat)


def _quantity(dimension: str, part: _Slice) -> Decimal:
    if dimension == "ENERGY":
        return part.kwh
    return part.seconds / 3600 if part.parked == (dimension == "PARKING_TIME") else Decimal()


def _parking_follows(tariff: OcpiTariff, slices: Sequence[_Slice]) -> bool:
    return bool(slices and slices[-1].parked and _component(tariff, "PARKING_TIME", slices[-1]))


def _up_to(total: Decimal, size: Decimal) -> Decimal:
    # A third of an hour has no end in decimals: what is a step to nine digits is a step.
    steps = (total / size).quantize(Decimal("1e-9")).to_integral_value(ROUND_CEILING)
    return steps * size


def _component(tariff: OcpiTariff, dimension: str, part: _Slice) -> Component | None:
    for element in tariff.elements:
        for component in element.components:
            if component.dimension == dimension and _holds(element.restrictions, part, tariff):
                return component
    return None


def _holds(wanted: Restrictions, part: _Slice, tariff: OcpiTariff) -> bool:
    local = part.start.astimezone(tariff.zone)
    power = part.kwh * 3600 / part.seconds if part.seconds else None
    return (
        wanted.band.holds_at(local, frozenset())
        and _in_range(local.date(), wanted.start_date, wanted.end_date)
        and _in_range(part.kwh_before, wanted.min_kwh, wanted.max_kwh)
        and _in_range(part.seconds_before, wanted.min_seconds, wanted.max_seconds)
        and (power is None or _in_range(power, wanted.min_kw, wanted.max_kw))
    )


def _in_range(value: Any, least: Any, below: Any) -> bool:
    return (least is None or value >= least) and (below is None or value < below)


def _slices(tariff: OcpiTariff, usage: Usage) -> Iterator[_Slice]:
    for start, end in itertools.pairwise(_edges(tariff, usage)):
        yield _Slice(
            start,
            end,
            usage.wh_between(start, end) / 1000,
            usage.wh_between(usage.start, start) / 1000,
            Span(start, end).seconds,
            Span(usage.start, start).seconds,
            parked=any(span.start <= start < span.end for span in usage.full),
        )


def _edges(tariff: OcpiTariff, usage: Usage) -> list[datetime]:
    wanted = [element.restrictions for element in tariff.elements]
    clocks = {time()}
    found = {moment for span in usage.full for moment in (span.start, span.end)}
    for restriction in wanted:
        band = restriction.band
        clocks.update(clock for clock in (band.begins, band.ends) if clock is not None)
        for seconds in (restriction.min_seconds, restriction.max_seconds):
            if seconds is not None:
                found.add(usage.start + timedelta(seconds=seconds))
        for kwh in (restriction.min_kwh, restriction.max_kwh):
            if kwh and (reached := usage.reaches(kwh * 1000)):
                found.add(reached)
        if restriction.min_kw is not None or restriction.max_kw is not None:
            found.update(point.at for point in usage.points)
    found.update(instants(usage.start, usage.end, clocks, tariff.zone))
    inside = sorted(moment for moment in found if usage.start < moment < usage.end)
    return [usage.start, *inside, usage.end]
