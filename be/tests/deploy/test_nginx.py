"""What nginx lets through, with the very configuration of the images (CHECKS.md, E)."""

import asyncio
import json
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.deploy.charger import charger
from tests.deploy.front import DOMAIN, Backends, Front, front, raw

pytestmark = pytest.mark.nginx

Site = tuple[Front, Backends]

UPGRADE = (
    "Host: chargers.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {}\r\n\r\n"
)
SPOOFED = {
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Real-IP": "1.2.3.4",
    "Forwarded": "for=1.2.3.4;proto=https",
    "X-Client-Verify": "SUCCESS",
    "X-Client-Cert": "-----BEGIN%20CERTIFICATE-----",
    "X-Client-Fingerprint": "00",
    "X-SSL-Client-Verify": "SUCCESS",
    "X-SSL-Client-Cert": "x",
    "X-Original-URL": "/admin/",
    "X_Client_Verify": "SUCCESS",
}


def get(site: Front, path: str, *, tls: bool | None = None, head: str = "") -> tuple[int, bytes]:
    with site.connect(tls=tls) as connection:
        return raw(
            connection, f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\n{head}Connection: close\r\n\r\n"
        )


@pytest.mark.parametrize("kind", ["plain_site", "tls_site"])
def test_nothing_that_a_client_says_of_itself_gets_through(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """E-12, E-13, E-14: address, scheme and certificate are nginx's own words."""
    site, backends = request.getfixturevalue(kind)
    with charger(site, "/ws/E-12", additional_headers=SPOOFED) as connected:
        at_ws = json.loads(connected.recv())["headers"]
    get(site, "/admin/", head="".join(f"{name}: {value}\r\n" for name, value in SPOOFED.items()))
    at_be = backends.pages[-1]["headers"]
    for headers in (at_ws, at_be):
        named = {name.lower(): value for name, value in headers.items()}
        assert named.pop("x-forwarded-for") == "127.0.0.1"
        assert named.pop("x-forwarded-proto") == ("https" if site.tls else "http")
        assert named.pop("x-client-verify", "NONE") == "NONE"
        assert not {name for name in named if name.startswith(("x-", "x_", "forwarded"))}


def test_no_page_becomes_a_tunnel(plain_site: Site) -> None:
    """E-15: the wish to upgrade does not even reach the web pages."""
    site, backends = plain_site
    for path in (
        "/admin/",
        "/Admin/",
        "//admin/",
        "/",
        "/static/ws/",
        "/api/v1/sites",
        "/metrics/x",
        "/ws/../admin/",
    ):
        with site.connect() as connection:
            status, _ = raw(connection, f"GET {path} HTTP/1.1\r\n" + UPGRADE.format(13))
        headers = {name.lower() for name in backends.pages[-1]["headers"]}
        assert (status, "upgrade" in headers) == (404 if "metrics" in path else 200, False), path
    # Towards HTTP/2 there is no way at all.
    head = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    for path in ("/", "/ws/E-15"):
        with site.connect() as connection:
            status, answer = raw(connection, f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\n{head}\r\n")
        assert status in (200, 400, 426), path
        assert b"101 " not in answer
    with charger(site, "/ws/E-15") as connected:
        assert json.loads(connected.recv())["path"] == "/ws/E-15"


@pytest.mark.parametrize("kind", ["plain_site", "tls_site"])
@pytest.mark.parametrize(
    "path", ["/GRS-1", "/ocpp/GRS-1", "/4/CBI-1", "///charger", "/WS/GRS-1", "/ws/4/GRS-1", "/DE*1"]
)
def test_a_charger_that_leaves_out_ws_gets_to_the_edge(
    kind: str, path: str, request: pytest.FixtureRequest
) -> None:
    """The path goes on as it came: what counts in it the edge decides."""
    site, backends = request.getfixturevalue(kind)
    pages = len(backends.pages)
    with charger(site, path, additional_headers={"Origin": "https://library.example"}) as connected:
        seen = json.loads(connected.recv())
    assert (seen["path"], len(backends.pages)) == (path, pages)
    assert seen["headers"]["X-Forwarded-For"] == "127.0.0.1"


def test_an_absolute_target_and_no_connection_header_get_to_the_edge(plain_site: Site) -> None:
    """EVBox Elvi and Autel MaxiCharger."""
    site, backends = plain_site
    head = UPGRADE.format(13).replace("Connection: Upgrade\r\n", "")
    with site.connect() as connection:
        status, _ = raw(connection, "GET http://192.168.10.42:9000/EVB-1 HTTP/1.1\r\n" + head)
    assert (status, backends.sockets[-1]["path"]) == (101, "/EVB-1")


def test_a_refused_upgrade_leaves_no_way_to_the_edge(plain_site: Site) -> None:
    """E-15: what follows a handshake of version 777 is a request like any other."""
    site, backends = plain_site
    seen = len(backends.sockets)
    with site.connect() as connection:
        status, answer = raw(
            connection,
            "GET /ws/E-15 HTTP/1.1\r\n"
            + UPGRADE.format(777)
            + f"GET /smuggled HTTP/1.1\r\nHost: {DOMAIN}\r\nX-Forwarded-For: 6.6.6.6\r\n"
            "Connection: close\r\n\r\n",
        )
    assert status in (400, 426)
    assert b"101 Switching" not in answer
    assert len(backends.sockets) == seen
    # If it went anywhere, then to the web pages, and with our headers.
    smuggled = [page for page in backends.pages if page["path"] == "/smuggled"]
    assert all(page["headers"]["X-Forwarded-For"] == "127.0.0.1" for page in smuggled)


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length: +5\r\n",
    ],
)
def test_two_opinions_on_where_a_request_ends_are_an_error(plain_site: Site, head: str) -> None:
    """E-15: request smuggling."""
    site, backends = plain_site
    seen = len(backends.pages)
    with site.connect() as connection:
        status, answer = raw(
            connection,
            f"POST /admin/login/ HTTP/1.1\r\nHost: {DOMAIN}\r\n{head}\r\n"
            f"0\r\n\r\nGET /admin/ HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n",
        )
    assert status in (400, 501)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert len(backends.pages) == seen


