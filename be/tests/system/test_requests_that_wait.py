"""50 programs wait for a charger that says nothing: the pages still answer."""

import asyncio
import http.client
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

from ocpp.v16 import call

from tests.system.chargers import independent_charger
from tests.system.site import Site, http_get, serve

WAITERS, WAIT = 50, 15


def post(port: int, token: str, wait: float) -> tuple[int, float]:
    """Ask for a reset and wait; status, and after how many seconds it came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.monotonic()
    try:
        connection.request(
            "POST",
            "/api/v1/charge-points/WAIT-1/commands",
            json.dumps({"action": "Reset", "payload": {"type": "Soft"}, "wait": wait}),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - began
    finally:
        connection.close()


def test_with_50_asking_the_pages_still_answer(unstarted: Site) -> None:
    process = serve(unstarted)
    port = int(process.line(r"http://localhost:(\d+)/admin")[1])
    ran = unstarted.levity("api_token", "create", "waits", "--scope", "operate")
    found = re.search(r"levity_\S+", ran.stdout)
    assert found, ran.stdout + ran.stderr
    token = found[0]

    async def play() -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        async with independent_charger(unstarted.url(), "WAIT-1") as charger:
            await charger.call(call.BootNotification("Model S1", "Independent"))
            # (It imports the API, and is answered as quickly as a charger can.)
            first = await asyncio.to_thread(post, port, token, WAIT)
            assert first[0] == 200, process.log
            charger.habits.answers["Reset"] = "silence"
            with ThreadPoolExecutor(WAITERS) as pool:
                asked = [pool.submit(post, port, token, WAIT) for _ in range(WAITERS)]
                await charger.until_asked(2)
                pages = []
                for _ in range(20):
                    began = time.monotonic()
                    status, _, _ = await asyncio.to_thread(http_get, port, "/admin/login/")
                    pages.append((status, time.monotonic() - began))
                return [each.result() for each in asked], pages

    answers, pages = asyncio.run(play())
    assert {status for status, _ in pages} == {200}
    assert sorted(took for _, took in pages)[len(pages) // 2] < 2, pages
    assert {status for status, _ in answers} == {202}
    # Half of the four threads wait; all others are told at once to look later.
    assert sum(took >= WAIT for _, took in answers) == 2
