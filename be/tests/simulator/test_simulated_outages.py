"""Offline queue, retry styles and reconnects of the simulated charger, in virtual time."""

import asyncio
from dataclasses import replace

import pytest

from levity.simulator.ledger import Ledger, read_ledger, verdict
from levity.simulator.makes import PROFILES
from levity.simulator.profiles import Backoff
from levity.simulator.wire import DialError
from tests.simulator.scripted import (
    PLAIN,
    SILENCE,
    Refusal,
    Stage,
    in_virtual_time,
    play,
    stage,
)

CALM = replace(PLAIN, backoff=Backoff(first=10.0, most=40.0, jitter=0.0))


async def session_offline(scene: Stage) -> None:
    await scene.charge_point.ready()
    await scene.charge_point.quiet(within=5)
    scene.charge_point.go_offline(600)
    await scene.after(10)
    scene.charge_point.plug_in()
    assert await scene.charge_point.present_tag("CARD1")
    await scene.after(150)
    scene.charge_point.stop()
    scene.charge_point.unplug()
    assert scene.system.of("StartTransaction") == []
    await scene.after(600)


def test_transaction_messages_wait_while_offline_and_arrive_in_order():
    scene = play(session_offline)
    assert scene.system.actions()[3:] == [
        "StartTransaction",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
        "1 Available",
    ]
    assert scene.system.one("StartTransaction")["timestamp"] == "2024-05-01T10:00:10.000Z"
    assert {
        each.payload["transactionId"]
        for each in scene.system.heard
        if each.action in ("MeterValues", "StopTransaction")
    } == {1}


def test_session_that_began_online_goes_on_while_offline():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("CARD1")
        await scene.after(5)
        scene.charge_point.go_offline(300)
        await scene.after(200)
        scene.charge_point.stop()
        await scene.after(300)

    scene = play(story)
    late = [each for each in scene.system.heard if each.at >= 300]
    assert [each.action for each in late] == [
        "MeterValues",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
        "StatusNotification",
    ]
    assert scene.system.of("BootNotification")[1:] == []


def test_alfen_samples_taken_offline_have_the_wrong_context():
    scene = play(session_offline, PROFILES["alfen"])
    sampled = scene.system.of("MeterValues")[0].payload["meterValue"][0]["sampledValue"]
    assert {each["context"] for each in sampled} == {"Transaction.Begin"}


def test_wallbox_starts_offline_without_authorization():
    scene = play(session_offline, PROFILES["wallbox"])
    assert scene.system.one("StartTransaction")["idTag"] == "NoAuthorization"
    assert scene.system.one("StopTransaction")["idTag"] == ""


async def start_and_wait(scene: Stage) -> None:
    await scene.charge_point.ready()
    scene.charge_point.plug_in()
    await scene.charge_point.present_tag("CARD1")
    await scene.after(400)


@pytest.mark.parametrize(
    ("make", "answer", "sent_at", "ids"),
    [
        ("generic", Refusal(), [0.0, 60.0, 180.0], 1),
        ("generic", SILENCE, [0.0, 90.0, 240.0], 1),
        ("microocpp", Refusal(), [0.0, 60.0, 180.0], 1),
        ("libocpp", Refusal(), [0.0, 30.0, 60.0], 3),
        ("libocpp", SILENCE, [0.0, 60.0, 120.0], 3),
        ("grizzl-e", Refusal(), [0.0, 30.0, 60.0], 3),
        ("one-attempt", Refusal(), [0.0], 1),
        ("one-attempt", SILENCE, [0.0], 1),
        ("metron", Refusal(), [float(at) for at in range(0, 400, 10)], 1),
    ],
)
def test_retry_styles(make, answer, sent_at, ids):
    """Only StartTransaction is refused; what waits behind it must not overtake it."""
    profile = replace(PROFILES[make], sample_interval=100_000.0)
    scene = play(start_and_wait, profile, script={"StartTransaction": answer})
    attempts = scene.system.of("StartTransaction")
    assert [each.at for each in attempts] == sent_at
    assert len({each.unique_id for each in attempts}) == ids
    assert len({str(each.payload) for each in attempts}) == 1
    given_up = frozenset() if make == "metron" else verdict(scene.ledger.entries).attempted
    assert verdict(scene.ledger.entries).dropped == given_up


@pytest.mark.parametrize(("make", "unknown"), [("one-attempt", -1), ("alfen", 2**63 - 1)])
def test_stop_of_a_session_whose_start_was_never_answered(make, unknown):
    async def story(scene: Stage) -> None:
        await start_and_wait(scene)
        scene.charge_point.stop()
        await scene.charge_point.quiet(within=1000)

    scene = play(story, PROFILES[make], script={"StartTransaction": Refusal()})
    assert scene.system.one("StopTransaction")["transactionId"] == unknown


