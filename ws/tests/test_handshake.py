"""What a request line and its headers amount to: pure functions, tables of cases."""

import ipaddress

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol

from levity_ws.edge.admission import Admission
from levity_ws.edge.handshake import (
    Handshake,
    client_address,
    is_private,
    mend,
    no_websocket,
    parse_handshake,
)
from levity_ws.edge.refusal import Refusal, printable


def request(path: str = "/ws/CP1", *lines: str, method: str = "GET") -> Request:
    """A request with these header lines."""
    headers = Headers()
    for line in lines:
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    return Request(path, headers, method)


# Grizzl-E, lbbrhzn/ocpp#442; other libraries name file:// or null.
ORIGIN = "Origin: https://github.com/gilmaimon/TinyWebsockets"


@pytest.mark.parametrize("origin", [ORIGIN, "Origin: file://", "Origin: null", "Origin:"])
def test_a_chargers_library_may_name_an_origin(origin: str) -> None:
    """E-16: the flagship's does."""
    handshake = parse_handshake(request("/ws/CP1", origin, "User-Agent: TinyWebsockets Client"))
    assert handshake == Handshake("CP1", "/ws/CP1", ())


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("Sec-Fetch-Mode: websocket", "sec-fetch-mode"),
        ("Cookie: sessionid=x", "Cookie"),
        ("User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "User-Agent of a browser"),
    ],
)
def test_a_page_in_a_browser_is_refused_unless_it_is_allowed(line: str, mark: str) -> None:
    """E-16: an Origin beside the mark of a browser."""
    asked = request("/ws/CP1", "Origin: https://evil.example", line)
    refusal = parse_handshake(asked)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.label) == (403, "origin")
    assert refusal.detail.lower() == f"Origin https://evil.example, {mark}".lower()
    assert "LEVITY_ALLOWED_ORIGINS" in refusal.reason
    allowed = parse_handshake(asked, frozenset({"https://evil.example"}))
    assert allowed == Handshake("CP1", "/ws/CP1", ())
    # Without an Origin, a mark alone is none: there are chargers whose library says Mozilla.
    assert isinstance(parse_handshake(request("/ws/CP1", line)), Handshake)


def test_what_is_offered_is_kept_in_order_over_all_headers() -> None:
    lines = [f"Sec-WebSocket-Protocol: {names}" for names in ("ocpp2.0.1 ,ocpp1.6", "", ",a,")]
    handshake = parse_handshake(request("/ws/CP1?x", *lines))
    assert handshake == Handshake("CP1", "/ws/CP1", ("ocpp2.0.1", "ocpp1.6", "a"))


KEY = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="
UPGRADE, VERSION = "Upgrade: websocket", "Sec-WebSocket-Version: 13"


@pytest.mark.parametrize(
    "lines",
    [
        # Autel MaxiCharger US AC 1.38.00 sends no Connection header (lbbrhzn/ocpp#1933).
        (UPGRADE, KEY, VERSION),
        (UPGRADE, KEY, VERSION, "Connection: keep-alive"),
        (UPGRADE, KEY, VERSION, "Connection: close"),
        (UPGRADE, KEY, VERSION, "Connection:"),
        (UPGRADE, KEY, VERSION, "Connection: Upgrade;"),
        (UPGRADE, KEY, VERSION, "Connection: keep-alive Upgrade"),
        ("Upgrade: WebSocket, h2c", KEY, VERSION, "Connection: Upgrade"),
        ("Upgrade: websocket", "Upgrade: websocket", KEY, VERSION, "Connection: Upgrade"),
        (UPGRADE, KEY, "Sec-WebSocket-Version: 13, 8", "Connection: Upgrade"),
        (UPGRADE, KEY, "Connection: Upgrade"),
        (UPGRADE, KEY, VERSION, "Sec-WebSocket-Protocol:"),
        (UPGRADE, KEY, VERSION, "Sec-WebSocket-Protocol: ,ocpp2.0.1"),
        (UPGRADE, KEY, VERSION, "Sec-WebSocket-Protocol: OCPP 1.6, ocpp1.6"),
        (UPGRADE, KEY, VERSION, "Connection: Upgrade", "Origin: http://a", "Origin: http://b"),
    ],
)
@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/1.0"])
def test_a_handshake_whose_meaning_is_plain_is_one(lines: tuple[str, ...], protocol: str) -> None:
    asked = request("/ws/CP1", *lines)
    asked.protocol = protocol
    mend(asked)
    assert no_websocket(asked) is None
    assert ServerProtocol().accept(asked).status_code == 101


@pytest.mark.parametrize(
    ("method", "lines", "status", "why"),
    [
        ("GET", (), 426, "it has no Upgrade header"),
        ("GET", (KEY, VERSION, "Connection: Upgrade"), 426, "it has no Upgrade header"),
        ("GET", ("Upgrade: h2c", KEY, VERSION), 426, "it has “Upgrade: h2c”"),
        ("GET", (UPGRADE, VERSION), 400, "it has no Sec-WebSocket-Key"),
        (
            "GET",
            (UPGRADE, VERSION, "Sec-WebSocket-Key: x"),
            400,
            "its Sec-WebSocket-Key is not 16 bytes in base64",
        ),
        (
            "GET",
            (UPGRADE, KEY, "Sec-WebSocket-Version: 8"),
            400,
            "it has “Sec-WebSocket-Version: 8”, and 13 is spoken here",
        ),
        ("POST", (UPGRADE, KEY, VERSION), 405, "the method is POST, not GET"),
    ],
)
def test_what_is_no_handshake_is_told_what_is_wrong_with_it(
    method: str, lines: tuple[str, ...], status: int, why: str
) -> None:
    asked = request("/ws/CP1", *lines, method=method)
    mend(asked)
    refusal = no_websocket(asked)
    assert refusal is not None
    assert (refusal.status, refusal.label) == (status, "not a websocket handshake")
    assert refusal.detail == why
    assert why in refusal.reason


TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.9", ["1.2.3.4"], "192.0.2.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["1.2.3.4, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["1.2.3.4", "192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1:5555"], "192.0.2.1"),
        ("10.0.0.1", ["[2001:db8::1]:5555"], "2001:db8::1"),
        ("::1", ["2001:db8::2"], "2001:db8::2"),
        ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("", ["192.0.2.1"], ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: list[str], address: str) -> None:
    """E-12: the right-most address that is not a trusted proxy's."""
    assert client_address(peer, forwarded, TRUSTED) == address


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("192.168.1.1", True),
        ("::ffff:172.16.0.1", True),
        ("8.8.8.8", False),
        ("2a00::1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_private_addresses(address: str, private: bool) -> None:
    assert is_private(address) is private


def test_headers_are_made_printable() -> None:
    assert printable("Grizzl-E \udcc3\udca4 \udcff") == "Grizzl-E \u00e4 \ufffd"
    assert printable("x" * 300) == "x" * 256


def test_admission_counts_exactly() -> None:
    """E-09."""
    admission = Admission(in_total=5, per_address=2)
    assert [admission.enter("192.0.2.1") for _ in range(2)] == [None, None]
    refusal = admission.enter("192.0.2.1")
    assert refusal is not None
    assert (refusal.status, refusal.label) == (429, "address limit")
    admission.leave("192.0.2.1")
    assert admission.enter("192.0.2.1") is None
    assert [admission.enter("127.0.0.1") for _ in range(3)] == [None, None, None]
    full = admission.enter("192.0.2.2")
    assert full is not None
    assert (full.status, full.label) == (503, "full")
    assert admission.connections == 5
