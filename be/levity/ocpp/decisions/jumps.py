"""Where an energy register jumps: single samples that can't be true, and what should stand there.

Only found here; `corrections` makes the changes. Samples of after the stop are left alone, and
those of a charger that is stronger than we knew.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.energy import IN_KWH
from levity.ocpp.rules.lives import read
from levity.ocpp.rules.plausibility import Finding, Reading, judge, rises
from levity.ocpp.rules.readings import (
    BEGIN,
    ELSEWHERE,
    EXACT,
    FOREIGN_UNITS,
    OFFERED,
    POWER,
    REGISTER,
    STRONGEST,
    grain_of,
    rank_of,
)
from levity.ocpp.rules.sampled import NO_START, SAMPLES_IN_KWH, SESSION
from levity.ocpp.store.samples.elements import Element, key_of
from levity.ocpp.store.samples.reading import loose, next_loose, picked
from levity.ocpp.store.samples.shapes import Names
from levity_ws.frozen import frozen

__all__ = ["Change", "Limit", "limit_of", "outside", "spikes", "usual_power"]

# Outside of sessions, so much is looked at at once.
PORTION = timedelta(days=31)
# The samples are of another register than Start and Stop, or in another unit.
OTHER = frozenset({SESSION, IN_KWH, SAMPLES_IN_KWH})
# The sample that a session begins with may be dated a little before it.
JUST_BEFORE = timedelta(minutes=1)


@frozen
class Limit:
    """What a connector can deliver, W."""

    power: int
    is_given: bool
    """Somebody has said so: by hand, or with the command."""


class Register(NamedTuple):
    """A sample of the energy register."""

    connector: int
    location: str
    phase: str
    at: datetime
    number: int
    """Rises as they arrived."""
    key: int
    wh: Decimal
    grain: int


@frozen
class Change:
    """One value that is wrong, and what it should be."""

    charge_point: str
    connector: int | None
    transaction: int | None
    meter_value: int | None
    """The sample's key. None: a figure of the transaction itself."""
    at: datetime
    field: str
    old: Any
    new: Any
    reason: str


def usual_power(charge_point: ChargePoint) -> int:
    """W that a connector of this charge point delivers, as long as nobody has said how much."""
    power: int = max(setting("OCPP_MAX_POWER"), charge_point.learned_power or 0)
    return power


def limit_of(
    session: RecordedSession, elements: Iterable[Element], given: int, usual: int
) -> Limit:
    """What the connector of this session can deliver: as somebody has said, or as it was seen."""
    most = 0
    for element, position, _ in picked(elements, lambda names: names.measurand in (POWER, OFFERED)):
        value = element.value(position)
        if value is not None and value <= STRONGEST:
            most = max(most, int(value))
    seen = max(usual, read(session.lives).power, most)
    return Limit(given or seen, is_given=bool(given))


def spikes(session: RecordedSession, elements: Iterable[Element], limit: Limit) -> list[Finding]:
    """Samples of this session that can't be true, between such that can."""
    found: list[Finding] = []
    registers = _registers(elements)
    groups = {key: list(group) for key, group in groupby(registers, key=_series)}
    place = min((key[0] for key in groups), key=rank_of, default="")
    for (location, phase), rows in groups.items():
        if location != place:
            # Another meter than the one that counts.
            continue
        came = _of_its_time(session, rows)
        in_time = sorted(came, key=lambda item: item.at)
        if not phase:
            came = list(_with_ends(session, came))
            in_time = list(_with_ends(session, in_time))
        if limit.is_given or not (rises(in_time) or rises(came)):
            found += [item for item in judge(in_time, limit.power) if item.reading.id]
    return found


def _of_its_time(session: RecordedSession, rows: Iterable[Register]) -> list[Reading]:
    """The values of the session's own time, as they came.

    EN+ goes on with the id of a session that is over.
    """
    ended = session.stopped_at if session.state == "stopped" else None
    begun = session.started_at - JUST_BEFORE
    return [
        Reading(row.key, row.at, row.wh, row.grain)
        for row in sorted(rows, key=lambda row: row.number)
        if row.at >= begun and (ended is None or row.at <= ended or ended < session.started_at)
    ]


def _with_ends(session: RecordedSession, readings: Iterable[Reading]) -> Iterator[Reading]:
    """The samples between what StartTransaction and StopTransaction said."""
    flags = session.flags.split()
    if OTHER & set(flags):
        # Start and Stop are another register, or of another unit. What counts from the session's
        # start begins at 0.
        if SESSION in flags:
            yield Reading(0, session.started_at, Decimal(0))
        yield from readings
        return
    if NO_START not in flags and session.meter_start is not None:
        yield Reading(0, session.started_at, session.meter_start)
    yield from readings
    if session.state == "stopped" and session.meter_stop is not None:
        yield Reading(0, session.stopped_at or session.started_at, session.meter_stop)


def outside(charger: ChargePoint, start: datetime, end: datetime, max_power: int) -> list[Change]:
    """Samples of no session in [start, end) that can't be true, between such that can."""
    changes: list[Change] = []
    found = sorted(_loose(charger, start, end), key=lambda row: row.connector)
    for (connector, *_), group in groupby(
        found, key=lambda row: (row.connector, row.location, row.phase)
    ):
        series = (Reading(row.key, row.at, row.wh, row.grain) for row in group)
        changes += [
            Change(
                charger.identity,
                connector,
                None,
                item.reading.id,
                item.reading.at,
                "value",
                item.reading.wh,
                item.wh,
                item.reason,
            )
            for item in judge(series, max_power)
        ]
    return changes


def _loose(charger: ChargePoint, start: datetime, end: datetime) -> list[Register]:
    """Those of no session, by place, phase and time."""
    found: list[Register] = []
    # From one to the next, and not week by week: a clock may have begun in 1970.
    while (first := next_loose(charger.pk, start)) is not None and first < end:
        until = min(first + PORTION, end)
        some = (each for each in loose(charger.pk, first, until) if each.sampled_at < until)
        found += _unsorted(some, len(found))
        start = until
    return sorted(found, key=_series_in_time)


def _registers(elements: Iterable[Element]) -> list[Register]:
    """What these say of the register, by place, phase and time."""
    return sorted(_unsorted(elements, 0), key=_series_in_time)


def _unsorted(elements: Iterable[Element], first: int) -> list[Register]:
    found: list[Register] = []
    for element, position, names in picked(elements, _is_register):
        value = element.value(position)
        if value is not None:
            raw = element.values[position]
            found.append(
                Register(
                    element.connector,
                    names.location,
                    names.phase,
                    element.sampled_at,
                    first + len(found),
                    key_of(element.id, position),
                    value,
                    0 if names.unit in EXACT else grain_of(value, names.unit, raw),
                )
            )
    return found


def _is_register(names: Names) -> bool:
    return (
        names.measurand == REGISTER
        and names.location not in ELSEWHERE
        and names.context != BEGIN
        and names.unit not in FOREIGN_UNITS
    )


def _series(row: Register) -> tuple[str, str]:
    return row.location, row.phase


def _series_in_time(row: Register) -> tuple[object, ...]:
    return row.location, row.phase, row.at, row.number
