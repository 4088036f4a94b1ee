"""The spool when more goes wrong than the backend: disks, floods, lost answers, bad moments."""

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from tests.backend import ScriptedBackend
from tests.chargers import RawCharger, raw_charger
from tests.spooling import START, Site, call, frame, said, spooling

from levity_ws.edge.metrics import Metrics
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.spool.answers import read
from levity_ws.edge.spool.journal import Journal
from levity_ws.edge.spool.spool import Spool
from levity_ws.rpc.envelope import Command, Event, Lease, Received

pytestmark = pytest.mark.slow

NO_CLOCK = {**START, "meterStart": 0, "timestamp": "1970-01-01T00:00:00Z"}


async def greet(*chargers: RawCharger) -> None:
    for charger in chargers:
        charger.send("hello")
        assert await charger.text() == "echo hello"


def actions(site: Site) -> list[str]:
    texts = [event.text for event in site.backend.of(Received)]
    return [json.loads(text)[2] for text in texts if text.startswith("[")]


def no_space(*_: Any, **__: Any) -> int:
    raise OSError(28, "No space left on device")


async def test_frame_under_way_that_the_spool_has_no_room_for_is_the_backends_as_ever(
    tmp_path: Path,
) -> None:
    """It was taken from the backend before there was room: its answer was swallowed, and the
    charger heard nothing, not even a close."""
    async with (
        spooling(tmp_path, spool_size=3000, spool_starts=False, hold=5.0) as site,
        raw_charger(site.edge.port, "/ws/CP1") as one,
        raw_charger(site.edge.port, "/ws/CP2") as two,
    ):
        await greet(one, two)
        site.backend.answering.clear()
        one.send(call("MeterValues", {"x": "y" * 3000}, "1"))
        await site.until(lambda: site.spool.away)
        await site.until(lambda: bool(site.edge.metrics.counts["spool_refusals", "full"]))
        await site.back()
        assert json.loads(await one.text()) == [3, "1", {}]
        site.backend.answering.clear()
        two.send(call("MeterValues", {"x": "y" * 3000}, "1"))
        assert (await two.close_frame())[0] == 1013


async def test_answer_that_comes_while_the_disk_writes_is_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer, the backend's; and the frame is not told a second time."""
    begun, go = asyncio.Event(), asyncio.Event()
    loop, fsync = asyncio.get_running_loop(), os.fsync

    def slow(descriptor: int) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(60)
        fsync(descriptor)

    async with spooling(tmp_path, hold=20.0) as site, raw_charger(site.edge.port) as charger:
        await greet(charger)
        site.backend.answering.clear()
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", slow)
            charger.send(call("StartTransaction", START, "1"))
            async with asyncio.timeout(60):
                await begun.wait()
                site.backend.answering.set()
                assert json.loads(await charger.text()) == [3, "1", {"transactionId": 1_000_000}]
                go.set()
        charger.send("next")
        assert await charger.text() == "echo next"
        assert (site.spool.waiting, site.spooled) == (0, [])


async def test_heartbeat_that_nobody_answers_is_answered_before_the_pulse_is_missed(
    tmp_path: Path,
) -> None:
    """Workers that die are missed after twenty seconds only; closed before that, a charger would
    be shut out from the spool for as long as they are away."""
    patient = {"alive_interval": 60.0, "alive_timeout": 60.0}
    async with spooling(tmp_path, **patient) as site, raw_charger(site.edge.port) as charger:
        await greet(charger)
        site.backend.answering.clear()
        assert "currentTime" in await said(charger, "Heartbeat", {})
        assert await said(charger, "MeterValues", {"x": 1}) == {}


async def test_answer_that_is_not_to_be_heard_is_forgotten_with_its_connection(
    tmp_path: Path,
) -> None:
    """Or every frame of every charger is read for it, for good."""
    async with spooling(tmp_path) as site:
        async with raw_charger(site.edge.port) as charger:
            await greet(charger)
            site.backend.answering.clear()
            assert "currentTime" in await said(charger, "Heartbeat", {})
            assert len(site.spool._muted) == 1
        await site.until(lambda: not site.edge._sockets)
        await site.back()
        await site.until(lambda: not site.spool._muted)


