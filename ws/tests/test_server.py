"""The edge over real sockets, with a scripted backend behind the transport in memory."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from tests.backend import ScriptedBackend, accept_all, echo
from tests.chargers import RawCharger, http_get, raw_charger, upgrade_request

from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.envelope import (
    Accept,
    Authenticate,
    Close,
    Command,
    Connected,
    Disconnected,
    Event,
    Received,
    Refuse,
    Reply,
    Send,
)
from levity_ws.rpc.memory import MemoryBroker


@dataclass(slots=True)
class Site:
    """A running edge and its backend."""

    edge: EdgeServer
    backend: ScriptedBackend

    @property
    def port(self) -> int:
        return self.edge.port

    async def heard(self, kind: type[Event], count: int = 1) -> list[Any]:
        """The events of this kind, once there are so many."""
        assert await asyncio.to_thread(
            self.backend.wait_for, lambda _events: len(self.backend.of(kind)) >= count
        ), self.backend.events
        return self.backend.of(kind)

    def push(self, *commands: Command) -> None:
        """Say this to the edge on the backend's own account."""
        assert self.backend.transport.send(self.backend.reply_to, Reply(commands=commands))

    def count(self, name: str, label: str = "") -> int:
        """One of the edge's counters."""
        return self.edge.metrics.counts[name, label]


@asynccontextmanager
async def running_site(
    *,
    authenticate: Callable[[Authenticate], Command | None] = accept_all,
    received: Callable[[Received], Command | None] = echo,
    **settings: Any,
) -> AsyncIterator[Site]:
    """An edge with its backend, on a port of its own."""
    broker = MemoryBroker()
    backend = ScriptedBackend(
        broker.worker_transport(), authenticate=authenticate, received=received
    )
    chosen = {"host": "127.0.0.1", "port": 0, "edge_id": "edge-1", "close_timeout": 0.3, **settings}
    edge = EdgeServer(EdgeSettings(**chosen), broker.edge_transport())
    await edge.start()
    try:
        yield Site(edge, backend)
    finally:
        backend.answering.set()
        await edge.stop()
        backend.stop()


def accept_with(**options: Any) -> Callable[[Authenticate], Accept]:
    """Accept everybody with these settings."""
    return lambda event: Accept(event.connection, **options)


async def test_the_backend_hears_of_a_connection_in_order() -> None:
    async with running_site() as site:
        headers = (
            "User-Agent: TinyWebsockets Client",
            "Authorization: Basic Q1AgMTo=",
            "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6",
        )
        async with raw_charger(site.port, "//ws//CP%201/?a=b", *headers) as charger:
            assert (charger.status, charger.header("Sec-WebSocket-Protocol")) == (101, "ocpp1.6")
            charger.send("hello")
            assert await charger.text() == "echo hello"
        await site.heard(Disconnected)
        events = [event for event in site.backend.events if event.connection]
        connection = events[0].connection
        times = [event.at for event in events]
        assert events == [
            Authenticate(
                charge_point="CP 1",
                connection=connection,
                seq=0,
                at=times[0],
                remote="127.0.0.1",
                path="//ws//CP%201/",
                subprotocols=("ocpp2.0.1", "ocpp1.6"),
                user_agent="TinyWebsockets Client",
                authorization="Basic Q1AgMTo=",
                secure=False,
            ),
            Connected(
                charge_point="CP 1",
                connection=connection,
                seq=1,
                at=times[1],
                remote="127.0.0.1",
                subprotocol="ocpp1.6",
                user_agent="TinyWebsockets Client",
            ),
            Received(
                charge_point="CP 1",
                connection=connection,
                seq=2,
                at=times[2],
                text="hello",
                subprotocol="ocpp1.6",
            ),
            Disconnected(
                charge_point="CP 1", connection=connection, seq=3, at=times[3], code=1006, reason=""
            ),
        ]
        assert times == sorted(times)


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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        '[2,"1","Heartbeat",{}]',
        "\x00 and \\u0000",
        '"\\ud800"',
        "[" * 10_000,
        "\U0001f50c\u202e\r\n\x1b[31m",
    ],
)
async def test_text_is_relayed_as_it_came(text: str) -> None:
    """The edge parses nothing."""
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send(text)
        assert await charger.text() == f"echo {text}"
        [event] = site.backend.of(Received)
        assert event.text == text


async def test_a_frame_in_fragments_is_one_frame() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send_frame(1, b"[2,", fin=False)
        charger.send_frame(0, b'"1"]')
        assert await charger.text() == 'echo [2,"1"]'


async def test_the_largest_frame_passes_and_one_byte_more_closes_with_1009() -> None:
    """I-16."""
    async with running_site(max_frame_size=2048, received=lambda _event: None) as site:
        async with raw_charger(site.port) as charger:
            charger.send("x" * 2048)
            charger.send("y" * 2049)
            assert (await charger.close_frame())[0] == 1009
        [gone] = await site.heard(Disconnected)
        assert gone.code == 1009
        assert [len(event.text) for event in site.backend.of(Received)] == [2048]


