"""The chain of a connector as SVG: register in kWh upwards, local time to the right.

Computed here and drawn by the template, once for wide windows and once for phones: texts keep their
size. A register that shows values far from each other gets an axis of several bands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor, log10
from types import MappingProxyType

from django.utils.translation import gettext

from levity.ocpp.models import Transaction
from levity.ocpp.rules.chain.unassigned import Point
from levity.pages.chargers.chain import Chain, Claimed, Overlap
from levity.pages.kit.formats import written
from levity.pages.kit.periods import Period, day_and_month, weekday_and_day
from levity_ws.frozen import frozen

__all__ = ["NARROW", "WIDE", "Band", "Drawing", "Size", "bands_of", "draw_chain"]


@frozen
class Size:
    """Pixels; `name` goes before the ids of patterns."""

    name: str
    width: int
    height: int
    """Of the bands together."""
    label: int
    """What the label of a day needs."""


WIDE = Size("wide", 960, 320, 64)
NARROW = Size("narrow", 330, 300, 54)
TOP, BETWEEN, LANE, RIGHT = 8, 14, 22, 8
# Pixels: of a letter, between ticks, and that a session has at least so that it can be hit.
LETTER, TICK, LEAST = 7, 44, 5
MOST_BANDS = 4
# Wh. What lies further apart, and further than what is shown moved in all, gets another band.
APART = 2000.0
# Pixels in which two samples say as much as all.
BUCKET = 3


@frozen
class Band:
    """A stretch of the axis: Wh at its lower and its upper end, and where these lie."""

    low: float
    high: float
    top: float
    bottom: float
    ticks: tuple[tuple[float, str], ...] = ()
    """(y, text)."""

    def y(self, wh: float) -> float:
        """Where this value lies."""
        return self.bottom - (wh - self.low) / (self.high - self.low) * (self.bottom - self.top)


@frozen
class Box:
    """A rectangle."""

    x: str
    y: str
    width: str
    height: str
    text: str = ""
    """What it is, for people."""


@frozen
class Drawn:
    """A session."""

    pk: int
    tone: str
    """By its confidence: high, medium, low or none."""
    line: str
    lane: Box
    block: Box | None
    number: str
    """Its number, where there is room for it."""
    number_x: str
    text: str
    """For people who point at it, or can't see it."""


@frozen
class Drawing:
    """All that the template puts into an SVG; coordinates in pixels."""

    name: str
    width: int
    height: int
    plot: Box
    label_x: str
    """Where the labels of the axis end."""
    right: str
    lane: Box
    lane_text_y: str
    days_y: str
    bands: tuple[Band, ...]
    days: tuple[tuple[str, str], ...]
    """(x, label); every midnight, some without a label."""
    sessions: tuple[Drawn, ...]
    gaps: tuple[tuple[str, Box], ...]
    """(line, box in the lane)."""
    overlaps: tuple[Box, ...]
    breaks: tuple[str, ...]
    """x."""
    starts: str
    stops: str
    samples: str


def draw_chain(
    chain: Chain, period: Period, size: Size, texts: Mapping[int, str] = MappingProxyType({})
) -> Drawing:
    """The drawing of this chain in these days; `texts` say what each session is, by its number."""
    samples = [point for point in chain.samples if period.since <= point.at < period.until]
    bands = bands_of(_values(chain, samples), size)
    labels = [len(text) for band in bands for _, text in band.ticks]
    left = 8 + LETTER * max(labels, default=0)
    paper = _Paper(period, size, left, bands)
    lane_y = bands[-1].bottom + BETWEEN if bands else TOP
    bottom = lane_y + LANE
    return Drawing(
        name=size.name,
        width=size.width,
        height=round(bottom + 24),
        plot=paper.box(left, TOP, size.width - RIGHT, bottom),
        label_x=_px(left - 6),
        right=_px(size.width - RIGHT),
        lane=paper.box(left, lane_y, size.width - RIGHT, bottom),
        lane_text_y=_px(lane_y + LANE - 6),
        days_y=_px(bottom + 18),
        bands=bands,
        days=tuple(paper.days()),
        sessions=tuple(paper.sessions(chain.sessions, lane_y, texts)),
        gaps=tuple(
            (
                paper.line([Point(gap.since, gap.wh_from), Point(gap.until, gap.wh_until)]),
                paper.span(gap.since, gap.until, lane_y, lane_y + LANE, _kwh(gap.wh)),
            )
            for gap in chain.gaps
        ),
        overlaps=tuple(
            paper.span(
                min(each.second.since, each.first.until),
                max(each.second.since, each.first.until),
                paper.y(each.high),
                paper.y(each.low),
                _both(each),
            )
            for each in chain.overlaps
        ),
        breaks=tuple(
            _px(paper.x(each.since))
            for each in chain.sessions
            if each.anew and each.since >= period.since
        ),
        starts=paper.marks(_starts(chain.sessions), "m-4 4h8l-4 -8z"),
        stops=paper.marks(_stops(chain.sessions), "m-3 -3h6v6h-6z"),
        samples=paper.marks(paper.thinned(samples), "h0"),
    )


