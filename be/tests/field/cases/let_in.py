"""Handshakes as chargers write them. Only a socket shows what becomes of one."""

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
