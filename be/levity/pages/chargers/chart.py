"""Power and energy of a transaction as lines, computed here and drawn as SVG by the template."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.models import Transaction
from levity.ocpp.rules.readings import INLET, POWER, REGISTER
from levity.ocpp.store.samples.plotting import plotted
from levity.ocpp.store.samples.shapes import Names
from levity_ws.frozen import frozen

__all__ = ["Chart", "Point", "chart_of", "draw"]

WIDTH, HEIGHT = 720, 200
# Enough for a day at one sample a minute with three phases; a longer session shows its end.
NEWEST = 6_000
# More points than pixels say nothing more.
SHOWN = WIDTH // 2

Point = tuple[datetime, Decimal]


@frozen
class Chart:
    """Lines as SVG coordinates; the greatest values are for the scale at the side."""

    power: str
    energy: str
    most_power: Decimal | None
    most_energy: Decimal | None
    first: datetime
    last: datetime
    width: int = WIDTH
    height: int = HEIGHT
    is_cut: bool = False
    """For very long sessions only the newest samples are drawn."""


def chart_of(transaction: Transaction) -> Chart | None:
    """The chart of this transaction; None while there are no two moments to connect."""
    newest = plotted(transaction.pk, _is_drawn, NEWEST)
    # What the station draws is meant where nothing tells of another place.
    values = [each for each in newest if each[0].location != INLET] or newest
    power: dict[datetime, dict[str, Decimal]] = {}
    register: dict[datetime, dict[str, Decimal]] = {}
    for names, sampled_at, value in values:
        series = power if names.measurand == POWER else register
        if value is not None:
            series.setdefault(sampled_at, {})[names.phase] = value
    energy = _totals(register)
    # From the session's start, whatever the register began with.
    zero = energy[0][1] if energy else Decimal(0)
    chart = draw(_totals(power), [(moment, value - zero) for moment, value in energy])
    return replace(chart, is_cut=True) if chart and len(newest) == NEWEST else chart


def _is_drawn(names: Names) -> bool:
    return names.measurand in (POWER, REGISTER) and names.location != "EV"


def draw(power: Sequence[Point], energy: Sequence[Point]) -> Chart | None:
    """Both series, each sorted by time, on one axis of time and each on its own scale."""
    moments = [moment for moment, _ in (*power, *energy)]
    if not moments or min(moments) == max(moments):
        return None
    first, last = min(moments), max(moments)
    return Chart(
        power=_line(power, first, last),
        energy=_line(energy, first, last),
        most_power=_most(power),
        most_energy=_most(energy),
        first=first,
        last=last,
    )


def _totals(series: dict[datetime, dict[str, Decimal]]) -> list[Point]:
    """The value without a phase, else the sum of the phases, in the order of time."""
    return [
        (moment, phases[""] if "" in phases else sum(phases.values(), Decimal(0)))
        for moment, phases in sorted(series.items())
    ]


def _most(points: Sequence[Point]) -> Decimal | None:
    return max((value for _, value in points), default=None)


def _line(points: Sequence[Point], first: datetime, last: datetime) -> str:
    step = max(1, len(points) // SHOWN)
    # Counted from the end: what was last is always shown.
    kept = points[::-1][::step][::-1]
    top = max((float(value) for _, value in points), default=0.0)
    span = (last - first).total_seconds()
    return " ".join(
        f"{(moment - first).total_seconds() / span * WIDTH:.1f},"
        f"{HEIGHT - _share(float(value), top) * HEIGHT:.1f}"
        for moment, value in kept
    )


def _share(value: float, top: float) -> float:
    """How far up, from 0 to 1; what is below zero (a car that feeds back) lies on the floor."""
    return min(max(value / top, 0.0), 1.0) if top > 0 else 0.0
