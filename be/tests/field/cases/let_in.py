"""Handshakes as chargers write them. Only a socket shows what becomes of one."""

import json
import socket
from urllib.parse import urlsplit

from tests.field.catalogue import case
from tests.field.judge import one_charge_point_named
from tests.field.over_sockets import OverSockets, websocket_key

BOOT = [2, "1", "BootNotification", {"chargePointVendor": "Vendor", "chargePointModel": "Model"}]
UPGRADE = ["Upgrade: websocket", "Connection: Upgrade"]
OCPP = ["Sec-WebSocket-Protocol: ocpp1.6"]


def essential() -> list[str]:
    """What no websocket handshake does without."""
    return [f"Sec-WebSocket-Key: {websocket_key()}", "Sec-WebSocket-Version: 13"]


def usual() -> list[str]:
    """The headers of a charger that does as it should."""
    return ["Host: 10.0.0.5:9000", *UPGRADE, *OCPP, *essential()]


@case("c01", "lbbrhzn/ocpp#442", sockets=True)
def a_grizzl_e_names_an_origin(ground: OverSockets) -> None:
    """The Grizzl-E's websocket library names an Origin and no subprotocol."""
    headers = [
        "Host: 10.0.0.5",
        *UPGRADE,
        *essential(),
        "User-Agent: TinyWebsockets Client",
        "Origin: https://github.com/gilmaimon/TinyWebsockets",
    ]
    with ground.handshake("/ws/GRS-FIELD01", headers) as shaken:
        assert shaken.status == 101, shaken.said
        assert "subprotocol" not in shaken.head.lower()
        boot = {
            "chargePointModel": "GRS-*",
            "chargePointVendor": "United Chargers",
            "firmwareVersion": "05.621",
        }
        answer = shaken.call([2, "1", "BootNotification", boot])
        assert answer[2]["status"] == "Accepted"


@case("c01b", "RFC 6455, 10.2", sockets=True)
def a_web_page_does_not_speak_for_a_charger(ground: OverSockets) -> None:
    """The same Origin beside the marks of a browser is a web page's, and is refused."""
    headers = [
        *usual(),
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Origin: https://evil.example",
        "Sec-Fetch-Mode: websocket",
        "Sec-Fetch-Site: cross-site",
    ]
    with ground.handshake("/ws/GRS-FIELD01", headers) as shaken:
        assert shaken.status == 403


@case("c03", "lbbrhzn/ocpp#1933, #1984", sockets=True)
def an_autel_sends_no_connection_header(ground: OverSockets) -> None:
    """Autel MaxiCharger 1.38: no Connection header in its handshake."""
    headers = ["Host: 10.0.0.5:9000", "Upgrade: websocket", *OCPP, *essential()]
    with ground.handshake("/ws/AUTEL-FIELD03", headers) as shaken:
        assert shaken.status == 101, shaken.said
        assert shaken.call(BOOT)[2]["status"] == "Accepted"


@case("c04", "bender.de, dlm.energy", sockets=True)
def an_evse_id_is_an_identity(ground: OverSockets) -> None:
    """Bender's boards are told to use the EVSE id, with its asterisks, as their identity."""
    for path in ("DE*ABC*EFIELD*1", "DE%2AABC%2AEFIELD%2A1"):
        with ground.handshake(f"/ws/{path}", usual()) as shaken:
            assert shaken.status == 101, (path, shaken.said)
            assert shaken.call(BOOT)[2]["status"] == "Accepted"
    assert one_charge_point_named("DE*ABC*EFIELD*1")


@case("c05", "steve#689, openchargehub/ocpp-proxy#29, libocpp#801", sockets=True)
def the_last_segment_is_the_identity(ground: OverSockets) -> None:
    """What chargers make of the URL: a segment before the identity, two slashes, one at the end."""
    for path, identity in (
        ("/ws/4/CBI-FIELD05", "CBI-FIELD05"),
        ("/ws//CP2-FIELD05", "CP2-FIELD05"),
        ("/ws/CP3-FIELD05/", "CP3-FIELD05"),
    ):
        with ground.handshake(path, usual()) as shaken:
            assert shaken.status == 101, (path, shaken.said)
            assert shaken.call(BOOT)[2]["status"] == "Accepted"
        assert one_charge_point_named(identity)