def test_other_messages_pass_while_a_transaction_message_waits_for_its_retry():
    async def story(scene: Stage) -> None:
        await start_and_wait(scene)

    scene = play(story, script={"StartTransaction": Refusal()})
    charging = next(each for each in scene.system.heard if each.payload.get("status") == "Charging")
    assert charging.at == 0.0


def test_broken_connection_is_no_attempt():
    """The Call in flight goes out again first, after the reconnect, with the same content."""

    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("CARD1")
        for _ in range(5):
            await scene.after(5)
            scene.charge_point.go_offline(10)
            await scene.after(10)
        scene.system.script.clear()
        await scene.after(100)

    # Three attempts, 30 s apart: five losses must not use them up, nor make the message wait.
    libocpp = replace(PROFILES["libocpp"], sample_interval=1e6)
    scene = play(story, libocpp, script={"StartTransaction": SILENCE})
    attempts = scene.system.of("StartTransaction")
    assert [each.at for each in attempts] == [0.0, 15.0, 30.0, 45.0, 60.0, 75.0]
    assert len({str(each.payload) for each in attempts}) == 1
    found = verdict(scene.ledger.entries)
    assert (len(found.attempted), len(found.acknowledged), len(found.dropped)) == (1, 1, 0)


def test_late_answer_answers_nothing():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.after(640)
        (beat,) = scene.system.of("Heartbeat")
        await scene.system.link.send(f'[3,"{beat.unique_id}",{{}}]')
        await scene.after(1)

    scene = play(story, script={"Heartbeat": SILENCE})
    assert scene.statistics.timeouts == 1
    assert scene.statistics.bad_frames == 1
    assert scene.system.connections == 1


def test_dials_back_off_and_honour_retry_after():
    async def story(scene: Stage) -> None:
        dialled = []
        real = scene.dialer.dial

        async def dial(identity, profile):
            dialled.append(round(asyncio.get_running_loop().time()))
            return await real(identity, profile)

        await scene.charge_point.ready()
        scene.dialer.dial = dial
        scene.dialer.refusal = DialError("away")
        await scene.system.link.close(1012)
        await scene.after(100)
        scene.dialer.refusal = DialError("HTTP 503", retry_after=100.0)
        await scene.after(200)
        assert dialled == [10, 20, 40, 80, 120, 220]

    play(story, CALM)


def test_close_codes_are_followed_by_a_reconnect():
    async def story(scene: Stage) -> None:
        for code in (1012, 1013, 1000):
            await scene.charge_point.ready()
            await scene.charge_point.quiet(within=5)
            await scene.system.link.close(code)
            await scene.after(30)
        assert scene.system.connections == 4

    play(story, CALM)


def test_jigu_never_comes_back_after_a_clean_close():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.system.link.close(1001)
        await scene.after(60)
        assert scene.system.connections == 2
        await scene.system.link.close(1000)
        await scene.after(6000)
        assert scene.system.connections == 2

    play(story, PROFILES["jigu"])


def test_ledger_file_holds_what_the_ledger_holds(tmp_path):
    kept = play(session_offline).ledger.entries
    ledger = Ledger("CP/1", directory=tmp_path)
    for each in kept:
        ledger.write(
            each.event,
            each.at,
            each.key,
            each.unique_id,
            each.action,
            each.payload,
            transactional=each.transactional,
            attempt=each.attempt,
        )
    path = tmp_path / "CP%2F1.jsonl"
    with path.open("a") as broken:
        broken.write('{"event":"se')
    assert read_ledger(path) == [replace(each, charge_point="CP/1") for each in kept]
    found = verdict(read_ledger(path))
    assert found.attempted == found.acknowledged
    assert sorted(found.actions.values()) == [
        "MeterValues",
        "MeterValues",
        "StartTransaction",
        "StopTransaction",
    ]
    start = next(key for key, action in found.actions.items() if action == "StartTransaction")
    assert found.answers[start]["transactionId"] == 1


def test_a_charger_that_is_cancelled_leaves_no_link_open():
    """In a test that fails half-way, its socket would fail a later test."""

    async def closed() -> bool:
        scene = stage()
        living = asyncio.ensure_future(scene.charge_point.run())
        await scene.charge_point.ready()
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        assert scene.system.link is not None
        return scene.system.link.closed is not None

    assert in_virtual_time(closed())
