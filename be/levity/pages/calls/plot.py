"""A charging schedule as a small plot (SVG, made here) with a table of the same."""

from datetime import timedelta, tzinfo
from decimal import Decimal
from typing import Any

from levity.ocpp.schedules import Period, Schedule
from levity.pages.kit.formats import local_time

__all__ = ["plot_of"]

WIDTH, HEIGHT = 600, 140
DAY, HOUR = 86_400, 3_600
# Labels of the axis, and rows of the table.
LABELS, ROWS = 6, 50


def plot_of(schedule: Schedule | None, zone: tzinfo | None) -> dict[str, Any]:
    """What the template draws; empty if there is nothing to draw."""
    if schedule is None:
        return {}
    ends = _ends(schedule)
    most = max(item.limit for item in schedule.periods)
    top = _round_up(most)
    shown = [item for item in schedule.periods if item.start < ends]
    labels = [item.start for item in shown]
    return {
        "line": _line(shown, ends, top),
        "width": WIDTH,
        "height": HEIGHT,
        "top": f"{top:f} {schedule.unit}",
        "labels": [
            {"x": _x(at, ends), "text": _moment(schedule, at, zone, short=True)}
            for at in _spread(labels)
        ],
        "rows": [
            {
                "when": _moment(schedule, item.start, zone),
                "limit": f"{item.limit.normalize():f} {schedule.unit}",
                "phases": item.phases or "",
            }
            for item in schedule.periods[:ROWS]
        ],
        "more": max(0, len(schedule.periods) - ROWS),
        "until": _until(schedule, zone),
        "facts": schedule.facts,
    }


def _ends(schedule: Schedule) -> int:
    """Until when it is drawn."""
    if schedule.every or schedule.duration:
        return min(filter(None, (schedule.every, schedule.duration)))
    last = schedule.periods[-1].start
    return max(last + max(last // 4, HOUR), 4 * HOUR)


def _until(schedule: Schedule, zone: tzinfo | None) -> str:
    if schedule.duration:
        return _moment(schedule, schedule.duration, zone)
    return ""


def _line(periods: list[Period], ends: int, top: Decimal) -> str:
    points: list[str] = []
    for number, item in enumerate(periods):
        until = periods[number + 1].start if number + 1 < len(periods) else ends
        y = round(HEIGHT - float(item.limit / top) * (HEIGHT - 10), 1)
        points += [f"{_x(item.start, ends)},{y}", f"{_x(until, ends)},{y}"]
    return " ".join(points)


def _x(at: int, ends: int) -> float:
    return round(WIDTH * min(at, ends) / ends, 1)


def _spread(starts: list[int]) -> list[int]:
    """Some of many, so that their labels do not lie upon each other."""
    step = -(-len(starts) // LABELS) or 1
    return starts[::step]


def _round_up(most: Decimal) -> Decimal:
    """The next round number above: 16 -> 20, 11040 -> 20000, 0 -> 1."""
    if most <= 0:
        return Decimal(1)
    magnitude = Decimal(10) ** most.adjusted()
    return next(
        step * magnitude
        for step in map(Decimal, ("1", "2", "4", "5", "8", "10"))
        if step * magnitude >= most
    )


def _moment(schedule: Schedule, at: int, zone: tzinfo | None, *, short: bool = False) -> str:
    if schedule.begins is None:
        hours, minutes = divmod(at // 60, 60)
        return f"+{hours}:{minutes:02} h" if short else f"{hours}:{minutes:02} h after the start"
    try:
        text = local_time(schedule.begins + timedelta(seconds=at), zone)
    except OverflowError:
        return f"+{at} s"
    date, _, time = text.partition(" ")
    if schedule.every == DAY or short:
        return time[:5]
    return f"{date} {time[:5]}"
