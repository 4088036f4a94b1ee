"""How chargers spell the address and what they offer, on both shapes. (E-02, E-03, E-06, E-07)"""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.chargers import RawCharger, raw_charger

from levity.ocpp.models import ChargePoint, ConnectionEvent
from tests.system.processes import eventually
from tests.system.site import Site


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ws/PLAIN-1", "PLAIN-1"),
        ("//ws//DOUBLED-1", "DOUBLED-1"),
        ("/ws/SLASH-1/", "SLASH-1"),
        ("/ws/RDAM%20123", "RDAM 123"),
        ("/ws/%45NCODED%2D1", "ENCODED-1"),
        ("/ws/QUERY-1?token=1", "QUERY-1"),
        ("/ws/PIPE%7C1", "PIPE|1"),
        ("/ROOT-1", "ROOT-1"),
        ("/ws/4/CBI-1", "CBI-1"),
        ("/ocpp/OTHER-1/", "OTHER-1"),
        ("/WS/CAPITALS-1", "CAPITALS-1"),
        ("http://192.0.2.1:9000/ws/WHOLE-1", "WHOLE-1"),
        ("/ws/DE*ABC*E1234*1", "DE*ABC*E1234*1"),
    ],
)
def test_address_is_understood_however_it_is_spelled(site: Site, path: str, identity: str) -> None:
    async def play() -> None:
        async with raw_charger(site.port(), path) as charger:
            assert charger.status == 101
            charger.send('[2,"1","Heartbeat",{}]')
            assert json.loads(await charger.text())[:2] == [3, "1"]

    asyncio.run(play())
    assert site.books.count(ChargePoint, identity=identity) == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/ws", "The charge point id is missing: this address ends with “/ws”."),
        ("/ws/", "The charge point id is missing: this address ends with “/ws”."),
        ("/", "The charge point id is missing: this address ends with “/”."),
        ("/admin/b", "“/admin” is not for chargers. Connect to ws://<this host>/ws/"),
        ("/ws/%00", "“\x00” is not a charge point id: it contains unprintable characters."),
        ("/ws/..%2Fadmin", "“../admin” is not a charge point id: it contains “/”."),
        ("/ws/CHARGE_POINT_ID", "“CHARGE_POINT_ID” is a placeholder for the charge point id"),
        ("/ws/" + "x" * 49, f"“{'x' * 49}” is not a charge point id: it has 49 characters."),
    ],
)
def test_address_without_an_identity_is_refused_with_the_reason(
    site: Site, path: str, said: str
) -> None:
    async def play() -> tuple[int, str]:
        async with raw_charger(site.port(), path) as charger:
            return charger.status, await charger.body()

    status, body = asyncio.run(play())
    assert status == 404
    assert body.startswith(said)


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        ((), None),
        (("ocpp1.6",), "ocpp1.6"),
        (("ocpp2.1, ocpp2.0.1, ocpp1.6",), "ocpp1.6"),
        (("soap", "ocpp1.6"), "ocpp1.6"),
    ],
)
def test_best_known_subprotocol_is_chosen(
    site: Site, offers: tuple[str, ...], chosen: str | None
) -> None:
    """Grizzl-E (5.x) sends no header at all: then none is answered, and OCPP 1.6 is spoken."""
    headers = [f"Sec-WebSocket-Protocol: {offer}" for offer in offers]

    async def play() -> None:
        async with raw_charger(site.port(), "/ws/OFFER-1", *headers) as charger:
            assert (charger.status, charger.header("Sec-WebSocket-Protocol")) == (101, chosen)
            charger.send('[2,"1","Heartbeat",{}]')
            assert json.loads(await charger.text())[:2] == [3, "1"]

    asyncio.run(play())


def test_only_unknown_subprotocols_are_refused(site: Site) -> None:
    async def play() -> tuple[int, str]:
        offers = "Sec-WebSocket-Protocol: soap, ocpp1.5"
        async with raw_charger(site.port(), "/ws/OFFER-2", offers) as charger:
            return charger.status, await charger.body()

    status, body = asyncio.run(play())
    assert status == 400
    assert "ocpp1.6" in body
    assert site.books.count(ConnectionEvent, identity="OFFER-2", kind="connected") == 0


async def look(count: Callable[..., int], model: Any, wanted: int, **filters: Any) -> int:
    return await asyncio.to_thread(eventually, lambda: count(model, **filters), wanted)


def test_newest_connection_wins_and_the_charger_stays_on_line(site: Site) -> None:
    """From the first edge to the last one and back; on one edge where there is but one."""
    ports = [site.port(0), site.port(-1), site.port(0)]

    async def play() -> list[tuple[int, str]]:
        goodbyes = []
        async with AsyncExitStack() as stack:

            async def hop(port: int) -> RawCharger:
                return await stack.enter_async_context(raw_charger(port, "/ws/HOP-1"))

            first = await hop(ports[0])
            second = await hop(ports[1])
            goodbyes.append(await first.close_frame())
            await first.close()
            third = await hop(ports[2])
            goodbyes.append(await second.close_frame())
            await second.close()
            for number in range(3):
                third.send(f'[2,"{number}","Heartbeat",{{}}]')
                assert json.loads(await third.text())[:2] == [3, str(number)]
            # The late goodbyes of the old ones come on the books, and don't take it off line.
            goodbye = {"identity": "HOP-1", "kind": "disconnected"}
            assert await look(site.books.count, ConnectionEvent, 2, **goodbye) == 2
            here = {"identity": "HOP-1", "connection__isnull": False}
            assert await look(site.books.count, ChargePoint, 1, **here) == 1
        return goodbyes

    took_over = (1000, "a newer connection took over")
    assert asyncio.run(play()) == [took_over, took_over]
    assert (
        eventually(
            lambda: site.books.count(ChargePoint, identity="HOP-1", connection__isnull=True), 1
        )
        == 1
    )
