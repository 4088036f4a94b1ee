"""Where an energy register jumps: readings that can't be true, and what should stand there.

Only found here; `corrections` makes the changes. What is right is left alone: a session whose
Start and Stop agree, samples of after the stop, a charger that is stronger than we knew.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.rules.energy import IN_KWH
from levity.ocpp.rules.lives import read
from levity.ocpp.rules.plausibility import Finding, Reading, Verdict, judge, rises
from levity.ocpp.rules.readings import (
    BEGIN,
    ELSEWHERE,
    FOREIGN_UNITS,
    OFFERED,
    POWER,
    REGISTER,
    STRONGEST,
    rank_of,
)
from levity.ocpp.rules.sampled import IMPLAUSIBLE, NO_START, SAMPLES_IN_KWH, SESSION
from levity.ocpp.store.samples.elements import Element, key_of
from levity.ocpp.store.samples.reading import loose, next_loose, of_transactions, picked
from levity.ocpp.store.samples.shapes import Names
from levity_ws.frozen import frozen

__all__ = ["SESSIONS_AT_ONCE", "Change", "find"]

SESSIONS_AT_ONCE = 100
# Outside of sessions, so much is looked at at once.
PORTION = timedelta(days=31)
MILLI = Decimal("0.001")
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


def find(
    start: datetime, end: datetime, charge_point: ChargePoint | None, max_power: int | None
) -> Iterator[list[Change]]:
    """The changes for sessions that began in [start, end) and samples outside of sessions.

    In portions, one for so many sessions (it may be empty: for showing that work goes on).
    """
    yield from _in_sessions(start, end, charge_point, max_power)
    yield from _outside(start, end, charge_point, max_power)


def _in_sessions(
    start: datetime, end: datetime, charge_point: ChargePoint | None, max_power: int | None
) -> Iterator[list[Change]]:
    sessions = Transaction.objects.filter(started_at__gte=start, started_at__lt=end)
    if charge_point is not None:
        sessions = sessions.filter(charge_point=charge_point)
    last = 0
    while True:
        rows = sessions.filter(pk__gt=last).select_related("charge_point").order_by("pk")
        portion = {row.pk: row for row in rows[:SESSIONS_AT_ONCE]}
        if not portion:
            return
        last = max(portion)
        changes: list[Change] = []
        without = dict(portion)
        elements = of_transactions(portion)
        limits = _limits(portion, elements, max_power)
        for pk in sorted(elements):
            if registers := _registers(elements[pk]):
                session = without.pop(pk)
                changes += _of_session(session, registers, limits[pk])
        for session in without.values():
            changes += _of_session(session, (), limits[session.pk])
        yield changes


def _limits(
    sessions: dict[int, Transaction], elements: dict[int, list[Element]], max_power: int | None
) -> dict[int, Limit]:
    """What the connector of each session can deliver: by hand, or as it was seen."""
    most: dict[int, Decimal] = {}
    for pk, found in elements.items():
        for element, position, _ in picked(
            found, lambda names: names.measurand in (POWER, OFFERED)
        ):
            value = element.value(position)
            if value is not None and value <= STRONGEST:
                most[pk] = max(value, most.get(pk, value))
    limits = {}
    for pk, row in sessions.items():
        seen = max(_usual(row.charge_point), read(row.lives).power, int(most.get(pk) or 0))
        given = max_power or row.charge_point.max_power
        limits[pk] = Limit(given or seen, is_given=bool(given))
    return limits


def _usual(charge_point: ChargePoint) -> int:
    power: int = max(setting("OCPP_MAX_POWER"), charge_point.learned_power or 0)
    return power


def _of_session(session: Transaction, samples: Iterable[Register], limit: Limit) -> list[Change]:
    """What is wrong with this session; its samples ordered by place and phase."""
    found: list[Change] = []
    whole: Verdict | None = None
    groups = {key: list(group) for key, group in groupby(samples, key=_series)}
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
        verdict = _verdict(came, in_time, limit)
        whole = whole if phase else verdict
        found += [_change(session, item) for item in verdict.findings if item.reading.id]
    if whole is None:
        ends = list(_with_ends(session, ()))
        whole = _verdict(ends, ends, limit)
    if session.confidence == "high":
        # Start and Stop agree, and nothing contradicts them: what is wrong is a sample between
        # good ones.
        good = {item.reading.id for item in whole.findings if item.is_between} if whole else set()
        return [item for item in found if item.meter_value in good]
    is_open = session.state == Transaction.State.ACTIVE
    if whole and not is_open and not _is_decided(session) and (whole.findings or whole.breaks):
        found += _figures(session, whole)
    return found


def _is_decided(session: Transaction) -> bool:
    """True if the figures follow from all samples already: at its end they were weighed."""
    return bool(session.lives) and IMPLAUSIBLE not in session.flags.split()


def _of_its_time(session: Transaction, rows: Iterable[Register]) -> list[Reading]:
    """The values of the session's own time, as they came.

    EN+ goes on with the id of a session that is over.
    """
    ended = session.stopped_at if session.state == Transaction.State.STOPPED else None
    begun = session.started_at - JUST_BEFORE
    return [
        Reading(row.key, row.at, row.wh)
        for row in sorted(rows, key=lambda row: row.number)
        if row.at >= begun and (ended is None or row.at <= ended or ended < session.started_at)
    ]


def _verdict(came: list[Reading], in_time: list[Reading], limit: Limit) -> Verdict:
    """What is wrong with these values; nothing where they only rise, unless somebody has said what
    the connector can deliver."""
    if not limit.is_given and (rises(in_time) or rises(came)):
        return Verdict()
    return judge(in_time, limit.power)


def _with_ends(session: Transaction, readings: Iterable[Reading]) -> Iterator[Reading]:
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
    if session.state == Transaction.State.STOPPED and session.meter_stop is not None:
        yield Reading(0, session.stopped_at or session.started_at, session.meter_stop)


def _figures(session: Transaction, whole: Verdict) -> Iterator[Change]:
    """The figures of the session that follow from the corrected series."""
    reasons = [item.reason for item in whole.findings] + whole.breaks
    reason = reasons[0] + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else "")
    energy = max(whole.energy, Decimal(0)).quantize(MILLI)
    # Where the samples count from the session's start, or Start and Stop are of another unit, the
    # samples say nothing of an energy that is Start's and Stop's.
    is_other = session.energy_source == "registers" and not OTHER.isdisjoint(session.flags.split())
    if energy != session.energy and not is_other:
        sure = not whole.breaks and all(item.is_between for item in whole.findings)
        yield _figure(session, "energy", session.energy, energy, reason)
        yield _figure(session, "energy_source", session.energy_source, "corrected", reason)
        confidence = "medium" if sure else "low"
        yield _figure(session, "confidence", session.confidence, confidence, reason)
    for item in whole.findings:
        if item.reading.at == session.meter_last_at and item.reading.wh == session.meter_last:
            last = item.wh.quantize(MILLI)
            yield _figure(session, "meter_last", session.meter_last, last, item.reason)
            if session.state == Transaction.State.ORPHANED:
                yield _figure(session, "meter_stop", session.meter_stop, last, item.reason)
            return


def _outside(
    start: datetime, end: datetime, charge_point: ChargePoint | None, max_power: int | None
) -> Iterator[list[Change]]:
    chargers = [charge_point] if charge_point else ChargePoint.objects.order_by("pk").iterator()
    for charger in chargers:
        power = max_power or charger.max_power or _usual(charger)
        changes: list[Change] = []
        found = sorted(_loose(charger, start, end), key=lambda row: row.connector)
        for (connector, *_), group in groupby(
            found, key=lambda row: (row.connector, row.location, row.phase)
        ):
            verdict = judge((Reading(row.key, row.at, row.wh) for row in group), power)
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
                for item in verdict.findings
                # At the end of a series nothing tells what is wrong.
                if item.is_between
            ]
        yield changes


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
            found.append(
                Register(
                    element.connector,
                    names.location,
                    names.phase,
                    element.sampled_at,
                    first + len(found),
                    key_of(element.id, position),
                    value,
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


def _change(session: Transaction, item: Finding) -> Change:
    return Change(
        session.charge_point.identity,
        session.connector,
        session.pk,
        item.reading.id,
        item.reading.at,
        "value",
        item.reading.wh,
        item.wh,
        item.reason,
    )


def _figure(session: Transaction, name: str, old: Any, new: Any, reason: str) -> Change:
    return Change(
        session.charge_point.identity,
        session.connector,
        session.pk,
        None,
        session.stopped_at or session.started_at,
        name,
        old,
        new,
        reason,
    )
