"""Sessions as rows, for what is decided outside the pipeline: read one, write effects, put it back.

Everything here runs inside the caller's database transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db.models import Max

from levity.db.rows import reserve_ids
from levity.ocpp.changes import changes_told
from levity.ocpp.effects import Effect
from levity.ocpp.models import ChargePoint, Connector, LegacySample, MeterValue, Transaction
from levity.ocpp.references import References
from levity.ocpp.request import ChargePointState
from levity.ocpp.rules.chain.settling import settled
from levity.ocpp.rules.own_ids import own_id
from levity.ocpp.store import Arrival, Outcome, load
from levity.ocpp.store.apply import sessions_of
from levity.ocpp.store.chain import sessions_near
from levity.ocpp.store.ledger import write_adjusted, write_connectors, write_transactions
from levity.ocpp.store.messages.reading import newest_first
from levity.ocpp.store.messages.wanted import MOMENT, Wanted
from levity.ocpp.store.queries import take_turns
from levity.ocpp.store.samples.changing import leave, take_back
from levity.ocpp.store.samples.writing import write_meter_values
from levity.ocpp.versions import V16
from levity.ocpp.wire.frames import given_id
from levity_ws.rpc.envelope import Received

__all__ = [
    "new_id",
    "newest_value_id",
    "restore",
    "snapshot",
    "state_of",
    "take_turn",
    "told_id",
    "values_since",
    "write",
]

TIMES = ("stopped_at", "stop_received_at", "meter_last_at")
NUMBERS = ("meter_stop", "energy", "power", "meter_last")
TEXTS = (
    *("state", "stop_reason", "stop_id_tag", "flags", "energy_source", "confidence", "lives"),
    "checks",
)


def take_turn(charge_point: ChargePoint) -> None:
    """Wait for the worker that has a frame of this charge point; from now on it waits for us.

    Before any row is locked, or the two wait for each other: a worker has the turn first, too.
    """
    take_turns([charge_point.identity.lower()])


def state_of(charge_point: ChargePoint) -> ChargePointState:
    """The charge point as handlers see it, with what runs on its connectors."""
    event = Received(charge_point.identity, str(uuid4()), 0, 0, "")
    arrival = Arrival(event, charge_point.created_at, None, References(needs_connectors=True))
    state = load([arrival]).charge_point(charge_point.identity)
    assert state is not None
    return state


def write(charge_point: ChargePoint, effects: Sequence[Effect], received_at: datetime) -> None:
    """Record these effects, as of the time when their message came."""
    event = Received(charge_point.identity, str(uuid4()), 0, received_at.timestamp(), "")
    state = state_of(charge_point)
    outcome = Outcome(Arrival(event, received_at), state, effects=tuple(effects))
    pks = sessions_of([outcome])
    rows = Transaction.objects.filter(pk__in=pks, connector__isnull=False)
    begun = rows.values_list("evse", "connector", "started_at")
    if wanted := [(charge_point.pk, (evse, number or 0), at) for evse, number, at in begun]:
        near = sessions_near(wanted).get(charge_point.pk, ())
        outcome.effects = settled(
            outcome.effects, near, state.max_power, received_at, charge_point.pk
        )
    with changes_told(lambda: sessions_of([outcome])):
        write_transactions([outcome])
        write_adjusted([outcome])
        write_connectors([outcome])
        write_meter_values([outcome])


def new_id() -> int:
    """A transactionId that nobody ever had."""
    return reserve_ids(Transaction, 1)[0]


def told_id(row: Transaction) -> int | str:
    """The transactionId by which the charger knows this session: its own, or the last that it was
    told.

    Another than ours where the charger goes by one of its own, or where an edge answered in our
    stead (`TransactionAlias`), unless the charger has asked again since.
    """
    if row.wire_id:
        return row.wire_id
    own = own_id(row.flags)
    if own is not None:
        return own
    alias = row.aliases.order_by("-given_at").first()
    if alias is None:
        return row.pk
    asked_since = Wanted(
        charge_points=[row.charge_point_id],
        actions=[V16.begins],
        transaction=row.pk,
        since=alias.given_at + MOMENT,
    )
    newest = next(newest_first(asked_since, 1), None)
    return (newest and given_id(newest.response)) or alias.pk


def newest_value_id() -> int:
    """The id of the newest MeterValue, to find those that come after."""
    return MeterValue.objects.aggregate(newest=Max("pk"))["newest"] or 0


def values_since(newest: int, row: Transaction, received_at: datetime) -> list[int]:
    """The ids of the transaction's MeterValues that were written after that, for that message."""
    # (What is new is a row, for some days at least.)
    written = MeterValue.objects.filter(transaction=row, pk__gt=newest, received_at=received_at)
    return list(written.order_by("pk").values_list("pk", flat=True))


def snapshot(row: Transaction) -> dict[str, Any]:
    """What can change of a transaction after its start, as JSON."""
    row.refresh_from_db()
    said: dict[str, Any] = {name: getattr(row, name) for name in TEXTS}
    for name in (*TIMES, *NUMBERS):
        value = getattr(row, name)
        said[name] = value.isoformat() if isinstance(value, datetime) else value
        if isinstance(value, Decimal):
            said[name] = str(value)
    own = Connector.objects.filter(charge_point=row.charge_point_id)
    said["runs"] = own.filter(transaction=row).exists()
    return said


def restore(row: Transaction, trail: dict[str, Any]) -> None:
    """The books as they were before: `trail` is what `quarantine` wrote down."""
    with changes_told(lambda: [row.pk]):
        _restore(row, trail)


def _restore(row: Transaction, trail: dict[str, Any]) -> None:
    take_back(row.pk, trail.get("elements", ()))
    leave(row.pk, trail.get("joined_elements", ()))
    # What a release before wrote down are ids of its own table, as long as they are there.
    LegacySample.objects.filter(pk__in=trail.get("values", ())).delete()
    LegacySample.objects.filter(pk__in=trail.get("joined", ())).update(transaction=None)
    if trail.get("made"):
        row.delete()
        return
    before = trail["before"]
    for name in TEXTS:
        # (A trail of a release before has not all of them.)
        setattr(row, name, before.get(name, getattr(row, name)))
    for name in TIMES:
        setattr(row, name, before[name] and datetime.fromisoformat(before[name]))
    for name in NUMBERS:
        setattr(row, name, before[name] and Decimal(before[name]))
    row.save()
    if before["runs"] and row.connector is not None:
        Connector.objects.filter(
            charge_point=row.charge_point_id, number=row.connector, transaction=None
        ).update(transaction=row)