HEADERS = {
    "Host with a port": (["Host: 192.168.1.20:9000", *UPGRADE, *OCPP], "?cid=7"),
    "capitals": (
        [
            "HOST: X",
            "UPGRADE: WEBSOCKET",
            "CONNECTION: UPGRADE",
            "SEC-WEBSOCKET-PROTOCOL: ocpp1.6",
        ],
        "",
    ),
    "keep-alive": (
        ["Host: x", "Upgrade: WebSocket", "Connection: keep-alive, Upgrade", *OCPP],
        "",
    ),
    "a list": (
        ["Host: x", *UPGRADE, "Sec-WebSocket-Protocol: ocpp2.0.1,ocpp1.6 , ocpp1.5"],
        "",
    ),
    "a list with empties": (["Host: x", *UPGRADE, "Sec-WebSocket-Protocol: ,ocpp1.6,,"], ""),
    "two headers": (
        [
            "Host: x",
            *UPGRADE,
            "Sec-WebSocket-Protocol: ocpp1.5",
            "Sec-WebSocket-Protocol: ocpp1.6",
        ],
        "",
    ),
    "OCPP1.6": (["Host: x", *UPGRADE, "Sec-WebSocket-Protocol: OCPP1.6"], ""),
    "ocpp1.6J": (["Host: x", *UPGRADE, "Sec-WebSocket-Protocol: ocpp1.6J"], ""),
    "a proxy": (
        [
            "Host: x",
            "Upgrade: websocket",
            "Connection: upgrade",
            *OCPP,
            "X-Forwarded-For: 203.0.113.7",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: csms.example.net",
            "X-Real-Ip: 203.0.113.7",
            "Via: 1.1 Caddy",
        ],
        "",
    ),
    "compression offered": (
        [
            "Host: x",
            *UPGRADE,
            *OCPP,
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        ],
        "",
    ),
    "a password unasked": (
        ["Host: x", *UPGRADE, *OCPP, "Authorization: Basic QlM1NDI6yMnKy8zNzs/Q0dLT1NXW19jZ2ts="],
        "",
    ),
    "no Host": ([*UPGRADE, *OCPP], ""),
}


@case("c06", "evcc#3669, ev-server#3048, goecharger#126", sockets=True)
def headers_as_small_stacks_and_proxies_write_them(ground: OverSockets) -> None:
    """Capitals, lists, a port, a proxy's headers, no Host: one and the same handshake."""
    for number, (what, (headers, query)) in enumerate(HEADERS.items()):
        with ground.handshake(f"/ws/HV{number}-FIELD06{query}", [*headers, *essential()]) as shaken:
            assert shaken.status == 101, (what, shaken.said)
            assert shaken.call(BOOT)[2]["status"] == "Accepted", what


@case("c06b", "lbbrhzn/ocpp#221", sockets=True)
def an_elvi_asks_for_an_absolute_target(ground: OverSockets) -> None:
    """EVBox Elvi: the whole URL as the request's target (RFC 9112, 3.2.2)."""
    target = "http://192.168.10.42:9000/ws/EVB-FIELD06"
    with ground.handshake(target, ["Host: 192.168.10.42:9000", *usual()[1:]]) as shaken:
        assert shaken.status == 101, shaken.said
        assert shaken.call(BOOT)[2]["status"] == "Accepted"
    assert one_charge_point_named("EVB-FIELD06")


