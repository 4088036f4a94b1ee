"""How events become batches, and when those are published again."""

from tests.relays import Bench

from levity_ws.rpc.envelope import (
    Batch,
    Connected,
    Received,
    Reply,
    Send,
)


async def test_a_frame_leaves_at_once_when_nothing_is_under_way() -> None:
    bench = await Bench().start()
    lane, _ = bench.lane()
    bench.send(lane, "[]")
    await bench.settle()
    [sent] = bench.transport.published
    assert sent == Batch(
        edge="edge-1",
        batch=sent.batch,
        attempt=0,
        events=(
            Received(charge_point="CP 1", connection=lane.connection, seq=0, at=1005.0, text="[]"),
        ),
    )


async def test_frames_collect_while_two_batches_are_under_way() -> None:
    bench = await Bench().start()
    lanes = [bench.lane(f"CP{number}")[0] for number in range(6)]
    for number, lane in enumerate(lanes[:2]):
        bench.send(lane, f"first-{number}")
        await bench.settle()
    for number, lane in enumerate(lanes[2:]):
        bench.send(lane, f"later-{number}")
        await bench.settle()
    assert bench.texts() == [["first-0"], ["first-1"]]
    bench.answer(1)
    await bench.settle()
    assert bench.texts()[2:] == [["later-0", "later-1", "later-2", "later-3"]]


async def test_frames_of_the_same_turn_of_the_loop_travel_together() -> None:
    bench = await Bench().start()
    for number in range(5):
        bench.send(bench.lane(f"CP{number}")[0], str(number))
    await bench.settle()
    assert bench.texts() == [["0", "1", "2", "3", "4"]]


async def test_a_batch_is_bounded_in_frames() -> None:
    bench = await Bench(max_batch_frames=2, window=10).start()
    for number in range(5):
        bench.send(bench.lane(f"CP{number}")[0], str(number))
    await bench.settle()
    assert bench.texts() == [["0", "1"], ["2", "3"], ["4"]]


async def test_a_batch_is_bounded_in_bytes_but_takes_any_single_frame() -> None:
    bench = await Bench(max_batch_bytes=2000, window=10).start()
    for size in (900, 700, 100, 5000, 10):
        bench.send(bench.lane(str(size))[0], "x" * size)
    await bench.settle()
    assert [[len(text) for text in texts] for texts in bench.texts()] == [
        [900, 700],
        [100],
        [5000],
        [10],
    ]


async def test_a_charger_has_one_event_under_way() -> None:
    """Promise 4: the next one leaves after the one before it is committed."""
    bench = await Bench().start()
    lane, _ = bench.lane()
    lane.connected(remote="10.0.0.1")
    first = bench.send(lane, "first")
    second = bench.send(lane, "second")
    await bench.settle()
    for expected in ([], ["first"], ["second"]):
        assert bench.texts()[-1] == expected
        bench.answer()
        await bench.settle()
    assert first.done()
    assert second.done()
    events = [event for batch in bench.transport.published for event in batch.events]
    assert [(type(event), event.seq) for event in events] == [
        (Connected, 0),
        (Received, 1),
        (Received, 2),
    ]


async def test_received_returns_when_its_batch_is_answered() -> None:
    bench = await Bench().start()
    lane, peer = bench.lane()
    task = bench.send(lane, "[]")
    await bench.settle()
    bench.transport.on_reply(Reply(commands=(Send(lane.connection, "push"),)))
    await bench.settle()
    assert (peer.written, task.done()) == ([], False)
    bench.answer(0, Send(lane.connection, "answer"))
    await bench.settle()
    assert (peer.written, task.done()) == (["answer", "push"], True)


async def test_a_failed_publish_is_repeated_with_the_next_attempt() -> None:
    bench = await Bench().start()
    bench.transport.down = True
    lane, peer = bench.lane()
    task = bench.send(lane, "[]")
    await bench.settle()
    bench.transport.down = False
    bench.relay.tick()
    await bench.settle()
    first, second = (batch for batch in bench.transport.published if batch.events[0].connection)
    assert (first.attempt, second.attempt) == (0, 1)
    assert (second.batch, second.events) == (first.batch, first.events)
    bench.answer(0, Send(lane.connection, "answer"))
    await bench.settle()
    assert (task.done(), peer.written) == (True, ["answer"])


async def test_unanswered_batches_are_repeated_after_a_reconnect_and_answered_ones_are_not() -> (
    None
):
    bench = await Bench().start()
    lanes = [bench.lane(name)[0] for name in ("CP1", "CP2")]
    for lane in lanes:
        bench.send(lane, lane.charge_point)
        await bench.settle()
    bench.answer(0)
    bench.transport.on_connect()
    await bench.settle()
    assert [
        (batch.attempt, bench.texts()[i]) for i, batch in enumerate(bench.transport.published)
    ] == [
        (0, ["CP1"]),
        (0, ["CP2"]),
        (1, ["CP2"]),
    ]


async def test_the_second_answer_to_a_repeated_batch_is_ignored_and_counted() -> None:
    """As after the death of a worker: the charger must not read the same answer twice."""
    bench = await Bench().start()
    lane, peer = bench.lane()
    bench.send(lane, "one")
    await bench.settle()
    bench.transport.on_connect()
    await bench.settle()
    bench.answer(0, Send(lane.connection, "answer"))
    following = bench.send(lane, "two")
    await bench.settle()
    bench.answer(0, Send(lane.connection, "answer"))
    await bench.settle()
    assert (following.done(), peer.written) == (False, ["answer"])
    assert bench.relay.metrics.counts["replies_unknown", ""] == 1


async def test_a_batch_that_the_broker_lost_is_repeated_after_a_while() -> None:
    bench = await Bench(hold=300.0).start()
    bench.send(bench.lane()[0], "[]")
    await bench.settle()
    bench.relay.tick()
    await bench.pass_time(29)
    attempts = [batch.attempt for batch in bench.transport.published if bench_text(batch)]
    await bench.pass_time(1)
    later = [batch.attempt for batch in bench.transport.published if bench_text(batch)]
    assert (attempts, later) == ([0], [0, 1])


async def test_nothing_leaves_while_the_transport_is_unavailable() -> None:
    bench = await Bench().start()
    bench.transport.available = False
    assert not bench.relay.available
    bench.send(bench.lane()[0], "[]")
    await bench.settle()
    assert bench.transport.published == []
    bench.transport.available = True
    bench.transport.on_connect()
    await bench.settle()
    assert bench.texts() == [["[]"]]


def bench_text(batch: Batch) -> bool:
    """True for a batch with a charger's frame."""
    return any(isinstance(event, Received) for event in batch.events)
