"""Sessions while the backend is away: answered by the edge from its spool, on the books later.

The chargers forget a message after one failure, as shipped firmware does
(TransactionMessageAttempts 1): only a lost connection makes them send it again. Edges are killed in
the middle of it.

LEVITY_SPOOL_KILLS says how often the edge is killed: twice here, more before a release.
"""

import asyncio
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.chargers import RawCharger, raw_charger
from tests.rabbitmq import AMQP_URL, TcpProxy

from levity.ocpp.models import QuarantinedMessage, Transaction, TransactionAlias
from tests.kept import Samples
from tests.system.processes import Process, eventually
from tests.system.site import Site, fleet

# Limits of time are what it promises.
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timed]

KILLS = int(os.environ.get("LEVITY_SPOOL_KILLS", "2"))
CHARGERS = 12
SEED = 20261122
BEGAN = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def wire() -> Iterator[TcpProxy]:
    parts = urlsplit(AMQP_URL)
    proxy = TcpProxy(parts.hostname or "localhost", parts.port or 5672)
    yield proxy
    proxy.close()


@pytest.fixture
def spooling(wire: TcpProxy, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    parts = urlsplit(AMQP_URL)
    credentials = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
    with fleet(
        tmp_path,
        django_db_blocker,
        amqp_url=f"amqp://{credentials}@127.0.0.1:{wire.port}{parts.path or '/'}",
        workers=2,
        edges=1,
        LEVITY_SPOOL=str(tmp_path / "spool"),
        LEVITY_SPOOL_AFTER="0",
        LEVITY_MAX_CONNECT_RATE="0",
    ) as site:
        yield site


@dataclass
class Session:
    """What a charger says of one session, and what it was told."""

    start: dict[str, Any]
    transaction: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)
    stop: dict[str, Any] | None = None


@dataclass
class Forgetful:
    """Starts and stops; an unanswered message is sent again only where the connection was lost."""

    identity: str
    port: int
    chance: Random
    enough: asyncio.Event
    sessions: list[Session] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    answers: int = 0
    _numbers: Any = field(default_factory=itertools.count)
    _waiting: list[tuple[str, dict[str, Any], Any]] = field(default_factory=list)

    async def live(self) -> None:
        """Until there is enough, and the last session has ended."""
        script = self._script()
        while True:
            # Refused with 503, or nobody there: later.
            with suppress(ConnectionError, OSError, asyncio.IncompleteReadError):
                async with raw_charger(self.port, f"/ws/{self.identity}") as charger:
                    if charger.status == 101 and await self._go_on(charger, script):
                        return
            await asyncio.sleep(0.2)

    async def _go_on(self, charger: RawCharger, script: Iterator[Any]) -> bool:
        while True:
            if not self._waiting:
                following = next(script, None)
                if following is None:
                    return True
                self._waiting.append(following)
            action, payload, told = self._waiting[0]
            unique_id = f"{next(self._numbers)}"
            charger.send(json.dumps([2, unique_id, action, payload]))
            async with asyncio.timeout(30):
                answer = json.loads(await charger.text())
            if answer[:2] != [3, unique_id]:
                self.failures.append(f"{action}: {answer}")
            self._waiting.pop(0)
            self.answers += 1
            told(answer[2])
            await asyncio.sleep(self.chance.uniform(0.0, 0.1))

    def _script(self) -> Iterator[tuple[str, dict[str, Any], Any]]:
        for number in itertools.count():
            if self.enough.is_set():
                return
            begin, register = BEGAN + timedelta(hours=number), self.chance.randrange(10_000)
            session = Session(
                {
                    "connectorId": 1,
                    "idTag": "SPOOL",
                    "meterStart": register,
                    "timestamp": begin.isoformat(),
                }
            )

            def begun(answer: Any, session: Session = session) -> None:
                session.transaction = answer["transactionId"]
                self.sessions.append(session)

            yield "StartTransaction", session.start, begun
            for minute in range(1, 4):
                register += self.chance.randrange(1, 200)
                value = {
                    "timestamp": (begin + timedelta(minutes=minute)).isoformat(),
                    "sampledValue": [{"value": str(register)}],
                }
                payload = {
                    "connectorId": 1,
                    "transactionId": session.transaction,
                    "meterValue": [value],
                }
                yield "MeterValues", payload, lambda _, v=value, s=session: s.samples.append(v)
            stop = {
                "transactionId": session.transaction,
                "meterStop": register,
                "timestamp": (begin + timedelta(minutes=5)).isoformat(),
            }
            yield "StopTransaction", stop, lambda _, p=stop, s=session: setattr(s, "stop", p)


