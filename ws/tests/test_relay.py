"""The relay alone: who is connected, what the backend says to them, and whether it answers."""

import asyncio

import pytest
from tests.relays import Bench, given_up

from levity_ws.edge.lane import BackendUnavailable
from levity_ws.rpc.envelope import (
    Accept,
    Alive,
    Authenticate,
    Close,
    Connected,
    Disconnected,
    Refuse,
    Reply,
    Send,
)


async def test_commands_reach_their_connection_and_no_other() -> None:
    """D-23: an answer for a socket that has gone never reaches the next socket of the charger."""
    bench = await Bench().start()
    old, old_peer = bench.lane()
    bench.send(old, "[]")
    await bench.settle()
    old.disconnected(1006, "")
    _new, new_peer = bench.lane()
    bench.answer(0, Send(old.connection, "late"), Close(old.connection))
    bench.transport.on_reply(Reply(commands=(Accept(old.connection), Refuse("unknown"))))
    await bench.settle()
    assert (old_peer.written, new_peer.written, old_peer.closed) == ([], [], [])
    counts = bench.relay.metrics.counts
    assert {label: counts["commands_dropped", label] for label in ("send", "close", "accept")} == {
        "send": 1,
        "close": 1,
        "accept": 1,
    }


async def test_a_call_to_a_connection_that_is_not_there_is_told_as_its_end() -> None:
    """The backend may take a connection for open whose end it never heard of: sending tells."""
    bench = await Bench().start()
    bench.transport.on_reply(Reply(commands=(Send("gone", '[2,"1","ClearCache",{}]'),)))
    await bench.settle()
    (event,) = bench.transport.published[-1].events
    assert (type(event), event.charge_point, event.connection) == (Disconnected, "", "gone")


async def test_close_reaches_the_socket() -> None:
    bench = await Bench().start()
    lane, peer = bench.lane()
    bench.transport.on_reply(Reply(commands=(Close(lane.connection, 1000, "replaced"),)))
    assert peer.closed == [(1000, "replaced")]


async def test_authenticate_returns_what_the_backend_says() -> None:
    bench = await Bench().start()
    for verdict in (Accept, Refuse):
        lane, _ = bench.lane()
        asked = asyncio.create_task(lane.authenticate(5.0, remote="10.0.0.1"))
        await bench.settle()
        bench.answer(-1, verdict(lane.connection))
        assert await asked == verdict(lane.connection)


async def test_a_handshake_without_an_answer_is_given_up_and_the_backend_hears_of_it() -> None:
    bench = await Bench().start()
    with pytest.raises(BackendUnavailable):
        await bench.lane()[0].authenticate(0.01)
    bench.answer(0)
    await bench.settle()
    events = [event for batch in bench.transport.published for event in batch.events]
    assert [(type(event), event.seq) for event in events] == [(Authenticate, 0), (Disconnected, 1)]


async def test_a_handshake_that_was_never_asked_about_leaves_no_trace() -> None:
    bench = await Bench().start()
    bench.transport.available = False
    with pytest.raises(BackendUnavailable):
        await bench.lane()[0].authenticate(0.01)
    bench.transport.available = True
    bench.transport.on_connect()
    await bench.settle()
    assert bench.transport.published == []
    assert await bench.relay.flush(0.0)


async def test_a_frame_is_held_for_20_seconds_and_then_given_up() -> None:
    """Promise 6."""
    bench = await Bench().start()
    lane, _ = bench.lane()
    task = bench.send(lane, "[]")
    await bench.settle()
    await bench.pass_time(20)
    assert not task.done()
    await bench.pass_time(0.1)
    await given_up(task)


async def test_a_call_of_ours_goes_behind_the_answer_that_the_charger_waits_for() -> None:
    """Before it, the answer would have to wait for the gap between two frames."""
    bench = await Bench().start()
    (lane, peer), (other, beside) = bench.lane("CP1"), bench.lane("CP2")
    bench.send(lane, "[2]")
    await bench.settle()
    for to in (lane, other):
        call = Send(to.connection, f"call of {to.charge_point}")
        bench.transport.on_reply(Reply(commands=(call,)))
    assert (peer.written, beside.written) == ([], ["call of CP2"])
    bench.answer(0, Send(lane.connection, "[3]"))
    assert peer.written == ["[3]", "call of CP1"]
    bench.transport.on_reply(Reply(commands=(Send(lane.connection, "another"),)))
    assert peer.written == ["[3]", "call of CP1", "another"]


async def test_a_call_of_ours_comes_between_two_frames_of_a_hurried_charger() -> None:
    bench = await Bench().start()
    lane, peer = bench.lane()
    for number in range(2):
        bench.send(lane, str(number))
    await bench.settle()
    bench.transport.on_reply(Reply(commands=(Send(lane.connection, "call"),)))
    for number in range(2):
        bench.answer(-1, Send(lane.connection, f"answer {number}"))
        await bench.settle()
    assert peer.written == ["answer 0", "call", "answer 1"]


