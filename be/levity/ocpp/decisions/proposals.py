"""What the rules of today say of sessions and samples that are recorded: the differences.

Only found here; `corrections` makes the changes. Each session is judged again by its own samples,
then its connector's chain is settled again (ADR 33), each time from what the charger told: what was
found before is never built upon, so that a second look finds nothing more. What agrees is left
alone, and so are sessions that run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson
from django.db.models import Case, F, Q, QuerySet, When

from levity.ocpp.chargers.quirks.matching import profile_for
from levity.ocpp.conf import DEFAULTS, setting
from levity.ocpp.decisions.jumps import Change, limit_of, outside, spikes, usual_power
from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.again import MILLI, Told, judged_again, with_confidence
from levity.ocpp.rules.chain.books import checks_of, written
from levity.ocpp.rules.chain.claims import DECIDED, IMPORTED
from levity.ocpp.rules.chain.settle import Settled, settle
from levity.ocpp.rules.checks import CONTRADICTS
from levity.ocpp.rules.flags import explained
from levity.ocpp.rules.lives import ROUNDING, read
from levity.ocpp.rules.plausibility import Finding
from levity.ocpp.rules.sampled import Meter
from levity.ocpp.store.ledger import joined_flags
from levity.ocpp.store.samples.elements import Element, place_of
from levity.ocpp.store.samples.reading import of_transactions
from levity_ws.frozen import frozen

__all__ = ["SESSIONS_AT_ONCE", "TRAIL", "find"]

SESSIONS_AT_ONCE = 100
TRAIL = frozenset({"lives", "meter_last", "checks"})
"""Fields that go with the figures of a session, and are none."""
# So many sessions of a connector, before and after each, are the window in which it is settled.
BEFORE, AFTER = 12, 6
FIGURES = ("energy", "energy_source", "confidence", "meter_stop", "flags")
# What a person made of energy that lay in no session: no charger has told it.
GIVEN = "unassigned-energy"
ZERO = Decimal(0)
_COLUMNS = tuple(field.name for field in fields(RecordedSession))

_Key = tuple[int, datetime]
"""(id, when it began) of a session."""


def find(
    start: datetime,
    end: datetime,
    charge_point: ChargePoint | None,
    max_power: int | None,
    *,
    decided: bool = False,
) -> Iterator[list[Change]]:
    """The changes for sessions that began in [start, end) and samples outside of sessions.

    In portions, one for so many sessions (it may be empty: for showing that work goes on).
    `decided`: also for sessions of which a person has decided the figures.
    """
    chargers = [charge_point] if charge_point else ChargePoint.objects.order_by("pk").iterator()
    for charger in chargers:
        power = max_power or charger.max_power or 0
        ground = _Ground(charger, _meter_of(charger, power), power, decided)
        for keys, first, last in _places(charger, start, end):
            for at in range(first, last, SESSIONS_AT_ONCE):
                until = min(at + SESSIONS_AT_ONCE, last)
                near = keys[max(at - BEFORE, 0) : until + AFTER]
                yield _portion(ground, near, {pk for pk, _ in keys[at:until]})
        yield outside(charger, start, end, power or usual_power(charger))


@frozen
class _Ground:
    """A charge point, and what is known of its meters."""

    charger: ChargePoint
    meter: Meter
    given: int
    """W that somebody has said its connectors deliver; 0: nobody has."""
    decided: bool


@frozen
class _Alone:
    """A session as it is by itself: recorded, and judged again."""

    recorded: RecordedSession
    session: RecordedSession
    spikes: tuple[Finding, ...] = ()


def _meter_of(row: ChargePoint, given: int) -> Meter:
    overrides = orjson.dumps(row.quirk_overrides).decode() if row.quirk_overrides else ""
    quirks = profile_for(
        row.vendor,
        row.model,
        row.firmware_version,
        named=row.quirk_profile,
        overrides=overrides,
    )
    is_told = bool(given) or setting("OCPP_MAX_POWER") != DEFAULTS["OCPP_MAX_POWER"]
    return Meter(given or usual_power(row), quirks.session_register, row.booted_at, is_told)


def _of(charger: ChargePoint) -> QuerySet[Any]:
    """Its sessions with the time when they began: ours where the charger's clock was wrong."""
    is_odd = Q(flags__contains="start-clock", start_received_at__isnull=False)
    begun = Case(When(is_odd, then=F("start_received_at")), default=F("started_at"))
    return Transaction.objects.filter(charge_point=charger).annotate(begun=begun)


