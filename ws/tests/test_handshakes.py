"""Which handshakes become websockets, over real sockets."""

import ipaddress
from typing import Any

import pytest
from tests.chargers import raw_charger, upgrade_request
from tests.sites import running_site

from levity_ws.rpc.envelope import (
    Authenticate,
    Connected,
    Disconnected,
    Refuse,
)


async def test_no_subprotocol_is_answered_with_none() -> None:
    """E-07: Grizzl-E offers none and must not be answered one."""
    async with running_site() as site, raw_charger(site.port) as charger:
        assert (charger.status, charger.header("Sec-WebSocket-Protocol")) == (101, None)
        assert charger.header("Sec-WebSocket-Extensions") is None


async def test_compression_is_never_negotiated() -> None:
    """I-17."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    async with running_site() as site, raw_charger(site.port, "/ws/CP1", offer) as charger:
        assert (charger.status, charger.header("Sec-WebSocket-Extensions")) == (101, None)


@pytest.mark.parametrize(
    ("path", "headers", "status", "label"),
    [
        ("/admin/", (), 404, "path"),
        ("/ws/", (), 404, "no identity"),
        ("/ws/a%2Fb", (), 404, "identity"),
        ("/ws/{charge_point_id}", (), 404, "placeholder"),
        ("/ws/CP1", ("Origin: https://evil.example", "User-Agent: Mozilla/5.0"), 403, "origin"),
    ],
)
async def test_refusals_have_a_reason_are_counted_and_logged_once(
    path: str,
    headers: tuple[str, ...],
    status: int,
    label: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_site() as site:
        async with raw_charger(site.port, path, *headers) as charger:
            assert charger.status == status
            assert (charger.header("Content-Type") or "").startswith("text/plain")
            assert len(await charger.body()) > 10
        assert site.count("refusals", label) == 1
        refused = [record for record in caplog.records if record.message.startswith("Refused")]
        assert len(refused) == 1
        assert site.backend.of(Authenticate) == []


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /ws/CP1 HTTP/1.1\r\nHost: x\r\n\r\n", 426),
        (upgrade_request("/ws/CP1").replace(b"Version: 13", b"Version: 777"), 400),
        (upgrade_request("/ws/CP1").replace(b"Sec-WebSocket-Key", b"X-Key"), 400),
    ],
)
async def test_what_is_no_websocket_handshake_never_reaches_the_backend(
    request_bytes: bytes, status: int
) -> None:
    """E-15."""
    async with running_site() as site:
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(request_bytes)
            await charger.read_head()
            assert charger.status == status
        assert site.backend.of(Authenticate) == []


@pytest.mark.parametrize(
    ("refuse", "status", "retry_after"),
    [
        ({"status": 401, "reason": "Wrong password."}, 401, None),
        ({"status": 429, "reason": "Slow down.", "retry_after": 7.0}, 429, "7"),
        ({"status": 200, "reason": "A mistake."}, 403, None),
    ],
)
async def test_the_backend_may_refuse(
    refuse: dict[str, Any], status: int, retry_after: str | None
) -> None:
    def rule(event: Authenticate) -> Refuse:
        return Refuse(event.connection, **refuse)

    async with running_site(authenticate=rule) as site:
        async with raw_charger(site.port) as charger:
            assert (charger.status, charger.header("Retry-After")) == (status, retry_after)
            assert (charger.header("WWW-Authenticate") is not None) == (status == 401)
            assert await charger.body() == f"{refuse['reason']}\n"
        assert site.count("refusals", "backend") == 1
        assert site.backend.of(Connected) == []


async def test_a_backend_that_does_not_answer_makes_503_with_a_jittered_retry_after() -> None:
    async with running_site(authenticate=lambda _event: None, open_timeout=0.5) as site:
        async with raw_charger(site.port) as charger:
            assert charger.status == 503
            assert 10 <= int(charger.header("Retry-After") or 0) <= 60
        [asked], [gone] = await site.heard(Authenticate), await site.heard(Disconnected)
        assert (gone.connection, gone.seq) == (asked.connection, 1)


async def test_a_charger_that_goes_while_it_is_authenticated_is_reported_gone() -> None:
    async with running_site() as site:
        site.backend.answering.clear()
        async with raw_charger(site.port, shake=False) as charger:
            charger.writer.write(upgrade_request("/ws/CP1"))
            await site.heard(Authenticate)
        site.backend.answering.set()
        [gone] = await site.heard(Disconnected)
        assert gone.seq == 1
        assert site.backend.of(Connected) == []


async def test_a_silent_connection_is_dropped_after_the_open_timeout() -> None:
    """E-08."""
    async with (
        running_site(open_timeout=0.2) as site,
        raw_charger(site.port, shake=False) as charger,
    ):
        charger.writer.write(b"GET /ws/CP1 HTT")
        await charger.end_of_stream()


async def test_connections_are_limited_by_address_and_the_proxy_is_not_the_address() -> None:
    """E-09, E-12."""
    proxies = (ipaddress.ip_network("127.0.0.0/8"),)
    async with running_site(max_connections_per_address=1, trusted_proxies=proxies) as site:
        one, two = "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.1, 192.0.2.2"
        async with raw_charger(site.port, "/ws/CP1", one) as first:
            assert first.status == 101
            async with raw_charger(site.port, "/ws/CP2", one) as second:
                assert second.status == 429
                assert second.header("Retry-After") is not None
            async with raw_charger(site.port, "/ws/CP2", two) as other:
                assert other.status == 101
        await site.heard(Disconnected, 2)
        async with raw_charger(site.port, "/ws/CP2", one) as again:
            assert again.status == 101
        remotes = [event.remote for event in await site.heard(Connected, 3)]
        assert remotes == ["192.0.2.1", "192.0.2.2", "192.0.2.1"]


async def test_connections_are_limited_in_total() -> None:
    async with running_site(max_connections=1) as site, raw_charger(site.port) as first:
        assert first.status == 101
        async with raw_charger(site.port, "/ws/CP2") as second:
            assert second.status == 503


async def test_forwarded_headers_of_strangers_are_not_believed() -> None:
    """E-12, E-13."""
    lies = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
    async with running_site() as site, raw_charger(site.port, "/ws/CP1", *lies):
        [event] = await site.heard(Authenticate)
        assert (event.remote, event.secure) == ("127.0.0.1", False)


async def test_headers_with_raw_bytes_reach_the_backend_as_text() -> None:
    header = "User-Agent: Gr\u00fczzl-E \u00ff"
    async with running_site() as site, raw_charger(site.port, "/ws/CP1", header) as charger:
        assert charger.status == 101
        [event] = await site.heard(Authenticate)
        assert event.user_agent == "Gr\u00fczzl-E \u00ff"
