"""Which charge point a request line means: pure functions, tables of cases."""

import pytest

from levity_ws.edge.refusal import Refusal
from levity_ws.edge.target import identity_in_path, plain_request_line


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
        ("/ws/a..b", "a..b"),
        # Bender CC612 and CC613: the EVSE id, as their makers tell people to set it.
        ("/ws/DE*ABC*E1234*1", "DE*ABC*E1234*1"),
        ("/ws/DE%2AABC%2AE1234%2A1", "DE*ABC*E1234*1"),
        # What stands before the identity: SETEC (steve#689), a charger without a field for a path
        # (ocpp-proxy#29), other central systems' paths, capitals, BENY's three slashes.
        ("/4/CBI-1625302527208", "CBI-1625302527208"),
        ("/ws/4/CBI-1625302527208", "CBI-1625302527208"),
        ("/GRS-4000200001", "GRS-4000200001"),
        ("///charger", "charger"),
        ("/ocpp/CP1", "CP1"),
        ("/ocpp/v16/CP1/", "CP1"),
        ("/steve/websocket/CentralSystemService/CP1", "CP1"),
        ("/WS/CP1", "CP1"),
        ("/Ws//CP1", "CP1"),
        ("/wss/CP1", "CP1"),
        ("/ws/ws/CP1", "CP1"),
        # Behind /ws/, a name is a name.
        ("/ws/admin", "admin"),
        ("/ws/metrics", "metrics"),
        ("/ws/ocpp", "ocpp"),
        # EVBox Elvi (lbbrhzn/ocpp#221): RFC 9112, 3.2.2.
        ("http://192.168.10.42:9000/EVB-P20400001", "EVB-P20400001"),
        ("http://192.168.10.42:9000/ws/EVB-P20400001?x=y", "EVB-P20400001"),
        ("HTTPS://levity.example/ws/CP1", "CP1"),
        ("ws://levity.example:9000/ws/CP1/", "CP1"),
        ("wss://[2001:db8::1]/ws/CP1", "CP1"),
    ],
)
def test_identities_that_are_accepted(path: str, identity: str) -> None:
    """E-03: the last segment counts."""
    assert identity_in_path(path) == identity


