"""A session through time: power, energy, current and voltage by phase, state of charge; as plots,
and as one table that is also its CSV."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop, pgettext

from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity.ocpp.models import Transaction
from levity.ocpp.rules.readings import INLET, POWER, REGISTER, rank_of, total
from levity.ocpp.store.samples.plotting import Plotted, plotted
from levity.ocpp.store.samples.shapes import Names
from levity.writing import language_or_english, with_signs
from levity_ws.frozen import frozen

__all__ = ["Chart", "Drawn", "Series", "chart_of", "csv_rows"]

# Enough for a day at one MeterValue a minute with everything by phase; a longer session shows its
# end.
NEWEST = 20_000
# More points than pixels say nothing more; and the rows that a page shows.
SHOWN, ROWS = 360, 100
CURRENT, VOLTAGE, SOC = "Current.Import", "Voltage", "SoC"
PHASES = ("", "L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")

Point = tuple[datetime, Decimal]


@frozen
class Series:
    """One line: its name, its unit, and its points in the order of time."""

    name: str
    unit: str
    points: tuple[Point, ...]


@frozen
class Drawn:
    """A plot of up to two units."""

    title: str
    json: str
    """For static/levity/plots.js."""


@frozen
class Chart:
    """All that is known of a session through time."""

    series: tuple[Series, ...]
    plots: tuple[Drawn, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The newest first."""
    span: str
    is_cut: bool = False
    """Of a very long session only the newest samples."""


def chart_of(transaction: Transaction, zone: tzinfo | None = None) -> Chart | None:
    """The plots of this session, by this clock; None while there are no two moments to connect."""
    newest = plotted(transaction.pk, _is_drawn, NEWEST)
    series = tuple(_series(newest))
    moments = [at for each in series for at, _ in each.points]
    if not moments or min(moments) == max(moments):
        return None
    first, last = (timezone.localtime(at, zone) for at in (min(moments), max(moments)))
    table = list(_table(series))
    language = language_or_english(get_language())
    return Chart(
        series,
        tuple(_plots(series, first, last)),
        (pgettext("plot", "time"), *(f"{_name_said(each.name)} ({each.unit})" for each in series)),
        tuple(
            (
                f"{timezone.localtime(at, zone):%Y-%m-%d %H:%M:%S}",
                *(with_signs(cell, language) for cell in cells),
            )
            for at, cells in table[: -ROWS - 1 : -1]
        ),
        gettext("%(first)s to %(last)s")
        % {
            "first": f"{first:%Y-%m-%d %H:%M}",
            "last": f"{last:%Y-%m-%d %H:%M} {last.tzname()}",
        },
        len(newest) == NEWEST,
    )


def csv_rows(chart: Chart, zone: tzinfo | None) -> Iterator[list[str]]:
    """Every moment with what was told of it, oldest first; values as in the plots, in full."""
    yield ["time (UTC)", "time (local)", *(f"{each.name} ({each.unit})" for each in chart.series)]
    for at, cells in _table(chart.series):
        local = timezone.localtime(at, zone)
        utc = at.astimezone(UTC)
        times = (utc.isoformat("T", "seconds"), local.isoformat(" ", "seconds"))
        yield [safe_cell(cell) for cell in (*times, *cells)]


def _is_drawn(names: Names) -> bool:
    if names.measurand == SOC:
        return True
    return names.measurand in (POWER, REGISTER, CURRENT, VOLTAGE) and names.location != "EV"


