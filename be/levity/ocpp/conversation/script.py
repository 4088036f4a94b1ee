"""The charger's half of a conversation, ready to be played: who speaks when, who waits for what.

No I/O: `player.py` has the websockets.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp.conversation.lines import CENTRAL_SYSTEM, Line, head_of
from levity.ocpp.wire.scanning import between_fields, replaced
from levity_ws.frozen import frozen

__all__ = [
    "Answer",
    "Difference",
    "Script",
    "Step",
    "Times",
    "TransactionIds",
    "difference",
    "script_of",
]

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
# The server's clock is another one, and so is the number that it gives to a transaction.
_OWN = frozenset({"currentTime", "transactionId", "expiryDate"})
# A clock that was not set (1970, 2000) is a habit, not a moment. No OCPP 1.6 charger is older.
_UNSET_BEFORE = "2012"
# As long as 2026-01-31T12:00:00, and as the longest number that a charger takes for an id.
_MOMENT, _LONGEST_ID = 19, 20


@frozen
class Answer:
    """What the charger answered to a Call of the server."""

    text: str
    unique_id: str
    after: float
    """Seconds that it took."""

    def to(self, unique_id: str) -> str:
        """The same answer to another Call."""
        mine, other = json.dumps(self.unique_id), json.dumps(unique_id)
        return self.text.replace(mine, other, 1)


@dataclass(slots=True)
class Step:
    """One thing to do. `kind`: connect, refused, disconnect, send, or await (the server's Call)."""

    kind: str
    line: Line
    unique_id: str = ""
    action: str = ""
    recorded: Line | None = None
    """send: what it was answered, if it was."""
    is_call: bool = False


@dataclass(slots=True)
class Script:
    """All steps in their order, and what the charger answers to the server's Calls by action."""

    steps: list[Step] = field(default_factory=list)
    answers: dict[str, deque[Answer | None]] = field(default_factory=lambda: defaultdict(deque))
    """None where the charger gave no answer."""

    def answer_to(self, action: str) -> Answer | None:
        """The next recorded answer to this action, the last one again and again at the end.

        `KeyError` where the charger was never asked this.
        """
        recorded = self.answers.get(action)
        if not recorded:
            raise KeyError(action)
        return recorded.popleft() if len(recorded) > 1 else recorded[0]


@frozen
class Difference:
    """Where the server did something else than the one that was recorded."""

    line: int
    action: str
    recorded: Any
    received: Any

    def __str__(self) -> str:
        what = f" ({self.action})" if self.action else ""
        return f"line {self.line}{what}: recorded {_short(self.recorded)}, got " + _short(
            self.received
        )


@dataclass(slots=True)
class TransactionIds:
    """The recorded transactionIds, and those that this server gave."""

    given: dict[int, int] = field(default_factory=dict)

    def learn(self, recorded: Line | None, received: str) -> bool:
        """Compare two answers to a StartTransaction; False if it had another id here before."""
        before, now = _id_in(recorded.text if recorded else ""), _id_in(received)
        return before is None or now is None or self.given.setdefault(before, now) == now

    def translated(self, text: str) -> str:
        """The charger's frame as it has to read at this server; broken JSON, too."""
        return replaced(
            text,
            (
                (start, end, str(self.given.get(int(text[start:end]), text[start:end])))
                for start, end in _transaction_ids(text)
            ),
        )


@dataclass(slots=True)
class Times:
    """The charger's times, as far from now as they were from the moment of their frame.

    Without it everything that is played would be old news to the server. A time that was moved
    once stays the same, so that a message that comes again is still the same message.
    """

    moved: dict[str, str] = field(default_factory=dict)

    def translated(self, text: str, recorded_at: datetime, now: datetime) -> str:
        """The charger's frame, recorded then and sent now; broken JSON, too."""
        later = timedelta(seconds=round((now - recorded_at).total_seconds()))

        def move(said: str) -> str:
            if said not in self.moved and said >= _UNSET_BEFORE:
                with suppress(ValueError, OverflowError):
                    self.moved[said] = (datetime.fromisoformat(said) + later).isoformat()
            return self.moved.get(said, said)

        return replaced(text, ((start, end, move(text[start:end])) for start, end in _times(text)))


def script_of(lines: Iterable[Line]) -> Script:
    """What to do, in the order of the recording."""
    script = Script()
    asked: dict[tuple[int, str], Step] = {}
    calls: dict[tuple[int, str], tuple[str, Line, int]] = {}
    known: set[int] = set()
    for line in lines:
        if line.event:
            _event(script, line, known)
            continue
        if line.connection not in known:
            # The recording began in the middle of a connection.
            _event(script, Line(line.at, line.connection, event="connected"), known)
        kind, unique_id, action = head_of(line.text)
        key = (line.connection, unique_id)
        if line.sender == CENTRAL_SYSTEM:
            if kind == CALL:
                calls[key] = action, line, len(script.answers[action])
                script.answers[action].append(None)
                script.steps.append(Step("await", line, unique_id, action))
            elif kind and key in asked:
                asked.pop(key).recorded = line
            elif kind == CALL_ERROR:
                _answer_unreadable(script, line)
        elif kind in (CALL_RESULT, CALL_ERROR) and key in calls:
            action, call, place = calls.pop(key)
            took = max(0.0, (line.at - call.at).total_seconds())
            script.answers[action][place] = Answer(line.text, unique_id, took)
        else:
            step = Step("send", line, unique_id, action, is_call=kind == CALL)
            script.steps.append(step)
            if kind == CALL:
                asked.setdefault(key, step)
    return script


def difference(step: Step, received: str | None) -> Difference | None:
    """How the answer to this frame differs from the recorded one; None: in nothing that counts.

    The server's clock, its transactionIds, its message ids, the wording of its errors and the
    order and white space of its JSON do not count.
    """
    recorded = step.recorded.text if step.recorded else None
    before, now = _comparable(recorded), _comparable(received)
    if before == now:
        return None
    return Difference(step.line.number, step.action, before, now)


def _event(script: Script, line: Line, known: set[int]) -> None:
    if line.event == "connected":
        known.add(line.connection)
        script.steps.append(Step("connect", line))
    elif line.event == "refused":
        script.steps.append(Step("refused", line))
    elif line.event == "disconnected" and line.connection in known:
        script.steps.append(Step("disconnect", line))


def _answer_unreadable(script: Script, line: Line) -> None:
    """A CALLERROR with an id that nobody sent ("-1"): to the last frame that could not be read."""
    for step in reversed(script.steps):
        if step.kind == "send" and step.line.connection == line.connection:
            if step.recorded is None:
                step.recorded = line
            return


def _comparable(text: str | None) -> Any:
    if text is None:
        return "no answer"
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return text
    match frame:
        case [3, _, payload]:
            return {"result": _without_own(payload)}
        case [4, _, str(code), *_]:
            return {"error": code}
    return frame


def _without_own(payload: Any) -> Any:
    if isinstance(payload, Mapping):
        return {
            name: f"<{name}>" if name in _OWN else _without_own(value)
            for name, value in payload.items()
        }
    return payload


def _id_in(text: str) -> int | None:
    start, end = next(_transaction_ids(text), (0, 0))
    return int(text[start:end]) if end and head_of(text)[0] == CALL_RESULT else None


def _transaction_ids(text: str) -> Iterator[tuple[int, int]]:
    for start in between_fields(text, "transactionId"):
        word = text[start : start + _LONGEST_ID + 1]
        number = word.removeprefix("-")
        digits = len(number) - len(number.lstrip("0123456789"))
        if 0 < digits < len(number):
            yield start, start + len(word) - len(number) + digits


def _times(text: str) -> Iterator[tuple[int, int]]:
    for start in between_fields(text, "timestamp", quoted=True):
        moment = text[start : start + _MOMENT]
        parts = (moment[:4], moment[5:7], moment[8:10], moment[11:13], moment[14:16], moment[17:])
        signs = (moment[4:5], moment[7:8], moment[10:11], moment[13:14], moment[16:17])
        if signs == ("-", "-", "T", ":", ":") and "".join(parts).isdigit():
            yield start, start + len(moment)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
