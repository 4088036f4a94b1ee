"""Handshakes as chargers send them, over real sockets: each is let in, or told what to change."""

import pytest
from tests.chargers import raw_charger, upgrade_request
from tests.sites import running_site

from levity_ws.rpc.envelope import Authenticate, Refused

HANDSHAKES = {
    # Grizzl-E Smart 05.621 (lbbrhzn/ocpp#442), with an identity: it had been given none.
    "GRS-1": """
GET /ws/GRS-1 HTTP/1.1
Host: 10.0.0.130
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
User-Agent: TinyWebsockets Client
Origin: https://github.com/gilmaimon/TinyWebsockets
""",
    # Grizzl-E GRS-* 05.633 (lbbrhzn/ocpp#442).
    "GRS-4000200001": """
GET /GRS-4000200001 HTTP/1.1
Host: ocpp.example
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
User-Agent: TinyWebsockets Client
Origin: https://github.com/gilmaimon/TinyWebsockets
""",
    # Grizzl-E Smart v2 GWM-07.020 (lbbrhzn/ocpp#899).
    "GRS-17000000001": """
GET /GRS-17000000001 HTTP/1.1
Connection: Upgrade
Host: 192.168.0.3:9002
User-Agent: ESP32 Websocket Client
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
""",
    # EVBox Elvi (lbbrhzn/ocpp#221): the request target in absolute form.
    "EVB-P20400001": """
GET http://192.168.10.42:9000/EVB-P20400001 HTTP/1.1
Host: 192.168.10.42:9000
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Sec-WebSocket-Protocol: ocpp1.6
Sec-WebSocket-Version: 13
""",
    # Autel MaxiCharger US AC LW10-N14 1.38.00 (lbbrhzn/ocpp#1933): no Connection header.
    "AUTEL1": """
GET /ws/AUTEL1 HTTP/1.1
Host: 10.0.0.5:9000
Upgrade: websocket
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Sec-WebSocket-Version: 13
Sec-WebSocket-Protocol: ocpp1.6
""",
    # BENY (lbbrhzn/ocpp#1078): three slashes.
    "charger": """
GET ///charger HTTP/1.1
Host: 192.168.1.200:9000
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Sec-WebSocket-Version: 13
Sec-WebSocket-Protocol: ocpp1.6
""",
    # Bender CC612 (its maker's manual): the EVSE id is the identity.
    "DE*ABC*E1234*1": """
GET /ws/DE*ABC*E1234*1 HTTP/1.1
Host: x
Upgrade: websocket
Connection: keep-alive, Upgrade
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Sec-WebSocket-Version: 13
Sec-WebSocket-Protocol: ,ocpp1.6,
""",
    # An identity with a space that the charger does not encode, and HTTP/1.0, as nginx speaks it
    # to a server behind it where nobody has said otherwise.
    "My Box": """
GET /ws/My Box HTTP/1.0
Host: x
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Sec-WebSocket-Version: 13
""",
}


@pytest.mark.parametrize("identity", HANDSHAKES)
@pytest.mark.parametrize("pieces", [1, 1000], ids=["whole", "byte by byte"])
async def test_a_handshake_as_captured_is_let_in(identity: str, pieces: int) -> None:
    sent = HANDSHAKES[identity].lstrip().replace("\n", "\r\n").encode() + b"\r\n"
    async with running_site() as site, raw_charger(site.port, shake=False) as charger:
        size = max(1, len(sent) // pieces)
        for start in range(0, len(sent), size):
            charger.writer.write(sent[start : start + size])
            await charger.writer.drain()
        await charger.read_head()
        assert charger.status == 101, await charger.body()
        charger.send("hello")
        assert await charger.text() == "echo hello"
        [event] = await site.heard(Authenticate)
    assert event.charge_point == identity


async def test_raw_bytes_beyond_ascii_in_the_path_get_a_404() -> None:
    """ATTACK C9: no answer at all is, behind nginx, "Levity is starting" for ever."""
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(upgrade_request("/ws/\u00c3\u0082X"))
            await charger.read_head()
            assert charger.status == 404
            assert "“ÂX” is not a charge point id: it contains “Â”" in await charger.body()
        [event] = await site.heard(Refused)
    assert [(item.reason, item.path) for item in event.refusals] == [("identity", "/ws/%C3%82X")]
