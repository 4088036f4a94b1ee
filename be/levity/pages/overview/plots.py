"""What the overview plots; each plot with its table, which is also its CSV."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language, gettext, gettext_noop, pgettext

from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import duration
from levity.pages.overview.energy import WEEKS, Energy, by_charger
from levity.pages.overview.timeline import DAY, MOST_CHARGERS, Stretch, stretches
from levity.writing import language_or_english, with_signs
from levity_ws.frozen import frozen

__all__ = ["Cell", "Plot", "Strip", "csv_of", "plots", "titles", "to_draw"]

HOURS, DAYS = 24, 31
MOST_SERIES = 8
"""Charge points with a colour of their own; the others are one."""
TITLES = {
    "power": (
        gettext_noop("Power in the last 24 hours"),
        gettext_noop("Mean power of each hour in kW, by charge point."),
    ),
    "days": (gettext_noop("Energy by day"), gettext_noop("In kWh, the last %(days)s days.")),
    "use": (
        gettext_noop("Use by weekday and hour"),
        gettext_noop("Sessions at the same time, on the average of the last %(weeks)s weeks."),
    ),
    "trouble": (gettext_noop("Faults and lost connections"), gettext_noop("The last 24 hours.")),
}
"""Title and note of each plot."""
# The strip is drawn in thousandths of a day; what is shorter than a few would not be seen.
WIDTH, LEAST = 1_000, 5


@frozen
class Cell:
    """One hour of a weekday."""

    text: str
    share: str
    """Of the busiest, from 0 to 1."""


@frozen
class Strip:
    """A charge point's day: (x, width, what, in words) of each stretch."""

    name: str
    pk: int
    parts: tuple[tuple[str, str, str, str], ...]


@frozen
class Plot:
    """One of them: as the script draws it, and as a table."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    data: dict[str, Any] | None = None
    """For the script: labels, series, unit."""
    grid: tuple[tuple[str, tuple[Cell, ...]], ...] = ()
    strips: tuple[Strip, ...] = ()
    ticks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it shows."""
        return _said(self.name)[0]

    @property
    def note(self) -> str:
        """Of what and in which unit."""
        return _said(self.name)[1]

    @property
    def json(self) -> str:
        """What the script draws."""
        return json.dumps(self.data)

    @property
    def is_empty(self) -> bool:
        """There is nothing to draw."""
        return not (self.data or self.grid or self.strips)


def titles(user: Any) -> dict[str, tuple[str, str]]:
    """Title and note of each plot that this person may see."""
    rights = {"trouble": "ocpp.view_chargepoint"}
    return {
        name: _said(name)
        for name in TITLES
        if user.has_perm(rights.get(name, "ocpp.view_transaction"))
    }


def plots(
    user: Any, now: datetime, zone: tzinfo, energy: Energy | None, names: Iterable[str]
) -> list[Plot]:
    """These of the plots that this person may see (`titles`); a fixed number of statements.

    `energy` None: they may not see sessions.
    """
    wanted = set(names)
    named = _names(user) if user.has_perm("ocpp.view_chargepoint") else {}
    found: list[Plot] = []
    if energy is not None:
        if "power" in wanted:
            found.append(_power(by_charger(user, energy, HOURS), named, now, zone))
        found += [_days(energy)] if "days" in wanted else []
        found += [_use(energy)] if "use" in wanted else []
    if "trouble" in wanted:
        found.append(_trouble(stretches(user, now), named, now, zone))
    return found


def to_draw(energy: Energy) -> set[str]:
    """The plots that will have something to draw, of those of energy."""
    since = {"power": timedelta(hours=HOURS), "days": timedelta(days=DAYS - 1)}
    found = {
        name
        for name, back in since.items()
        if any(wh and hour > energy.now - back for hour, wh in energy.hours.items())
    }
    return found | ({"use"} if any(energy.use().values()) else set())


def csv_of(plot: Plot) -> Iterator[list[str]]:
    """Its table, safe to open in a spreadsheet."""
    yield list(plot.head)
    for row in plot.rows:
        yield [safe_cell(cell) for cell in row]


def _names(user: Any) -> dict[int, str]:
    rows = visible(ChargePoint.objects.all(), user).values_list("pk", "name", "identity")
    return {pk: name or identity for pk, name, identity in rows}


def _power(
    found: tuple[list[datetime], dict[int, list[Decimal]]],
    named: dict[int, str],
    now: datetime,
    zone: tzinfo,
) -> Plot:
    """Mean power: energy of an hour over its length, the last one as far as it has come."""
    span, chargers = found
    # Of the hour that has just begun, the first minutes say too little to divide by.
    lengths = [1.0] * (len(span) - 1)
    lengths.append(max((now - span[-1]) / timedelta(hours=1), 0.1))
    order = sorted(chargers, key=lambda pk: -sum(chargers[pk]))
    series = [(named.get(pk, f"#{pk}"), _kw(chargers[pk], lengths)) for pk in order[:MOST_SERIES]]
    if rest := order[MOST_SERIES:]:
        others = [sum(values, Decimal()) for values in zip(*map(chargers.get, rest), strict=True)]
        series.append((gettext("%(count)s others") % {"count": len(rest)}, _kw(others, lengths)))
    labels = [_hour(hour, zone) for hour in span]
    rows = zip(labels, *(values for _, values in series), strict=True)
    return Plot(
        "power",
        (gettext("hour"), *(f"{name} (kW)" for name, _ in series)),
        _texts(rows),
        _data("kW", labels, series, stacked=True) if series else None,
    )