def _places(
    charger: ChargePoint, start: datetime, end: datetime
) -> Iterator[tuple[list[_Key], int, int]]:
    """For each of its connectors: the sessions in the order in which they began, some more before
    and after them, and where those of [start, end) begin and end in the list."""
    period = Q(started_at__gte=start, started_at__lt=end)
    period |= Q(flags__contains="start-clock", start_received_at__gte=start)
    rows = _of(charger).filter(period, begun__gte=start, begun__lt=end)
    found = rows.order_by("evse", "connector", "begun", "pk")
    keys = found.values_list("evse", "connector", "pk", "begun")
    for (evse, connector), group in groupby(keys, key=lambda row: row[:2]):
        here = [(pk, begun) for _, _, pk, begun in group]
        there = _of(charger).filter(evse=evse, connector=connector)
        before = there.filter(begun__lt=start).order_by("-begun", "-pk")
        after = there.filter(begun__gte=end).order_by("begun", "pk")
        older = list(before.values_list("pk", "begun")[:BEFORE])[::-1]
        newer = list(after.values_list("pk", "begun")[:AFTER])
        yield [*older, *here, *newer], len(older), len(older) + len(here)


def _portion(ground: _Ground, near: Sequence[_Key], wanted: set[int]) -> list[Change]:
    """The changes for the wanted ones of these sessions of a connector."""
    order = [pk for pk, _ in near]
    rows = Transaction.objects.filter(pk__in=order).values_list(*_COLUMNS)
    recorded = {row[0]: RecordedSession(*row) for row in rows}
    order = [pk for pk in order if pk in recorded]
    elements = of_transactions(order)
    alone = {pk: _alone(ground, recorded[pk], elements.pop(pk, [])) for pk in order}
    changes: list[Change] = []
    for place, pk in enumerate(order):
        if pk not in wanted:
            continue
        item = alone[pk]
        changes += (_sample(ground, item.recorded, each) for each in item.spikes)
        if not _is_open(ground, item.recorded):
            continue
        window = [alone[each].session for each in order[max(place - BEFORE, 0) : place + AFTER + 1]]
        settled = settle(window, ground.meter.max_power)
        [found] = [each for each in settled if each.session.id == pk]
        changes += _figures(ground, item, found)
    return changes


def _is_open(ground: _Ground, session: RecordedSession) -> bool:
    """True if its figures are for the rules to say: it has ended, and nobody has decided them."""
    if session.state == "active" or {GIVEN, IMPORTED} & set(session.flags.split()):
        return False
    return ground.decided or session.energy_source not in DECIDED


def _alone(ground: _Ground, row: RecordedSession, elements: Sequence[Element]) -> _Alone:
    """This session by itself; `recorded` stays what its row says."""
    return replace(_judged(ground, _readable(row), elements), recorded=row)


def _readable(session: RecordedSession) -> RecordedSession:
    """Without what another release has written of its register, in words of its own."""
    try:
        read(session.lives)
    except (ValueError, ArithmeticError):
        return replace(session, lives="")
    return session


def _judged(ground: _Ground, recorded: RecordedSession, elements: Sequence[Element]) -> _Alone:
    if recorded.energy_source in DECIDED and not ground.decided:
        return _Alone(recorded, recorded)
    usual = usual_power(ground.charger)
    limit = limit_of(recorded, elements, ground.given, usual)
    found = tuple(spikes(recorded, elements, limit))
    if not _is_open(ground, recorded):
        return _Alone(recorded, recorded, found)
    plain = judged_again(recorded, _told(elements), ground.meter)
    if not found:
        return _Alone(recorded, plain)
    mended = judged_again(recorded, _told(_mended(elements, found)), ground.meter)
    if not _mends(plain, mended):
        return _Alone(recorded, plain)
    if mended.confidence == "high" != plain.confidence:
        # What stands there was put there: that proves nothing.
        mended = with_confidence(mended, "medium", mended.checks)
    return _Alone(recorded, mended, found)


