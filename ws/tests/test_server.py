"""The edge over real sockets, with a scripted backend behind the transport in memory."""

import asyncio
import logging

import pytest
from tests.chargers import http_get, raw_charger, upgrade_request
from tests.sites import running_site

from levity_ws.rpc.envelope import (
    Authenticate,
    Connected,
    Disconnected,
    Received,
)


async def test_the_backend_hears_of_a_connection_in_order() -> None:
    async with running_site() as site:
        headers = (
            "User-Agent: TinyWebsockets Client",
            "Authorization: Basic Q1AgMTo=",
            "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6",
        )
        async with raw_charger(site.port, "//ws//CP%201/?a=b", *headers) as charger:
            assert (charger.status, charger.header("Sec-WebSocket-Protocol")) == (101, "ocpp1.6")
            charger.send("hello")
            assert await charger.text() == "echo hello"
        await site.heard(Disconnected)
        events = [event for event in site.backend.events if event.connection]
        connection = events[0].connection
        times = [event.at for event in events]
        assert events == [
            Authenticate(
                charge_point="CP 1",
                connection=connection,
                seq=0,
                at=times[0],
                remote="127.0.0.1",
                path="//ws//CP%201/",
                subprotocols=("ocpp2.0.1", "ocpp1.6"),
                user_agent="TinyWebsockets Client",
                authorization="Basic Q1AgMTo=",
                secure=False,
            ),
            Connected(
                charge_point="CP 1",
                connection=connection,
                seq=1,
                at=times[1],
                remote="127.0.0.1",
                subprotocol="ocpp1.6",
                user_agent="TinyWebsockets Client",
            ),
            Received(
                charge_point="CP 1",
                connection=connection,
                seq=2,
                at=times[2],
                text="hello",
                subprotocol="ocpp1.6",
            ),
            Disconnected(
                charge_point="CP 1", connection=connection, seq=3, at=times[3], code=1006, reason=""
            ),
        ]
        assert times == sorted(times)


@pytest.mark.slow
async def test_a_backend_that_stops_answering_closes_with_1013_and_refuses_with_503() -> None:
    """Promise 6."""
    async with running_site(hold=2.0, alive_interval=0.1, alive_timeout=1.5) as site:
        async with raw_charger(site.port) as charger:
            assert (await http_get(site.port, "/readyz")) == (200, "ok\n")
            site.backend.answering.clear()
            charger.send("held")
            assert await charger.close_frame() == (1013, "try again later")
        async with asyncio.timeout(60):
            while (await http_get(site.port, "/readyz"))[0] != 503:
                pass
        # It lives, it only can't do anything: to restart it would help nobody.
        assert (await http_get(site.port, "/healthz")) == (200, "ok\n")
        assert "no worker answers" in (await http_get(site.port, "/readyz"))[1]
        async with raw_charger(site.port, "/ws/CP2") as refused:
            assert refused.status == 503
            assert refused.header("Retry-After") is not None
        assert site.count("refusals", "backend unavailable") == 1  # at once, not unanswered
        site.backend.answering.set()
        await site.heard(Disconnected)
        async with asyncio.timeout(60):
            while (await http_get(site.port, "/readyz"))[0] != 200:
                pass
        async with raw_charger(site.port, "/ws/CP2") as welcome:
            assert welcome.status == 101


async def test_stopping_says_1012_and_tells_the_backend() -> None:
    """F-15."""
    async with (
        running_site() as site,
        raw_charger(site.port, "/ws/CP1") as one,
        raw_charger(site.port, "/ws/CP2") as two,
    ):
        await site.heard(Connected, 2)
        stopping = asyncio.create_task(site.edge.stop())
        assert await one.close_frame() == (1012, "restarting")
        assert await two.close_frame() == (1012, "restarting")
        await stopping
        assert {(gone.charge_point, gone.code) for gone in site.backend.of(Disconnected)} == {
            ("CP1", 1012),
            ("CP2", 1012),
        }


async def test_a_frame_under_way_is_answered_before_the_goodbye() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        await site.heard(Connected)
        site.backend.answering.clear()
        charger.send("last words")
        await site.heard(Received)
        stopping = asyncio.create_task(site.edge.stop())
        await asyncio.sleep(0)
        site.backend.answering.set()
        assert await charger.text() == "echo last words"
        assert (await charger.close_frame())[0] == 1012
        await stopping


async def test_a_charger_accepted_while_the_edge_stops_is_refused_and_reported_gone() -> None:
    async with running_site() as site, raw_charger(site.port, shake=False) as charger:
        site.backend.answering.clear()
        charger.writer.write(upgrade_request("/ws/CP1"))
        await site.heard(Authenticate)
        stopping = asyncio.create_task(site.edge.stop())
        await asyncio.sleep(0)
        site.backend.answering.set()
        await charger.read_head()
        assert charger.status == 503
        await stopping
        assert [event.seq for event in site.backend.of(Disconnected)] == [1]
        assert site.backend.of(Connected) == []


async def test_stopping_does_not_wait_for_a_charger_that_does_not_answer() -> None:
    async with running_site(close_timeout=0.2, shutdown_grace=0.2) as site:
        async with raw_charger(site.port):
            await site.heard(Connected)
            async with asyncio.timeout(30):
                await site.edge.stop()
        [gone] = site.backend.of(Disconnected)
        assert gone.code == 1012


async def test_stopping_does_not_wait_for_a_socket_that_never_asked_for_anything() -> None:
    async with (
        running_site(shutdown_grace=60.0) as site,
        raw_charger(site.port, shake=False) as silent,
        raw_charger(site.port) as charger,
    ):
        assert charger.status == 101  # so the silent one, who came first, is connected too
        async with asyncio.timeout(30):
            await site.edge.stop()
            await silent.end_of_stream()


async def test_stopping_without_a_backend_ends_all_the_same() -> None:
    async with (
        running_site(shutdown_grace=0.2, goodbye_timeout=0.2) as site,
        raw_charger(site.port) as charger,
    ):
        await site.heard(Connected)
        site.backend.answering.clear()
        charger.send("never answered")
        await site.heard(Received)
        async with asyncio.timeout(30):
            await site.edge.stop()


async def test_authorization_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """S-06."""
    caplog.set_level(logging.DEBUG)
    secret = "Authorization: Basic czNjcmV0"
    async with running_site() as site, raw_charger(site.port, "/ws/CP1", secret) as charger:
        charger.send("x")
        await charger.text()
    assert "czNjcmV0" not in caplog.text
    assert [
        record.message.split(" (")[0] for record in caplog.records if "CP1" in record.message
    ] == [
        "CP1 connected from 127.0.0.1",
        "CP1 disconnected: 1006 ",
    ]