@pytest.mark.parametrize("kind", ["plain_site", "tls_site"])
@pytest.mark.parametrize(
    "said",
    [
        b"get /ws/CP1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET\t/ws/CP1\tHTTP/1.1\r\nHost: x\r\n\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /ws/CP1 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /ws/CP1 HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    ],
    ids=["lower case", "tabs", "PROXY", "HTTP/2", "no colon", "TLS"],
)
def test_what_is_no_request_is_told_so_in_a_sentence(
    kind: str, said: bytes, request: pytest.FixtureRequest
) -> None:
    """nginx's own page says nothing to whoever stands at a charger."""
    site, backends = request.getfixturevalue(kind)
    seen = len(backends.pages), len(backends.sockets)
    with site.connect(tls=False) as connection:
        status, answer = raw(connection, said)
    assert status == 400
    assert b"Connection: close" in answer
    assert b"\r\n\r\nThis request can't be read. A charger connects with GET /ws/" in answer
    assert (len(backends.pages), len(backends.sockets)) == seen


def test_ws_at_the_port_of_wss_is_told_so(tls_site: Site) -> None:
    site, backends = tls_site
    seen = len(backends.sockets)
    with socket.create_connection(("127.0.0.1", site.https), 10) as connection:
        status, answer = raw(connection, "GET /ws/CP1 HTTP/1.1\r\n" + UPGRADE.format(13))
    assert status == 400
    assert b"This port speaks TLS: set the address to wss://" in answer
    assert len(backends.sockets) == seen


def test_oversized_requests_are_told_so(tls_site: Site) -> None:
    """E-11: a header line of 9 KiB gets 431, such a request line 414."""
    site, backends = tls_site
    seen = len(backends.pages), len(backends.sockets)
    nine = "a" * 9 * 1024
    for path in ("/admin/", "/ws/E-11"):
        assert get(site, path, head=f"X-Long: {nine}\r\n")[0] == 431
        assert get(site, f"{path}{nine}")[0] == 414
    assert (len(backends.pages), len(backends.sockets)) == seen
    assert get(site, "/", tls=False, head=f"X-Long: {nine}\r\n")[0] == 431


def test_too_many_headers_open_no_session(tls_site: Site) -> None:
    """E-11: the 129th header; nginx has no limit of its own, the edge behind it has."""
    site, backends = tls_site
    seen = len(backends.sockets)
    many = "".join(f"X-{number}: 1\r\n" for number in range(129))
    with site.connect() as connection:
        status, answer = raw(connection, f"GET /ws/E-11 HTTP/1.1\r\n{many}" + UPGRADE.format(13))
    assert status in (400, 431, 503), answer
    assert len(backends.sockets) == seen


@pytest.mark.parametrize("kind", ["plain_site", "tls_site"])
@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/healthz",
        "/readyz",
        "/metrics/",
        "//metrics",
        "/ws/../metrics",
        "/ws/%2e%2e/metrics",
        "/ws/..%2fmetrics",
        "/%6detrics",
        "/./readyz",
    ],
)
def test_figures_and_health_are_for_the_inside(
    kind: str, path: str, request: pytest.FixtureRequest
) -> None:
    """E-20: however the path is written."""
    site, backends = request.getfixturevalue(kind)
    seen = len(backends.pages)
    assert get(site, path)[0] == 404
    assert len(backends.pages) == seen


