"""Whether each session's energy is what its charger's meter moved, and no connector's more.

The truth is what the charger wrote into its ledger about its own meter, whether a message of it
arrived or not: its register moves in sessions only, and shows whole Wh at their start and end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

__all__ = ["REGISTER", "Book", "Message", "wrong_energy"]

REGISTER = "Energy.Active.Import.Register"
# Wh: samples are rounded, or cut off.
_ROUNDING = 1
_ZERO = Decimal(0)


class Message(Protocol):
    """A transaction message, as `verdict` gathers it from the ledger, in the order of its keys."""

    charge_point: str
    action: str
    answers: list[Mapping[str, Any]]

    @property
    def payload(self) -> Mapping[str, Any]:
        """As it was sent last."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """What the database says of a session."""

    charge_point: str
    connector: int
    id_tag: str
    started_at: datetime
    meter_start: Decimal
    id: int
    state: str
    energy: Decimal | None
    confidence: str

    @property
    def key(self) -> tuple[Any, ...]:
        """What its StartTransaction said."""
        return self.charge_point, self.connector, self.id_tag, self.started_at, self.meter_start


@dataclass(slots=True)
class _Session:
    """What the charger knows of a session."""

    charge_point: str
    start: Mapping[str, Any]
    ids: set[int]
    stop: Mapping[str, Any] | None = None
    told: Decimal = _ZERO
    """Wh that its newest answered sample, or its answered Stop, told."""

    @property
    def key(self) -> tuple[Any, ...]:
        moment = datetime.fromisoformat(self.start["timestamp"])
        start = Decimal(self.start["meterStart"])
        return self.charge_point, self.start["connectorId"], self.start["idTag"], moment, start

    @property
    def moved(self) -> Decimal | None:
        """Wh in truth. None: it had not ended when the ledger ends."""
        if self.stop is None:
            return None
        return Decimal(self.stop["meterStop"]) - Decimal(self.start["meterStart"])


def wrong_energy(messages: Iterable[Message], books: Iterable[Book]) -> Iterator[str]:
    """A line for each session whose energy is wrong, and each connector on which more is billed
    than it moved.

    A session that the charger stopped has its energy to the Wh, and so has one at `high`. One whose
    stop never came lies between what was told last and the truth.
    """
    sessions = {session.key: session for session in _sessions(messages)}
    billed: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for book in books:
        billed[book.charge_point, book.connector] += book.energy or _ZERO
        session = sessions.get(book.key)
        if session is not None and (why := _wrong(book, session)):
            yield f"{book.charge_point} session {book.id} ({book.state}, {book.confidence}): {why}"
    moved: dict[tuple[str, int], Decimal | None] = defaultdict(Decimal)
    for session in sessions.values():
        place = session.charge_point, session.start["connectorId"]
        before = moved[place]
        moved[place] = None if before is None or session.moved is None else before + session.moved
    for place, wh in billed.items():
        most = moved[place]
        if most is not None and wh > most:
            identity, connector = place
            yield f"{identity} connector {connector}: {wh} Wh billed, its meter moved {most} Wh"


def _wrong(book: Book, session: _Session) -> str:
    """Why the energy that is recorded can't be right; empty if it can."""
    truth, energy = session.moved, book.energy or _ZERO
    if truth is None:
        return ""
    if (book.state == "stopped" or book.confidence == "high") and energy != truth:
        return f"{energy} Wh, its meter moved {truth} Wh"
    if energy > truth:
        return f"{energy} Wh, its meter moved only {truth} Wh"
    if energy < min(session.told, truth) - _ROUNDING:
        return f"{energy} Wh, it has told {session.told} Wh of {truth} Wh"
    return ""


def _sessions(messages: Iterable[Message]) -> Iterator[_Session]:
    of: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        of[message.charge_point].append(message)
    for identity, some in of.items():
        yield from _of_one(identity, some)


def _of_one(identity: str, messages: Sequence[Message]) -> list[_Session]:
    """The sessions of one charger. What names no id that it was given belongs to the one that it
    began last: it sends them in their order."""
    sessions: list[_Session] = []
    by_id: dict[int, _Session] = {}
    for message in messages:
        payload = message.payload
        if message.action == "StartTransaction":
            ids = {answer["transactionId"] for answer in message.answers}
            sessions.append(_Session(identity, payload, ids))
            by_id.update(dict.fromkeys(ids, sessions[-1]))
            continue
        session = by_id.get(payload.get("transactionId", 0))
        if session is None and sessions:
            session = sessions[-1]
        if session is None:
            continue
        if message.action == "StopTransaction":
            session.stop = payload
            if message.answers and session.ids:
                session.told = session.moved or _ZERO
        elif message.answers:
            session.told = max(
                [session.told, *_risen(payload, Decimal(session.start["meterStart"]))]
            )
    return sessions


def _risen(payload: Mapping[str, Any], start: Decimal) -> Iterator[Decimal]:
    """Wh since the start that these samples tell; their register may count from there."""
    for element in payload.get("meterValue", ()):
        for sample in element["sampledValue"]:
            if sample.get("measurand", REGISTER) == REGISTER and not sample.get("phase"):
                wh = Decimal(str(sample["value"])) * (1000 if sample.get("unit") == "kWh" else 1)
                yield wh - start if wh >= start else wh
