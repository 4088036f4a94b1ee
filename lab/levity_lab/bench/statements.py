"""How many SQL statements a batch takes.

python -m levity_lab.bench.statements      (DATABASE_URL: an empty, migrated database)
"""

import json
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson

from levity.simulator.script import CALLS_PER_SESSION, SessionFrames, boot_frame
from levity_lab.bench.figures import Statements
from levity_ws.rpc.envelope import Batch, Connected, Event, Received, Send

__all__ = ["Charger", "count_statements", "mixed_batch"]

Take = Callable[[Sequence[Event]], tuple[int, Sequence[str]]]
"""Takes a batch; how many statements that took, and the answers."""

# The store sends what it writes in one text, with this between two statements; it is in none of
# the frames that are counted here.
BETWEEN = ";\n"


class Charger:
    """One charger whose frames are events of an envelope."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.connection = str(uuid.uuid4())
        self.seq = 0
        self.frames = SessionFrames(number)
        self.action = ""

    def connected(self) -> Event:
        """Its websocket is open."""
        event = Connected(self.name, self.connection, self.seq, time.time(), "127.0.0.1")
        self.seq += 1
        return event

    def boot(self) -> Event:
        """Its BootNotification."""
        return self._received(boot_frame(self.number))

    def next(self) -> Event:
        """The next Call of its session."""
        self.action, _, frame = self.frames.next()
        return self._received(frame)

    def answered(self, text: str) -> None:
        """What it learns from an answer."""
        if self.action == "StartTransaction":
            self.frames.transaction_id = orjson.loads(text)[2]["transactionId"]

    @property
    def name(self) -> str:
        """Its identity."""
        return f"COUNT-{self.number:06d}"

    def _received(self, frame: bytes) -> Event:
        event = Received(self.name, self.connection, self.seq, time.time(), frame.decode())
        self.seq += 1
        return event


def mixed_batch(take: Take, size: int, first: int) -> int:
    """Statements of one batch of this many frames, from every step of a session alike."""
    chargers = [Charger(first + number) for number in range(size)]
    take([each.connected() for each in chargers])
    take([each.boot() for each in chargers])
    for number, charger in enumerate(chargers):
        for _ in range(number % CALLS_PER_SESSION):
            _, answers = take([charger.next()])
            charger.answered(answers[0])
    return take([each.next() for each in chargers])[0]


def count_statements(take: Take) -> Statements:
    """Those of a batch of 10, of 100, and of one frame of each kind."""
    alone: dict[str, int] = {}
    charger = Charger(1)
    take([charger.connected()])
    alone["BootNotification"], _ = take([charger.boot()])
    for _ in range(CALLS_PER_SESSION):
        event = charger.next()
        count, answers = take([event])
        charger.answered(answers[0])
        alone[charger.action] = max(count, alone.get(charger.action, 0))
    return Statements(mixed_batch(take, 10, 1000), mixed_batch(take, 100, 2000), alone)


def main() -> int:
    """Print them as JSON."""
    import django

    django.setup()
    from django.db import connection

    from levity.ocpp.worker.pipeline import Pipeline

    pipeline = Pipeline()
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    def take(events: Sequence[Event]) -> tuple[int, Sequence[str]]:
        statements.clear()
        with connection.execute_wrapper(note):
            taken = pipeline.take(Batch("bench", uuid.uuid4().hex, tuple(events)), "bench")
        if "--show" in sys.argv:
            print(len(events), *statements, sep="\n   ", file=sys.stderr)
        said = taken.reply.commands
        count = sum(text.count(BETWEEN) + 1 for text in statements)
        return count, [command.text for command in said if isinstance(command, Send)]

    counted = count_statements(take)
    # The batch of 100 was the last one.
    print(json.dumps(asdict(replace(counted, round_trips=len(statements)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
