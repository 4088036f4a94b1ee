"""What a session costs: a tariff and a session in, lines out."""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from levity.billing.rules.bands import Band, instants
from levity.billing.rules.least_and_most import within_limits
from levity.billing.rules.lines import Line, Sums, sums_of
from levity.billing.rules.money import rounded
from levity.billing.rules.tariff import IdleFee, NoPrice, SpotPrice, Tariff
from levity.billing.rules.usage import Span, Usage
from levity_ws.frozen import frozen

__all__ = ["Priced", "changes_within", "price"]

WH_IN_KWH = KWH_IN_MWH = 1000
# Which of a tariff's rates per kWh: an index, or one of these.
FREE, SPOT = -1, -2
MICRO = Decimal("0.000001")


@frozen
class Priced:
    """A session's price."""

    lines: tuple[Line, ...]
    sums: Sums
    wh: Decimal
    """Energy that the lines are about, Wh."""


@frozen
class _Part:
    """Energy at one price."""

    kwh: Decimal
    price: Decimal


def price(tariff: Tariff, usage: Usage, kwh_before: Decimal = Decimal()) -> Priced:
    """The lines of this session; `kwh_before` is what the household has used in its month so far,
    for tiers and a free quota.

    Raises `NoPrice` where the tariff says no price for a part of its energy: nothing is free in
    silence. A session without energy pays for keeping the place only.
    """
    _check_holidays(tariff, usage)
    lines = list(_idle_lines(tariff, usage))
    if usage.wh:
        charged = [*_energy_lines(tariff, usage, kwh_before), *_minute_lines(tariff, usage)]
        lines = within_limits([*charged, *lines, *_session_lines(tariff)], tariff)
    return Priced(tuple(lines), sums_of(lines, tariff.currency, tariff.gross), usage.wh)


def changes_within(tariff: Tariff, start: datetime, end: datetime) -> bool:
    """True if another price per kWh of this tariff, by the clock, begins within this time."""
    moments = [start, *_clock_edges(tariff, start, end)]
    return len({_holding(tariff, moment) for moment in moments}) > 1


def _holding(tariff: Tariff, moment: datetime) -> tuple[bool, ...]:
    local = moment.astimezone(tariff.zone)
    return tuple(rate.band.holds_at(local, tariff.holidays) for rate in tariff.energy)


def _check_holidays(tariff: Tariff, usage: Usage) -> None:
    last = tariff.holidays_until
    if last is not None and usage.end.astimezone(tariff.zone).date() > last:
        raise NoPrice(
            f"the tariff's holidays are known to {last} only: add a version, which copies the "
            "calendar's next years"
        )


def _energy_lines(tariff: Tariff, usage: Usage, kwh_before: Decimal) -> Iterator[Line]:
    parts: dict[int, list[_Part]] = {}
    used = kwh_before
    for start, end in _edges(tariff, usage):
        kwh = usage.wh_between(start, end) / WH_IN_KWH
        for amount in _between_thresholds(tariff, used, kwh):
            which, per_kwh = _rate_at(tariff, start, used)
            parts.setdefault(which, []).append(_Part(amount, per_kwh))
            used += amount
    for which, at_price in parts.items():
        yield _energy_line(tariff, which, at_price)


def _energy_line(tariff: Tariff, which: int, parts: list[_Part]) -> Line:
    kwh = sum((part.kwh for part in parts), Decimal())
    if which == FREE:
        return _line("free-energy", "", kwh, "kWh", Decimal(), _first_vat(tariff), tariff)
    if which != SPOT:
        rate = tariff.energy[which]
        return _line("energy", rate.name, kwh, "kWh", rate.price, rate.vat, tariff)
    exact = sum((part.kwh * part.price for part in parts), Decimal())
    mean = (exact / kwh).quantize(MICRO, ROUND_HALF_UP)
    amount = rounded(exact, tariff.currency)
    return Line("spot", "", kwh, "kWh", mean, amount, _first_vat(tariff))


def _rate_at(tariff: Tariff, moment: datetime, used: Decimal) -> tuple[int, Decimal]:
    """(which rate, price per kWh) for energy from this instant on, when so many kWh of the month
    were used before."""
    if used < tariff.free_kwh:
        return FREE, Decimal()
    local = moment.astimezone(tariff.zone)
    for which, rate in enumerate(tariff.energy):
        reached = rate.from_kwh <= used and (rate.to_kwh is None or used < rate.to_kwh)
        if reached and rate.band.holds_at(local, tariff.holidays):
            return which, rate.price
    if tariff.spot:
        return SPOT, _spot_price(tariff.spot, moment, local)
    raise NoPrice(f"the tariff has no price per kWh for {local:%Y-%m-%d %H:%M}, {used} kWh used")