@pytest.mark.parametrize(
    ("path", "label", "detail"),
    [
        ("/", "no identity", "it ends with “/”"),
        ("", "no identity", "it ends with “/”"),
        ("/ws", "no identity", "it ends with “/ws”"),
        ("//ws//", "no identity", "it ends with “/ws”"),
        ("/WS/", "no identity", "it ends with “/WS”"),
        ("/ocpp", "no identity", "it ends with “/ocpp”"),
        ("/steve/websocket/CentralSystemService", "no identity", "“/CentralSystemService”"),
        ("http://192.168.10.42:9000", "no identity", "it ends with “/”"),
        ("ws://192.168.10.42/ws", "no identity", "it ends with “/ws”"),
        ("/admin/", "path", "“/admin” is not for chargers"),
        ("/Admin/login/", "path", "“/admin” is not for chargers"),
        ("/static/x.js", "path", "“/static” is not for chargers"),
        ("/metrics", "path", "“/metrics” is not for chargers"),
        ("/health", "path", "“/health” is not for chargers"),
        ("/healthz/", "path", "“/healthz” is not for chargers"),
        ("/favicon.ico", "path", "“/favicon.ico” is not for chargers"),
        ("/ws/../admin", "path", "are not allowed"),
        ("/./CP1", "path", "are not allowed"),
        ("/wsCP1", "path", "a slash is missing between “/ws” and “CP1”"),
        ("/ws/.", "identity", "“.”: it consists of dots only"),
        ("/ws/..", "identity", "“..”: it consists of dots only"),
        ("/ws/%2e%2e", "identity", "“..”: it consists of dots only"),
        ("/..", "identity", "“..”: it consists of dots only"),
        ("/ws/%2e%2e%2fadmin", "identity", "it contains “/”"),
        ("/ws/a%2Fb", "identity", "“a/b”: it contains “/”"),
        ("/ws/a%00b", "identity", "unprintable"),
        ("/ws/a%0d%0ab", "identity", "unprintable"),
        ("/ws/a%0A", "identity", "unprintable"),
        ("/ws/%20x", "identity", "begins or ends with a space"),
        ("/ws/x%20", "identity", "begins or ends with a space"),
        ("/ws/%20", "identity", "begins or ends with a space"),
        ("/ws/a;b", "identity", "“a;b”: it contains “;”"),
        ("/ws/a#b", "identity", "it contains “#”"),
        ("/ws/A%23B", "identity", "“A#B”: it contains “#”"),
        ("/ws/%2520", "identity", "“%20”: it contains “%”"),
        ("/ws/100%", "identity", "it contains “%”"),
        ("/ws/%zz", "identity", "it contains “%”"),
        ("/ws/%C3%82X", "identity", "“ÂX”: it contains “Â”"),
        ("/ws/%C0%AFx", "identity", "unprintable"),
        ("/ws/%E2%80%AEabc", "identity", "unprintable"),
        ("/ws/%F0%9F%94%8C", "identity", "it contains “🔌”"),
        ("/ws/\udcff", "identity", "unprintable"),
        ("/ws/" + "x" * 49, "identity", "it has 49 characters"),
        ("/ws/" + "x" * 300, "identity", "it has 300 characters"),
        ("/ws/<script>", "placeholder", "“<script>”"),
        ("/ws/a<b", "identity", "it contains “<”"),
        ("/ws/{charge_point_id}", "placeholder", "“{charge_point_id}”"),
        ("/ws/%7Bcharge_point_id%7D", "placeholder", "“{charge_point_id}”"),
        ("/ws/CHARGE_POINT_ID", "placeholder", "“CHARGE_POINT_ID”"),
        ("/ws/<charge%20point%20id>", "placeholder", "“<charge point id>”"),
        ("/ws/chargeBoxId", "placeholder", "“chargeBoxId”"),
    ],
)
def test_paths_that_are_refused_with_404(path: str, label: str, detail: str) -> None:
    """E-02: decoded once, and what was sent is named."""
    refusal = identity_in_path(path)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.label) == (404, label)
    assert detail in refusal.detail
    assert len(refusal.reason) > 40
    assert len(refusal.reason.encode()) < 400
    assert len(refusal.detail) < 120


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (b"GET /ws/CP1 HTTP/1.1\r\n", b"GET /ws/CP1 HTTP/1.1\r\n"),
        (b"GET /ws/\xc3\x82X HTTP/1.1\r\n", b"GET /ws/%C3%82X HTTP/1.1\r\n"),
        (b"GET /ws/My Box HTTP/1.1\r\n", b"GET /ws/My%20Box HTTP/1.1\r\n"),
        (b"GET  /ws/CP1  HTTP/1.1\n", b"GET /ws/CP1 HTTP/1.1\r\n"),
        (b"GET /ws/a\x01 b HTTP/1.0\r\n", b"GET /ws/a%01%20b HTTP/1.0\r\n"),
        (b"hello\r\n", b"hello\r\n"),
        (b"\xff\xfe\xfd\r\n", b"\xff\xfe\xfd\r\n"),
        (b"GET /ws/CP1", b"GET /ws/CP1"),
    ],
)
def test_a_request_line_beyond_ascii_can_be_read(line: bytes, read: bytes) -> None:
    """ATTACK C9: websockets would end the connection without a word."""
    assert plain_request_line(line + b"Host: \xe4 b c\r\n\r\n") in (
        read + b"Host: \xe4 b c\r\n\r\n",
        line + b"Host: \xe4 b c\r\n\r\n",
    )
    assert plain_request_line(line).startswith(read.rstrip(b"\r\n"))
