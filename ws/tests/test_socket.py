"""One charger's websocket: what it may send, and how it is written to and closed."""

import asyncio
import socket
from itertools import pairwise

import pytest
from tests.chargers import RawCharger, raw_charger, upgrade_request
from tests.sites import accept_with, running_site

from levity_ws.rpc.envelope import (
    Accept,
    Authenticate,
    Close,
    Connected,
    Disconnected,
    Received,
    Send,
)


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
            async with asyncio.timeout(60):
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
