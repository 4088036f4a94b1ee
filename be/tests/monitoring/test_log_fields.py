"""JSON logs of a real Levity: one object a line, with what it is about, and no secrets."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call
from websockets.asyncio.client import connect

from tests.system.site import embedded, serve

HOSTILE = "x\r\n2026-01-01 ERROR forged \x1b[31m"


@pytest.mark.slow
def test_every_line_is_an_object_that_says_what_it_is_about(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    """I-23, S-06."""
    from tests.system.chargers import IndependentCharger

    with embedded(tmp_path, django_db_blocker, started=False) as site:
        serve(site, LEVITY_LOG_FORMAT="json", EMAIL_URL="smtps://me:s3cretmail@127.0.0.1:1")

        async def talk() -> None:
            url = f"{site.url()}/LOG-1"
            headers = {"Authorization": "Basic TE9HLTE6czNjcmV0a2V5"}
            async with connect(url, subprotocols=["ocpp1.6"], additional_headers=headers) as socket:
                charger = IndependentCharger("LOG-1", socket)
                listening = asyncio.ensure_future(charger.start())
                await charger.call(call.BootNotification("Model", HOSTILE[:20]))
                await charger.call(call.StatusNotification(1, "NoError", "Available", info=HOSTILE))
                await socket.send(json.dumps([2, HOSTILE, HOSTILE, {}]))
                await charger.call(call.Heartbeat())
                listening.cancel()

        asyncio.run(talk())
        process = site.edges[0]
        process.line("disconnected")
        lines = [json.loads(line) for line in process.lines if line.startswith("{")]
        forged = [line for line in process.lines if line.startswith("2026-01-01 ERROR")]
    assert forged == []
    boot = next(line for line in lines if line.get("action") == "BootNotification")
    assert set(boot) == {
        *("time", "level", "logger", "message"),
        *("charge_point", "connection", "message_id", "action"),
    }
    assert boot["time"].endswith("Z")
    connected = next(line for line in lines if "connected from" in line["message"])
    assert connected["connection"] == boot["connection"]
    assert connected["charge_point"] == boot["charge_point"] == "LOG-1"
    everything = json.dumps(lines)
    assert "s3cret" not in everything
    assert "TE9HLTE6" not in everything


def test_requests_that_wait_for_a_thread_are_no_warning() -> None:
    """A browser asks for six files at once, and `serve` has four threads for pages."""
    assert not logging.getLogger("waitress.queue").isEnabledFor(logging.WARNING)
    assert logging.getLogger("waitress").isEnabledFor(logging.WARNING)
