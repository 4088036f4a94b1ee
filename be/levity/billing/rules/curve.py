"""A session's energy through time, of the figure that was decided for it and its samples.

How much it charged is settled before (levity.ocpp.rules.energy), and a bill never says otherwise:
the samples only say when. What they show is moved to begin at 0 and kept within the session's
energy, and the last reading is the session's figure itself.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from levity.billing.rules.usage import Point, Span

__all__ = ["FULL", "curve", "full_spans"]

FULL = frozenset({"SuspendedEV", "Finishing"})
"""Statuses of a connector whose car takes nothing more and keeps the place (OCPP 1.6, 4.9). Never
SuspendedEVSE: then the charger pauses."""
ROUNDING = Decimal(1000)
"""Wh by which a register in whole kWh may be below the one at the start."""


def curve(
    start: datetime,
    end: datetime,
    wh: Decimal,
    meter_start: Decimal | None,
    readings: Sequence[Point],
) -> list[Point]:
    """Register readings from 0 at the start to `wh` at the end, in order; in between, as far as the
    samples' register shows it."""
    inside = sorted(
        (point for point in readings if start < point.at < end), key=lambda point: point.at
    )
    points = [Point(start, Decimal())]
    if inside:
        zero = _zero(inside, wh, meter_start)
        for point in inside:
            reached = min(max(point.wh - zero, points[-1].wh), wh)
            points.append(Point(point.at, reached))
    return [*points, Point(end, wh)]


def full_spans(
    start: datetime, end: datetime, statuses: Iterable[tuple[datetime, str]]
) -> list[Span]:
    """When the car was full and kept the place, of what the connector reported, in order of time.

    What was reported before the start counts from the start.
    """
    spans: list[Span] = []
    since: datetime | None = None
    for at, status in statuses:
        if status in FULL:
            since = since or at
        elif since is not None:
            spans.append(Span(since, at))
            since = None
    if since is not None:
        spans.append(Span(since, end))
    clipped = (span.within(start, end) for span in spans)
    return [span for span in clipped if span is not None]


def _zero(inside: Sequence[Point], wh: Decimal, meter_start: Decimal | None) -> Decimal:
    """What the samples' register showed at the start."""
    if meter_start is not None and inside[0].wh >= meter_start - ROUNDING:
        return meter_start
    # They count from the session's start, if that fits; else from the first of them.
    return Decimal() if inside[-1].wh <= wh + ROUNDING else inside[0].wh
