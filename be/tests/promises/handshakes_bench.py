"""E-22: what ten thousand authenticated handshakes cost. `make bench-handshakes` runs it.

Not collected with the tests: it takes a minute, and a figure means something only on a machine
that does nothing else.
"""

import asyncio
import base64
import os
import resource
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import ChargePoint, ConnectionEvent, Credential
from tests.ocpp.keyring import KEY
from tests.system.site import Site, embedded, fleet, serve

COUNT = int(os.environ.get("LEVITY_HANDSHAKES", "10000"))
AT_ONCE = 250
MOST_CPU = 0.002
"""Seconds of CPU a handshake, of edge and worker together (docs/evidence/checks.md)."""


def cpu(site: Site) -> float:
    """Seconds of CPU that edges and workers have used."""
    used = 0.0
    for process in {*site.edges, *site.workers}:
        times = psutil.Process(process.pid).cpu_times()
        used += times.user + times.system
    return used


def populate(site: Site, profile: int) -> list[str]:
    names = [f"P{profile}-{number:05}" for number in range(COUNT)]
    with site.books.open(ChargePoint) as rows:
        made = rows.bulk_create(
            (ChargePoint(identity=name, security_profile=profile) for name in names), 500
        )
    with site.books.open(Credential) as rows:
        rows.bulk_create(
            (Credential(charge_point_id=row.pk, digest=digest_of(KEY.encode())) for row in made),
            500,
        )
    return names


async def handshakes(site: Site, names: list[str]) -> tuple[float, list[float]]:
    """All of them at the speed at which they are answered: seconds in all, and of each."""
    queue = iter(names)
    took: list[float] = []

    async def worker() -> None:
        for name in queue:
            login = base64.b64encode(f"{name}:{KEY}".encode()).decode()
            key = base64.b64encode(os.urandom(16)).decode()
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port())
            writer.write(
                f"GET /ws/{name} HTTP/1.1\r\nHost: levity\r\nConnection: Upgrade\r\n"
                f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {login}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101"), head
            took.append(time.monotonic() - began)
            writer.transport.abort()

    began = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return time.monotonic() - began, took


@pytest.mark.parametrize("shape", ["embedded", pytest.param("fleet", marks=pytest.mark.services)])
def test_ten_thousand_authenticated_handshakes(
    shape: str, tmp_path: Path, django_db_blocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """E-22: at most 2 ms of CPU each, the connection's begin and end in it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    start: Any = (
        embedded(tmp_path, django_db_blocker, started=False)
        if shape == "embedded"
        else fleet(tmp_path, django_db_blocker, workers=1, edges=1)
    )
    figures = {}
    try:
        with start as site:
            if shape == "embedded":
                serve(site)
            for profile in (0, 1):
                names = populate(site, profile)
                before = cpu(site)
                wall, took = asyncio.run(handshakes(site, names))
                # The rest of the work: the ends of the last connections.
                events = {"identity__startswith": f"P{profile}-", "kind": "disconnected"}
                while site.books.count(ConnectionEvent, **events) < COUNT:
                    time.sleep(0.1)
                took.sort()
                figures[profile] = (cpu(site) - before) / COUNT
                with capsys.disabled():
                    print(
                        f"\n{shape}, profile {profile}: {COUNT} handshakes in {wall:.1f} s, "
                        f"{figures[profile] * 1000:.2f} ms CPU each (edge and worker), "
                        f"p50 {took[COUNT // 2] * 1000:.0f} ms, "
                        f"p99 {took[COUNT * 99 // 100] * 1000:.0f} ms"
                    )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert figures[1] <= MOST_CPU
