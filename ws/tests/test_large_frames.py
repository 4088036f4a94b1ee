"""A StopTransaction with the samples of a night is taken; who wants all the memory gets none."""

import asyncio
import struct
from contextlib import suppress

import pytest
from tests.chargers import RawCharger, raw_charger
from tests.sites import accept_with, running_site

from levity_ws.edge import reading
from levity_ws.edge.room import SMALL, Room
from levity_ws.rpc.envelope import Disconnected, Received, Refused

MIB = 1024 * 1024


def announce(charger: RawCharger, size: int) -> None:
    """The head of a text frame of this size, and nothing of it."""
    charger.writer.write(struct.pack("!BBQ", 0x81, 0x80 | 127, size) + b"\0\0\0\0")


async def test_frames_of_megabytes_are_taken_whole_and_in_fragments() -> None:
    """The default, as SteVe has it: 8 MiB."""
    async with (
        running_site(received=lambda _event: None) as site,
        raw_charger(site.port) as charger,
    ):
        charger.send("x" * 8 * MIB)
        await site.heard(Received)
        for number in range(8):
            part = b"y" * 256 * 1024
            charger.send_frame(1 if not number else 0, part, fin=number == 7)
        await site.heard(Received, 2)
        charger.send("z")
        events = await site.heard(Received, 3)
        assert [len(event.text) for event in events] == [8 * MIB, 2 * MIB, 1]
        assert site.edge._room.size == 0


async def test_what_is_too_large_closes_with_1009_and_is_told_with_the_setting() -> None:
    """Never a silent loop: the charger sends it again for ever."""
    what = "a message of 2049 bytes, 2048 are allowed by LEVITY_MAX_FRAME_SIZE"
    async with running_site(max_frame_size=2048) as site:
        async with raw_charger(site.port) as charger:
            charger.send("y" * 2049)
            assert await charger.close_frame() == (1009, what)
        [gone] = await site.heard(Disconnected)
        [event] = await site.heard(Refused)
    assert (gone.code, gone.reason) == (1009, what)
    assert [(item.charge_point, item.reason, item.detail) for item in event.refusals] == [
        ("CP1", "frame too large", what)
    ]


async def test_fragments_are_counted_together() -> None:
    async with running_site(max_frame_size=2048) as site, raw_charger(site.port) as charger:
        charger.send_frame(1, b"x" * 1024, fin=False)
        charger.send_frame(0, b"x" * 1025)
        assert (await charger.close_frame())[0] == 1009


async def test_a_new_charge_point_gets_no_more_than_an_ordinary_frame_needs() -> None:
    """The backend says so: nobody has heard of it, and it has no key."""
    rule = accept_with(max_size=SMALL)
    async with running_site(authenticate=rule) as site, raw_charger(site.port) as charger:
        announce(charger, SMALL + 1)
        code, why = await charger.close_frame()
    assert (code, why) == (
        1009,
        "a message of 131073 bytes, 131072 are allowed to a new charge point",
    )


async def test_one_large_frame_of_an_address_at_a_time_and_nobody_else_waits() -> None:
    """The second one waits in TCP until the first one is done with; small frames pass."""
    async with (
        running_site() as site,
        raw_charger(site.port, "/ws/CP1") as slow,
        raw_charger(site.port, "/ws/CP2") as next_one,
        raw_charger(site.port, "/ws/CP3") as small,
    ):
        announce(slow, 2 * MIB)
        small.send("a")
        assert await small.text() == "echo a"
        next_one.send("n" * 3 * MIB)
        for _ in range(20):
            small.send("b")
            assert await small.text() == "echo b"
        assert site.edge._room.size == 2 * MIB
        slow.writer.write(b"s" * 2 * MIB)
        assert len(await slow.text()) == 2 * MIB + 5
        assert len(await next_one.text()) == 3 * MIB + 5
        assert site.edge._room.size == 0


async def test_who_leaves_in_the_middle_of_a_large_frame_gives_its_room_back() -> None:
    async with running_site() as site, raw_charger(site.port, "/ws/CP2") as next_one:
        async with raw_charger(site.port, "/ws/CP1") as gone:
            announce(gone, 8 * MIB)
            gone.send("x")
            next_one.send("n" * MIB)
            await asyncio.to_thread(lambda: None)
        assert len(await next_one.text()) == MIB + 5