def test_the_path_of_a_charger_goes_on_as_it_came(plain_site: Site) -> None:
    """E-02, E-03: the edge decodes it once; nginx, which would make it twice, does not."""
    site, backends = plain_site
    for path in ("/ws/RDAM%20123", "/ws/a%2Fb", "//ws//CP1", "/ws/", "/ws", "/ws/CP1/?x=%00"):
        with suppress(InvalidStatus), charger(site, path) as connected:
            connected.recv()
        assert backends.sockets[-1]["path"] == path


def test_plain_http_leads_to_https(tls_site: Site) -> None:
    """P-11: to this site's own name, whatever the request calls it."""
    site, _ = tls_site
    status, answer = get(site, "/admin/?next=/x", tls=False)
    assert status == 301
    assert f"Location: https://{DOMAIN}:{site.https}/admin/?next=/x\r\n".encode() in answer
    with site.connect(tls=False) as connection:
        _, answer = raw(connection, "GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert f"Location: https://{DOMAIN}:{site.https}/a\r\n".encode() in answer


def test_chargers_without_tls_are_told_why_not(tls_site: Site) -> None:
    """P-11: refused unless switched on."""
    site, backends = tls_site
    seen = len(backends.sockets)
    for path in ("/ws/GRIZZL-E", "/ws", "/ws/"):
        status, answer = get(site, path, tls=False)
        assert (status, b"LEVITY_PLAIN_WS" in answer) == (403, True)
    with pytest.raises(InvalidStatus), charger(site, "/ws/GRIZZL-E", tls=False):
        pass
    assert len(backends.sockets) == seen


def test_the_switch_opens_ws_and_nothing_else(tmp_path: Path) -> None:
    """P-11: LEVITY_PLAIN_WS, for a Grizzl-E; the edge learns that there was no TLS."""
    with front(tmp_path, tls=True, LEVITY_PLAIN_WS="true") as (site, backends):
        with charger(site, "/ws/GRIZZL-E", tls=False) as connected:
            assert json.loads(connected.recv())["headers"]["X-Forwarded-Proto"] == "http"
        assert get(site, "/admin/", tls=False)[0] == 301
        assert get(site, "/metrics", tls=False)[0] == 301
        assert not backends.pages


def test_a_silent_charger_is_cut_by_this_setting_alone(tmp_path: Path) -> None:
    """E-18: with a second in the place of two hours it happens after a second."""
    with (
        front(tmp_path, tls=False, LEVITY_WEBSOCKET_TIMEOUT="1s") as (site, _),
        charger(site, "/ws/E-18") as connected,
    ):
        connected.recv()
        began = time.monotonic()
        with pytest.raises(ConnectionClosed):
            connected.recv(timeout=10)
        assert 0.9 < time.monotonic() - began < 5


def test_the_shipped_time_is_longer_than_any_heartbeat_interval(tls_site: Site) -> None:
    """E-18: two hours; OCPP's own default interval is a day at most in no charger that we know."""
    site, _ = tls_site
    rendered = (site.run / "websocket-proxy.conf").read_text()
    assert "proxy_read_timeout 2h;" in rendered
    assert "proxy_send_timeout 2h;" in rendered


@pytest.mark.deploy
@pytest.mark.slow
def test_an_idle_charger_outlives_nginx_s_default(tls_site: Site) -> None:
    """E-18: idle and without pings for longer than the 60 s that nginx gives by default."""
    site, _ = tls_site
    with charger(site, "/ws/E-18") as connected:
        connected.recv()
        with pytest.raises(TimeoutError):
            connected.recv(timeout=75)
        connected.send("still here")
        assert connected.recv(timeout=5) == "still here"


@pytest.mark.slow
async def test_a_thousand_slow_strangers_do_not_keep_chargers_out(tls_site: Site) -> None:
    """E-08: a byte every five seconds; gone after ten, while a good handshake takes under 1 s."""
    site, _ = tls_site
    loop = asyncio.get_running_loop()
    gone: list[float] = []

    async def drip() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.http)
        began = loop.time()
        writer.write(b"GET /ws/SLOW HTTP/1.1\r\nX: ")
        ended = asyncio.ensure_future(reader.read())
        while not ended.done() and loop.time() - began < 30:
            await asyncio.wait([ended], timeout=5)
            if not ended.done():
                writer.write(b"a")
        gone.append(loop.time() - began)
        writer.close()

    strangers = [asyncio.ensure_future(drip()) for _ in range(1000)]
    await asyncio.sleep(0)
    took = []
    for _ in range(40):
        began = loop.time()
        async with connect_async(
            f"wss://127.0.0.1:{site.https}/ws/GOOD", ssl=site.context(), proxy=None
        ) as charger:
            await charger.recv()
        took.append(loop.time() - began)
    await asyncio.gather(*strangers)
    assert sorted(took)[37] < 1.0
    assert max(gone) < 12.0


