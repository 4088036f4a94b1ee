"""Plays the days of a site into the database, in time that is told and not waited for."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from levity.ocpp.worker.pipeline import Pipeline
from levity_lab.year.days import SLICE, ChargerDay, Exchange
from levity_ws.rpc.envelope import Authenticate, Batch, Connected, Event, Received, Send

__all__ = ["Site"]

AT_ONCE = 58
"""Frames of one batch: what a busy edge hands over on average (`levity bench`)."""
_EDGE = "year"
_DAY = timedelta(days=1)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_A_MOMENT = timedelta(seconds=2)


class Site:
    """So many chargers, each connected all the time; `play` lets a day pass."""

    def __init__(self, chargers: int, seed: int) -> None:
        self._pipeline = Pipeline()
        self._chargers = [ChargerDay(number, seed) for number in range(1, chargers + 1)]
        self._connections = {each.identity: str(uuid4()) for each in self._chargers}
        self._seq: dict[str, int] = {}
        self.exchanges = 0

    def connect(self, at: datetime) -> None:
        """Open the websockets."""
        for some in _portions(self._chargers):
            asks = [
                Authenticate(**self._common(each, at), path=f"/ws/{each.identity}") for each in some
            ]
            self._take(asks, at)
            self._take([Connected(**self._common(each, at)) for each in some], at)

    def play(self, midnight: datetime, until: datetime = NEVER) -> None:
        """One day, or the part of it before this moment."""
        for each in self._chargers:
            each.begin(midnight)
        moment, end = midnight, min(midnight + _DAY, until - SLICE)
        while moment < end:
            self._slice(moment)
            moment += SLICE

    def _slice(self, first: datetime) -> None:
        waves: list[list[tuple[ChargerDay, Exchange]]] = []
        for charger in self._chargers:
            for number, exchange in enumerate(charger.slice(first)):
                if number == len(waves):
                    waves.append([])
                waves[number].append((charger, exchange))
        # One frame of each charger after the other: none sends the next before it has its answer.
        for wave in waves:
            for some in _portions(wave):
                self._say(some)

    def _say(self, said: Sequence[tuple[ChargerDay, Exchange]]) -> None:
        events = [self._received(charger, *exchange) for charger, exchange in said]
        replies = self._take(events, max(at for _, (at, _) in said))
        started = []
        for charger, (at, text) in said:
            answer = replies.get(self._connections[charger.identity])
            if '"StartTransaction"' in text and answer:
                charger.transaction_id = orjson.loads(answer)[2]["transactionId"]
                started.append((charger, (at + _A_MOMENT, charger.charging(at + _A_MOMENT))))
        if started:
            self._say(started)

    def _received(self, charger: ChargerDay, at: datetime, text: str) -> Received:
        self.exchanges += 1
        return Received(**self._common(charger, at), text=text)

    def _common(self, charger: ChargerDay, at: datetime) -> dict[str, Any]:
        seq = self._seq[charger.identity] = self._seq.get(charger.identity, -1) + 1
        return {
            "charge_point": charger.identity,
            "connection": self._connections[charger.identity],
            "seq": seq,
            "at": at.timestamp(),
        }

    def _take(self, events: Sequence[Event], now: datetime) -> dict[str, str]:
        taken = self._pipeline.take(Batch(_EDGE, str(uuid4()), tuple(events)), _EDGE, now=now)
        sent = (each for each in taken.reply.commands if isinstance(each, Send))
        return {each.connection: each.text for each in sent}


def _portions(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(items), AT_ONCE):
        yield items[at : at + AT_ONCE]