async def test_edge_stops_while_a_frame_waits_for_the_backend(tmp_path: Path) -> None:
    """It hung: the frame was still to go into a spool that was closed."""
    patient = {"hold": 600.0, "alive_timeout": 600.0, "shutdown_grace": 0.2, "goodbye_timeout": 0.2}
    async with spooling(tmp_path, **patient) as site, raw_charger(site.edge.port) as charger:
        await greet(charger)
        site.backend.answering.clear()
        charger.send(call("StartTransaction", START))
        assert await asyncio.to_thread(
            site.backend.wait_for, lambda events: isinstance(events[-1], Received)
        )
        async with asyncio.timeout(60):
            await site.edge.stop()


async def test_what_the_spool_does_not_answer_waits_behind_what_it_has(tmp_path: Path) -> None:
    """A StartTransaction overtook the StopTransaction before it, and closed that session as
    orphaned."""
    async with (
        spooling(tmp_path, hold=10.0, spool_starts=False) as site,
        raw_charger(site.edge.port) as charger,
    ):
        await greet(charger)
        await site.away()
        await said(charger, "MeterValues", {"transactionId": 5})
        await said(charger, "StopTransaction", {"transactionId": 5})
        charger.send(call("StartTransaction", START, "1"))
        paced = site.edge.metrics.counts
        await site.until(lambda: paced["frames_received", ""] == 4)
        await site.back()
        assert json.loads(await charger.text()) == [3, "1", {"transactionId": 1_000_000}]
        assert actions(site) == ["MeterValues", "StopTransaction", "StartTransaction"]


async def test_same_words_after_their_end_begin_another_session(tmp_path: Path) -> None:
    """A charger whose clock was never set begins each session alike: the second one got the
    first one's id, and was lost. So after a restart, too."""
    async with spooling(tmp_path) as site, raw_charger(site.edge.port, "/ws/CP") as charger:
        await greet(charger)
        await site.away()
        numbers = []
        for _ in range(2):
            begun = await said(charger, "StartTransaction", NO_CLOCK)
            # Not heard, and asked for again: the same.
            assert await said(charger, "StartTransaction", NO_CLOCK) == begun
            numbers.append(begun["transactionId"])
            await said(charger, "StopTransaction", {"transactionId": numbers[-1], "meterStop": 9})
        await said(charger, "StartTransaction", START)
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "spool.log").write_bytes((tmp_path / "spool.log").read_bytes())
        journal = Journal(copy, 1 << 20)
        restarted = Spool(journal, site.edge.relay, site.edge.settings, Metrics())
        texts = [call("StartTransaction", payload) for payload in (NO_CLOCK, START)]
        contents = [question.content for question in map(read, texts) if question]
        new, known = (restarted._transaction_id("cp", content) for content in contents)
        assert (new, known) == (numbers[1] + 2, numbers[1] + 1)
        assert numbers[0] != numbers[1]
        await journal.close()


async def test_charger_that_floods_the_spool_takes_nothing_from_the_others(tmp_path: Path) -> None:
    async with (
        spooling(tmp_path, spool_size=64 * 1024) as site,
        raw_charger(site.edge.port, "/ws/BAD") as bad,
        raw_charger(site.edge.port, "/ws/GOOD") as good,
    ):
        await greet(bad, good)
        await site.away()
        for _ in range(100):
            bad.send(call("MeterValues", {"x": "y" * 1000}))
        refused = site.edge.metrics.counts
        await site.until(lambda: bool(refused["spool_refusals", "share"]))
        assert site.spool.size < 64 * 1024 / 4
        assert await said(good, "MeterValues", {"x": "y" * 1000}) == {}


async def test_charger_that_starts_without_end_leaves_ids_to_the_others(tmp_path: Path) -> None:
    async with (
        spooling(tmp_path, spool_ids=40) as site,
        raw_charger(site.edge.port, "/ws/BAD") as bad,
        raw_charger(site.edge.port, "/ws/GOOD") as good,
    ):
        await greet(bad, good)
        await site.away()
        for number in range(5):
            await said(bad, "StartTransaction", {**START, "meterStart": number})
        bad.send(call("StartTransaction", {**START, "meterStart": 5}))
        assert (await bad.close_frame())[0] == 1013
        assert (await said(good, "StartTransaction", START))["transactionId"] >= 1