def bands_of(values: Iterable[tuple[Decimal, Decimal]], size: Size) -> tuple[Band, ...]:
    """The axis for these stretches of the register (lowest, highest), from the top down."""
    blocks = _merged((float(low), float(high)) for low, high in values)
    if not blocks:
        return ()
    moved = sum(high - low for low, high in blocks)
    apart = sorted(
        (after[0] - before[1], number)
        for number, (before, after) in enumerate(pairwise(blocks), start=1)
        if after[0] - before[1] > max(APART, moved)
    )
    cuts = sorted(number for _, number in apart[-(MOST_BANDS - 1) :])
    ranges = [
        _padded(blocks[begin][0], blocks[end - 1][1])
        for begin, end in zip([0, *cuts], [*cuts, len(blocks)], strict=True)
    ]
    room = size.height - BETWEEN * (len(ranges) - 1)
    # None is smaller than a third of what all the same would have.
    least = sum(high - low for low, high in ranges) / (3 * len(ranges))
    shares = [max(high - low, least) for low, high in ranges]
    bands, top = [], float(TOP)
    for (low, high), share in zip(reversed(ranges), reversed(shares), strict=True):
        bottom = top + room * share / sum(shares)
        bare = Band(low, high, top, bottom)
        bands.append(Band(low, high, top, bottom, tuple(_ticks(bare))))
        top = bottom + BETWEEN
    return tuple(bands)