@case("c43", "lbbrhzn/ocpp#1096", sockets=True)
def a_starcharge_names_the_server_as_its_origin(ground: OverSockets) -> None:
    """MG / StarCharge: Origin is the server's own address, Pragma and Cache-Control as a page."""
    headers = [
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "Host: 192.168.100.7",
        "Origin: http://192.168.100.7",
        *UPGRADE,
        *essential(),
        *OCPP,
        "authorization: Basic MTAwMDoxMjM=",
    ]
    with ground.handshake("/ws/1000-FIELD43", headers) as shaken:
        assert shaken.status == 101, shaken.said
        said = '{ "connectorId": 0, "errorCode": "NoError", "status": "Available" }'
        name = "aGrvd5GlPPCvoh07K5D1UNpcdObPE7lLt9m2"
        answer = shaken.call(f'[2,"{name}","StatusNotification",{said}]')
        assert answer == [3, name, {}]


@case(
    "c44", "lbbrhzn/ocpp#553, sap-labs-france/ev-server#2761, apostoldevel/ocpp-cs#5", sockets=True
)
def paths_of_other_central_systems(ground: OverSockets) -> None:
    """What is left of a former URL before the identity: /ocpp, or a version and a tenant."""
    for path, identity in (
        ("/ocpp/EVC30-FIELD44", "EVC30-FIELD44"),
        ("/OCPP16/611e31aa61c75f3f11752d00/SAP-FIELD44", "SAP-FIELD44"),
        ("/ocpp/9929329c44dfb18ad2a33df9c194dd85443b2fcd/AP-FIELD44", "AP-FIELD44"),
        ("/steve/websocket/CentralSystemService/ST-FIELD44", "ST-FIELD44"),
    ):
        with ground.handshake(path, [*usual(), "User-Agent: lws"]) as shaken:
            assert shaken.status == 101, (path, shaken.said)
            assert shaken.call(BOOT)[2]["status"] == "Accepted"
        assert one_charge_point_named(identity)


@case("c45", "steve-community/steve#5", sockets=True)
def an_identity_with_a_plus(ground: OverSockets) -> None:
    """The identity is an EVSE id of the old form, +49*861*0125*0013: a plus is no blank."""
    for path in ("+49*861*0125*FIELD45", "%2B49*861*0125*FIELD45"):
        with ground.handshake(f"/ws/{path}", usual()) as shaken:
            assert shaken.status == 101, (path, shaken.said)
            assert shaken.call(BOOT)[2]["status"] == "Accepted"
    assert one_charge_point_named("+49*861*0125*FIELD45")


@case("c46", "ocpp-balanz/ocpp-2w-proxy#5, lbbrhzn/ocpp#2", sockets=True)
def knocks_that_are_no_handshake(ground: OverSockets) -> None:
    """NewMotion opens the port and says nothing; EVBox begins with TLS: the next is let in."""
    hello = bytes.fromhex("16030100050100000103") + b"\0" * 64 + b"\r\n\r\n"
    for raw in (b"", hello, b"\r\n\r\n", b"GET"):
        there = urlsplit(ground.url)
        with socket.create_connection((there.hostname, there.port), timeout=5) as knock:
            knock.sendall(raw)
    with ground.handshake("/ws/NWM-FIELD46", usual()) as shaken:
        assert shaken.status == 101, shaken.said
        assert shaken.call(BOOT)[2]["status"] == "Accepted"


@case("c47", "c-jimenez/open-ocpp#104", sockets=True)
def a_message_in_three_frames(ground: OverSockets) -> None:
    """A message is cut into frames, with a ping in between (RFC 6455, 5.4)."""
    with ground.handshake("/ws/FRG-FIELD47", usual()) as shaken:
        assert shaken.status == 101, shaken.said
        text = json.dumps(BOOT).encode()
        thirds = text[:9], text[9:20], text[20:]
        shaken.frame(0x01, thirds[0])
        shaken.frame(0x00, thirds[1])
        shaken.frame(0x89, b"now")
        shaken.frame(0x80, thirds[2])
        assert shaken.answer()[2]["status"] == "Accepted"
