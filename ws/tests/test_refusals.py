"""Whom the edge refuses by itself is told to the backend; and whose headers it believes."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable

import pytest
from tests.chargers import raw_charger, upgrade_request
from tests.sites import running_site

from levity_ws.edge.handshake import came_over_tls
from levity_ws.edge.refusal import Refusal
from levity_ws.edge.refusals import LISTED, RefusalBook, Visitor, unreadable
from levity_ws.rpc.envelope import Authenticate, EdgeRefusal, Refused

PROXY = (ipaddress.ip_network("127.0.0.0/8"),)
CERTIFICATE = "-----BEGIN%20CERTIFICATE-----%0AMII%3D%0A-----END%20CERTIFICATE-----"


def listed(refusals: tuple[EdgeRefusal, ...]) -> list[tuple[str, str, int, int]]:
    return [(item.charge_point, item.reason, item.status, item.count) for item in refusals]


async def test_refusals_of_the_edge_itself_are_reported_together() -> None:
    """Each path and reason once with its count; no key of the query or of the headers is in it."""
    async with running_site() as site:
        for path, header in (
            ("/admin/CP1?key=s3cret", "User-Agent: Charger/1"),
            ("/admin/CP1?key=s3cret", "User-Agent: Charger/1"),
            ("/ws/", "Authorization: Basic czNjcmV0"),
            ("/ws/a%2Fb", "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1"),
            ("/ws/a%2Fc", "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1"),
            ("/ws/CP1", "Origin: https://evil.example\r\nUser-Agent: Mozilla/5.0"),
        ):
            async with raw_charger(site.port, path, header) as charger:
                assert charger.status in (403, 404)
        async with raw_charger(site.port, shake=False) as browser:
            browser.writer.write(b"GET /ws/CP2 HTTP/1.1\r\nHost: x\r\n\r\n")
            await browser.read_head()
        [event] = await site.heard(Refused)
    assert listed(event.refusals) == [
        ("", "path", 404, 2),
        ("", "no identity", 404, 1),
        ("", "identity", 404, 1),
        ("", "identity", 404, 1),
        ("CP1", "origin", 403, 1),
        ("CP2", "not a websocket handshake", 426, 1),
    ]
    first, _, third, *_ = event.refusals
    assert (first.path, first.user_agent, first.remote) == ("/admin/CP1", "Charger/1", "127.0.0.1")
    assert third.subprotocols == ("ocpp1.6", "ocpp2.0.1")
    assert "s3cret" not in repr(event)
    assert "czNjcmV0" not in repr(event)
    assert (event.charge_point, event.connection, event.unlisted) == ("", "", 0)


async def test_tls_at_the_plain_port_is_recognised() -> None:
    """A charger that is told wss:// instead of ws:// is the most common slip of all."""
    async with running_site() as site:
        context = ssl.create_default_context()
        with pytest.raises((ssl.SSLError, ConnectionError, TimeoutError)):
            async with asyncio.timeout(2):
                await asyncio.open_connection("127.0.0.1", site.port, ssl=context)
        [event] = await site.heard(Refused)
    assert listed(event.refusals) == [("", "tls on a plain port", 0, 1)]


@pytest.mark.parametrize(
    ("lines", "status", "reason"),
    [
        ((b"GET /ws/" + b"A" * 9 * 1024 + b" HTTP/1.1",), 414, "too long"),
        ((b"GET /ws/CP1 HTTP/1.1", b"X: " + b"A" * 9 * 1024), 431, "too long"),
        ((b"GET /ws/CP1 HTTP/1.1", *[b"X: a"] * 129), 431, "too long"),
        ((b"GET /ws/CP1 HTTP/1.1", b"Authorization: Basic " + b"A" * (1 << 20)), 431, "too long"),
        ((b"hello",), 0, "not http"),
    ],
)
async def test_a_request_too_long_is_refused_exactly(
    lines: tuple[bytes, ...], status: int, reason: str
) -> None:
    """E-11: 431 and 414; and what is no HTTP gets no answer, but is listed."""
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
            if status:
                await charger.read_head()
                assert charger.status == status
            else:
                await charger.end_of_stream()
        [event] = await site.heard(Refused)
        assert site.backend.of(Authenticate) == []
    assert [(item.reason, item.status) for item in event.refusals] == [
        (reason, 431 if status else 0)
    ]