async def test_the_backend_may_set_another_limit_for_a_charger() -> None:
    rule = accept_with(max_size=100)
    async with running_site(authenticate=rule) as site, raw_charger(site.port) as charger:
        charger.send("x" * 101)
        assert (await charger.close_frame())[0] == 1009


@pytest.mark.parametrize(
    ("opcode", "payload", "code"), [(2, b"\x01\x02", 1003), (1, b"\xff\xfe", 1007)]
)
async def test_what_is_not_text_closes(opcode: int, payload: bytes, code: int) -> None:
    """I-18."""
    async with running_site() as site:
        async with raw_charger(site.port) as charger:
            charger.send_frame(opcode, payload)
            assert (await charger.close_frame())[0] == code
        [gone] = await site.heard(Disconnected)
        assert gone.code == code
        assert site.backend.of(Received) == []


async def test_unsolicited_pongs_are_tolerated() -> None:
    """I-20: Grizzl-E."""
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send_frame(10, b"hello")
        charger.send("still here")
        assert await charger.text() == "echo still here"


async def test_frames_sent_at_once_are_answered_in_order() -> None:
    async with running_site(frame_gap=0.0) as site, raw_charger(site.port) as charger:
        for number in range(50):
            charger.send(str(number))
        assert [await charger.text() for _ in range(50)] == [f"echo {n}" for n in range(50)]
        assert [event.seq for event in site.backend.of(Received)] == list(range(2, 52))


async def test_the_last_frame_before_a_goodbye_is_relayed() -> None:
    """A StopTransaction that is followed by the close frame at once."""
    async with running_site() as site:
        async with raw_charger(site.port) as charger:
            for text in ("one", "two", "three"):
                charger.send(text)
            charger.send_frame(8, b"\x03\xe8bye")
            [gone] = await site.heard(Disconnected)
        assert [event.text for event in site.backend.of(Received)] == ["one", "two", "three"]
        assert (gone.code, gone.reason, gone.seq) == (1000, "bye", 5)


async def test_a_charger_that_says_goodbye_and_stays_is_dropped() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send_frame(8, b"\x03\xe8")
        await charger.end_of_stream()  # the edge's close frame, and its half of TCP
        [gone] = await site.heard(Disconnected)
        assert gone.code == 1000


async def test_the_backend_may_speak_first_and_close() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        [connected] = await site.heard(Connected)
        site.push(Send(connected.connection, '[2,"op","Reset",{"type":"Soft"}]'))
        assert await charger.text() == '[2,"op","Reset",{"type":"Soft"}]'
        site.push(Close(connected.connection, 1000, "replaced"))
        assert await charger.close_frame() == (1000, "replaced")
        [gone] = await site.heard(Disconnected)
        assert (gone.code, gone.reason) == (1000, "replaced")


async def test_a_close_that_can_not_be_sent_is_made_sendable() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        [connected] = await site.heard(Connected)
        site.push(Close(connected.connection, 1006, "\u00e4" * 100))
        assert await charger.close_frame() == (1000, "\u00e4" * 61)


async def test_some_chargers_are_dropped_without_a_close_frame() -> None:
    """JIGU never reconnects after a clean close frame."""
    async with running_site(authenticate=accept_with(close="abort")) as site:
        async with raw_charger(site.port) as charger:
            [connected] = await site.heard(Connected)
            site.push(Close(connected.connection, 1000, "replaced"))
            async with asyncio.timeout(10):
                with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                    await charger.frame()
        [gone] = await site.heard(Disconnected)
        assert (gone.code, gone.reason) == (1000, "replaced")


async def times_of_frames(charger: RawCharger, count: int) -> list[float]:
    """When each of the next frames arrived."""
    times = []
    for _ in range(count):
        await charger.text()
        times.append(asyncio.get_running_loop().time())
    return times


async def test_frames_to_one_charger_keep_their_distance() -> None:
    """Grizzl-E 05.62x suspected: two frames in one TCP segment."""
    async with running_site(frame_gap=0.05) as site, raw_charger(site.port) as charger:
        [connected] = await site.heard(Connected)
        site.push(*(Send(connected.connection, str(number)) for number in range(4)))
        times = await times_of_frames(charger, 4)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(gap > 0.03 for gap in gaps), gaps


async def test_the_gap_does_not_delay_an_ordinary_answer() -> None:
    async with running_site(frame_gap=30.0) as site, raw_charger(site.port) as charger:
        for number in range(5):  # would take two minutes
            charger.send(str(number))
            assert await charger.text() == f"echo {number}"