async def test_lack_of_ids_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        spooling(tmp_path, spool_ids=2) as site,
        raw_charger(site.edge.port, "/ws/A") as one,
        raw_charger(site.edge.port, "/ws/B") as two,
        raw_charger(site.edge.port, "/ws/C") as three,
        raw_charger(site.edge.port, "/ws/D") as four,
    ):
        await greet(one, two, three, four)
        await site.away()
        for charger in (one, two):
            await said(charger, "StartTransaction", START)
        for charger in (three, four):
            charger.send(call("StartTransaction", START))
        for charger in (three, four):
            assert (await charger.close_frame())[0] == 1013
    assert [item.message for item in caplog.records if item.levelno == logging.ERROR] == [
        "No transaction ids are left: no session can start"
    ]


class FailsOnce(ScriptedBackend):
    """A backend that parks the first question for ids: the batch is answered, without any."""

    failed = False

    def _command(self, event: Event) -> Command | None:
        if isinstance(event, Lease) and not self.failed:
            self.failed = True
            return None
        return super()._command(event)


async def test_ids_that_never_came_are_asked_for_again(tmp_path: Path) -> None:
    async with spooling(tmp_path, kind=FailsOnce, hold=1.0) as site:
        assert len(site.backend.of(Lease)) == 2
        assert site.spool.ids_left == 500


async def test_ids_that_the_disk_does_not_take_are_kept_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New ones were asked for with every sign of life, 500 lost each time."""
    async with spooling(tmp_path, spool_starts=False) as site:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", no_space)
            site.spool._ids._settings = EdgeSettings(spool_ids=10)
            refused = site.edge.metrics.counts
            await site.until(lambda: refused["spool_refusals", "lease"] >= 2)
        await site.until(lambda: site.spool.ids_left == 10)
        assert len(site.backend.of(Lease)) == 1


async def test_edge_starts_on_a_full_disk_and_delivers_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line included: what made the disk full may well be the spool."""
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    for number in range(2):
        await journal.keep(frame(number))
    await journal.close()
    journal.path.write_bytes(journal.path.read_bytes()[:-5])
    again = Journal(tmp_path, 1 << 20)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", no_space)
        assert again.open().frames == [frame(0)]
        with pytest.raises(OSError, match="No space"):
            await again.keep(frame(2))
    await again.keep(frame(3))
    again.delivered(frame(0))
    await again.close()
    assert Journal(tmp_path, 1 << 20).open().frames == [frame(3)]


async def test_delivered_spool_is_shortened_without_a_byte_to_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wrote a second file first. On a disk that the first had filled, that was for good."""
    journal = Journal(tmp_path, 200_000)
    journal.open()
    kept = [frame(number, text="x" * 1000) for number in range(100)]
    for each in kept:
        await journal.keep(each)
    write, least = os.write, journal.path.stat().st_size

    def only_what_was_there(descriptor: int, data: bytes) -> int:
        if os.lseek(descriptor, 0, os.SEEK_END) + len(data) > least or descriptor != journal._file:
            no_space()
        return write(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", only_what_was_there)
        for each in kept:
            journal.delivered(each)
        journal.shorten(lambda: [7, 8])
        assert journal._writer is not None
        await journal._writer
    await journal.keep(frame(1000))
    await journal.close()
    assert journal.path.stat().st_size < 1000
    found = Journal(tmp_path, 200_000).open()
    assert (found.frames, found.ids) == ([frame(1000)], [7, 8])


async def test_half_a_line_that_can_not_be_taken_back_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    await journal.keep(frame(1))
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 20:
            no_space()
        return write(descriptor, data[: len(data) - 10])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        patched.setattr(os, "ftruncate", no_space)
        with pytest.raises(OSError, match="No space"):
            await journal.keep(frame(2))
    await journal.keep(frame(3))
    await journal.close()
    assert Journal(tmp_path, 1 << 20).open().frames == [frame(1), frame(3)]


async def test_nobody_else_on_the_machine_may_read_it(tmp_path: Path) -> None:
    """An answer to GetConfiguration is in it, maybe; in what is put aside as well."""
    folder = tmp_path / "spool"
    journal = Journal(folder, 1 << 20)
    journal.open()
    await journal.keep(frame(1))
    await journal.close()
    journal.path.write_bytes(journal.path.read_bytes()[:-5])
    again = Journal(folder, 1 << 20)
    again.open()
    await again.close()
    modes = {path.name.partition("-")[0]: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"lock": 0o600, "spool.log": 0o600, "damaged": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