def _spot_price(spot: SpotPrice, moment: datetime, local: datetime) -> Decimal:
    at = bisect_right(spot.rows, moment, key=_begins)
    if not at or moment >= spot.until:
        raise NoPrice(f"there is no spot price for {local:%Y-%m-%d %H:%M}")
    return spot.rows[at - 1][1] * spot.factor / KWH_IN_MWH + spot.surcharge


def _edges(tariff: Tariff, usage: Usage) -> Iterator[tuple[datetime, datetime]]:
    """The session in parts within which no price per kWh changes by time."""
    edges = set(_clock_edges(tariff, usage.start, usage.end))
    if tariff.spot:
        rows = tariff.spot.rows
        first = bisect_right(rows, usage.start, key=_begins)
        last = bisect_left(rows, usage.end, key=_begins)
        edges.update(begins for begins, _ in rows[first:last])
        if usage.start < tariff.spot.until < usage.end:
            edges.add(tariff.spot.until)
    moments = [usage.start, *sorted(edges), usage.end]
    for start, end in itertools.pairwise(moments):
        if usage.wh_between(start, end):
            yield start, end


def _clock_edges(tariff: Tariff, start: datetime, end: datetime) -> list[datetime]:
    return instants(start, end, {time(), *tariff.clocks}, tariff.zone)


def _between_thresholds(tariff: Tariff, used: Decimal, kwh: Decimal) -> Iterator[Decimal]:
    """This energy in parts between the thresholds of the month that it passes."""
    steps = {tariff.free_kwh, *(rate.from_kwh for rate in tariff.energy)}
    steps.update(rate.to_kwh for rate in tariff.energy if rate.to_kwh is not None)
    at, end = used, used + kwh
    for step in sorted(step for step in steps if used < step < end):
        yield step - at
        at = step
    yield end - at


def _minute_lines(tariff: Tariff, usage: Usage) -> Iterator[Line]:
    if not tariff.minutes:
        return
    minutes: dict[int, Decimal] = {}
    edges = [usage.start, *_clock_edges(tariff, usage.start, usage.end), usage.end]
    for start, end in itertools.pairwise(edges):
        local = start.astimezone(tariff.zone)
        for which, rate in enumerate(tariff.minutes):
            if rate.band.holds_at(local, tariff.holidays):
                minutes[which] = minutes.get(which, Decimal()) + Span(start, end).seconds / 60
                break
    for which, lasted in minutes.items():
        rate = tariff.minutes[which]
        yield _line("time", rate.name, lasted, "min", rate.price, rate.vat, tariff)


def _session_lines(tariff: Tariff) -> Iterator[Line]:
    if fee := tariff.session:
        yield _line("session", "", Decimal(1), "session", fee.price, fee.vat, tariff)


def _idle_lines(tariff: Tariff, usage: Usage) -> Iterator[Line]:
    fee = tariff.idle
    if fee is None:
        return
    minutes = sum(
        (_idle_minutes(span, fee, tariff) for span in _after_grace(usage, fee)), Decimal()
    )
    if not minutes:
        return
    line = _line("idle", "", minutes, "min", fee.price, fee.vat, tariff)
    if fee.maximum is not None and line.amount > fee.maximum:
        amount = rounded(fee.maximum, tariff.currency)
        line = Line("idle", "", minutes, "min", fee.price, amount, fee.vat)
    yield line


def _after_grace(usage: Usage, fee: IdleFee) -> Iterator[Span]:
    """When the car was full, from the end of the grace after the last energy on."""
    grace = timedelta(seconds=float(fee.grace_minutes * 60))
    for span in usage.full:
        if part := span.within(usage.last_energy(span.end) + grace, span.end):
            yield part


def _idle_minutes(span: Span, fee: IdleFee, tariff: Tariff) -> Decimal:
    edges = [span.start, *_clock_edges(tariff, span.start, span.end), span.end]
    return sum(
        (
            Span(start, end).seconds / 60
            for start, end in itertools.pairwise(edges)
            if not _is_quiet(fee.quiet, start, tariff)
        ),
        Decimal(),
    )


def _is_quiet(quiet: Band | None, moment: datetime, tariff: Tariff) -> bool:
    if quiet is None:
        return False
    return quiet.holds_at(moment.astimezone(tariff.zone), tariff.holidays)


def _line(
    kind: str, name: str, quantity: Decimal, unit: str, price: Decimal, vat: Decimal, tariff: Tariff
) -> Line:
    amount = rounded(quantity * price, tariff.currency)
    return Line(kind, name, quantity, unit, price, amount, vat)


def _begins(row: tuple[datetime, Decimal]) -> datetime:
    return row[0]


def _first_vat(tariff: Tariff) -> Decimal:
    if tariff.energy:
        return tariff.energy[0].vat
    return tariff.spot.vat if tariff.spot else Decimal()
