"""The test kit for extensions: chargers, a central system, requests (docs/extending.md).

A middleware by itself needs no database: `chain(request("Authorize", {"idTag": "TAG"}))`.
What it does to sessions needs one (`pytest.mark.django_db`)::

    system, charger = CentralSystem(), Charger("CP1")
    system.connect(charger)
    system.take(charger.boots())
    transaction_id = system.start(charger)
    system.take(charger.stops(transaction_id))
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from websockets.frames import CloseCode

from levity.ocpp.request import ChargePointState, ConnectorState, Request, TransactionState
from levity.ocpp.v16.references import references
from levity.ocpp.wire.frames import Call
from levity.ocpp.worker.pipeline import Pipeline, Taken
from levity_ws.rpc.envelope import (
    Alive,
    Authenticate,
    Batch,
    Connected,
    Disconnected,
    Event,
    Received,
    Send,
    decode_batch,
    decode_reply,
    encode_batch,
    encode_reply,
)

__all__ = [
    "CONNECTION",
    "NOW",
    "CentralSystem",
    "Charger",
    "at",
    "charge_point",
    "connector",
    "request",
    "running",
    "wire",
]

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
"""When every test begins."""
CONNECTION = str(UUID(int=1))
"""The websocket of `charge_point()`."""


def at(seconds: float = 0) -> datetime:
    """So many seconds after the hour at which every test begins."""
    return NOW + timedelta(seconds=seconds)


def wire(seconds: float = 0) -> str:
    """The same as chargers write it."""
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


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
    """This Call as middleware and handlers see it, received at `NOW` from charge point CP1.

    `other` are further fields of the request. A StartTransaction is given the id 41.
    """
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


class Charger:
    """One charge point on one websocket; `again()` is the same one on a new websocket."""

    def __init__(self, identity: str = "CP1") -> None:
        self.identity = identity
        self.connection = str(uuid4())
        self.seq = 0
        self.now = 0.0
        """Seconds since `NOW` at which its next event passes the edge."""

    def again(self, identity: str | None = None) -> "Charger":
        """The same charge point on a new websocket."""
        other = Charger(identity or self.identity)
        other.now = self.now
        return other

    def _common(self) -> dict[str, Any]:
        self.seq += 1
        return {
            "charge_point": self.identity,
            "connection": self.connection,
            "seq": self.seq - 1,
            "at": at(self.now).timestamp(),
        }

    def asks(self, **more: Any) -> Authenticate:
        """The handshake."""
        return Authenticate(**self._common(), path=f"/ws/{self.identity}", **more)

    def connects(self, **more: Any) -> Connected:
        """The websocket is open."""
        return Connected(**self._common(), **more)

    def leaves(self, code: int = CloseCode.ABNORMAL_CLOSURE, reason: str = "") -> Disconnected:
        """The websocket is gone."""
        return Disconnected(**self._common(), code=code, reason=reason)

    def says(self, text: str) -> Received:
        """A frame, as it is."""
        return Received(**self._common(), text=text)

    def calls(self, action: str, payload: Any = None, unique_id: str | None = None) -> Received:
        """A Call."""
        frame = [2, unique_id or str(uuid4()), action, {} if payload is None else payload]
        return self.says(json.dumps(frame))

    def answers(self, unique_id: str, payload: Any) -> Received:
        """A CALLRESULT to a Call of ours."""
        return self.says(json.dumps([3, unique_id, payload]))

    def refuses(self, unique_id: str, code: str, description: str = "") -> Received:
        """A CALLERROR to a Call of ours."""
        return self.says(json.dumps([4, unique_id, code, description, {}]))

    # The usual messages, with the usual content.

    def boots(self) -> Received:
        """BootNotification."""
        return self.calls(
            "BootNotification", {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
        )

    def shows(self, status: str, connector: int = 1) -> Received:
        """StatusNotification."""
        return self.calls(
            "StatusNotification",
            {"connectorId": connector, "errorCode": "NoError", "status": status},
        )

    def starts(self, **other: Any) -> Received:
        """StartTransaction."""
        usual = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": wire()}
        return self.calls("StartTransaction", {**usual, **other})

    def stops(self, transaction_id: Any, **other: Any) -> Received:
        """StopTransaction, an hour after `NOW`."""
        self.now = max(self.now, 3600)
        usual = {"transactionId": transaction_id, "meterStop": 6000, "timestamp": wire(3600)}
        return self.calls("StopTransaction", {**usual, **other})

    def measures(
        self, transaction_id: Any, register: Any, when: str | None = None, **other: Any
    ) -> Received:
        """MeterValues with one register value."""
        payload: dict[str, Any] = {
            "connectorId": 1,
            "meterValue": [
                {"timestamp": when or wire(60), "sampledValue": [{"value": str(register)}]}
            ],
            **other,
        }
        if transaction_id is not None:
            payload["transactionId"] = transaction_id
        return self.calls("MeterValues", payload)


class CentralSystem:
    """A central system on the test database: what the edge would hand over is taken at once.

    Batches and replies pass through their JSON, as they do on a broker. Each `take` is one batch
    in a database transaction of its own.
    """

    def __init__(self, edge: str = "edge-1") -> None:
        self.pipeline = Pipeline()
        self.edge = edge
        self.reply_to = f"replies of {edge}"
        self.taken = Taken(decode_reply(b'{"v":1,"commands":[]}'))

    def take(self, *events: Event, deliveries: int = 0, now: datetime | None = None) -> Taken:
        """Take these events as one batch; at once, if not told `now`."""
        batch = decode_batch(encode_batch(Batch(self.edge, str(uuid4()), events)))
        newest = max((event.at for event in events), default=0.0)
        now = now or datetime.fromtimestamp(newest, UTC)
        self.taken = self.pipeline.take(batch, self.reply_to, deliveries, now)
        assert self.taken.reply.batch == batch.batch
        self.taken.reply = decode_reply(encode_reply(self.taken.reply))
        return self.taken

    def frames(self, *events: Event, deliveries: int = 0) -> list[str]:
        """Take these events; the frames that go back, in their order."""
        taken = self.take(*events, deliveries=deliveries)
        return [command.text for command in taken.reply.commands if isinstance(command, Send)]

    def answer(self, event: Event, deliveries: int = 0) -> list[Any]:
        """Take this event; the one frame that goes back, decoded."""
        (frame,) = self.frames(event, deliveries=deliveries)
        answer: list[Any] = json.loads(frame)
        return answer

    def result(self, event: Event, deliveries: int = 0) -> Any:
        """Take this event; the payload of the CALLRESULT that goes back."""
        answer = self.answer(event, deliveries)
        assert answer[0] == 3, answer
        return answer[2]

    def error(self, event: Event, deliveries: int = 0) -> str:
        """Take this event; the code of the CALLERROR that goes back."""
        answer = self.answer(event, deliveries)
        assert answer[0] == 4, answer
        assert len(answer) == 5
        return str(answer[2])

    def connect(self, charger: Charger) -> Charger:
        """Let this charger connect."""
        self.take(charger.asks(), charger.connects())
        return charger

    def start(self, charger: Charger, **other: Any) -> int:
        """Let this charger start a transaction; its id."""
        transaction_id: int = self.result(charger.starts(**other))["transactionId"]
        return transaction_id

    def alive(self, seconds: float = 0) -> Taken:
        """The edge says that it is alive."""
        return self.take(Alive("", "", 0, at(seconds).timestamp()))
