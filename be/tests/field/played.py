"""A capture, played with as little changed as can be.

What is changed: the transactionIds are those that were given here, and where time can't be set
(over sockets) all times of a file are moved by the same whole seconds. A fragment that begins in
the middle of a session has the start that must have been in the first line of its file.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp.conversation.lines import head_of
from levity.ocpp.conversation.script import TransactionIds
from levity.ocpp.models import ChargePoint, Command
from tests.field.captured import Capture, moments
from tests.field.charger import Charger, Ground

__all__ = ["Played"]

SECOND = timedelta(seconds=1)


def _moved(text: str, by: timedelta) -> str:
    """The frame with its times so much later, each in its own way of writing."""
    if not by:
        return text
    head, *rest = text.split('"timestamp"')
    parts = [head]
    for part in rest:
        before, _, value = part.partition('"')
        value, _, after = value.partition('"')
        moved = datetime.fromisoformat(value[:19]) + by
        parts.append(f'{before}"{moved.isoformat()}{value[19:]}"{after}')
    return '"timestamp"'.join(parts)


@dataclass
class Played:
    """A capture, played; what came back."""

    capture: Capture
    ground: Any
    charger: Charger
    answers: list[tuple[str, list[Any] | None]] = field(default_factory=list)
    """Action of each of its Calls, and the whole answer."""
    ids: TransactionIds = field(default_factory=TransactionIds)
    by: timedelta = timedelta(0)
    passed: dict[str, int] = field(default_factory=dict)

    @classmethod
    def on(cls, ground: Ground, capture: Capture, identity: str = "") -> "Played":
        """Play all of it."""
        played = cls(capture, ground, ground.charger(identity or f"X-{capture.name}"))
        played.prepare()
        played.play()
        return played

    def prepare(self) -> None:
        """What it will answer, and how far its times are from now."""
        latest = max((at for text in self.capture.said for at in moments(text)), default=None)
        latest = self.capture.now or latest
        if latest is not None and not hasattr(self.ground, "take"):
            self.by = timedelta(seconds=int((self.ground.now - latest) / SECOND) - 1)
        calls: dict[str, str] = {}
        self.recorded: dict[str, deque[str]] = {}
        for row in self.capture.frames:
            kind, unique_id, action = head_of(row["text"])
            if row["from"] == "server" and kind == 2:
                calls[unique_id] = action
            elif row["from"] == "charger" and kind in (3, 4) and unique_id in calls:
                action = calls[unique_id]
                self.recorded.setdefault(action, deque()).append(row["text"])
        for action in self.recorded:
            self.charger.answers[action] = self._answer

    def _answer(self, call: list[Any]) -> Any:
        waiting = self.recorded[call[2]]
        if not waiting:
            return {"status": "Accepted"}
        text = waiting.popleft()
        return text.replace(head_of(text)[1], call[1], 1)

    def play(self) -> None:
        """All rows, in their order."""
        plan = self.capture.about.get("replay") or {}
        starts = plan.get("start") or []
        starts = starts if isinstance(starts, list) else [starts]
        ids = list(plan.get("map", ()))
        begins = self._begins()
        calls: dict[str, str] = {}
        for place, row in enumerate(self.capture.frames):
            text = row["text"]
            if row["note"].endswith("first frame of a new connection") and place:
                self.charger.leave()
                self.charger.come_back()
            kind, unique_id, action = head_of(text)
            if row["from"] == "server":
                if kind == 2:
                    calls[unique_id] = text
                self._pass_time(text)
                continue
            if kind in (3, 4):
                if unique_id in calls:
                    self._ask(json.loads(self.ids.translated(calls[unique_id])))
                continue
            if place == begins:
                for number, start in enumerate(starts):
                    answer = self._say(json.dumps([2, f"ours-{number}", "StartTransaction", start]))
                    if answer and number < len(ids):
                        self.ids.given[ids[number]] = answer[2]["transactionId"]
            answer = self._say(text)
            if action == "StartTransaction" and answer and answer[0] == 3:
                left = [item for item in ids if item not in self.ids.given]
                given = self._given(unique_id)
                given = left[0] if given is None and left else given
                if given is not None:
                    self.ids.given[given] = answer[2]["transactionId"]

    def _begins(self) -> int:
        """The row before which the fragment's own start must have been."""
        rows = self.capture.frames
        heads = [head_of(row["text"]) for row in rows]
        wanted = ("MeterValues", "StopTransaction")
        for place, (row, head) in enumerate(zip(rows, heads, strict=True)):
            if row["from"] == "charger" and (head[2] in wanted):
                return place
        return -1

    def _given(self, unique_id: str) -> int | None:
        """The transactionId that the other server gave."""
        for row in self.capture.frames:
            if row["from"] == "server" and head_of(row["text"])[:2] == (3, unique_id):
                given = json.loads(row["text"])[2].get("transactionId")
                return int(given) if given is not None else None
        return None

    def _pass_time(self, text: str) -> None:
        for moment in moments(text):
            # A charger's clock may be ahead; the first line says so where it is.
            self.ground.set_clock(min(moment, self.capture.now or moment))

    def _say(self, text: str) -> list[Any] | None:
        self._pass_time(text)
        answer = self.charger.say(_moved(self.ids.translated(text), self.by))
        self.answers.append((head_of(text)[2], answer))
        return answer

    def _ask(self, call: list[Any]) -> None:
        """Have an operator ask what was asked, unless Levity has done so by itself."""
        _, _, action, payload = call
        self.passed[action] = self.passed.get(action, 0) + 1
        asked = len(self.charger.asked_to(action))
        if asked >= self.passed[action]:
            return
        command = Command.objects.create(
            charge_point=ChargePoint.objects.get(identity__iexact=self.charger.identity),
            action=action,
            payload=payload,
            not_before=self.ground.now,
            source="operator",
        )
        self.ground.settle(command.pk)