async def test_a_gap_that_the_backend_asks_for_is_kept_always() -> None:
    rule = accept_with(frame_gap=0.1)
    async with running_site(authenticate=rule) as site, raw_charger(site.port) as charger:
        charger.send("one")
        [first] = await times_of_frames(charger, 1)
        charger.send("two")
        [second] = await times_of_frames(charger, 1)
        assert second - first > 0.08


async def test_a_charger_that_does_not_read_is_dropped_and_others_are_served() -> None:
    """E-19, F-23."""
    async with running_site(max_unread=64 * 1024, frame_gap=0.0) as site:
        reader_of_nothing = socket.create_connection(("127.0.0.1", site.port))
        reader_of_nothing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader_of_nothing.sendall(upgrade_request("/ws/deaf"))
        [deaf] = await site.heard(Connected)
        async with raw_charger(site.port, "/ws/CP2") as other:
            text = "x" * 50_000
            while not site.backend.of(Disconnected):
                site.push(Send(deaf.connection, text))
                other.send("ping")
                assert await other.text() == "echo ping"
        gone = site.backend.of(Disconnected)[0]
        assert (gone.charge_point, gone.code) == ("deaf", 1006)
        assert "too much output" in gone.reason
        assert site.count("slow_chargers") == 1
        reader_of_nothing.close()


async def test_a_charger_that_stops_reading_is_dropped_after_the_write_timeout() -> None:
    async with running_site(
        max_unread=1 << 30, write_timeout=0.1, frame_gap=0.0, received=lambda _event: None
    ) as site:
        deaf_socket = socket.create_connection(("127.0.0.1", site.port))
        deaf_socket.sendall(upgrade_request("/ws/deaf"))
        [deaf] = await site.heard(Connected)
        site.push(*(Send(deaf.connection, "x" * 100_000) for _ in range(200)))
        [gone] = await site.heard(Disconnected)
        assert "did not read" in gone.reason
        deaf_socket.close()


async def test_a_charger_that_reads_nothing_is_closed_all_the_same() -> None:
    """E-19: what waits for it is in front of the close frame, which is given its time and no more;
    else the connection, and its place among the connections, would be taken for ever."""
    async with running_site(
        max_unread=1 << 30, write_timeout=1.0, frame_gap=0.0, received=lambda _event: None
    ) as site:
        deaf_socket = socket.create_connection(("127.0.0.1", site.port))
        deaf_socket.sendall(upgrade_request("/ws/deaf"))
        [deaf] = await site.heard(Connected)
        texts = [Send(deaf.connection, "x" * 100_000) for _ in range(200)]
        site.push(*texts, Close(deaf.connection, 1000, "a newer connection took over"))
        [gone] = await site.heard(Disconnected)
        assert (gone.code, gone.reason) == (1000, "a newer connection took over")
        deaf_socket.close()


async def test_pings_are_off_unless_the_backend_wants_them() -> None:
    def rule(event: Authenticate) -> Accept:
        wanted = 0.05 if event.charge_point == "modern" else 0.0
        return Accept(event.connection, ping_interval=wanted)

    async with (
        running_site(authenticate=rule) as site,
        raw_charger(site.port, "/ws/grizzl-e") as quiet,
        raw_charger(site.port, "/ws/modern") as modern,
    ):
        assert (await modern.frame())[0] == 9
        quiet.send("anything")
        assert await quiet.text() == "echo anything"  # and no ping before it


async def test_pings_without_pongs_end_the_connection() -> None:
    rule = accept_with(ping_interval=0.05, ping_timeout=0.05)
    async with running_site(authenticate=rule) as site, raw_charger(site.port):
        [gone] = await site.heard(Disconnected)
        assert gone.code == 1011


async def test_a_backend_that_stops_answering_closes_with_1013_and_refuses_with_503() -> None:
    """Promise 6."""
    async with running_site(hold=0.5, alive_interval=0.1, alive_timeout=0.3) as site:
        async with raw_charger(site.port) as charger:
            assert (await http_get(site.port, "/readyz")) == (200, "ok\n")
            site.backend.answering.clear()
            charger.send("held")
            assert await charger.close_frame() == (1013, "try again later")
        async with asyncio.timeout(10):
            while (await http_get(site.port, "/readyz"))[0] != 503:
                pass
        # It lives, it only can't do anything: to restart it would help nobody.
        assert (await http_get(site.port, "/healthz")) == (200, "ok\n")
        assert "no worker answers" in (await http_get(site.port, "/readyz"))[1]
        async with raw_charger(site.port, "/ws/CP2") as refused:
            assert refused.status == 503
            assert refused.header("Retry-After") is not None
        assert site.count("refusals", "backend unavailable") == 1  # at once, not unanswered
        site.backend.answering.set()
        await site.heard(Disconnected)
        async with asyncio.timeout(10):
            while (await http_get(site.port, "/readyz"))[0] != 200:
                pass
        async with raw_charger(site.port, "/ws/CP2") as welcome:
            assert welcome.status == 101


