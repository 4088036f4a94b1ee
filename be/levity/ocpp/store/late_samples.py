"""Samples that came before their session was recorded, and join it now."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

import orjson

from levity.ocpp.chargers.quirks.matching import profile_for
from levity.ocpp.conf import setting
from levity.ocpp.effects import StartTransaction
from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.lives import written
from levity.ocpp.rules.powered import power_of
from levity.ocpp.rules.readings import registers
from levity.ocpp.rules.sampled import Meter, charged, grown, trail_of, with_odd
from levity.ocpp.rules.unended import last_of, without_stop
from levity.ocpp.store.messages.reading import exchanges_at
from levity.ocpp.store.samples.changing import assign
from levity.ocpp.store.samples.elements import Element
from levity.ocpp.store.samples.reading import any_loose, loose
from levity.ocpp.store.values import Outcome, each
from levity.ocpp.versions import V16
from levity.ocpp.wire.frames import Call, parse
from levity_ws.rpc.envelope import Spooled

__all__ = ["join_early_values", "join_named_values", "join_values", "transaction_state"]

# A StartTransaction that comes later than this after its own time may be preceded by samples.
LATE = timedelta(seconds=30)
# So much of a session that is told late is missing (as in `v16/actions/samples_meant`).
A_WHILE = timedelta(minutes=30)
# Of the MeterValues that belong to no session, so many are looked through.
MOST_NAMED = 10_000


def join_early_values(outcomes: Sequence[Outcome]) -> None:
    """For StartTransactions that come late: samples of their time that nobody could place."""
    late = {
        effect.transaction_id: (charge_point.id, effect.connector, effect.started_at, outcome)
        for outcome, charge_point, effect in each(outcomes, StartTransaction)
        if outcome.arrival.at - effect.started_at > LATE
        and not effect.flags
        # Nobody's samples are those of a session of which the place is not known.
        and effect.connector is not None
    }
    if not late:
        return
    places = any_loose(
        (pk, connector, started_at) for pk, connector, started_at, _ in late.values()
    )
    for transaction_id, (pk, connector, _, outcome) in late.items():
        if (pk, connector) in places:
            row = Transaction.objects.get(pk=transaction_id)
            join_values(row, row.stopped_at or outcome.arrival.at, outcome.arrival.at)


def join_named_values(outcomes: Sequence[Outcome]) -> None:
    """For StartTransactions that an edge answered: samples that named its id before it was known.

    Their charger has gone to another edge meanwhile, which told first.
    """
    given = {
        event.transaction: outcome.alias[1] if outcome.alias else event.transaction
        for outcome in outcomes
        if isinstance(event := outcome.arrival.event, Spooled) and event.transaction
    }
    rows = Transaction.objects.in_bulk(set(given.values())) if given else {}
    if not rows:
        return
    places = any_loose((row.charge_point_id, None, row.started_at) for row in rows.values())
    charge_points = {charge_point for charge_point, _ in places}
    for number, pk in given.items():
        if pk in rows and rows[pk].charge_point_id in charge_points:
            _join_named(rows[pk], number)


def _join_named(row: Transaction, number: int) -> None:
    found = loose(row.charge_point_id, row.started_at)[:MOST_NAMED]
    moments = {item.received_at for item in found}
    naming = {
        told.received_at
        for told in exchanges_at(row.charge_point_id, V16.samples, moments)
        if isinstance(frame := parse(told.request), Call)
        and isinstance(frame.payload, dict)
        and frame.payload.get("transactionId") == number
    }
    _join(row, [item for item in found if item.received_at in naming])


def join_values(row: Transaction, until: datetime, told_at: datetime | None = None) -> list[int]:
    """MeterValues of the connector that belong to no session join this one; their ids.

    Up to `until`, and not those of the next session. Where the charger has not said how it ended,
    its figures move to the newest of them. None where the connector is not known.

    `told_at` is when its start came: of one out of a backlog, what was told as it happened, and
    long after the start, may be of a later session, which comes yet.
    """
    if row.connector is None:
        return []
    following = Transaction.objects.filter(
        charge_point=row.charge_point_id, connector=row.connector, started_at__gt=row.started_at
    ).order_by("started_at")
    for next_start in following.values_list("started_at", flat=True)[:1]:
        until = min(until, next_start)
    found = loose(row.charge_point_id, row.started_at, until, row.connector)
    if told_at is not None:
        found = [item for item in found if not _is_of_now(item, row.started_at, told_at)]
    _join(row, found)
    return [item.id for item in found]


def _is_of_now(item: Element, started_at: datetime, told_at: datetime) -> bool:
    late = (told_at - started_at) - (item.received_at - item.sampled_at)
    return late > A_WHILE and item.sampled_at - started_at > A_WHILE


def _join(row: Transaction, found: Sequence[Element]) -> None:
    assign(found, row.pk)
    if found and row.state != Transaction.State.STOPPED:
        _move_on(row, found)


def _move_on(row: Transaction, found: Sequence[Element]) -> None:
    state, meter = transaction_state(row), _meter_of(row.charge_point)
    trail = trail_of(state)
    for received_at, group in groupby(found, key=lambda item: item.received_at):
        samples = [sample.as_sample() for item in group for sample in item.samples()]
        readings, (power, told) = registers(samples), power_of(samples)
        trail = grown(state, trail, readings, received_at, meter, power, told)
    known = charged(state, trail, meter)
    if known is not None:
        last = trail.lives[-1]
        row.energy, row.lives = known.wh, written(trail)
        row.meter_last = last.last
        row.meter_last_at = datetime.fromtimestamp(last.last_at, UTC)
        row.flags = " ".join(with_odd(row.flags, known.odd))
    if row.state == Transaction.State.ORPHANED and row.meter_last is not None:
        ended = transaction_state(row)
        end = without_stop(ended)
        row.meter_stop, row.stopped_at = last_of(ended, end), row.meter_last_at
        row.energy_source, row.confidence = end.source, end.confidence
    row.save()


def _meter_of(row: ChargePoint) -> Meter:
    overrides = orjson.dumps(row.quirk_overrides).decode() if row.quirk_overrides else ""
    quirks = profile_for(
        row.vendor,
        row.model,
        row.firmware_version,
        named=row.quirk_profile,
        overrides=overrides,
    )
    max_power = row.max_power or max(setting("OCPP_MAX_POWER"), row.learned_power or 0)
    return Meter(max_power, quirks.session_register, row.booted_at)


def transaction_state(row: Transaction, state: str = "") -> TransactionState:
    """The transaction as handlers see it."""
    return TransactionState(
        id=row.pk,
        charge_point_id=row.charge_point_id,
        connector=row.connector,
        state=state or row.state,
        id_tag=row.id_tag,
        started_at=row.started_at,
        meter_start=row.meter_start,
        stopped_at=row.stopped_at,
        meter_stop=row.meter_stop,
        energy=row.energy,
        meter_last=row.meter_last,
        meter_last_at=row.meter_last_at,
        flags=row.flags,
        stop_reason=row.stop_reason,
        start_received_at=row.start_received_at,
        occurrence=row.occurrence,
        lives=row.lives,
        evse=row.evse,
    )