def _series(values: Sequence[Plotted]) -> Iterator[Series]:
    """Of each measurand what the place tells that is meant where there are several."""
    found: dict[str, dict[str, dict[str, dict[datetime, Decimal]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for names, at, value in values:
        if value is not None:
            # The last to arrive comes first, and has the say.
            found[names.measurand][names.location][names.phase].setdefault(at, value)
    told = {
        measurand: places[min(places, key=lambda place: (place == INLET, rank_of(place)))]
        for measurand, places in found.items()
    }
    if POWER in told:
        yield Series(gettext_noop("Power"), "kW", _totals(told[POWER], 1_000))
    if REGISTER in told:
        energy = _totals(told[REGISTER], 1_000)
        yield Series(
            gettext_noop("Energy"), "kWh", tuple((at, value - energy[0][1]) for at, value in energy)
        )
    if SOC in told:
        yield Series(gettext_noop("State of charge"), "%", _totals(told[SOC], 1))
    for measurand, name, unit in (
        (CURRENT, gettext_noop("Current"), "A"),
        (VOLTAGE, gettext_noop("Voltage"), "V"),
    ):
        phases = told.get(measurand, {})
        for phase in sorted(phases, key=_phase):
            yield Series(f"{name} {phase}".strip(), unit, tuple(sorted(phases[phase].items())))


def _phase(phase: str) -> tuple[int, str]:
    return (PHASES.index(phase) if phase in PHASES else len(PHASES), phase)


def _totals(phases: dict[str, dict[datetime, Decimal]], scale: int) -> tuple[Point, ...]:
    """The value without a phase, else the sum of the phases, in the order of time."""
    by_time: dict[datetime, dict[str, Decimal]] = defaultdict(dict)
    for phase, points in phases.items():
        for at, value in points.items():
            by_time[at][phase] = value
    return tuple((at, total(values) / scale) for at, values in sorted(by_time.items()))


def _plots(series: Sequence[Series], first: datetime, last: datetime) -> Iterator[Drawn]:
    by_unit: dict[str, list[Series]] = defaultdict(list)
    for each in series:
        by_unit[each.unit].append(each)
    if by_unit["kW"] or by_unit["kWh"]:
        title = gettext_noop("Power and energy") if by_unit["kW"] and by_unit["kWh"] else "Power"
        yield _drawn(title if by_unit["kW"] else "Energy", by_unit, ("kW", "kWh"), first, last)
    for title, unit in (("Current", "A"), ("Voltage", "V"), ("State of charge", "%")):
        if by_unit[unit]:
            yield _drawn(title, by_unit, (unit,), first, last)


def _drawn(
    title: str,
    by_unit: dict[str, list[Series]],
    units: tuple[str, ...],
    first: datetime,
    last: datetime,
) -> Drawn:
    shown = [unit for unit in units if by_unit[unit]]
    length = (last - first).total_seconds()
    start = first.hour * 3600 + first.minute * 60 + first.second
    data = {
        "kind": "line",
        "unit": shown[0],
        "unit2": shown[1] if len(shown) > 1 else None,
        "zone": first.tzname(),
        # Seconds of the day on which it begins, by the local clock.
        "min": start - start % _step(length),
        "max": start + length,
        "step": _step(length),
        # Of a voltage what differs, not how far it is from zero.
        "zero": "V" not in shown,
        "series": [
            {
                "name": _name_said(each.name),
                "axis": "y1" if at else "y",
                "points": [
                    {
                        "x": start + (moment - first) // timedelta(seconds=1),
                        "y": round(float(value), 3),
                    }
                    for moment, value in _thinned(each.points)
                ],
            }
            for at, unit in enumerate(shown)
            for each in by_unit[unit]
        ],
    }
    return Drawn(gettext(title), json.dumps(data, separators=(",", ":")))


def _step(length: float) -> int:
    """Seconds between two labels, a time that people count in."""
    for step in (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600):
        if length / step <= 7:
            return step
    return 86_400


def _name_said(name: str) -> str:
    """With its phase, which is OCPP's word."""
    what, blank, phase = name.partition(" L")
    return f"{gettext(what)}{blank}{phase}"


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    step = max(1, -(-len(points) // SHOWN))
    # Counted from the end: what was last is always shown.
    return points[::-1][::step][::-1]


def _table(series: Sequence[Series]) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    columns = [dict(each.points) for each in series]
    for at in sorted({at for column in columns for at in column}):
        yield at, tuple(f"{column[at]:.3f}" if at in column else "" for column in columns)
