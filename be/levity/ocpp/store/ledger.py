"""Writing the ledger: charge points, connectors, transactions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from levity.db.rows import insert_rows, update_rows, upsert_rows
from levity.ocpp.effects import (
    BY_BOOT,
    AdjustTransaction,
    ConnectorStatus,
    ResetConnectors,
    StartTransaction,
    StopTransaction,
    UpdateChargePoint,
    UpdateTransaction,
)
from levity.ocpp.models import (
    ChargePoint,
    Connector,
    SessionRepair,
    StatusEvent,
    Transaction,
    TransactionAlias,
)
from levity.ocpp.request import ConnectorState
from levity.ocpp.rules.flags import fitting
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.values import Outcome, each
from levity_ws.rpc.envelope import Connected, Received, Spooled

__all__ = [
    "is_older",
    "joined_flags",
    "touch",
    "write_adjusted",
    "write_aliases",
    "write_charge_points",
    "write_connectors",
    "write_transactions",
]

# Written at most this often: the message log knows the exact time of each frame, and a row
# update for each would cost as much as the frame itself.
LAST_SEEN_STEP = timedelta(seconds=10)
# What is told one by one, none of it NULL: one statement for all of it.
SMALL = frozenset(
    {
        "clock_lag",
        "clock_lag_seen",
        "connection_timeout",
        "diagnostics_status",
        "firmware_status",
        "holds",
    }
)
# As long as the column.
FLAGS = 255


def touch(outcomes: Sequence[Outcome], loaded: Loaded) -> None:
    """Remember that these charge points gave a sign of life."""
    newest: dict[int, datetime] = {}
    for outcome in outcomes:
        if outcome.charge_point is None or not isinstance(
            outcome.arrival.event, Received | Connected
        ):
            continue
        pk, at = outcome.charge_point.id, outcome.arrival.at
        before = loaded.last_seen.get(pk)
        if before is None or at - before >= LAST_SEEN_STEP:
            newest[pk] = max(at, newest.get(pk, at))
    update_rows(
        ChargePoint,
        ("id", "last_seen_at", "silent_since"),
        [(pk, at, None) for pk, at in newest.items()],
    )


def write_charge_points(outcomes: Sequence[Outcome]) -> None:
    """Write what charge points said of themselves."""
    by_columns: dict[tuple[str, ...], dict[int, tuple[Any, ...]]] = defaultdict(dict)
    small: dict[int, dict[str, Any]] = defaultdict(dict)
    for _, charge_point, effect in each(outcomes, UpdateChargePoint):
        if SMALL.issuperset(effect.values):
            small[charge_point.id].update(effect.values)
            continue
        values = by_columns[tuple(effect.values)]
        values[charge_point.id] = (charge_point.id, *effect.values.values())
    columns = sorted(SMALL)
    update_rows(
        ChargePoint,
        ("id", *columns),
        [(pk, *map(values.get, columns)) for pk, values in small.items()],
        keep_null=columns,
    )
    for names, rows in by_columns.items():
        update_rows(ChargePoint, ("id", *names), list(rows.values()))


def write_transactions(outcomes: Sequence[Outcome]) -> None:
    """Start, move on and end transactions, in this order."""
    insert_rows(
        Transaction,
        (
            "id",
            "charge_point_id",
            "evse",
            "connector",
            "state",
            "id_tag",
            "reservation_id",
            "started_at",
            "start_received_at",
            "meter_start",
            "flags",
            "occurrence",
            "wire_id",
            "seq_no",
        ),
        [
            (
                effect.transaction_id,
                charge_point.id,
                effect.evse,
                effect.connector,
                "active",
                effect.id_tag,
                effect.reservation_id,
                effect.started_at,
                outcome.arrival.at,
                effect.meter_start,
                joined_flags(effect.flags),
                effect.occurrence,
                effect.wire_id,
                effect.seq_no,
            )
            for outcome, charge_point, effect in each(outcomes, StartTransaction)
        ],
    )
    update_rows(
        Transaction,
        (
            "id",
            "state",
            "stopped_at",
            "stop_received_at",
            "meter_stop",
            "energy",
            "stop_reason",
            "stop_id_tag",
            "flags",
            "power",
            "energy_source",
            "confidence",
            "checks",
        ),
        [
            (
                effect.transaction_id,
                "orphaned" if effect.orphaned else "stopped",
                effect.stopped_at,
                outcome.arrival.at,
                effect.meter_stop,
                effect.energy,
                effect.reason,
                effect.id_tag,
                joined_flags(effect.flags),
                0,
                effect.energy_source,
                effect.confidence,
                effect.checks,
            )
            for outcome, _, effect in each(outcomes, StopTransaction)
        ],
    )
    running: list[tuple[Any, ...]] = []
    reopened: list[tuple[Any, ...]] = []
    numbered: list[tuple[int, int]] = []
    for _, _, effect in each(outcomes, UpdateTransaction):
        row = (
            effect.transaction_id,
            effect.meter_last,
            effect.meter_last_at,
            effect.energy,
            effect.power,
            None if effect.flags is None else joined_flags(effect.flags),
            effect.lives,
        )
        running.append(row)
        if effect.reopen_on is not None:
            reopened.append((effect.transaction_id, "active", None, None, None, "", "", "", ""))
        if effect.seq_no is not None:
            numbered.append((effect.transaction_id, effect.seq_no))
    columns = ("id", "meter_last", "meter_last_at", "energy", "power", "flags", "lives")
    update_rows(
        Transaction,
        (
            "id",
            "state",
            "stopped_at",
            "stop_received_at",
            "meter_stop",
            "stop_reason",
            "energy_source",
            "confidence",
            "checks",
        ),
        reopened,
    )
    update_rows(Transaction, columns, running, keep_null=columns[1:])
    # In OCPP 1.6 there are none.
    update_rows(Transaction, ("id", "seq_no"), numbered)


def write_adjusted(outcomes: Sequence[Outcome]) -> None:
    """What sessions that have ended come to now, by their neighbours; and what they came to."""
    adjusted: list[tuple[Any, ...]] = []
    repairs: list[tuple[Any, ...]] = []
    for outcome, _, effect in each(outcomes, AdjustTransaction):
        adjusted.append(
            (
                effect.transaction_id,
                effect.energy,
                effect.energy_source,
                effect.confidence,
                joined_flags(effect.flags),
                effect.checks,
                effect.meter_stop,
            )
        )
        if effect.reason:
            repairs.append(_repair(outcome, effect, effect.reason))
    for outcome, _, end in each(outcomes, StopTransaction):
        if end.repair:
            repairs.append(_repair(outcome, end, end.repair))
    update_rows(
        Transaction,
        ("id", "energy", "energy_source", "confidence", "flags", "checks", "meter_stop"),
        adjusted,
        keep_null=("meter_stop",),
    )
    insert_rows(
        SessionRepair,
        (
            "transaction_id",
            "at",
            "reason",
            "old_energy",
            "new_energy",
            "old_confidence",
            "new_confidence",
        ),
        repairs,
    )


def _repair(
    outcome: Outcome, effect: AdjustTransaction | StopTransaction, reason: str
) -> tuple[Any, ...]:
    return (
        effect.transaction_id,
        outcome.arrival.at,
        reason[:255],
        effect.old_energy,
        effect.energy,
        effect.old_confidence,
        effect.confidence,
    )


def write_aliases(outcomes: Sequence[Outcome]) -> None:
    """Note the ids that an edge has given for transactions that were already recorded."""
    rows = [(*outcome.alias, outcome.arrival.at) for outcome in outcomes if outcome.alias]
    insert_rows(TransactionAlias, ("id", "transaction_id", "given_at"), rows, new_only=True)


def joined_flags(flags: Sequence[str]) -> str:
    """The flags in one column; the gravest stay where there are too many."""
    text = " ".join(flags)
    return text if len(text) <= FLAGS else fitting(flags, FLAGS)


def write_connectors(outcomes: Sequence[Outcome]) -> None:
    """Write what connectors are and which transaction runs on them."""
    booted = [charge_point.id for _, charge_point, _ in each(outcomes, ResetConnectors)]
    if booted:
        Connector.objects.filter(charge_point__in=booted).update(
            status="", status_since=None, error_code=""
        )
    said: dict[tuple[int, int, int], tuple[Any, ...]] = {}
    history: list[tuple[Any, ...]] = []
    for outcome, charge_point, effect in each(outcomes, ConnectorStatus):
        known = charge_point.connectors.get(effect.place)
        same = known is not None and known.status == effect.status and known.status_since
        key = (charge_point.id, effect.evse, effect.connector)
        if not is_older(outcome, effect, known):
            said[key] = (
                *key,
                effect.status,
                known.status_since if known and same else outcome.arrival.at,
                effect.reported_at,
                effect.error_code,
                effect.info,
                effect.vendor_id,
                effect.vendor_error_code,
            )
        if not same or known is None or known.error_code != effect.error_code:
            history.append(
                (
                    *key,
                    effect.status,
                    effect.error_code,
                    effect.info,
                    effect.vendor_error_code,
                    effect.reported_at,
                    outcome.arrival.at,
                )
            )
    texts = ("error_code", "info", "vendor_id", "vendor_error_code")
    key_columns = ("charge_point_id", "evse", "number")
    columns = ("status", "status_since", "status_at", *texts)
    upsert_rows(
        Connector,
        (*key_columns, *columns),
        [said[key] for key in sorted(said)],
        key=key_columns,
        update=columns,
        mostly_there=True,
    )
    insert_rows(
        StatusEvent,
        (
            "charge_point_id",
            "evse",
            "connector",
            "status",
            "error_code",
            "info",
            "vendor_error_code",
            "reported_at",
            "received_at",
        ),
        history,
    )
    # What a boot interrupts stays the connector's: it may go on.
    ended = {
        effect.transaction_id: charge_point.id
        for _, charge_point, effect in each(outcomes, StopTransaction)
        if not (effect.orphaned and effect.reason == BY_BOOT and "orphaned" in effect.flags)
    }
    # By the charge point, of which there is an index: with one of the transaction, each start and
    # each stop would write new entries in all of them.
    update_rows(
        Connector,
        ("charge_point_id", "transaction_id", "transaction_id"),
        [(charge_point, pk, None) for pk, charge_point in sorted(ended.items())],
        key=2,
    )
    begun = {
        (charge_point.id, effect.evse, effect.connector): effect.transaction_id
        for _, charge_point, effect in each(outcomes, StartTransaction)
        if effect.connector is not None and effect.transaction_id not in ended
    }
    for _, charge_point, update in each(outcomes, UpdateTransaction):
        if update.reopen_on is not None:
            begun[charge_point.id, 0, update.reopen_on] = update.transaction_id
    upsert_rows(
        Connector,
        (*key_columns, "transaction_id"),
        [(*key, begun[key]) for key in sorted(begun)],
        key=key_columns,
        update=("transaction_id",),
        mostly_there=True,
    )


def is_older(outcome: Outcome, effect: ConnectorStatus, known: ConnectorState | None) -> bool:
    """True if an edge delivers late what the connector's newer words have overtaken."""
    if known is None or not isinstance(outcome.arrival.event, Spooled):
        return False
    if known.status_since is not None and known.status_since > outcome.arrival.at:
        return True
    said, newest = effect.reported_at, known.status_at
    return said is not None and newest is not None and said < newest
