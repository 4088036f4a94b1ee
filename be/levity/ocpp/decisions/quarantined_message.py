"""What a quarantined message says, and to which session it may belong; nothing is written here.

It is read by the same handlers as when it came, as of the time it came.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
from django.db.models import Q

from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions import sessions
from levity.ocpp.effects import Effect, StopTransaction
from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.request import ChargePointState, Request, TransactionState, with_flags
from levity.ocpp.rules.chain.books import checks_of
from levity.ocpp.rules.checks import Check, as_text
from levity.ocpp.rules.fitting import candidates as ranked_by_fit
from levity.ocpp.rules.fitting import fit
from levity.ocpp.rules.readings import REGISTER, newest_register
from levity.ocpp.rules.unended import closed
from levity.ocpp.store.late_samples import transaction_state
from levity.ocpp.v16.actions.ends import said_end
from levity.ocpp.v16.actions.meter_values import meter_values
from levity.ocpp.v16.actions.samples import read_samples
from levity.ocpp.v16.actions.stop_transaction import end_session
from levity.ocpp.versions import V16
from levity.ocpp.wire.fields import MAX_CONNECTOR, energy, integer, text
from levity.ocpp.wire.frames import OcppError
from levity_ws.frozen import frozen

__all__ = [
    "CannotResolve",
    "Session",
    "candidates",
    "effects_of",
    "proposal",
    "said_at",
    "stops_of",
]


AROUND = timedelta(days=3)


class CannotResolve(NotPossible):
    """It can't be done; the text says why and what could be done instead."""


@frozen
class Session:
    """What a transaction is made of; None is what the messages don't tell."""

    connector: int | None = None
    id_tag: str = ""
    started_at: datetime | None = None
    meter_start: Decimal | None = None


def candidates(
    message: QuarantinedMessage, limit: int = 20
) -> list[tuple[Transaction, tuple[Check, ...]]]:
    """Transactions of this charger around the time of the message, the likeliest first, each with
    what of tag, time, meter and power speaks for it and against it."""
    charge_point, payload = sessions.state_of(message.charge_point), _payload(message)
    end = said_end(payload, charge_point, message.received_at)
    moment = end.at or message.received_at
    near = Transaction.objects.filter(
        charge_point=message.charge_point_id,
        started_at__gte=moment - AROUND,
        started_at__lte=moment + AROUND,
    )
    named = _payload(message).get("transactionId")
    known = Q(pk=message.transaction) if message.transaction else Q(pk__in=[])
    if type(named) is int and 0 < named < 2**31:
        known |= Q(pk=named)
    certain = Transaction.objects.filter(known, charge_point=message.charge_point_id)
    found = {item.pk: item for item in [*certain, *near.order_by("-started_at")[:200]]}
    nearest = sorted(
        found.values(), key=lambda item: abs((item.stopped_at or item.started_at) - moment)
    )
    ranked = ranked_by_fit(end, map(transaction_state, nearest), charge_point)
    return [(found[session.id], checks) for session, checks in ranked][:limit]


def stops_of(message: QuarantinedMessage) -> list[QuarantinedMessage]:
    """Open StopTransactions that name the id with which this StartTransaction was answered."""
    if message.action != V16.begins or message.transaction is None:
        return []
    stops = QuarantinedMessage.objects.filter(
        charge_point=message.charge_point_id,
        action=V16.ends,
        resolved_at=None,
        payload__contains=str(message.transaction),
    ).order_by("id")
    named = (item for item in stops.iterator() if _named(item) == message.transaction)
    return list(islice(named, 1))


def proposal(message: QuarantinedMessage) -> Session:
    """As much of a session as a Start- or StopTransaction tells."""
    payload = _payload(message)
    charge_point = sessions.state_of(message.charge_point)
    connectors = [number for _, number in charge_point.connectors if number > 0]
    connector = _read(integer, payload, "connectorId", 1, MAX_CONNECTOR)
    if connector is None and len(connectors) <= 1:
        connector = connectors[0] if connectors else 1
    id_tag = _read(text, payload, "idTag") or ""
    if message.action == V16.begins:
        return Session(
            connector,
            id_tag,
            charge_point.time_of(payload.get("timestamp")) or message.received_at,
            _read(energy, payload, "meterStart"),
        )
    samples = read_samples(_request(message, payload, charge_point), "transactionData")
    begun = [item for item in samples if item.measurand == REGISTER and item.value is not None]
    if not begun:
        return Session(connector, id_tag)
    first = min(item.sampled_at for item in begun)
    register = newest_register(item for item in begun if item.sampled_at == first)
    return Session(connector, id_tag, first, register[0] if register else None)


def effects_of(message: QuarantinedMessage, state: TransactionState) -> Sequence[Effect]:
    """What the message does to the transaction, by the handler of its action."""
    payload = _payload(message)
    charge_point = sessions.state_of(message.charge_point)
    if message.action == V16.ends:
        # Whatever is known of its end: this message is the better one, a person says.
        open_again = replace(state, state="active")
        request = _request(message, payload, charge_point, open_again)
        try:
            effects = end_session(request, open_again)
        except OcppError:
            reason = _read(text, payload, "reason", 64) or "Local"
            effects = (closed(open_again, reason, "no-meter-stop", said_at(message)),)
        end = said_end(payload, charge_point, message.received_at)
        against = fit(open_again, end, (), charge_point).contradicting
        return tuple(
            _by_hand(item, against) if isinstance(item, StopTransaction) else item
            for item in effects
        )
    if message.action == V16.samples:
        # Not opened again by what a person adds to the past.
        kept = replace(state, stopped_at=None) if state.state == "orphaned" else state
        try:
            return meter_values(_request(message, payload, charge_point, kept)).effects
        except OcppError as error:
            raise CannotResolve(f"its samples can't be read: {error.description}") from error
    raise CannotResolve(
        f"{message.action} can't be attached to a transaction; create one from it, or discard it"
    )


def _by_hand(end: StopTransaction, against: Sequence[Check]) -> StopTransaction:
    """This end as a person has chosen it; with what speaks against that it is not `high`."""
    end = replace(end, flags=with_flags(" ".join(end.flags), ("by-hand",)), orphaned=False)
    if not against or end.confidence != "high":
        return end
    checks = as_text((*checks_of(end.checks), *against))
    return replace(end, confidence="medium", checks=checks)


def _request(
    message: QuarantinedMessage,
    payload: dict[str, Any],
    charge_point: ChargePointState,
    transaction: TransactionState | None = None,
) -> Request:
    return Request(
        action=message.action,
        payload=payload,
        unique_id=message.unique_id,
        connection=str(message.connection or uuid4()),
        received_at=message.received_at,
        charge_point=charge_point,
        transaction=transaction,
    )


def _payload(message: QuarantinedMessage) -> dict[str, Any]:
    """The payload; empty where the frame was cut off."""
    try:
        payload = orjson.loads(message.payload)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}


def said_at(message: QuarantinedMessage) -> datetime | None:
    """The charger's time in it, if it is readable."""
    charge_point = sessions.state_of(message.charge_point)
    return charge_point.time_of(_payload(message).get("timestamp"))


def _named(message: QuarantinedMessage) -> int | None:
    return _read(integer, _payload(message), "transactionId", 1)


def _read(reader: Any, payload: dict[str, Any], name: str, *limits: Any) -> Any:
    try:
        return reader(payload, name, *limits)
    except OcppError:
        return None