def test_gone_backends_are_told_as_trouble_that_passes(tmp_path: Path) -> None:
    with front(tmp_path, tls=False) as (site, backends):
        backends.close()
        for path in ("/admin/", "/ws/CP1"):
            status, answer = get(site, path)
            assert status == 503
            assert b"Retry-After: " in answer


def test_there_is_room_for_ten_thousand_chargers(tls_site: Site) -> None:
    """P-12: nginx takes two descriptors and two connections for each."""
    site, _ = tls_site
    rendered = (site.run / "nginx.conf").read_text()
    assert "worker_connections 32768;" in rendered
    assert "worker_rlimit_nofile 65536;" in rendered


def test_the_container_is_healthy_only_while_nginx_answers(tls_site: Site) -> None:
    site, _ = tls_site
    with socket.create_connection(("127.0.0.1", site.alive)) as connection:
        assert raw(connection, "GET /alive HTTP/1.0\r\n\r\n")[0] == 200


def test_nothing_that_identifies_a_person_is_logged(tls_site: Site) -> None:
    """No query, no Authorization, no cookie in the access log."""
    site, _ = tls_site
    assert site.process is not None
    get(site, "/admin/?token=geheim1", head="Authorization: Basic geheim2\r\nCookie: s=geheim3\r\n")
    site.process.line('"GET /admin/ HTTP/1.1" 200')
    assert "geheim" not in site.process.log


