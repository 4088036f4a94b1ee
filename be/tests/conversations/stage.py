"""A conversation is played to a pipeline, at the moments at which it was recorded."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from levity.ocpp.commands import lifecycle as commands
from levity.ocpp.conversation.lines import Line, head_of
from levity.ocpp.conversation.script import TransactionIds
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    Connector,
    FailedMessage,
    IdTag,
    Message,
    QuarantinedMessage,
    SecurityEvent,
    StatusEvent,
    Transaction,
)
from levity.ocpp.worker.pipeline import Pipeline
from levity_ws.rpc.envelope import (
    Accept,
    Authenticate,
    Batch,
    Connected,
    Disconnected,
    Event,
    Received,
    Refuse,
    Reply,
    Send,
    decode_batch,
    encode_batch,
)
from tests.kept import FIELDS, Row, Samples

__all__ = ["Stage", "prepare", "rows"]

EDGE, REPLY_TO = "edge-1", "replies of edge-1"
# What is due at the very moment of a frame comes after it.
BLINK = timedelta(milliseconds=1)
TABLES: dict[str, type[Model]] = {
    "charge_points": ChargePoint,
    "connection_events": ConnectionEvent,
    "connectors": Connector,
    "status_events": StatusEvent,
    "transactions": Transaction,
    "meter_values": Samples,
    "messages": Message,
    "commands": Command,
    "quarantined_messages": QuarantinedMessage,
    "security_events": SecurityEvent,
    "failed_messages": FailedMessage,
    "id_tags": IdTag,
}
# Ours alone: numbers of rows, our clock while the test runs, and what the conversation itself says.
LEFT_OUT = {
    "id",
    "created_at",
    "tries",
    # How the automatic start keeps its place (be/tests/ocpp/rules/test_holds.py).
    "only_since",
    "holds",
    "clock_lag",
    "clock_lag_seen",
    "profile_since",
    "edge",
    "edge_id",
    "charge_point_id",
    "identity",
    "request",
    "response",
    "unique_id",
    "payload_hash",
    "stop_received_at",
    "start_received_at",
    "finished_at",
    "not_before",
    "expires_at",
    "deadline",
    "lives",
}
# What is nearly always so is worth a line only where it is not.
USUAL = {"occurrence": 0, "security_profile": 0, "priority": 1}


def prepare(given: dict[str, Any]) -> None:
    """What is in the database before the charger comes for the first time."""
    if "charge_point" in given:
        ChargePoint.objects.create(**given["charge_point"])
    for tag in given.get("id_tags", ()):
        IdTag.objects.create(**tag)
    for running in given.get("transactions", ()):
        elsewhere = ChargePoint.objects.create(identity=running["charge_point"])
        Transaction.objects.create(**{**running, "charge_point": elsewhere})


@dataclass
class Stage:
    """Takes line by line; what Levity says to each comes back as text."""

    ids: dict[int, int] = field(default_factory=dict)
    """transactionId as recorded -> the one that was given here."""
    identity: str = ""

    def __post_init__(self) -> None:
        self.pipeline = Pipeline()
        self.seqs: dict[int, int] = {}
        self.handshakes: list[dict[str, Any]] = []

    def take(self, line: Line) -> list[str]:
        """The charger's frame, or what became of its connection; the frames that go back.

        What a handshake is answered is kept in `handshakes`.
        """
        unasked = self.due(line.at - BLINK)
        assert unasked == [], f"line {line.number}: before it Levity says {unasked}"
        self.identity = line.identity or self.identity
        return [text for event in self._events(line) for text in self._answers(event, line)]

    def call(self, line: Line) -> list[str]:
        """Levity's own Call, as recorded: the one that is due, else an operator's."""
        _, unique_id, action = head_of(line.text)
        due = Command.objects.filter(state="queued", action=action, not_before__lte=line.at)
        waiting = due.order_by("id").first()
        if waiting is None:
            Command.objects.create(
                charge_point=ChargePoint.objects.get(identity__iexact=self.identity),
                action=action,
                payload=json.loads(self.here(line.text))[3],
                unique_id=unique_id,
                not_before=line.at,
                source="operator",
            )
        else:
            Command.objects.filter(pk=waiting.pk).update(unique_id=unique_id)
        return self.due(line.at)

    def due(self, at: datetime) -> list[str]:
        """The Calls that Levity sends at this moment."""
        sent: list[str] = []
        commands.give_up(at)

        def send(reply_to: str, reply: Reply) -> bool:
            assert reply_to == REPLY_TO
            sent.extend(item.text for item in reply.commands if isinstance(item, Send))
            return True

        commands.dispatch(at, send)
        return [self.recorded(text) for text in sent]

    def here(self, text: str) -> str:
        """A recorded frame with the transactionIds that were given here."""
        return _with_ids(text, self.ids)

    def recorded(self, text: str) -> str:
        """A frame of here with the transactionIds of the recording."""
        return _with_ids(text, {here: recorded for recorded, here in self.ids.items()})

    def learn(self, recorded: str, here: str) -> None:
        """Two answers to one StartTransaction."""
        pair = [json.loads(text)[2] for text in (recorded, here) if head_of(text)[0] == 3]
        if len(pair) == 2 and all(isinstance(item.get("transactionId"), int) for item in pair):
            self.ids.setdefault(pair[0]["transactionId"], pair[1]["transactionId"])

    def _events(self, line: Line) -> list[Event]:
        def common() -> dict[str, Any]:
            seq = self.seqs[line.connection] = self.seqs.get(line.connection, -1) + 1
            return {
                "charge_point": self.identity,
                "connection": str(UUID(int=line.connection)),
                "seq": seq,
                "at": line.at.timestamp(),
            }

        offered = tuple(name.strip() for name in line.subprotocol.split(",") if name.strip())
        agent = line.user_agent
        match line.event:
            case "connected":
                asks = Authenticate(**common(), subprotocols=offered, user_agent=agent)
                there = Connected(**common(), subprotocol=line.subprotocol, user_agent=agent)
                return [asks, there]
            case "refused":
                return [Authenticate(**common(), subprotocols=offered, user_agent=agent)]
            case "disconnected":
                return [Disconnected(**common(), code=line.code or 1006, reason=line.reason)]
        return [Received(**common(), text=self.here(line.text))]

    def _answers(self, event: Event, line: Line) -> list[str]:
        batch = decode_batch(encode_batch(Batch(EDGE, str(event.seq), (event,))))
        reply = self.pipeline.take(batch, REPLY_TO).reply
        said: list[str] = []
        for command in reply.commands:
            match command:
                case Send(text=text):
                    said.append(self.recorded(text))
                case Accept() | Refuse():
                    said_back = {**asdict(command), "connection": line.connection}
                    # Another one for who is new: no matter of the conversation.
                    said_back = {"is": command.type, **said_back}
                    if "max_size" in said_back:
                        said_back["max_size"] = 0
                    self.handshakes.append(said_back)
        return said


def rows(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    """Everything that is in the database, in the order in which it came; nothing that is empty."""
    recorded = {here: recorded for recorded, here in stage.ids.items()}
    found = {
        name: [_row(item, recorded) for item in model._default_manager.order_by("pk")]
        for name, model in TABLES.items()
    }
    found["transactions"].sort(key=lambda row: row["transaction"])
    return {name: items for name, items in found.items() if items} | {
        "handshakes": stage.handshakes
    }


def _row(item: Model | Row, recorded: dict[int, int]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    columns = FIELDS if isinstance(item, Row) else [c.attname for c in item._meta.concrete_fields]
    for column in columns:
        name, value = column, getattr(item, column)
        if name.removesuffix("_id") == "transaction" or (
            name == "id" and isinstance(item, Transaction)
        ):
            value = recorded.get(value, value)
            name = "transaction"
        elif name == "resolved_to_id":
            value = recorded.get(value, value)
        elif name in LEFT_OUT or USUAL.get(name) == value:
            continue
        if isinstance(value, dict):
            value = json.loads(_with_ids(json.dumps(value), recorded))
        if value not in (None, "", {}):
            row[name] = _plain(value)
    if isinstance(item, ChargePoint):
        row.pop("subprotocol", None)  # its newest connection's, which is among the events
    if isinstance(item, QuarantinedMessage):
        row["payload"] = json.loads(_with_ids(item.payload, recorded))
    return row


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Decimal():
            return format(value.normalize(), "f")
        case UUID():
            return value.int
    return value


def _with_ids(text: str, ids: dict[int, int]) -> str:
    return TransactionIds(ids).translated(text)
