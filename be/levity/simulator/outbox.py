"""What a charger has to say: in order, transaction messages kept while offline and sent again."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from levity.simulator.profiles import RetryStyle
from levity.simulator.wire import Answer, Outcome

__all__ = ["ActiveTransaction", "Outbox", "Outgoing", "Waiting"]


@dataclass(slots=True, eq=False)
class ActiveTransaction:
    """A transaction as the charger knows it. `id` is None until StartTransaction is answered."""

    connector: int
    id_tag: str
    started_at: datetime
    meter_start: int
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A Call to send. Its transactionId is filled in then: it may not be known before."""

    action: str
    payload: dict[str, Any]
    transaction: ActiveTransaction | None = None
    kept: bool = False
    """A transaction message (OCPP 1.6, 3.7): waits while offline, is retried, keeps its order."""
    before_boot: bool = False
    """May be sent before BootNotification is accepted."""


@dataclass(slots=True, eq=False)
class Waiting:
    """An Outgoing in the queue."""

    outgoing: Outgoing
    number: int
    done: asyncio.Future[Answer]
    due: datetime
    attempts: int = 0
    unique_id: str = ""
    """Empty: a new one is to be made."""


class Outbox:
    """One ordered queue of transaction messages and one of everything else.

    Everything else overtakes a transaction message only while that waits for its next attempt.
    """

    def __init__(self, retry: RetryStyle) -> None:
        self._retry = retry
        self._kept: deque[Waiting] = deque()
        self._passing: deque[Waiting] = deque()
        self._number = 0
        self.changed = asyncio.Event()
        """Set when there may be something new to send."""

    def __len__(self) -> int:
        return len(self._kept) + len(self._passing)

    @property
    def kept(self) -> int:
        """Transaction messages that wait."""
        return len(self._kept)

    def put(self, outgoing: Outgoing, now: datetime) -> Waiting:
        """Queue a Call; its `done` says in the end what came of it."""
        self._number += 1
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting = Waiting(outgoing, self._number, done, now)
        (self._kept if outgoing.kept else self._passing).append(waiting)
        self.changed.set()
        return waiting

    def next_due(self, now: datetime, *, booted: bool) -> Waiting | None:
        """The Call to send now, or None. It stays in the queue until it is settled."""
        if not booted:
            return next((each for each in self._passing if each.outgoing.before_boot), None)
        first = self._passing[0] if self._passing else None
        kept = self._kept[0] if self._kept else None
        if kept is None or kept.due > now:
            return first
        return kept if first is None or kept.number < first.number else first

    def next_at(self) -> datetime | None:
        """When the head of the transaction messages may be sent (again); None if there is none."""
        return self._kept[0].due if self._kept else None

    def settle(self, waiting: Waiting, answer: Answer, now: datetime) -> bool:
        """Say what came of a Call. True when that is the end of it, False if it goes out again."""
        if waiting.outgoing.kept and answer.outcome is not Outcome.RESULT:
            if self._retry.new_id:
                waiting.unique_id = ""
            if answer.outcome is Outcome.LOST:
                waiting.due = now
                return False
            if self._retry.attempts == 0 or waiting.attempts < self._retry.attempts:
                factor = waiting.attempts if self._retry.growing else 1
                waiting.due = now + timedelta(seconds=self._retry.interval * factor)
                return False
        (self._kept if waiting.outgoing.kept else self._passing).remove(waiting)
        if not waiting.done.done():
            waiting.done.set_result(answer)
        return True

    def drop_passing(self) -> None:
        """Offline: whatever is no transaction message is lost."""
        while self._passing:
            waiting = self._passing.popleft()
            if not waiting.done.done():
                waiting.done.set_result(Answer(Outcome.LOST))