def test_files_come_with_and_without_tls_and_their_address_is_not_logged(tls_site: Site) -> None:
    """A charger that can't verify our certificate has its files, and nothing else, at port 80."""
    site, backends = tls_site
    assert site.process is not None
    for tls in (True, False):
        status, _ = get(site, "/files/lvdrop-geheim4/fw.bin", tls=tls)
        assert (status, backends.pages[-1]["path"]) == (200, "/files/lvdrop-geheim4/fw.bin")
    proto = {page["headers"]["X-Forwarded-Proto"] for page in backends.pages[-2:]}
    assert proto == {"http", "https"}
    get(site, "/admin/behind")
    site.process.line('"GET /admin/behind HTTP/1.1" 200')
    assert "geheim4" not in site.process.log


def test_large_uploads_go_through_where_files_come_and_nowhere_else(plain_site: Site) -> None:
    site, _ = plain_site
    for path, expected in (("/files/lvdrop-x/a", 200), ("/admin/", 413)):
        with site.connect() as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 12000000\r\n\r\n"
            assert raw(connection, head)[0] == expected


def test_firmware_comes_from_nginx_itself_and_only_on_the_word_of_be(tls_site: Site) -> None:
    """A slow charger holds no thread of be; the file's own address leads nowhere from outside."""
    site, backends = tls_site
    (site.firmware / "0a1b").write_bytes(b"new firmware")
    (site.firmware / "0a1b").chmod(0o644)
    backends.redirects["/files/lvdrop-x/fw.bin"] = "/.levity/firmware/0a1b"
    for tls in (True, False):
        status, answer = get(site, "/files/lvdrop-x/fw.bin", tls=tls)
        assert (status, answer.endswith(b"\r\n\r\nnew firmware")) == (200, True)
        assert b"X-Content-Type-Options: nosniff\r\n" in answer
        assert b"Cache-Control: no-store\r\n" in answer
        assert b"X-Accel" not in answer
        status, answer = get(site, "/files/lvdrop-x/fw.bin", tls=tls, head="Range: bytes=4-\r\n")
        assert (status, answer.endswith(b"\r\n\r\nfirmware")) == (206, True)
    seen = len(backends.pages)
    for path in (
        "/.levity/firmware/0a1b",
        "//.levity/firmware/0a1b",
        "/files/../.levity/firmware/0a1b",
        "/files/%2e%2e/.levity/firmware/0a1b",
        "/.levity/firmware/../firmware/0a1b",
        "/%2elevity/firmware/0a1b",
        "/.levity/firmware/",
    ):
        status, answer = get(site, path)
        assert (status, b"new firmware" in answer) == (404, False), path
        status, answer = get(site, path, tls=False)
        assert (status, b"new firmware" in answer) in ((404, False), (301, False)), path
    assert len(backends.pages) == seen
    backends.redirects["/files/lvdrop-y/"] = "/.levity/firmware/../run/nginx.conf"
    status, answer = get(site, "/files/lvdrop-y/")
    assert (status, b"worker_processes" in answer) == (404, False)


def test_errors_of_the_api_are_problems_whoever_answers(tmp_path: Path) -> None:
    """Programs read them: also while be is away, and where a body is too large for nginx."""
    with front(tmp_path, tls=False) as (site, backends):
        _errors_are_problems(site, backends)


def _errors_are_problems(site: Front, backends: Backends) -> None:
    head = f"POST /api/v1/sites HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n"
    with site.connect() as connection:
        status, answer = raw(connection, f"{head}Content-Length: 99999999\r\n\r\n")
    assert (status, b"application/problem+json" in answer) == (413, True)
    backends.be.shutdown()
    backends.be.server_close()
    status, answer = get(site, "/api/v1/sites")
    assert (status, b"application/problem+json" in answer) == (503, True)
    assert b"Retry-After" in answer
    assert b'"status":503' in answer