def test_sessions_go_on_without_a_backend_and_are_on_the_books_once(
    spooling: Site, wire: TcpProxy
) -> None:
    """The broker is away, the edge is killed with SIGKILL, and killed again while it delivers."""
    print(f"seed {SEED}")
    chance = Random(SEED)
    site = spooling

    async def play() -> list[Forgetful]:
        enough = asyncio.Event()
        fleet_ = [
            Forgetful(f"SPOOL-{number}", site.port(), Random(f"{SEED}/{number}"), enough)
            for number in range(CHARGERS)
        ]

        async def answers(more: int) -> None:
            wanted = sum(each.answers for each in fleet_) + more
            async with asyncio.timeout(60):
                while sum(each.answers for each in fleet_) < wanted:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as lives:
            for each in fleet_:
                lives.create_task(each.live())
            await answers(60)
            await asyncio.to_thread(_has_ids, site)
            for _ in range(KILLS):
                wire.cut()
                # Nobody but the edge answers these.
                await answers(200)
                edge: Process = site.edges[0]
                edge.kill()
                replaced = asyncio.create_task(asyncio.to_thread(site.replace_edge, edge))
                # Delivering, and killed again in the middle of it.
                await asyncio.sleep(1)
                wire.heal()
                await replaced
                if chance.random() < 0.5:
                    await asyncio.sleep(chance.uniform(0.0, 0.5))
                    await asyncio.to_thread(_kill, site)
                await answers(60)
                await asyncio.to_thread(_has_ids, site)
            # And once more without a kill.
            wire.cut()
            await answers(100)
            wire.heal()
            enough.set()
        return fleet_

    chargers = asyncio.run(play())
    assert eventually(lambda: _gauge(site, "spool_frames"), 0.0) == 0.0
    check(site, chargers)


def _kill(site: Site) -> None:
    site.edges[0].kill()
    site.replace_edge(site.edges[0])


def _gauge(site: Site, name: str) -> float:
    from tests.system.site import http_get

    _, _, body = http_get(site.port(), "/metrics")
    for line in body.decode().splitlines():
        if line.startswith(f"levity_edge_{name} "):
            return float(line.split()[1])
    return -1.0


def _has_ids(site: Site) -> None:
    assert eventually(lambda: _gauge(site, "spool_ids") > 100, True)


def check(site: Site, chargers: list[Forgetful]) -> None:
    """Everything acknowledged is there, once; nothing else is."""
    assert [failure for charger in chargers for failure in charger.failures] == []
    aliases = dict(site.books.rows(TransactionAlias, "pk", "transaction"))
    rows = {
        row[0]: row[1:]
        for row in site.books.rows(
            Transaction,
            *("pk", "charge_point__identity", "started_at", "meter_start"),
            *("state", "stopped_at", "meter_stop", "energy"),
        )
    }
    sampled = Counter(site.books.rows(Samples, "transaction", "sampled_at", "raw_value"))
    expected = {}
    samples = Counter()
    for charger in chargers:
        for session in charger.sessions:
            assert session.stop is not None
            number = aliases.get(session.transaction, session.transaction)
            first, last = session.start["meterStart"], session.stop["meterStop"]
            expected[number] = (
                charger.identity,
                datetime.fromisoformat(session.start["timestamp"]),
                Decimal(first),
                "stopped",
                datetime.fromisoformat(session.stop["timestamp"]),
                Decimal(last),
                Decimal(last - first),
            )
            for value in session.samples:
                moment = datetime.fromisoformat(value["timestamp"])
                samples[number, moment, value["sampledValue"][0]["value"]] += 1
    print(f"{len(expected)} sessions, {len(aliases)} of them with two ids")
    assert rows == expected
    assert set(sampled) == set(samples)
    # A StopTransaction that came again is noted as what it is, and open to nobody's decision.
    assert site.books.rows(QuarantinedMessage, "action", "reason", resolved_at=None) == []