async def test_a_frame_waiting_for_its_window_is_held_no_longer_and_never_sent() -> None:
    bench = await Bench(window=1).start()
    stuck, waiting = bench.lane("CP1")[0], bench.lane("CP2")[0]
    bench.send(stuck, "stuck")
    await bench.settle()
    task = bench.send(waiting, "waiting")
    await bench.settle()
    await bench.pass_time(20.1)
    await given_up(task)
    waiting.disconnected(1013, "try again later")
    bench.answer(0)
    await bench.settle()
    # The charger has the frame still and sends it again; the next number is not skipped.
    assert bench.texts()[0] == ["stuck"]
    assert all("waiting" not in texts for texts in bench.texts())
    gone = [event for batch in bench.transport.published[1:] for event in batch.events]
    assert [(event.charge_point, event.seq) for event in gone if event.connection] == [("CP2", 0)]


async def test_a_connection_that_the_backend_never_heard_of_is_closed_after_the_hold() -> None:
    bench = await Bench().start()
    lane, peer = bench.lane()
    lane.connected()
    await bench.settle()
    await bench.pass_time(20.1)
    assert peer.closed == [(1013, "try again later")]


async def test_an_answer_after_the_hold_lets_the_lane_go_on_with_its_goodbye() -> None:
    bench = await Bench().start()
    lane, peer = bench.lane()
    task = bench.send(lane, "[]")
    await bench.settle()
    await bench.pass_time(20.1)
    await given_up(task)
    lane.disconnected(1013, "try again later")
    bench.answer(0, Send(lane.connection, "late"))
    await bench.settle()
    [goodbye] = [
        event
        for batch in bench.transport.published
        for event in batch.events
        if isinstance(event, Disconnected)
    ]
    assert (goodbye.seq, goodbye.code, peer.written) == (1, 1013, [])


async def test_the_edge_says_that_it_lives_every_ten_seconds() -> None:
    bench = await Bench().start()
    for _ in range(3):
        bench.relay.tick()
        await bench.settle()
        bench.answer()
        await bench.pass_time(5)
        await bench.pass_time(4.9)
        bench.now += 0.1
    signs = [batch.events for batch in bench.transport.published]
    assert [
        [(type(event), event.seq, event.connection) for event in events] for events in signs
    ] == [
        [(Alive, 0, "")],
        [(Alive, 1, "")],
        [(Alive, 2, "")],
    ]


async def test_a_backend_that_does_not_answer_alive_is_stale_until_it_does() -> None:
    """T-14, F-13: the broker is well, and nobody consumes."""
    bench = await Bench().start()
    bench.relay.tick()
    await bench.settle()
    await bench.pass_time(10)
    assert bench.relay.available
    await bench.pass_time(0.1)
    assert not bench.relay.available
    bench.answer(0)
    await bench.pass_time(0.1)
    assert bench.relay.available


async def test_open_websockets_are_announced_again_after_a_silence() -> None:
    """F-16: the backend may have taken them off line, and most say nothing for minutes."""
    bench = await Bench().start()
    quiet, _ = bench.lane("CP1")
    bench.lane("CP2")  # still in its handshake
    quiet.connected(remote="192.0.2.7")
    await bench.settle()
    bench.answer(0)
    bench.relay.tick()
    await bench.settle()
    await bench.pass_time(9)
    bench.answer(1)
    await bench.settle()
    assert len(bench.transport.published) == 2, "no silence, nothing announced"
    await bench.pass_time(1)
    await bench.pass_time(25)
    bench.answer(2)
    await bench.settle()
    assert bench.transport.published[3].events == (
        Connected("CP1", quiet.connection, 1, 5.0 + bench.now),
    )


async def test_flush_waits_for_the_last_answer() -> None:
    bench = await Bench().start()
    lane, _ = bench.lane()
    assert await bench.relay.flush(0.0)
    lane.disconnected(1000, "")
    assert not await bench.relay.flush(0.01)
    flushing = asyncio.create_task(bench.relay.flush(10.0))
    await bench.settle()
    assert not flushing.done()
    bench.answer()
    assert await flushing


async def test_close_releases_whoever_waits() -> None:
    bench = await Bench(window=1).start()
    lane = bench.lane("CP1")[0]
    frames = [bench.send(lane, "one"), bench.send(lane, "two"), bench.send(bench.lane()[0], "x")]
    handshake = asyncio.create_task(bench.lane()[0].authenticate(60.0))
    await bench.settle()
    await bench.relay.close()
    results = await asyncio.gather(*frames, handshake, return_exceptions=True)
    assert [type(result) for result in results] == [BackendUnavailable] * 4