ODD = {
    "HTTP/0.9": (b"GET /ws/CP1\r\n", "does not end with HTTP/1.1"),
    "HTTP/0.9 in lower case": (b"get /ws/CP1\r\n", "does not end with HTTP/1.1"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "ends with “HTTP/2.0”"),
    "version in lower case": (b"GET /ws/CP1 http/1.1\r\nA: b\r\n\r\n", "ends with “http/1.1”"),
    "a header without a colon": (b"GET /ws/CP1 HTTP/1.1\r\nkey\r\n\r\n", "no colon"),
    "a folded header": (b"GET /ws/CP1 HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "header"),
    "a name with a space": (b"GET /ws/CP1 HTTP/1.1\r\nA b: s3cret\r\n\r\n", "a header name"),
    "a control character": (b"GET /ws/CP1 HTTP/1.1\r\nA: \0s3cret\r\n\r\n", "a control character"),
    "bare line feeds": (b"GET /ws/CP1 HTTP/1.1\nA: b\n\n", "its lines end with LF"),
    "a bare line feed in a header": (b"GET /ws/CP1 HTTP/1.1\r\nA: b\n\r\n\r\n", "end with LF"),
    "a body": (b"POST /ws/CP1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "it has a body"),
    "chunks": (b"GET /ws/CP1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding"),
}


@pytest.mark.parametrize(("request_", "why"), ODD.values(), ids=ODD)
async def test_http_that_can_not_be_read_is_answered_with_a_sentence(
    request_: bytes, why: str
) -> None:
    """The connection ended without a word, and a proxy before us said that Levity is away."""
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(request_)
            await charger.read_head()
            assert charger.status == 400
            body = await charger.body()
            assert why in body
            assert "s3cret" not in body
        [event] = await site.heard(Refused)
        assert site.backend.of(Authenticate) == []
    assert listed(event.refusals) == [("", "unreadable request", 400, 1)]
    assert why in event.refusals[0].detail
    assert "s3cret" not in repr(event)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /ws/CP1 HTTP/1.1\r\n\r\n", "proxy protocol"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0cGET /ws/CP1 HTTP/1.1\r\n\r\n", "proxy protocol"),
        (b"hello\r\n", "not http"),
        (b"\x03\0\0\x13\x0e\n", "not http"),
        # MQTT, and Modbus: no end of a line ever comes.
        (b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4abcd", "not http"),
        (b"\0\1\0\0\0\6\1\3\0\0\0\2", "not http"),
    ],
)
async def test_what_is_no_http_is_listed_by_what_it_is(said: bytes, reason: str) -> None:
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(said)
            charger.writer.write_eof()
            await charger.end_of_stream()
        [event] = await site.heard(Refused)
    assert listed(event.refusals) == [("", reason, 0, 1)]