async def test_stopping_says_1012_and_tells_the_backend() -> None:
    """F-15."""
    async with (
        running_site() as site,
        raw_charger(site.port, "/ws/CP1") as one,
        raw_charger(site.port, "/ws/CP2") as two,
    ):
        await site.heard(Connected, 2)
        stopping = asyncio.create_task(site.edge.stop())
        assert await one.close_frame() == (1012, "restarting")
        assert await two.close_frame() == (1012, "restarting")
        await stopping
        assert {(gone.charge_point, gone.code) for gone in site.backend.of(Disconnected)} == {
            ("CP1", 1012),
            ("CP2", 1012),
        }


async def test_a_frame_under_way_is_answered_before_the_goodbye() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        await site.heard(Connected)
        site.backend.answering.clear()
        charger.send("last words")
        await site.heard(Received)
        stopping = asyncio.create_task(site.edge.stop())
        await asyncio.sleep(0)
        site.backend.answering.set()
        assert await charger.text() == "echo last words"
        assert (await charger.close_frame())[0] == 1012
        await stopping


async def test_a_charger_accepted_while_the_edge_stops_is_refused_and_reported_gone() -> None:
    async with running_site() as site, raw_charger(site.port, shake=False) as charger:
        site.backend.answering.clear()
        charger.writer.write(upgrade_request("/ws/CP1"))
        await site.heard(Authenticate)
        stopping = asyncio.create_task(site.edge.stop())
        await asyncio.sleep(0)
        site.backend.answering.set()
        await charger.read_head()
        assert charger.status == 503
        await stopping
        assert [event.seq for event in site.backend.of(Disconnected)] == [1]
        assert site.backend.of(Connected) == []


async def test_stopping_does_not_wait_for_a_charger_that_does_not_answer() -> None:
    async with running_site(close_timeout=0.2, shutdown_grace=0.2) as site:
        async with raw_charger(site.port):
            await site.heard(Connected)
            async with asyncio.timeout(5):
                await site.edge.stop()
        [gone] = site.backend.of(Disconnected)
        assert gone.code == 1012


async def test_stopping_does_not_wait_for_a_socket_that_never_asked_for_anything() -> None:
    async with (
        running_site() as site,
        raw_charger(site.port, shake=False) as silent,
        raw_charger(site.port) as charger,
    ):
        assert charger.status == 101  # so the silent one, who came first, is connected too
        async with asyncio.timeout(3):
            await site.edge.stop()
            await silent.end_of_stream()


async def test_stopping_without_a_backend_ends_all_the_same() -> None:
    async with (
        running_site(shutdown_grace=0.2, goodbye_timeout=0.2) as site,
        raw_charger(site.port) as charger,
    ):
        await site.heard(Connected)
        site.backend.answering.clear()
        charger.send("never answered")
        await site.heard(Received)
        async with asyncio.timeout(8):
            await site.edge.stop()


async def test_metrics_are_prometheus_text() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send("x")
        await charger.text()
        status, body = await http_get(site.port, "/metrics")
        assert status == 200
        lines = body.splitlines()
        for line in (
            "levity_edge_connections 1.0",
            "levity_edge_backend_available 1.0",
            "levity_edge_connections_opened_total 1.0",
            "levity_edge_frames_received_total 1.0",
            "levity_edge_frames_sent_total 1.0",
            "levity_edge_answer_seconds_count 1.0",
            "levity_edge_batches_under_way 0.0",
        ):
            assert line in lines


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
async def test_strangers_see_no_status_pages(path: str) -> None:
    """E-20: nor does anybody who comes through a proxy that is not trusted."""
    proxies = (ipaddress.ip_network("127.0.0.0/8"),)
    stranger = "X-Forwarded-For: 8.8.8.8"
    async with running_site(trusted_proxies=proxies) as site:
        assert (await http_get(site.port, path, stranger))[0] == 404
    async with running_site() as site:
        assert (await http_get(site.port, path, stranger))[0] == 404
        assert (await http_get(site.port, path))[0] == 200
    async with running_site(metrics_public=True) as site:
        assert (await http_get(site.port, path, stranger))[0] == 200


async def test_authorization_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """S-06."""
    caplog.set_level(logging.DEBUG)
    secret = "Authorization: Basic czNjcmV0"
    async with running_site() as site, raw_charger(site.port, "/ws/CP1", secret) as charger:
        charger.send("x")
        await charger.text()
    assert "czNjcmV0" not in caplog.text
    assert [
        record.message.split(" (")[0] for record in caplog.records if "CP1" in record.message
    ] == [
        "CP1 connected from 127.0.0.1",
        "CP1 disconnected: 1006 ",
    ]
