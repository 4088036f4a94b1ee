"""Levity in this process, with a clock of the test's own: no socket, no waiting."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

from django.core.management import call_command

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import Command
from levity.ocpp.worker.housekeeping import EveryMinute, sweep
from levity.ocpp.worker.pipeline import Pipeline
from levity_ws.rpc.envelope import (
    Alive,
    Authenticate,
    Batch,
    Connected,
    Disconnected,
    Received,
    Reply,
    Send,
    decode_batch,
    encode_batch,
)
from tests.field.charger import Answers, Charger, Ground

__all__ = ["InProcess"]

EDGE, REPLY_TO = "edge-1", "replies of edge-1"
# From the charger's word to the next one.
STEP = timedelta(milliseconds=50)
SECOND, LOOK, LONG_LOOK = timedelta(seconds=1), timedelta(seconds=5), timedelta(minutes=10)


class InProcess(Ground):
    """A pipeline, and what a worker does beside it."""

    def __init__(self, now: datetime = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)) -> None:
        self._now = self.looked = now
        self.pipeline = Pipeline()
        self.lines: dict[str, _Line] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "InProcess":
        """The same moment and lines, before a worker that has just started."""
        other = memo[id(self)] = InProcess(self._now)
        other.lines = deepcopy(self.lines, memo)
        return other

    @property
    def now(self) -> datetime:
        return self._now

    def set_clock(self, now: datetime) -> None:
        """It is so late; never earlier than it was."""
        self._now = max(now, self._now)

    def charger(self, identity: str, answers: Answers | None = None, **handshake: Any) -> Charger:
        line = _Line(self, identity, answers, handshake)
        line.come_back()
        return line

    def wait(self, seconds: float) -> None:
        end = self._now + timedelta(seconds=seconds)
        minute = EveryMinute()
        while self._now < end:
            # What a worker does once a minute, it does at its first second.
            later = (self._now + LONG_LOOK).replace(second=0)
            self._now = min(end, self._now + SECOND) if seconds < 120 else later
            if self._now < min(end, self.looked + LOOK):
                self.send_what_is_due()
                continue
            self.looked = self._now
            self.take(Alive("", "", 0, self._now.timestamp()))
            self.send_what_is_due()
            sweep(self._now, is_minute=minute.is_over(self._now.timestamp()))

    def settle(self, command: int) -> None:
        self.send_what_is_due()

    def levity(self, *arguments: str) -> str:
        out = StringIO()
        call_command(*arguments, stdout=out)
        # The command line's clock is the computer's.
        for command in Command.objects.filter(state="queued", not_before__gt=self._now):
            later = command.not_before - self._now
            command.not_before -= later
            command.expires_at = command.expires_at and command.expires_at - later
            command.save()
        return out.getvalue()

    def take(self, event: Any) -> list[str]:
        """Let the backend have this event; the frames that go back to who sent it."""
        batch = decode_batch(encode_batch(Batch(EDGE, str(uuid4()), (event,))))
        reply = self.pipeline.take(batch, REPLY_TO, now=self._now).reply
        self.refused = [command for command in reply.commands if command.type == "refuse"]
        return [command.text for command in reply.commands if isinstance(command, Send)]

    def send_what_is_due(self) -> None:
        """Levity's Calls of this moment reach their chargers, who answer."""
        lifecycle.give_up(self._now)
        sent: list[Send] = []

        def send(reply_to: str, reply: Reply) -> bool:
            assert reply_to == REPLY_TO
            sent.extend(item for item in reply.commands if isinstance(item, Send))
            return True

        lifecycle.dispatch(self._now, send)
        for item in sent:
            if line := self.lines.get(item.connection):
                line.take_call(item.text)


class _Line(Charger):
    """A charger whose websocket is a row of numbers."""

    def __init__(
        self, ground: InProcess, identity: str, answers: Answers | None, handshake: dict[str, Any]
    ) -> None:
        super().__init__(identity, answers)
        self.ground, self.handshake = ground, handshake
        self.connection, self.seq = "", 0

    def _common(self) -> dict[str, Any]:
        self.seq += 1
        return {
            "charge_point": self.identity,
            "connection": self.connection,
            "seq": self.seq,
            "at": self.ground.now.timestamp(),
        }

    def come_back(self) -> None:
        self.connection = str(uuid4())
        self.ground.lines[self.connection] = self
        path = f"/ws/{self.identity}"
        offered = self.handshake.get("subprotocols", ("ocpp1.6",))
        agent = self.handshake.get("user_agent", "")
        asks = Authenticate(**self._common(), path=path, subprotocols=offered, user_agent=agent)
        self.ground.take(asks)
        assert not self.ground.refused, self.ground.refused
        agreed = offered[0] if offered else ""
        self._pass_on(Connected(**self._common(), subprotocol=agreed, user_agent=agent))

    def leave(self) -> None:
        self._pass_on(Disconnected(**self._common(), code=1006))
        self.ground.lines.pop(self.connection, None)

    def say(self, text: str) -> list[Any] | None:
        self.ground.set_clock(self.ground.now + STEP)
        said = self._pass_on(Received(**self._common(), text=text))
        return json.loads(said[-1]) if said else None

    def take_call(self, text: str) -> None:
        """A Call has come."""
        answer = self.reply_to(json.loads(text))
        if answer is not None:
            self.ground.take(Received(**self._common(), text=answer))

    def _pass_on(self, event: Any) -> list[str]:
        answers = []
        for text in self.ground.take(event):
            if json.loads(text)[0] == 2:
                self.take_call(text)
            else:
                answers.append(text)
        self.ground.send_what_is_due()
        return answers
