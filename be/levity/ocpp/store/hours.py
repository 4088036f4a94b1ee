"""Sessions by the hour (`SessionHour`): counted again where something has changed.

A session that ends or changes leaves a mark in its own database transaction (`ChangedSession`);
one that runs is counted again once an hour. So the pipeline never does more for it than insert a
mark with a session's end. What is counted follows from the session and its samples alone: a full
recount gives the same rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from levity.db.rows import upsert_rows
from levity.ocpp.effects import (
    AdjustTransaction,
    RecordMeterValues,
    StartTransaction,
    StopTransaction,
    UpdateTransaction,
)
from levity.ocpp.models import ChangedSession, SessionHour, Transaction
from levity.ocpp.rules.hours import Metered, hour_of, hours_of
from levity.ocpp.rules.readings import INLET, POWER, REGISTER, rank_of, total
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.queries import is_only_mover
from levity.ocpp.store.samples.plotting import Plotted, plotted
from levity.ocpp.store.samples.shapes import Names
from levity.ocpp.store.values import Outcome, each
from levity_ws.rpc.envelope import Spooled

__all__ = ["changed_sessions", "count_all", "count_some", "waiting"]

# Sessions of a step: it takes 50 ms at most, but for very long ones.
AT_ONCE = 10
# Samples of a session, from its end: a year with one a minute for three phases.
NEWEST = 200_000
SESSION = (
    *("id", "charge_point_id", "evse", "connector", "state", "started_at", "stopped_at"),
    *("meter_start", "meter_stop", "meter_last_at", "energy", "flags"),
)
KEY = ("transaction_id", "hour")
FIGURES = (*("charge_point_id", "evse", "connector", "wh", "seconds", "power", "counted_at"),)


def changed_sessions(outcomes: Sequence[Outcome], loaded: Loaded) -> set[int]:
    """The sessions of which these outcomes may change the hours, without those that run and go on:
    these are counted again anyway."""
    found = {effect.transaction_id for _, _, effect in each(outcomes, StopTransaction)}
    found.update(effect.transaction_id for _, _, effect in each(outcomes, AdjustTransaction))
    moved = {
        effect.transaction_id: effect.reopen_on is not None
        for _, _, effect in each(outcomes, UpdateTransaction)
    }
    for _, _, effect in each(outcomes, RecordMeterValues):
        if effect.transaction_id is not None:
            moved.setdefault(effect.transaction_id, False)
    for outcome in outcomes:
        event = outcome.arrival.event
        if isinstance(event, Spooled) and event.transaction:
            moved.setdefault(outcome.alias[1] if outcome.alias else event.transaction, False)
    if moved:
        run = {effect.transaction_id for _, _, effect in each(outcomes, StartTransaction)}
        for charge_point in loaded.charge_points.values():
            run.update(item.id for item in charge_point.active.values())
        found.update(pk for pk, is_anew in moved.items() if is_anew or pk not in run)
    return found


def count_some(now: datetime) -> int:
    """A step: the sessions that have changed, then those that run; how many were counted."""
    with transaction.atomic():
        if not is_only_mover():
            return 0
        marks = dict(ChangedSession.objects.order_by("id").values_list("id", "session")[:AT_ONCE])
        if marks:
            _count(set(marks.values()), now)
            ChangedSession.objects.filter(pk__in=list(marks)).delete()
            return len(marks)
        running = list(_running(now)[:AT_ONCE])
        _count(running, now)
        return len(running)


def count_all(now: datetime, first: int = 0) -> Iterator[tuple[int, int]]:
    """Count all sessions from this one on, a few in each database transaction; after each, (the id
    of the last one, how many)."""
    while True:
        rows = Transaction.objects.filter(pk__gt=first).order_by("pk")
        pks = list(rows.values_list("pk", flat=True)[: 10 * AT_ONCE])
        if not pks:
            return
        with transaction.atomic():
            _count(pks, now)
        first = pks[-1]
        yield first, len(pks)


def waiting(now: datetime) -> tuple[int, int]:
    """(marks of sessions that have changed, sessions that run and are to be counted)."""
    return ChangedSession.objects.count(), _running(now).count()


def _running(now: datetime) -> Any:
    counted = SessionHour.objects.filter(transaction=OuterRef("pk"), counted_at__gte=hour_of(now))
    rows = Transaction.objects.filter(~Exists(counted), state=Transaction.State.ACTIVE)
    return rows.order_by("pk").values_list("pk", flat=True)


def _count(pks: Collection[int], now: datetime) -> None:
    """The hours of these sessions, as they are now; of one that is gone none.

    Two who count the same session at once write the same rows; where it changed in between, a mark
    is there.
    """
    if not pks:
        return
    rows = []
    for session in Transaction.objects.filter(pk__in=pks).order_by("pk").values(*SESSION):
        place = (session["charge_point_id"], session["evse"], session["connector"])
        rows += [
            (session["id"], hour.hour, *place, hour.wh, hour.seconds, hour.power, now)
            for hour in hours_of(_metered(session, now))
        ]
    SessionHour.objects.filter(transaction__in=pks).delete()
    upsert_rows(SessionHour, (*KEY, *FIGURES), rows, key=KEY, update=FIGURES)


def _metered(session: Mapping[str, Any], now: datetime) -> Metered:
    samples = _totals(plotted(session["id"], _is_wanted, NEWEST))
    start = session["started_at"]
    if session["state"] == Transaction.State.ACTIVE:
        end = now
    else:
        end = session["stopped_at"] or session["meter_last_at"] or start
    plausible = "implausible-energy" not in session["flags"]
    return Metered(
        start,
        max(start, end),
        (session["energy"] or Decimal(0)) if plausible else Decimal(0),
        session["meter_start"],
        session["meter_stop"],
        samples[REGISTER],
        samples[POWER],
    )


def _is_wanted(names: Names) -> bool:
    return names.measurand in (POWER, REGISTER) and names.location != "EV"


def _totals(values: Sequence[Plotted]) -> dict[str, list[tuple[datetime, Decimal]]]:
    """By measurand the total at each moment, at the place that is meant where there are several."""
    places: dict[str, dict[str, dict[datetime, dict[str, Decimal]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for names, at, value in values:
        if value is not None:
            places[names.measurand][names.location][at][names.phase] = value
    found: dict[str, list[tuple[datetime, Decimal]]] = {REGISTER: [], POWER: []}
    for measurand, of_places in places.items():
        best = min(of_places, key=lambda place: (place == INLET, rank_of(place)))
        found[measurand] = [(at, total(phases)) for at, phases in of_places[best].items()]
    return found
