"""A charger that talks to the whole pipeline, without sockets and without waiting."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.worker.pipeline import Pipeline
from levity_ws.rpc.envelope import Batch, Connected, Received, Send

__all__ = ["NOW", "Charger", "at", "books", "iso", "meter_value"]

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after `NOW`."""
    return NOW + timedelta(minutes=minutes)


def iso(moment: datetime) -> str:
    """The moment as chargers write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def meter_value(moment: datetime, wh: Any, **more: Any) -> dict[str, Any]:
    """One MeterValue with the import register in Wh."""
    return {"timestamp": iso(moment), "sampledValue": [{"value": str(wh), "unit": "Wh", **more}]}


class Charger:
    """One websocket of one charge point."""

    def __init__(self, identity: str = "CP1", pipeline: Pipeline | None = None) -> None:
        self.identity = identity
        self.pipeline = pipeline or Pipeline()
        self.now = NOW
        self.numbers: Iterator[int] = count(1)
        self.connection = ""
        self.connect()

    @property
    def row(self) -> ChargePoint:
        """Its row."""
        return ChargePoint.objects.get(identity=self.identity)

    def connect(self) -> None:
        """A new websocket; an old one is replaced."""
        self.connection = str(uuid4())
        self._take(
            Connected(self.identity, self.connection, next(self.numbers), self.now.timestamp())
        )

    def call(self, action: str, payload: Mapping[str, Any], when: datetime | None = None) -> Any:
        """Send a Call at this time; the payload of its CALLRESULT, or the whole CALLERROR."""
        self.now = when or self.now
        number = next(self.numbers)
        text = json.dumps([2, f"m{number}", action, payload])
        sent = self._take(
            Received(self.identity, self.connection, number, self.now.timestamp(), text)
        )
        [answer] = [json.loads(item.text) for item in sent if isinstance(item, Send)]
        return answer[2] if answer[0] == 3 else answer

    def _take(self, event: Any) -> Any:
        batch = Batch("edge", str(uuid4()), (event,))
        return self.pipeline.take(batch, "replies", now=self.now).reply.commands

    def boot(self, when: datetime | None = None) -> Any:
        """BootNotification."""
        said = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
        return self.call("BootNotification", said, when)

    def status(self, status: str, when: datetime | None = None, **more: Any) -> Any:
        """StatusNotification of connector 1."""
        said = {"connectorId": 1, "errorCode": "NoError", "status": status, **more}
        return self.call("StatusNotification", said, when)

    def start(
        self,
        started_at: datetime = NOW,
        meter: Any = 1000,
        when: datetime | None = None,
        **more: Any,
    ) -> Any:
        """StartTransaction on connector 1; the answer."""
        said = {
            "connectorId": 1,
            "idTag": "tag",
            "timestamp": iso(started_at),
            "meterStart": meter,
            **more,
        }
        return self.call("StartTransaction", said, when or started_at)

    def started(self, *args: Any, **kwargs: Any) -> int:
        """StartTransaction on connector 1; the transactionId."""
        return int(self.start(*args, **kwargs)["transactionId"])

    def meter(
        self,
        transaction_id: Any,
        *values: dict[str, Any],
        when: datetime | None = None,
        **more: Any,
    ) -> Any:
        """MeterValues of connector 1; without an id if it is None."""
        named = {} if transaction_id is None else {"transactionId": transaction_id}
        said = {"connectorId": 1, "meterValue": list(values), **named, **more}
        return self.call("MeterValues", said, when)

    def stop(
        self,
        transaction_id: Any,
        stopped_at: datetime,
        meter: Any,
        when: datetime | None = None,
        **more: Any,
    ) -> Any:
        """StopTransaction; the answer."""
        said = {
            "transactionId": transaction_id,
            "timestamp": iso(stopped_at),
            "meterStop": meter,
            **more,
        }
        return self.call("StopTransaction", said, when or stopped_at)


def books(transaction_id: int, *names: str) -> Any:
    """These columns of a transaction; a single one without its tuple."""
    row = Transaction.objects.values_list(*names).get(pk=transaction_id)
    return row[0] if len(names) == 1 else row