def _days(energy: Energy) -> Plot:
    days = [energy.today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    known = energy.days()
    values = [round(float(known.get(day, 0)) / 1000, 3) for day in days]
    return Plot(
        "days",
        (gettext("day"), "kWh"),
        _texts(zip(map(str, days), values, strict=True)),
        _data("kWh", [f"{_weekday(day)} {day}" for day in days], [(gettext("Energy"), values)])
        if any(values)
        else None,
    )


def _use(energy: Energy) -> Plot:
    use = energy.use()
    top = max(use.values(), default=0.0)
    hours = [f"{hour:02d}" for hour in range(24)]
    table = [[use.get((day, hour), 0.0) for hour in range(24)] for day in range(7)]
    return Plot(
        "use",
        (gettext("weekday"), *hours),
        tuple(
            (name, *(_figure(value, 2) for value in row))
            for name, row in zip(map(str, WEEKDAYS_ABBR.values()), table, strict=True)
        ),
        grid=tuple(
            (name, tuple(Cell(_short(value), f"{value / top:.2f}") for value in row))
            for name, row in zip(map(str, WEEKDAYS_ABBR.values()), table, strict=True)
        )
        if top
        else (),
    )


def _trouble(found: Sequence[Stretch], named: dict[int, str], now: datetime, zone: tzinfo) -> Plot:
    start = now - DAY
    strips: dict[int, list[tuple[str, str, str, str]]] = {}
    rows = []
    for each in found:
        name = named.get(each.charge_point)
        if name is None:
            continue
        first, last = (moment.astimezone(zone) for moment in (each.start, each.end))
        until = gettext("now") if each.is_open else f"{last:%H:%M:%S}"
        lasted = duration(each.end - each.start)
        trouble, detail = gettext(each.what), _detail(each.detail)
        rows.append((name, trouble, f"{first:%Y-%m-%d %H:%M:%S}", until, lasted, detail))
        if each.charge_point in strips or len(strips) < MOST_CHARGERS:
            width = max((each.end - each.start) / DAY * WIDTH, LEAST)
            x = min(max((each.start - start) / DAY, 0) * WIDTH, WIDTH - width)
            what = ": ".join(part for part in (trouble, detail) if part)
            text = gettext("%(name)s, %(what)s, %(first)s to %(until)s (%(lasted)s)") % {
                "name": name,
                "what": what,
                "first": f"{first:%H:%M}",
                "until": until,
                "lasted": lasted,
            }
            part = (f"{x:.1f}", f"{width:.1f}", each.what.split()[0], text)
            strips.setdefault(each.charge_point, []).append(part)
    return Plot(
        "trouble",
        (
            gettext("charge point"),
            gettext("what"),
            pgettext("time", "from"),
            pgettext("time", "to"),
            gettext("duration"),
            gettext("detail"),
        ),
        tuple(rows),
        strips=tuple(Strip(named[pk], pk, tuple(parts)) for pk, parts in strips.items()),
        ticks=tuple(_hour(start + DAY * quarter / 4, zone) for quarter in range(5)),
    )


def _said(name: str) -> tuple[str, str]:
    title, note = TITLES[name]
    return gettext(title), gettext(note) % {"days": DAYS, "weeks": WEEKS}


def _weekday(day: date) -> str:
    return str(WEEKDAYS_ABBR[day.weekday()])


def _detail(text: str) -> str:
    """OCPP's word stays; whose it is, is said in the language of the page."""
    where, colon, word = text.partition(": ")
    place = where.removeprefix("connector ")
    if not colon or place == where:
        return text
    return gettext("connector %(number)s: %(word)s") % {"number": place, "word": word}


def _kw(wh: Iterable[Decimal], hours: Sequence[float]) -> list[float]:
    return [round(float(value) / 1000 / length, 3) for value, length in zip(wh, hours, strict=True)]


def _hour(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{_weekday(local)} {local:%H:%M}"


def _short(value: float) -> str:
    if value >= 10:
        return f"{value:.0f}"
    return _figure(value, 1) if value >= 0.05 else ""


def _figure(value: float, decimals: int) -> str:
    """Without a sign for thousands: programs read the same in the file."""
    return with_signs(f"{value:.{decimals}f}", language_or_english(get_language()))


def _texts(rows: Iterable[Iterable[Any]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(_figure(cell, 3) if isinstance(cell, float) else str(cell) for cell in row)
        for row in rows
    )


def _data(
    unit: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    stacked: bool = False,
) -> dict[str, Any]:
    return {
        "kind": "bar",
        "unit": unit,
        "stacked": stacked,
        "labels": list(labels),
        "series": [{"name": name, "values": list(values)} for name, values in series],
    }
