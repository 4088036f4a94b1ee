"""Sends what waits in the outbox, one Call at a time, and enters everything in the ledger."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from levity.simulator.clock import Clock
from levity.simulator.exchange import Exchange
from levity.simulator.ledger import Ledger
from levity.simulator.outbox import Outbox, Outgoing, Waiting
from levity.simulator.profiles import Profile
from levity.simulator.statistics import Statistics
from levity.simulator.wire import Answer, MessageIdSeries, Outcome, call_frame, written

__all__ = ["Sender"]


class Sender:
    """Drains an outbox into whatever connection there is.

    `settled(waiting, answer)` is called when a Call is answered, given up, or lost for good.
    """

    def __init__(
        self,
        profile: Profile,
        serial: str,
        *,
        clock: Clock,
        chance: Random,
        ledger: Ledger,
        statistics: Statistics,
        settled: Callable[[Waiting, Answer], None],
    ) -> None:
        self.outbox = Outbox(profile.retry)
        self.ids = MessageIdSeries(profile.message_ids, serial, chance)
        self._profile = profile
        self._clock = clock
        self._ledger = ledger
        self._statistics = statistics
        self._settled = settled

    async def run(self, exchange: Exchange, booted: Callable[[], bool]) -> None:
        """Send until the connection is lost."""
        while True:
            self.outbox.changed.clear()
            waiting = self.outbox.next_due(self._clock.now(), booted=booted())
            if waiting is not None:
                if await self._send(exchange, waiting) is Outcome.LOST:
                    return
                continue
            due = self.outbox.next_at() if booted() else None
            patience = None
            if due is not None:
                # A little more than needed: a timer that fires early would spin.
                left = (due - self._clock.now()).total_seconds()
                patience = self._clock.real(left) + 0.001
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.outbox.changed.wait()

    async def _send(self, exchange: Exchange, waiting: Waiting) -> Outcome:
        outgoing = waiting.outgoing
        payload = self._payload(outgoing)
        if not waiting.unique_id:
            waiting.unique_id = self.ids.next()
        unique_id = waiting.unique_id
        waiting.attempts += 1
        self._statistics.messages += 1
        self._enter("sent", waiting, unique_id, payload)
        frame = call_frame(unique_id, outgoing.action, payload)
        answer = Answer(Outcome.LOST)
        try:
            answer = await exchange.call(
                unique_id, outgoing.action, frame, self._profile.answer_timeout
            )
        finally:
            # Also when cancelled: nobody may forget that this Call was sent.
            attempt = waiting.attempts
            if answer.outcome is Outcome.LOST:
                waiting.attempts -= 1
            ended = self.outbox.settle(waiting, answer, self._clock.now())
            self._count(answer)
            details = answer.payload
            if answer.outcome is Outcome.ERROR:
                details = {"code": answer.code, "description": answer.description}
            self._enter(answer.outcome, waiting, unique_id, details, attempt)
            if ended and outgoing.kept and answer.outcome is not Outcome.RESULT:
                self._statistics.dropped += 1
                self._enter("dropped", waiting, unique_id, None)
            if ended:
                self._settled(waiting, answer)
        return answer.outcome

    def _payload(self, outgoing: Outgoing) -> Mapping[str, Any]:
        if outgoing.transaction is None or outgoing.action == "StartTransaction":
            return outgoing.payload
        known = outgoing.transaction.id
        if outgoing.action == "StopTransaction" and self._profile.stops_with_unknown_id:
            known = None
        transaction_id = self._profile.id_when_unknown if known is None else known
        return {**outgoing.payload, "transactionId": transaction_id}

    def _count(self, answer: Answer) -> None:
        match answer.outcome:
            case Outcome.RESULT:
                self._statistics.results += 1
            case Outcome.ERROR:
                self._statistics.call_errors[answer.code] += 1
            case Outcome.TIMEOUT:
                self._statistics.timeouts += 1
            case Outcome.LOST:
                self._statistics.lost += 1

    def _enter(
        self,
        event: str,
        waiting: Waiting,
        unique_id: str,
        payload: Mapping[str, Any] | None,
        attempt: int | None = None,
    ) -> None:
        if self._ledger.wanted:
            self._ledger.write(
                event,
                written(self._clock.now(), self._profile),
                waiting.number,
                unique_id,
                waiting.outgoing.action,
                payload,
                transactional=waiting.outgoing.kept,
                attempt=waiting.attempts if attempt is None else attempt,
            )
