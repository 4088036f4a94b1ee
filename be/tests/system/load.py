"""Chargers under load that keep a ledger, and the ledger's verdict on the database.

As in RabbitMQ's Jepsen test: what was attempted and acknowledged is compared with what is there.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from levity.ocpp.models import FailedMessage, QuarantinedMessage, Transaction
from levity.simulator.charge_point import ChargePoint
from levity.simulator.clock import Clock
from levity.simulator.ledger import Ledger, verdict
from levity.simulator.life import Life, live
from levity.simulator.makes import PROFILES
from levity.simulator.profiles import Backoff, Profile, RetryStyle
from levity.simulator.statistics import Statistics
from levity.simulator.websocket import WebsocketDialer
from levity.simulator.wire import Link
from tests.kept import Samples
from tests.system.books import Books
from tests.system.site import Site

__all__ = ["Audit", "Load", "audit", "busy_chargers"]

SPEED = 60.0
ONE_CAR = Life(
    pause=(2.0, 20.0),
    session=(90.0, 240.0),
    linger=(2.0, 10.0),
    patience=(60.0, 90.0),
    card_share=1.0,
    fault_share=0.0,
    power_loss_share=0.0,
    offline_share=0.0,
    reboot_share=0.0,
    sessions=1,
)
PROFILE = replace(
    PROFILES["generic"],
    # Never gives up: what is attempted must arrive in the end.
    retry=RetryStyle(attempts=0, interval=60.0, growing=False),
    backoff=Backoff(first=5.0, most=30.0, jitter=5.0),
)


class AnyEdge:
    """Dials the edges in turn, so that a charger comes back at another one."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._dialers = itertools.cycle(WebsocketDialer(url) for url in urls)

    async def dial(self, identity: str, profile: Profile) -> Link:
        return await next(self._dialers).dial(identity, profile)


@dataclass
class Load:
    """What the chargers do, while they do it."""

    statistics: Statistics
    chargers: list[ChargePoint]
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def answers(self, more: int, within: float = 60.0) -> None:
        """Wait until so many more Calls have been answered."""
        wanted = self.statistics.results + more
        async with asyncio.timeout(within):
            # The statistics are plain counters, which tell nobody when they move.
            while self.statistics.results < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def _live(self, charger: ChargePoint, chance: Random) -> None:
        line = asyncio.ensure_future(charger.run())
        try:
            await charger.ready()
            while not self.enough.is_set():
                await live(charger, 1, ONE_CAR, chance)
            assert await charger.quiet(within=60.0 * SPEED), "it never got everything answered"
            await charger.leave()
            await line
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)


@asynccontextmanager
async def busy_chargers(
    site: Site, count: int, seed: int, prefix: str, *, seconds: float = 180.0
) -> AsyncIterator[Load]:
    """Cars come and go at all chargers until the block ends, at most so many seconds later; then
    each gets its last answers."""
    print(f"seed {seed}")
    clock = Clock.that_ends_now(speed=SPEED, seconds=seconds)
    dialer = AnyEdge([site.url(number) for number in range(len(site.edges))])
    statistics = Statistics()
    chargers = [
        ChargePoint(
            f"{prefix}-{number}",
            PROFILE,
            dialer,
            clock=clock,
            chance=Random(f"{seed}/{number}"),
            number=number,
            ledger=Ledger(f"{prefix}-{number}", keep=True),
            statistics=statistics,
        )
        for number in range(1, count + 1)
    ]
    load = Load(statistics, chargers)
    async with asyncio.TaskGroup() as lives:
        for number, charger in enumerate(chargers, start=1):
            lives.create_task(load._live(charger, Random(f"{seed}/life/{number}")))
        yield load
        load.enough.set()


@dataclass(frozen=True)
class Audit:
    """The verdict. Lost: acknowledged and not there. Unexpected: there and never attempted."""

    attempted: int
    acknowledged: int
    lost: list[Any] = field(default_factory=list)
    duplicated: list[Any] = field(default_factory=list)
    unexpected: list[Any] = field(default_factory=list)
    unanswered: list[Any] = field(default_factory=list)
    parked: int = 0
    quarantined: int = 0

    @property
    def faults(self) -> dict[str, Any]:
        """What must not be; empty when all is well."""
        found = {
            name: getattr(self, name)
            for name in ("lost", "duplicated", "unexpected", "unanswered", "parked", "quarantined")
        }
        return {name: value for name, value in found.items() if value}


def audit(books: Books, load: Load) -> Audit:
    """Hold what the chargers wrote down against the database."""
    prefix = load.chargers[0].identity.rpartition("-")[0] + "-"
    mine = {"charge_point__identity__startswith": prefix}
    rows = books.rows(
        Transaction,
        *("charge_point__identity", "connector", "id_tag", "started_at", "meter_start"),
        *("id", "state", "meter_stop", "stopped_at"),
        **mine,
    )
    there = Counter(row[:5] for row in rows)
    by_id = {row[5]: row for row in rows}
    samples = Counter(
        books.rows(
            Samples,
            *("charge_point__identity", "transaction", "sampled_at", "measurand", "phase"),
            "context",
            **mine,
        )
    )
    sampled = {key[:3] for key in samples}
    lost: list[Any] = []
    attempted: set[Any] = set()
    unanswered: list[Any] = []
    counts = [0, 0]
    for charger in load.chargers:
        said = verdict(charger.ledger.entries)
        counts[0] += len(said.attempted)
        counts[1] += len(said.acknowledged)
        unanswered += [(charger.identity, key) for key in said.attempted - said.acknowledged]
        for key in said.attempted:
            action, payload = said.actions[key], said.payloads[key]
            if action == "StartTransaction":
                start = _start(charger.identity, payload)
                attempted.add(start)
                if key in said.acknowledged:
                    given = said.answers[key]["transactionId"]
                    if by_id.get(given, (None,))[:5] != start:
                        lost.append((given, start))
            elif key not in said.acknowledged:
                continue
            elif action == "StopTransaction":
                row = by_id.get(payload["transactionId"])
                stop = ("stopped", Decimal(payload["meterStop"]), _moment(payload["timestamp"]))
                if row is None or row[6:] != stop:
                    lost.append((payload["transactionId"], stop))
            elif action == "MeterValues":
                for value in payload["meterValue"]:
                    number = payload.get("transactionId")
                    if (charger.identity, number, _moment(value["timestamp"])) not in sampled:
                        lost.append((charger.identity, payload))
    return Audit(
        attempted=counts[0],
        acknowledged=counts[1],
        lost=lost,
        duplicated=[key for key, count in (there + samples).items() if count > 1],
        unexpected=[start for start in there if start not in attempted],
        unanswered=unanswered,
        parked=books.count(FailedMessage, **mine),
        # A stop that came again because its answer was lost is resolved from the start.
        quarantined=books.count(QuarantinedMessage, resolved_at=None, **mine),
    )


def _start(identity: str, payload: Any) -> tuple[Any, ...]:
    return (
        identity,
        payload["connectorId"],
        payload["idTag"],
        _moment(payload["timestamp"]),
        Decimal(payload["meterStart"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