def _mends(plain: RecordedSession, mended: RecordedSession) -> bool:
    """False if the figures are as good without that."""
    moved = abs((mended.energy or ZERO) - (plain.energy or ZERO))
    if plain.confidence == "high":
        return moved == 0 and mended.confidence == "high"
    return moved == 0 or moved > ROUNDING


def _told(elements: Sequence[Element]) -> list[Told]:
    """The messages in which these came."""
    return [
        Told(received_at, tuple(one.as_sample() for item in group for one in item.samples()))
        for received_at, group in groupby(elements, key=lambda item: item.received_at)
    ]


def _mended(elements: Sequence[Element], found: Sequence[Finding]) -> list[Element]:
    """The same with what should stand there."""
    new: dict[int, dict[int, Decimal | None]] = {}
    for item in found:
        element, position = place_of(item.reading.id)
        new.setdefault(element, {})[position] = item.wh
    return [
        replace(each, recorded={**each.recorded, **new[each.id]}) if each.id in new else each
        for each in elements
    ]


def _figures(ground: _Ground, item: _Alone, found: Settled) -> Iterator[Change]:
    """What is recorded of a session otherwise than its chain says."""
    recorded, session = item.recorded, item.session
    new: dict[str, Any] = {
        "energy": None if found.wh is None else found.wh.quantize(MILLI),
        "energy_source": found.source,
        "confidence": found.confidence,
        "meter_stop": None if found.meter_stop is None else found.meter_stop.quantize(MILLI),
        "flags": joined_flags(found.flags),
    }
    other = {name for name in FIGURES if _differs(name, getattr(recorded, name), new[name])}
    if not other:
        return
    new["checks"] = written(found.own, checks_of(session.checks))
    new["lives"] = session.lives
    if session.meter_last is not None:
        new["meter_last"] = session.meter_last.quantize(MILLI)
    reason = _why(item, found, new)
    for name, value in new.items():
        old = getattr(recorded, name)
        if value is not None and (name in other or name in TRAIL) and value != old:
            yield Change(
                ground.charger.identity,
                recorded.connector,
                recorded.id,
                None,
                recorded.stopped_at or recorded.started_at,
                name,
                old,
                value,
                reason,
            )


def _differs(name: str, old: Any, new: Any) -> bool:
    if new is None:
        return False
    return set(old.split()) != set(new.split()) if name == "flags" else old != new


def _why(item: _Alone, found: Settled, new: Mapping[str, Any]) -> str:
    """The reason, for people."""
    if item.spikes:
        more = f" (and {len(item.spikes) - 1} more)" if len(item.spikes) > 1 else ""
        return f"A meter value can't be true: it {item.spikes[0].reason}{more}"
    if found.reason:
        return found.reason
    before = set(item.recorded.flags.split())
    gained = " ".join(flag for flag in new["flags"].split() if flag not in before)
    told = [flag.meaning for _, flag in explained(gained) if flag]
    told += [check.detail for check in found.checks if check.verdict == CONTRADICTS]
    lost = [flag for flag in item.recorded.flags.split() if flag not in new["flags"].split()]
    if not told and lost:
        told = [f"nothing shows {', '.join(lost)}"]
    return " ".join(told) or _BY_SOURCE.get(found.source, "the rules of today say so")


_BY_SOURCE = {
    "registers": "start and stop count",
    "samples": "the meter values count",
    "session-register": "the meter values count, from the session's start",
    "none": "nothing shows any energy",
}


def _sample(ground: _Ground, session: RecordedSession, item: Finding) -> Change:
    return Change(
        ground.charger.identity,
        session.connector,
        session.id,
        item.reading.id,
        item.reading.at,
        "value",
        item.reading.wh,
        item.wh,
        item.reason,
    )
