"""What a request line and its headers amount to: pure functions, tables of cases."""

import ipaddress

import pytest

from levity_ws.edge.admission import Admission
from levity_ws.edge.handshake import (
    Handshake,
    Refusal,
    client_address,
    identity_in_path,
    is_private,
    parse_handshake,
    printable,
)


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ws/CP1", "CP1"),
        ("/ws/CP1/", "CP1"),
        ("//ws//CP1", "CP1"),
        ("//ws//CP1//", "CP1"),
        ("/ws/CP1?token=x/y", "CP1"),
        ("/ws/RDAM%20123", "RDAM 123"),
        ("/ws/a%7Cb", "a|b"),
        ("/ws/%43%50", "CP"),
        ("/ws/a:b+c@d=e_f.g-h|i", "a:b+c@d=e_f.g-h|i"),
        ("/ws/" + "x" * 48, "x" * 48),
        ("/ws/..", ".."),
    ],
)
def test_identities_that_are_accepted(path: str, identity: str) -> None:
    """E-03."""
    assert identity_in_path(path) == identity


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/", "path"),
        ("", "path"),
        ("/admin/", "path"),
        ("/ws/a/b", "path"),
        ("/ws/../admin", "path"),
        ("/wss/CP1", "path"),
        ("/WS/CP1", "path"),
        ("/ws", "no identity"),
        ("/ws/", "no identity"),
        ("//ws//", "no identity"),
        ("/ws/%2e%2e%2fadmin", "identity"),
        ("/ws/a%2Fb", "identity"),
        ("/ws/a%00b", "identity"),
        ("/ws/a%0d%0ab", "identity"),
        ("/ws/a%0A", "identity"),
        ("/ws/%20x", "identity"),
        ("/ws/x%20", "identity"),
        ("/ws/%20", "identity"),
        ("/ws/a;b", "identity"),
        ("/ws/a#b", "identity"),
        ("/ws/a*b", "identity"),
        ("/ws/%2520", "identity"),
        ("/ws/100%", "identity"),
        ("/ws/%zz", "identity"),
        ("/ws/%C0%AFx", "identity"),
        ("/ws/%E2%80%AEabc", "identity"),
        ("/ws/%F0%9F%94%8C", "identity"),
        ("/ws/\udcff", "identity"),
        ("/ws/" + "x" * 49, "identity"),
        ("/ws/" + "x" * 300, "identity"),
        ("/ws/<script>", "identity"),
    ],
)
def test_paths_that_are_refused_with_404(path: str, label: str) -> None:
    """E-02: decoded once, matched against the allow-list."""
    refusal = identity_in_path(path)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.label) == (404, label)
    assert refusal.reason


def test_a_page_in_a_browser_is_refused_unless_it_is_allowed() -> None:
    """E-16."""
    refusal = parse_handshake("/ws/CP1", origin="https://evil.example")
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.label) == (403, "origin")
    allowed = parse_handshake(
        "/ws/CP1", origin="https://ok.example", allowed_origins=frozenset({"https://ok.example"})
    )
    assert allowed == Handshake("CP1", "/ws/CP1", ())


def test_what_is_offered_is_kept_in_order_over_all_headers() -> None:
    handshake = parse_handshake("/ws/CP1?x", subprotocol_headers=["ocpp2.0.1 ,ocpp1.6", "", "a"])
    assert handshake == Handshake("CP1", "/ws/CP1", ("ocpp2.0.1", "ocpp1.6", "a"))


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
