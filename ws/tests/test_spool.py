"""The spool: what the edge answers while the backend is away, and tells it later."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.chargers import raw_charger
from tests.spooling import START, call, frame, said, spooling

from levity_ws.edge.server import CannotListen, EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.spool.answers import answer_to, is_understood, read
from levity_ws.edge.spool.journal import Journal, SpoolFull, SpoolUnusable
from levity_ws.rpc.envelope import Received, Spooled
from levity_ws.rpc.memory import MemoryBroker


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("Heartbeat", {}, {"currentTime": "2026-01-01T00:00:00.250Z"}),
        ("MeterValues", {"connectorId": 1, "meterValue": []}, {}),
        ("StatusNotification", {"connectorId": 1}, {}),
        ("StopTransaction", {"transactionId": 7, "meterStop": 1}, {}),
        ("StopTransaction", {"idTag": "AA"}, {"idTagInfo": {"status": "Accepted"}}),
        ("StartTransaction", START, {"transactionId": 9, "idTagInfo": {"status": "Accepted"}}),
        ("Authorize", {"idTag": "AA"}, {"idTagInfo": {"status": "Accepted"}}),
    ],
)
def test_answers_are_those_of_a_backend_that_trusts(action: str, payload: Any, answer: Any) -> None:
    question = read(call(action, payload, "1"))
    assert question is not None
    assert json.loads(answer_to(question, 1767225600.25, 9)) == [3, "1", answer]


@pytest.mark.parametrize(
    "text",
    [
        call("BootNotification", {}, "1"),
        call("DataTransfer", {"vendorId": "x"}, "1"),
        "not json",
        "{}",
        "[]",
        '[2,"1","MeterValues"]',
        '[2,"1","MeterValues",[]]',
        '[2,5,"MeterValues",{}]',
        '[2,"1",["MeterValues"],{}]',
        '[2,"' + "x" * 65 + '","MeterValues",{}]',
        '[9,"1","MeterValues",{}]',
        '["2","1","MeterValues",{}]',
        '[true,"1","MeterValues",{}]',
    ],
)
def test_what_only_the_backend_can_answer_is_left_to_it(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("subprotocol", "is_answered"),
    [("", True), ("ocpp1.6", True), ("OCPP1.6J", True), ("ocpp16", True), ("ocpp2.0.1", False)],
)
def test_only_frames_of_1_6_are_answered_by_the_edge(subprotocol: str, is_answered: bool) -> None:
    """A StatusNotification of 2.0.1 is another message with the same name."""
    assert is_understood(subprotocol) is is_answered


def test_same_start_is_known_by_its_content() -> None:
    turned = dict(reversed(START.items()))
    one, same, other = (
        read(call("StartTransaction", payload))
        for payload in (START, turned, {**START, "meterStart": 6})
    )
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.content == same.content != other.content


async def test_what_is_kept_is_found_again_and_what_is_delivered_is_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1 << 20)
    assert journal.open().frames == []
    await journal.lease([1, 2, 3])
    await asyncio.gather(*(journal.keep(frame(n, transaction=n)) for n in (1, 2)))
    journal.delivered(frame(1))
    await journal.close()
    again = Journal(tmp_path, 1 << 20)
    found = again.open()
    assert found.frames == [frame(2, transaction=2)]
    assert (found.ids, found.bad) == ([3], [])
    await again.close()


@pytest.mark.parametrize("cut", range(1, 40, 3))
async def test_half_a_line_at_the_end_costs_that_line_only(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    for number in range(3):
        await journal.keep(frame(number))
    await journal.close()
    data = journal.path.read_bytes()
    journal.path.write_bytes(data[:-cut])
    again = Journal(tmp_path, 1 << 20)
    found = again.open()
    assert found.frames == [frame(n) for n in ((0, 1, 2) if cut == 1 else (0, 1))]
    assert bool(found.bad) == (cut > 1)
    await again.keep(frame(9))
    await again.close()
    assert Journal(tmp_path, 1 << 20).open().frames[-1] == frame(9)


async def test_damage_in_the_middle_loses_no_other_line_and_burns_the_leased_ids(
    tmp_path: Path,
) -> None:
    """The damaged line may have given one of them away."""
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    await journal.lease([1, 2, 3])
    for number in range(3):
        await journal.keep(frame(number))
    await journal.close()
    data = journal.path.read_bytes()
    journal.path.write_bytes(data.replace(b'"unique_id":"1"', b'"unique_id":"7"'))
    again = Journal(tmp_path, 1 << 20)
    found = again.open()
    assert (found.frames, found.ids, len(found.bad)) == ([frame(0), frame(2)], [], 1)
    await again.close()


async def test_folder_belongs_to_one_edge(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    with pytest.raises(SpoolUnusable, match="another edge's"):
        Journal(tmp_path, 1 << 20).open()
    await journal.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolUnusable):
        Journal(tmp_path / "file", 1 << 20).open()


async def test_file_is_bounded_and_shortened_when_nothing_waits(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 200_000)
    journal.open()
    kept = [frame(number, text="x" * 1000) for number in range(150)]
    for each in kept:
        await journal.keep(each)
    with pytest.raises(SpoolFull):
        await journal.keep(frame(999, text="x" * 50_000))
    assert journal.path.stat().st_size <= 200_000
    for each in kept:
        journal.delivered(each)
    journal.shorten(lambda: [7, 8])
    await journal.keep(frame(1000))
    await journal.close()
    # Not yet: a frame came meanwhile.
    again = Journal(tmp_path, 200_000)
    assert again.open().frames == [frame(1000)]
    again.delivered(frame(1000))
    again._ids_left = lambda: [7, 8]
    await again.close()
    assert again.path.stat().st_size < 200
    assert Journal(tmp_path, 200_000).open().ids == [7, 8]


async def test_disk_that_takes_nothing_is_told_and_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    await journal.keep(frame(1))
    size = journal.path.stat().st_size

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_space)
        with pytest.raises(OSError, match="No space"):
            await journal.keep(frame(2))
    assert journal.path.stat().st_size == journal.size == size
    await journal.keep(frame(3))
    await journal.close()
    assert Journal(tmp_path, 1 << 20).open().frames == [frame(1), frame(3)]


async def test_session_goes_on_while_the_backend_is_away_and_is_told_later_in_order(
    tmp_path: Path,
) -> None:
    async with spooling(tmp_path) as site, raw_charger(site.edge.port) as charger:
        charger.send("hello")
        assert await charger.text() == "echo hello"
        await site.away()
        begun = await said(charger, "StartTransaction", START)
        number = begun["transactionId"]
        assert number >= 1
        # Again, because the charger had not heard it: the same.
        assert await said(charger, "StartTransaction", START) == begun
        assert await said(charger, "MeterValues", {"transactionId": number}) == {}
        assert "currentTime" in await said(charger, "Heartbeat", {})
        assert await said(charger, "StopTransaction", {"transactionId": number}) == {}
        other = await said(charger, "StartTransaction", {**START, "meterStart": 6})
        assert other["transactionId"] != number
        await site.back()
        assert [json.loads(event.text)[2] for event in site.spooled] == [
            *("StartTransaction", "StartTransaction", "MeterValues", "StopTransaction"),
            "StartTransaction",
        ]
        assert [event.transaction for event in site.spooled] == [
            *(number, number, 0, 0),
            other["transactionId"],
        ]
        seqs = [event.seq for event in site.backend.of(Received)]
        assert len(seqs) == len(set(seqs))
        charger.send("again")
        assert await charger.text() == "echo again"


async def test_frame_that_was_under_way_is_answered_once(tmp_path: Path) -> None:
    """The backend may have taken it: its own answer, which comes in the end, is not sent."""
    async with spooling(tmp_path) as site, raw_charger(site.edge.port) as charger:
        charger.send("hello")
        await charger.text()
        site.backend.answering.clear()
        begun = await said(charger, "StartTransaction", START)
        assert begun["transactionId"] >= 1
        await site.back()
        under_way, later = site.backend.of(Received)[-2:]
        assert (type(under_way), type(later)) == (Received, Spooled)
        assert (under_way.text, under_way.seq) == (later.text, later.seq)
        charger.send("next")
        assert await charger.text() == "echo next"


async def test_what_the_spool_does_not_answer_is_held_and_closed_with_1013(
    tmp_path: Path,
) -> None:
    """And so is a start where the site says that nobody may begin unseen."""
    async with (
        spooling(tmp_path, spool_starts=False) as site,
        raw_charger(site.edge.port, "/ws/CP1") as boots,
        raw_charger(site.edge.port, "/ws/CP2") as starts,
    ):
        for charger in (boots, starts):
            charger.send("hello")
            await charger.text()
        await site.away()
        assert await said(starts, "MeterValues", {"transactionId": 1}) == {}
        boots.send(call("BootNotification", {}))
        starts.send(call("StartTransaction", START))
        for charger in (boots, starts):
            assert (await charger.close_frame())[0] == 1013
        assert site.edge.metrics.counts["frames_given_up", ""] == 2


async def test_full_spool_behaves_as_none(tmp_path: Path) -> None:
    async with (
        spooling(tmp_path, spool_size=3000, spool_starts=False) as site,
        raw_charger(site.edge.port) as charger,
    ):
        charger.send("hello")
        await charger.text()
        await site.away()
        assert await said(charger, "MeterValues", {"x": "y" * 1000}) == {}
        charger.send(call("MeterValues", {"x": "y" * 3000}))
        assert (await charger.close_frame())[0] == 1013
        await site.back()
        assert len(site.spooled) == 1


async def test_newer_frames_wait_behind_what_an_earlier_run_has_left(tmp_path: Path) -> None:
    """In order per charge point, whatever its connection was."""
    journal = Journal(tmp_path, 1 << 20)
    journal.open()
    texts = [call("MeterValues", {"number": number}) for number in range(3000)]
    await asyncio.gather(
        *(
            journal.keep(frame(number, charge_point="cp1", connection="old", text=text))
            for number, text in enumerate(texts)
        )
    )
    await journal.close()
    async with (
        spooling(tmp_path, hold=20.0) as site,
        raw_charger(site.edge.port, "/ws/CP1") as charger,
    ):
        # Taken by the spool behind what is there, or by the backend after it.
        assert await said(charger, "StopTransaction", {"transactionId": 5}) == {}
        assert await said(charger, "DataTransfer", {}) == {}
        frames = [json.loads(event.text)[2:] for event in site.backend.of(Received)]
        assert frames == [
            *(["MeterValues", {"number": number}] for number in range(3000)),
            ["StopTransaction", {"transactionId": 5}],
            ["DataTransfer", {}],
        ]


async def test_folder_that_can_not_be_had_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    edge = EdgeServer(
        EdgeSettings(spool=str(tmp_path / "file"), port=0), MemoryBroker().edge_transport()
    )
    with pytest.raises(CannotListen, match=r"LEVITY_SPOOL: .*file"):
        await edge.start()