@pytest.fixture
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is looked at ten times a second."""
    monkeypatch.setattr(reading, "LARGE_FRAME_LOOK", 0.1)


async def test_who_announces_a_large_frame_and_sends_nothing_gives_its_room_back(
    short_looks: None,
) -> None:
    """It held the only one of its address for nine and a half minutes."""
    async with (
        running_site() as site,
        raw_charger(site.port, "/ws/CP1") as silent,
        raw_charger(site.port, "/ws/CP2") as next_one,
    ):
        announce(silent, 8 * MIB)
        silent.writer.write(b"x" * 100)
        next_one.send("n" * MIB)
        assert len(await next_one.text()) == MIB + 5
        [gone] = await site.heard(Disconnected)
        assert (gone.code, gone.reason) == (1006, "dropped: a large message arrived too slowly")


async def test_who_trickles_a_large_frame_is_found_out_by_the_minute(
    short_looks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fragments began its time anew, each of them."""
    monkeypatch.setattr(reading, "LARGE_FRAME_SECONDS", 0.3)
    monkeypatch.setattr(reading, "LARGE_FRAME_RATE", 8 * MIB)
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send_frame(1, b"x" * (SMALL + 1), fin=False)
        with suppress(ConnectionError):
            while not site.backend.of(Disconnected):
                charger.send_frame(0, b"x" * 1024, fin=False)
                await charger.writer.drain()
                await asyncio.sleep(0.02)
        [gone] = await site.heard(Disconnected)
        assert gone.reason == "dropped: a large message arrived too slowly"


async def test_a_slow_line_brings_large_frames_one_after_the_other(short_looks: None) -> None:
    """What came of the one before says nothing of the next one."""
    async with (
        running_site(received=lambda _event: None) as site,
        raw_charger(site.port) as charger,
    ):
        for _ in range(2):
            announce(charger, MIB)
            for _ in range(16):
                charger.writer.write(b"x" * (MIB // 16))
                await charger.writer.drain()
                await asyncio.sleep(0.02)
        events = await site.heard(Received, 2)
        assert [len(event.text) for event in events] == [MIB, MIB]
        async with asyncio.timeout(60):
            while site.edge._room.size != 0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_two_large_frames_of_one_charger_come_one_after_the_other() -> None:
    async with (
        running_site(received=lambda _event: None) as site,
        raw_charger(site.port) as charger,
    ):
        for size in (MIB, 10, MIB, 2 * MIB):
            charger.send("x" * size)
        events = await site.heard(Received, 4)
        assert [len(event.text) for event in events] == [MIB, 10, MIB, 2 * MIB]


async def test_large_messages_in_small_fragments_come_one_after_the_other() -> None:
    """The second one waited for ever, and its charger with it: the end of the first one took back
    what it had asked for."""
    async with (
        running_site(received=lambda _event: None) as site,
        raw_charger(site.port) as charger,
    ):
        for _ in range(3):
            for number in range(20):
                part = b"y" * 100_000
                charger.send_frame(1 if not number else 0, part, fin=number == 19)
        charger.send("z")
        events = await site.heard(Received, 4)
        assert [len(event.text) for event in events] == [2_000_000, 2_000_000, 2_000_000, 1]
        assert site.edge._room.size == 0


async def test_what_no_broker_would_take_is_too_large_as_well() -> None:
    """Each of these signs becomes six in JSON."""
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send("\x01" * 3 * MIB)
        assert (await charger.close_frame())[0] == 1009
        [event] = await site.heard(Refused)
    assert event.refusals[0].reason == "frame too large"


def test_there_is_room_for_so_many_bytes_in_all() -> None:
    room = Room(32 * MIB)
    looked: list[str] = []
    for number in range(4):
        assert room.take(number, f"192.0.2.{number}", 8 * MIB)
    assert not room.take(4, "192.0.2.4", SMALL + 1)
    assert not room.take(5, "192.0.2.3", SMALL + 1)
    room.wait(4, lambda: looked.append("again"))
    room.leave(9)
    assert looked == []
    room.leave(0)
    assert looked == ["again"]
    assert room.take(4, "192.0.2.4", SMALL + 1)
    assert not room.take(5, "192.0.2.3", SMALL + 1)
    # One that grows, fragment by fragment.
    assert room.take(4, "192.0.2.4", 8 * MIB)
    assert not room.take(4, "192.0.2.4", 9 * MIB)
    for owner in range(5):
        room.leave(owner)
    assert room.size == 0
