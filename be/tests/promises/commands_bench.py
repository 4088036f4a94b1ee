"""From the POST of a command to its frame at the charger. `make bench-commands` runs it.

Not collected with the tests: a figure means something only on a machine that does nothing else.
Beside it stand what no command can be faster than: a request to the API that only reads, and a
charger's Heartbeat and its answer.
"""

import asyncio
import http.client
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.system.processes import python
from tests.system.site import Site, embedded, fleet, serve

COUNT = int(os.environ.get("LEVITY_COMMANDS", "200"))
WARM_UP = 10
PAUSE = 0.02
"""Seconds after each: an idle system, not a queue."""
MOST = {"embedded": 0.050, "fleet": 0.100}
"""Seconds from POST to frame, the median: in one process, and over RabbitMQ."""
NAME = "BENCH-1"
PATH = f"/api/v1/charge-points/{NAME}"
RESET = {"action": "Reset", "payload": {"type": "Soft"}}


class Pages:
    """The API over one connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> int:
        """The status."""
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, self.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status


async def measured(site: Site, pages: Pages) -> dict[str, list[float]]:
    """Seconds of each: `frame`, `reading`, `heartbeat`."""
    found: dict[str, list[float]] = {"frame": [], "reading": [], "heartbeat": []}
    subprotocol: Any = "ocpp1.6"
    async with websockets.connect(f"{site.url()}/{NAME}", subprotocols=[subprotocol]) as socket:
        boot = {"chargePointVendor": "Bench", "chargePointModel": "One"}
        await socket.send(json.dumps([2, "boot", "BootNotification", boot]))
        arrived: asyncio.Queue[tuple[float, Any]] = asyncio.Queue()

        async def listen() -> None:
            async for text in socket:
                frame = json.loads(text)
                at = time.perf_counter()
                if frame[0] == 2:
                    is_reset = frame[2] == "Reset"
                    answer = {"status": "Accepted"} if is_reset else {"configurationKey": []}
                    await socket.send(json.dumps([3, frame[1], answer]))
                    if not is_reset:
                        continue
                await arrived.put((at, frame))

        listening = asyncio.create_task(listen())
        await arrived.get()
        for number in range(WARM_UP + COUNT):
            took = {}
            began = time.perf_counter()
            await asyncio.to_thread(pages.ask, "GET", PATH)
            took["reading"] = time.perf_counter() - began
            began = time.perf_counter()
            await socket.send(json.dumps([2, f"h{number}", "Heartbeat", {}]))
            took["heartbeat"] = (await arrived.get())[0] - began
            began = time.perf_counter()
            sent = asyncio.create_task(
                asyncio.to_thread(pages.ask, "POST", f"{PATH}/commands", RESET)
            )
            took["frame"] = (await asyncio.wait_for(arrived.get(), 30))[0] - began
            assert await sent == 202
            if number >= WARM_UP:
                for name, seconds in took.items():
                    found[name].append(seconds)
            await asyncio.sleep(PAUSE)
        listening.cancel()
    return found


@contextmanager
def running(shape: str, folder: Path, blocker: Any) -> Iterator[tuple[Site, int]]:
    """A site, and the port of its web pages."""
    if shape == "embedded":
        with embedded(folder, blocker, started=False) as site:
            process = serve(site)
            yield site, int(process.line(r"http://localhost:(\d+)/admin")[1])
        return
    with fleet(folder, blocker, workers=1, edges=1) as site:
        serving = "import sys; from waitress import create_server; from levity.wsgi import "
        serving += "application; web = create_server(application, host='127.0.0.1', port=0); "
        serving += "print('pages on', web.effective_port, flush=True); web.run()"
        web = site.start("pages", python("-c", serving), LEVITY_TRUSTED_PROXIES="")
        yield site, int(web.line(r"pages on (\d+)")[1])


def ms(rows: list[float], of: Callable[[list[float]], float] = statistics.median) -> str:
    return f"{of(rows) * 1000:.1f}"


@pytest.mark.parametrize("shape", ["embedded", pytest.param("fleet", marks=pytest.mark.services)])
def test_a_command_is_at_its_charger_at_once(
    shape: str, tmp_path: Path, django_db_blocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(shape, tmp_path, django_db_blocker) as (site, port):
        ran = site.levity("api_token", "create", "bench", "--scope", "operate")
        token = re.search(r"levity_\S+", ran.stdout)
        assert token, ran.stdout + ran.stderr
        pages = Pages(port, token[0])
        with closing(pages.connection):
            found = asyncio.run(measured(site, pages))
    floor = [sum(each) for each in zip(found["reading"], found["heartbeat"], strict=True)]
    frame = found["frame"]
    ratio = statistics.median(frame) / statistics.median(floor)
    with capsys.disabled():
        print(
            f"\n{shape}: POST to frame median {ms(frame)} ms, "
            f"90 % {ms(frame, lambda rows: sorted(rows)[len(rows) * 9 // 10])} ms; "
            f"a GET {ms(found['reading'])} ms, a Heartbeat {ms(found['heartbeat'])} ms, "
            f"ratio to both {ratio:.2f}; load {os.getloadavg()[0]:.1f}"
        )
    assert statistics.median(frame) <= MOST[shape]