@pytest.mark.parametrize("half", [b"GET /ws/CP", b"GET /ws/CP1 HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
async def test_a_request_that_was_never_finished_is_listed(half: bytes) -> None:
    """Its charger, or the line to it, gives up in the middle: nothing told of it."""
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(half)
            await charger.writer.drain()
            charger.writer.write_eof()
            await charger.end_of_stream()
        [event] = await site.heard(Refused)
    assert listed(event.refusals) == [("", "unfinished request", 0, 1)]


@pytest.mark.parametrize(
    "spelled",
    [
        lambda request: b"\r\n\r\n" + request,
        lambda request: request.replace(b"GET /ws/CP1 HTTP", b"GET\t/ws/CP1\tHTTP"),
        lambda request: request.replace(b"GET /ws/CP1 HTTP", b"GET  /ws/CP1   HTTP"),
        lambda request: request.replace(b"/ws/CP1", b"WS://levity.local:9000/ws/CP1"),
    ],
    ids=["empty lines", "tabs", "spaces", "absolute"],
)
async def test_a_request_line_whose_meaning_is_plain_is_taken(
    spelled: Callable[[bytes], bytes],
) -> None:
    request = spelled(upgrade_request("/ws/CP1"))
    async with running_site() as site:
        for size in (len(request), 1):
            async with raw_charger(site.port, shake=False) as charger:
                for start in range(0, len(request), size):
                    charger.writer.write(request[start : start + size])
                    await charger.writer.drain()
                await charger.read_head()
                assert charger.status == 101


async def test_a_method_in_lower_case_is_no_get() -> None:
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(upgrade_request("/ws/CP1").replace(b"GET", b"get"))
            await charger.read_head()
            assert charger.status == 405
            assert "the method is get, not GET" in await charger.body()
        [event] = await site.heard(Refused)
    assert listed(event.refusals) == [("CP1", "not a websocket handshake", 405, 1)]


async def test_128_headers_and_8_kib_pass() -> None:
    """E-11: one less is a charger like any other."""
    request = upgrade_request("/ws/CP1", "X: " + "A" * 8_100, *["Y: a"] * 121)
    assert request.count(b"\r\n") == 1 + 127 + 1
    request = request[:-2] + b"Z: a\r\n\r\n"
    async with running_site() as site, raw_charger(site.port, shake=False) as charger:
        charger.writer.write(request)
        await charger.read_head()
        assert charger.status == 101


async def test_a_connection_without_a_word_is_not_listed() -> None:
    """Health checks and port scanners say nothing."""
    async with running_site() as site:
        async with raw_charger(site.port, shake=False):
            pass
        async with raw_charger(site.port) as charger:
            assert charger.status == 101
        assert not site.edge._reports.book
    assert unreadable(None, spoke_tls=False) is None


def test_a_flood_of_refusals_is_counted_and_not_kept() -> None:
    """The list of one report is bounded whatever comes."""
    book = RefusalBook(lambda: 7.0)
    refusal = Refusal(404, "", "path")
    for number in range(10_000):
        book.add(Visitor(remote=f"192.0.2.{number % 200}"), refusal)
    entries, unlisted = book.take()
    assert len(entries) == LISTED
    assert sum(entry.count for entry in entries) + unlisted == 10_000
    assert {(entry.first_at, entry.last_at) for entry in entries} == {(7.0, 7.0)}
    assert not book
    assert book.take() == ([], 0)


@pytest.mark.parametrize(
    ("trusted", "told"),
    [
        (PROXY, (True, "SUCCESS", CERTIFICATE, "192.0.2.7")),
        ((), (False, "", "", "127.0.0.1")),
    ],
)
async def test_only_a_trusted_proxy_tells_of_tls_and_certificates(
    trusted: tuple[ipaddress.IPv4Network, ...], told: tuple[bool, str, str, str]
) -> None:
    """E-12, E-13, E-14: from anybody else these headers are words in the wind."""
    headers = (
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Proto: https",
        "X-Client-Verify: SUCCESS",
        f"X-Client-Cert: {CERTIFICATE}",
    )
    async with (
        running_site(trusted_proxies=trusted) as site,
        raw_charger(site.port, "/ws/CP1", *headers),
    ):
        [event] = await site.heard(Authenticate)
    assert (event.secure, event.certificate_verified, event.certificate, event.remote) == told


@pytest.mark.parametrize(
    "headers",
    [
        ("X-Client-Verify: SUCCESS", f"X-Client-Cert: {CERTIFICATE}"),
        ("X-Forwarded-Proto: http", "X-Client-Verify: SUCCESS", f"X-Client-Cert: {CERTIFICATE}"),
        ("X-Forwarded-Proto: https", "X-Client-Verify: NONE", f"X-Client-Cert: {CERTIFICATE}"),
        (
            "X-Forwarded-Proto: https",
            "X-Client-Verify: SUCCESS",
            "X-Client-Verify: SUCCESS",
            f"X-Client-Cert: {CERTIFICATE}",
        ),
    ],
    ids=["no TLS", "http", "not verified", "told twice"],
)
async def test_a_certificate_counts_only_where_the_proxy_verified_it_on_a_tls_line(
    headers: tuple[str, ...],
) -> None:
    """E-14: a proxy that passes a stranger's header on beside its own tells it twice."""
    async with (
        running_site(trusted_proxies=PROXY) as site,
        raw_charger(site.port, "/ws/CP1", "X-Forwarded-For: 192.0.2.7", *headers),
    ):
        [event] = await site.heard(Authenticate)
    assert event.certificate == ""
    assert event.certificate_verified in ("", "NONE")


def test_the_proxy_s_own_word_about_tls_is_the_last_one() -> None:
    """E-13: a proxy that appends instead of replacing leaves the stranger's word in front."""
    assert came_over_tls(["https"])
    assert came_over_tls(["http, https"])
    assert not came_over_tls(["https, http"])
    assert not came_over_tls(["https", "http"])
    assert not came_over_tls([])


async def test_two_authorization_headers_are_one_that_nobody_can_read() -> None:
    """S-01: the backend refuses it where it asks for a key at all."""
    twice = ("Authorization: Basic YTpi", "Authorization: Basic YTpj")
    async with running_site() as site, raw_charger(site.port, "/ws/CP1", *twice) as charger:
        assert charger.status == 101
        [event] = await site.heard(Authenticate)
    assert event.authorization == "Basic YTpi, Basic YTpj"