class _Paper:
    """Where times and values lie."""

    def __init__(self, period: Period, size: Size, left: int, bands: Sequence[Band]) -> None:
        self.period, self.size, self.left, self.bands = period, size, left, bands
        self.since = period.since
        self.scale = (size.width - RIGHT - left) / (period.until - period.since).total_seconds()

    def x(self, at: datetime) -> float:
        """Not bounded: what lies outside is cut off by the drawing."""
        return self.left + (at - self.since).total_seconds() * self.scale

    def y(self, wh: Decimal) -> float:
        """In the band that has this value, or that is the nearest."""
        value = float(wh)
        band = min(self.bands, key=lambda each: max(each.low - value, value - each.high, 0.0))
        return band.y(min(max(value, band.low), band.high))

    def line(self, points: Sequence[Point]) -> str:
        """A path; a single point is a dot."""
        steps = [f"{_px(self.x(point.at))} {_px(self.y(point.wh))}" for point in points]
        return f"M{'L'.join(steps)}" + ("h0" if len(steps) == 1 else "")

    def box(self, x: float, y: float, right: float, bottom: float, text: str = "") -> Box:
        return Box(_px(x), _px(y), _px(right - x), _px(bottom - y), text)

    def span(
        self, since: datetime, until: datetime, top: float, bottom: float, text: str = ""
    ) -> Box:
        """A box from one time to another, within the days shown, wide enough to be seen."""
        right = self.size.width - RIGHT
        begin = min(max(self.x(since), self.left), right - LEAST)
        end = min(max(self.x(until), begin + LEAST), right)
        return self.box(begin, top, end, max(bottom, top + 1), text)

    def sessions(
        self, sessions: Sequence[Claimed], lane_y: float, texts: Mapping[int, str]
    ) -> Iterable[Drawn]:
        boxes = [self.span(each.since, each.until, lane_y, lane_y + LANE) for each in sessions]
        end = 0.0
        for place, (each, lane) in enumerate(zip(sessions, boxes, strict=True)):
            begin, width = float(lane.x), float(lane.width)
            follows = float(boxes[place + 1].x) if place + 1 < len(boxes) else begin + width
            number = f"#{each.item.pk}"
            is_free = end <= begin and begin + width <= follows
            has_room = is_free and width > LETTER * len(number) + 4
            end = max(end, begin + width)
            yield Drawn(
                each.item.pk,
                _tone(each.item),
                " ".join(self.line(piece) for piece in each.pieces),
                lane,
                self._block(each),
                number if has_room else "",
                _px(begin + width / 2),
                texts.get(each.item.pk, ""),
            )

    def _block(self, each: Claimed) -> Box | None:
        if each.low is None or each.high is None:
            return None
        return self.span(each.since, each.until, self.y(each.high), self.y(each.low))

    def days(self) -> Iterable[tuple[str, str]]:
        days = self.period.days
        wide = (self.size.width - RIGHT - self.left) / len(days)
        every = ceil(self.size.label / wide)
        for number, (day, begins) in enumerate(days):
            label = weekday_and_day(day) if len(days) <= 7 else day_and_month(day)
            yield _px(self.x(begins)), "" if number % every else label

    def marks(self, points: Iterable[Point], shape: str) -> str:
        """One path with this shape at each of the points."""
        return " ".join(f"M{_px(self.x(at.at))} {_px(self.y(at.wh))}{shape}" for at in points)

    def thinned(self, points: Sequence[Point]) -> list[Point]:
        """The first and the last of those that would lie on each other."""
        found: dict[int, list[Point]] = {}
        for point in points:
            bucket = found.setdefault(int(self.x(point.at) / BUCKET), [])
            bucket[1:] = [point]
        return [point for bucket in found.values() for point in bucket]


def _values(chain: Chain, samples: Sequence[Point]) -> Iterable[tuple[Decimal, Decimal]]:
    for each in chain.sessions:
        for piece in each.pieces:
            wh = [point.wh for point in piece]
            yield min(wh), max(wh)
    for gap in chain.gaps:
        yield gap.wh_from, gap.wh_until
    for point in samples:
        yield point.wh, point.wh


def _merged(values: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for low, high in sorted(values):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _padded(low: float, high: float) -> tuple[float, float]:
    more = max((high - low) * 0.04, 50.0)
    return (low if low == 0 else low - more), high + more


def _ticks(band: Band) -> Iterable[tuple[float, str]]:
    """Round numbers of kWh, as many as there is room for."""
    low, high = band.low / 1000, band.high / 1000
    step = _round((high - low) / max(1, int((band.bottom - band.top) / TICK)))
    decimals = max(0, -floor(log10(step)))
    for number in range(ceil(low / step), floor(high / step) + 1):
        yield band.y(number * step * 1000), f"{written(number * step, decimals)} kWh"


def _round(step: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... and of their tenths."""
    power = 10.0 ** floor(log10(step))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= step * 0.999)


def _starts(sessions: Iterable[Claimed]) -> Iterable[Point]:
    for each in sessions:
        if each.item.meter_start is not None and each.pieces:
            yield Point(each.since, each.pieces[0][0].wh)


def _stops(sessions: Iterable[Claimed]) -> Iterable[Point]:
    for each in sessions:
        if each.item.state == Transaction.State.STOPPED and each.pieces:
            yield each.pieces[-1][-1]


def _tone(item: Transaction) -> str:
    if item.state == Transaction.State.ACTIVE:
        return "none"
    return item.confidence if item.confidence in ("high", "medium", "low") else "none"


def _kwh(wh: Decimal) -> str:
    return f"{written(wh / 1000, 3)} kWh"


def _both(each: Overlap) -> str:
    text = gettext("%(energy)s both in #%(first)s and in #%(second)s")
    first, second = each.first.item.pk, each.second.item.pk
    return text % {"energy": _kwh(each.wh), "first": first, "second": second}


def _px(value: float) -> str:
    return f"{value:.1f}"
