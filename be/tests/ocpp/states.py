"""Requests for handlers and middleware, without a database."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from levity.ocpp.request import ChargePointState, ConnectorState, Request, TransactionState
from levity.ocpp.v16.references import references
from levity.ocpp.wire.frames import Call
from tests.ocpp.charger import NOW, at

__all__ = ["CONNECTION", "charge_point", "connector", "request", "running"]

CONNECTION = str(UUID(int=1))


def charge_point(**other: Any) -> ChargePointState:
    """An accepted charge point that is connected."""
    return ChargePointState(**{"id": 1, "identity": "CP1", "connection": CONNECTION, **other})


def connector(status: str, number: int = 1, since: float = 0) -> ConnectorState:
    """A connector that shows this status since so many seconds after `NOW`."""
    return ConnectorState(number, status, at(since), None)


def running(**other: Any) -> TransactionState:
    """Transaction 7 of charge point 1 on connector 1, started at `NOW` at 1000 Wh."""
    usual = {
        "id": 7,
        "charge_point_id": 1,
        "connector": 1,
        "state": "active",
        "id_tag": "TAG",
        "started_at": NOW,
        "meter_start": Decimal(1000),
    }
    return TransactionState(**{**usual, **other})


def request(action: str, payload: Any = None, **other: Any) -> Request:
    """This Call as the handler sees it; ids for a StartTransaction begin at 41."""
    content = {} if payload is None else payload
    usual: dict[str, Any] = {
        "action": action,
        "payload": content,
        "unique_id": "m1",
        "connection": CONNECTION,
        "received_at": NOW,
        "charge_point": charge_point(),
    }
    if references(Call("m1", action, content), "").needs_new_id and "repeated" not in other:
        usual["new_id"] = 41
    return Request(**{**usual, **other})
