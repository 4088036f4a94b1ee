"""The six counts, and wrong energy: what the chargers wrote down, held against the database.

As RabbitMQ's Jepsen test gives its verdict. Only plain SQL is used to look at the database, and
none of the code that is under test but what takes the bytes of blocks and traces apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import orjson

from levity.ocpp.store.messages.codec import facts_of
from levity.ocpp.store.samples.coding import decode
from levity.simulator.ledger import Entry
from levity_lab.soak.energy import REGISTER, Book, wrong_energy

__all__ = ["Books", "Counts", "add", "judge"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[Any, ...]


class Books(Protocol):
    """The database, to look at."""

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query yields."""
        ...


@dataclass(slots=True)
class Counts:
    """Transaction messages (Start, Stop, MeterValues of a session), each counted once however
    often it was sent."""

    attempted: int = 0
    acknowledged: int = 0
    lost: int = 0
    """Answered with a CALLRESULT and not in the database."""
    duplicated: int = 0
    """In the database more often than it happened."""
    unexpected: int = 0
    """In the database, and nobody sent it; or otherwise than it was sent."""
    recovered: int = 0
    """Never answered, and in the database all the same: allowed, and good."""
    given_up: int = 0
    """Thrown away by the charger after so many attempts: lost at the charger, not here."""
    refused: int = 0
    """CALLERRORs to transaction messages: our trouble must not be the charger's fault."""
    unanswered: int = 0
    """Still waiting in the charger when the round ended."""
    wrong_energy: int = 0
    """Sessions whose energy is not what their meter moved, or can't be; connectors on which more is
    billed than that."""
    examples: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """True if nothing happened that must not."""
        return not (
            self.lost
            or self.duplicated
            or self.unexpected
            or self.refused
            or self.unanswered
            or self.wrong_energy
        )

    def note(self, kind: str, what: object) -> None:
        """Count one, and keep it as an example if there are few."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {what}")


def add(counts: Iterable[Counts]) -> Counts:
    """The sum."""
    total = Counts()
    for each in counts:
        for name in Counts.__slots__:
            if name == "examples":
                total.examples += each.examples[: 20 - len(total.examples)]
            else:
                setattr(total, name, getattr(total, name) + getattr(each, name))
    return total


@dataclass(slots=True)
class _Message:
    """One transaction message: what was sent, and what came of it."""

    charge_point: str
    action: str
    key: int
    """Rises as they happened."""
    payloads: list[Mapping[str, Any]] = field(default_factory=list)
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    given_up: bool = False
    refused: int = 0

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.payloads[-1]


def judge(ledgers: Iterable[Sequence[Entry]], books: Books, prefix: str, parks: int = 0) -> Counts:
    """The counts for the chargers whose identity begins with `prefix`; `parks` frames may be
    parked."""
    counts = Counts()
    messages = [message for entries in ledgers for message in _messages(entries)]
    counts.attempted = len(messages)
    counts.acknowledged = sum(bool(message.answers) for message in messages)
    counts.given_up = sum(message.given_up for message in messages)
    for message in messages:
        for _ in range(message.refused):
            counts.note("refused", f"{message.charge_point} {message.action}")
        if not (message.answers or message.given_up):
            counts.note("unanswered", f"{message.charge_point} {message.action}")
    _judge_sessions(counts, messages, books, prefix)
    _judge_samples(counts, messages, ledgers, books, prefix)
    _judge_log(counts, ledgers, books, prefix)
    ((parked,),) = books.rows(
        "SELECT count(*) FROM ocpp_failedmessage WHERE identity LIKE %s", f"{prefix}%"
    )
    for _ in range(max(0, parked - parks)):
        counts.note("unexpected", "a frame was parked")
    return counts


def _messages(entries: Sequence[Entry]) -> list[_Message]:
    found: dict[int, _Message] = {}
    for entry in entries:
        if not entry.transactional:
            continue
        message = found.setdefault(entry.key, _Message(entry.charge_point, entry.action, entry.key))
        if entry.event == "sent":
            message.payloads.append(entry.payload or {})
        elif entry.event == "result":
            message.answers.append(entry.payload or {})
        elif entry.event == "error":
            message.refused += 1
        elif entry.event == "dropped":
            message.given_up = True
    return list(found.values())


def _judge_sessions(
    counts: Counts, messages: Sequence[_Message], books: Books, prefix: str
) -> None:
    rows = books.rows(
        "SELECT c.identity, t.connector, t.id_tag, t.started_at, t.meter_start, t.id, t.state,"
        " t.stopped_at, t.meter_stop, t.energy, t.confidence FROM ocpp_transaction t"
        " JOIN ocpp_chargepoint c ON c.id = t.charge_point_id WHERE c.identity LIKE %s",
        f"{prefix}%",
    )
    by_key = {row[:5]: row for row in rows}
    by_id = {row[5]: row for row in rows}
    for key, number in Counter(row[:5] for row in rows).items():
        for _ in range(number - 1):
            counts.note("duplicated", key)
    starts = {_start_key(message): message for message in messages if _is(message, "Start")}
    for key, row in by_key.items():
        if key not in starts:
            counts.note("unexpected", f"transaction {row}")
        # What the register says, not what it said in the middle of the session.
        elif row[6] == "stopped" and row[9] != row[8] - row[4]:
            counts.note("unexpected", f"energy {row[9]} of {row}")
    for key, message in starts.items():
        given = {answer.get("transactionId") for answer in message.answers}
        if len(given) > 1:
            counts.note("duplicated", f"{key} was answered {given}")
        if not given:
            counts.recovered += key in by_key
        elif any(by_id.get(each, ())[:5] != key for each in given):
            counts.note("lost", f"start {key} answered {given}")
    _judge_stops(counts, messages, books, prefix, by_id)
    recorded = [Book(*row[:7], *row[9:]) for row in rows]
    in_order = sorted(messages, key=lambda item: item.key)
    for line in wrong_energy(in_order, recorded):
        counts.note("wrong_energy", line)


def _judge_stops(
    counts: Counts,
    messages: Sequence[_Message],
    books: Books,
    prefix: str,
    by_id: Mapping[int, tuple[Any, ...]],
) -> None:
    quarantined = [
        (identity, orjson.loads(payload))
        for identity, payload in books.rows(
            "SELECT c.identity, q.payload FROM ocpp_quarantinedmessage q"
            " JOIN ocpp_chargepoint c ON c.id = q.charge_point_id WHERE c.identity LIKE %s"
            # What came again with the figures that are recorded is resolved from the start.
            " AND q.resolved_at IS NULL",
            f"{prefix}%",
        )
    ]
    ended = {(row[0], row[7], row[8]) for row in by_id.values() if row[6] == "stopped"}
    asked: set[Key] = set()
    for message in messages:
        if not _is(message, "Stop"):
            continue
        payload = message.payload
        end = (message.charge_point, _moment(payload["timestamp"]), Decimal(payload["meterStop"]))
        asked.add(end)
        row = by_id.get(payload["transactionId"])
        # Its start was given up: there is no id, and it is quarantined, or matched otherwise.
        nameless = row is None and payload["transactionId"] <= 0
        there = end in ended and (nameless or (row is not None and row[7:9] == end[1:]))
        if nameless and not there:
            mine = (message.charge_point, payload)
            there = mine in quarantined
            quarantined = [each for each in quarantined if each != mine]
        if message.answers and not there:
            counts.note("lost", f"stop {message.charge_point} {payload} is {row}")
        if not message.answers:
            counts.recovered += there
    for end in ended - asked:
        counts.note("unexpected", f"stopped {end}")
    for each in quarantined:
        counts.note("unexpected", f"quarantined {each}")


def _judge_samples(
    counts: Counts,
    messages: Sequence[_Message],
    ledgers: Iterable[Sequence[Entry]],
    books: Books,
    prefix: str,
) -> None:
    there = Counter(_samples_there(books, prefix))
    if any(_missing(message, there) for message in messages if message.answers):
        # A row that becomes a trace between the two statements shows in neither, once.
        there |= Counter(_samples_there(books, prefix))
    happened: Counter[Key] = Counter()
    for message in messages:
        if not _is(message, "MeterValues"):
            continue
        samples = Counter(_samples(message.charge_point, message.payload))
        # Not +=, which goes through all of it each time.
        happened.update(samples)
        missing = _missing(message, there)
        if message.answers and missing:
            counts.note("lost", f"samples {missing[0]}")
        elif not message.answers and not missing:
            counts.recovered += 1
    for entries in ledgers:
        for entry in entries:
            # Samples outside a session: kept in memory by no charger, so one attempt each.
            if entry.event == "sent" and entry.action == "MeterValues" and not entry.transactional:
                happened.update(_samples(entry.charge_point, entry.payload or {}))
    # One message is one fault, however many samples are in it.
    too_many: defaultdict[Key, bool] = defaultdict(bool)
    for key, number in there.items():
        if key not in happened:
            counts.note("unexpected", f"sample {key}")
        elif number > happened[key]:
            too_many[key[:2]] = True
    for key in too_many:
        counts.note("duplicated", f"samples of {key[0]} at {key[1].isoformat()}")


def _missing(message: _Message, there: Counter[Key]) -> list[Key]:
    """The samples of this message that are not there; none of another kind of message."""
    if not _is(message, "MeterValues"):
        return []
    samples = Counter(_samples(message.charge_point, message.payload))
    # Not samples - there, which goes through all of them each time.
    return [key for key, number in samples.items() if there[key] < number]


def _judge_log(
    counts: Counts, ledgers: Iterable[Sequence[Entry]], books: Books, prefix: str
) -> None:
    """What was answered is in the log, wherever it is kept; and nothing is in two places."""
    there: Counter[int] = Counter()
    logged: set[tuple[str, str]] = set()
    for identity, pk, unique_id in books.rows(
        "SELECT c.identity, m.id, m.unique_id FROM ocpp_message m"
        " JOIN ocpp_chargepoint c ON c.id = m.charge_point_id WHERE c.identity LIKE %s",
        f"{prefix}%",
    ):
        there[pk] += 1
        logged.add((identity, unique_id))
    for identity, packed in books.rows(
        "SELECT c.identity, b.facts FROM ocpp_messageblock b"
        " JOIN ocpp_chargepoint c ON c.id = b.charge_point_id WHERE c.identity LIKE %s",
        f"{prefix}%",
    ):
        facts = facts_of(bytes(packed))
        there.update(facts.ids)
        logged.update((identity, unique_id) for unique_id in facts.unique_ids)
    for pk, number in there.items():
        if number > 1:
            counts.note("duplicated", f"exchange {pk} is in the log {number} times")
    for entries in ledgers:
        for entry in entries:
            answered = entry.event == "result" and entry.transactional
            if answered and (entry.charge_point, entry.unique_id) not in logged:
                counts.note("lost", f"from the log: {entry}")


def _samples_there(books: Books, prefix: str) -> Iterable[Key]:
    names_of = {
        pk: orjson.loads(names)
        for pk, names in books.rows("SELECT s.id, s.names FROM ocpp_sampleshape s")
    }
    for identity, data in books.rows(
        "SELECT c.identity, t.data FROM ocpp_sampletrace t"
        " JOIN ocpp_chargepoint c ON c.id = t.charge_point_id WHERE c.identity LIKE %s",
        f"{prefix}%",
    ):
        for each in decode(bytes(data)).coded():
            moment = _EPOCH + timedelta(microseconds=each.sampled_at)
            for (measurand, phase, *_), value in zip(
                names_of[each.shape], each.values, strict=True
            ):
                yield identity, moment, measurand, phase, value
    for identity, sampled_at, names, raw_values in books.rows(
        "SELECT c.identity, m.sampled_at, s.names, m.raw_values"
        " FROM ocpp_metervalue_recent m JOIN ocpp_chargepoint c ON c.id = m.charge_point_id"
        " JOIN ocpp_sampleshape s ON s.id = m.shape_id WHERE c.identity LIKE %s",
        f"{prefix}%",
    ):
        is_list = raw_values.startswith("[")
        values = orjson.loads(raw_values) if is_list else raw_values.split(" ")
        for (measurand, phase, *_), value in zip(orjson.loads(names), values, strict=True):
            yield identity, sampled_at, measurand, phase, value


def _samples(identity: str, payload: Mapping[str, Any]) -> Iterable[Key]:
    for value in payload.get("meterValue", ()):
        moment = _moment(value["timestamp"])
        for sample in value["sampledValue"]:
            measurand = sample.get("measurand", REGISTER)
            yield identity, moment, measurand, sample.get("phase", ""), str(sample["value"])


def _start_key(message: _Message) -> Key:
    payload = message.payload
    return (
        message.charge_point,
        payload["connectorId"],
        payload["idTag"],
        _moment(payload["timestamp"]),
        Decimal(payload["meterStart"]),
    )


def _is(message: _Message, action: str) -> bool:
    return message.action.startswith(action)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
