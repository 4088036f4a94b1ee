"""One charger that sends, connects or pings far too often: it is slowed down, and nobody else."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.backend import ScriptedBackend
from tests.chargers import RawCharger, http_get, raw_charger

from levity_ws.edge.metrics import Metrics
from levity_ws.edge.rate_limits import FLOOD_PAUSE, Churn, Pace
from levity_ws.edge.reading import SMALL_FRAMES
from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.volume import CHARGER_BURST, TOTAL_BURST, Volume
from levity_ws.rpc.envelope import Authenticate, Connected, Disconnected, Event, Refused
from levity_ws.rpc.memory import MemoryBroker

PING, PONG, TEXT, CONTINUATION = 9, 10, 1, 0
FRAME = '[2,"%d","StatusNotification",{}]'


@asynccontextmanager
async def running_edge(**settings: object) -> AsyncIterator[tuple[EdgeServer, ScriptedBackend]]:
    """An edge with an echoing backend, on a port of its own."""
    broker = MemoryBroker()
    backend = ScriptedBackend(broker.worker_transport())
    chosen = {"host": "127.0.0.1", "port": 0, "edge_id": "edge-1", "close_timeout": 0.3, **settings}
    edge = EdgeServer(EdgeSettings(**chosen), broker.edge_transport())
    await edge.start()
    try:
        yield edge, backend
    finally:
        await edge.stop()
        backend.stop()


async def heard(backend: ScriptedBackend, kind: type[Event], count: int) -> list[object]:
    """The events of this kind, once there are so many."""
    enough = await asyncio.to_thread(backend.wait_for, lambda _: len(backend.of(kind)) >= count)
    assert enough, backend.events
    return backend.of(kind)


def counted(metrics: Metrics, name: str, label: str = "") -> int:
    return metrics.counts[name, label]


def passes(pace: Pace, moments: list[float]) -> list[float]:
    """How long each of these that come at these moments has to wait, one after the other."""
    forgotten_at, waits, free_at = 0.0, [], 0.0
    for moment in moments:
        now = max(moment, free_at)
        waits.append(round(pace.wait(forgotten_at, now), 6))
        free_at = now + waits[-1]
        forgotten_at = pace.spend(forgotten_at, free_at)
    return waits


def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    """I-24: 1,000 in one second are read in the time that 50/s take, the first 500 at once."""
    waits = passes(Pace(50, 500), [1000 + number / 1000 for number in range(1000)])
    # While the burst goes on, a little is forgotten: one frame each 20 ms.
    at_once = next(number for number, wait in enumerate(waits) if wait)
    assert 500 <= at_once <= 530
    assert sum(wait > 0 for wait in waits) == 1000 - at_once
    assert max(waits) <= 1 / 50


def test_a_usual_charger_and_a_backlog_never_wait() -> None:
    """E.g. a sample of three phases each second; 72 h offline with a message each 10 minutes."""
    assert set(passes(Pace(50, 500), [1000 + number / 4 for number in range(5000)])) == {0.0}
    assert set(passes(Pace(50, 500), [1000.0] * 432)) == {0.0}


def test_what_is_used_up_is_forgotten() -> None:
    pace = Pace(50, 500)
    assert set(passes(pace, [1000.0] * 500 + [1010.0] * 500)) == {0.0}
    assert passes(pace, [1000.0] * 501)[-1] == 0.02


def test_a_rate_of_zero_is_no_limit() -> None:
    assert set(passes(Pace(0, 1), [1000.0] * 10_000)) == {0.0}


@pytest.mark.parametrize(("seconds", "accepted"), [(10, 19), (100, 109)])
def test_one_identity_is_accepted_once_a_second_in_the_long_run(
    seconds: int, accepted: int
) -> None:
    """E-10: 100 handshakes a second; the burst of ten, then one a second."""
    now = 1000.0
    churn = Churn(Pace(1, 10), lambda: now)
    count = 0
    for number in range(seconds * 100):
        now = 1000.0 + number / 100
        refusal = churn.refusal("CP1" if number % 2 else "cp1")
        if refusal is None:
            churn.accepted("CP1")
            count += 1
        else:
            assert (refusal.status, refusal.label, refusal.retry_after) == (429, "churn", 1)
    assert count == accepted


def test_identities_that_are_quiet_again_are_forgotten() -> None:
    """Ten thousand chargers in turn leave no more behind than the last second's."""
    now = 1000.0
    churn = Churn(Pace(1, 10), lambda: now)
    for number in range(10_000):
        now += 0.01
        churn.accepted(f"CP{number}")
    assert len(churn._forgotten_at) <= 1024


def test_who_floods_stays_out_for_half_a_minute_and_nobody_longer_than_one() -> None:
    """I-19; S-14: a flood in a charger's name keeps the real one out for at most a minute."""
    now = 1000.0
    churn = Churn(Pace(0, 1), lambda: now)
    churn.flooded("CP1")
    refusal = churn.refusal("cp1")
    assert refusal is not None
    assert (refusal.status, refusal.label, refusal.retry_after) == (429, "after a flood", 30)
    assert churn.refusal("CP2") is None
    now += 29.5
    refusal = churn.refusal("CP1")
    assert refusal is not None
    assert refusal.retry_after == 1
    now += 0.5
    assert churn.refusal("CP1") is None
    assert FLOOD_PAUSE <= 60


def test_floods_that_are_over_are_forgotten() -> None:
    now = 1000.0
    churn = Churn(Pace(1, 10), lambda: now)
    for number in range(10_000):
        now += 1
        churn.flooded(f"CP{number}")
    assert len(churn._out_until) <= 1024


def test_bytes_are_counted_by_charger_by_address_and_in_all() -> None:
    """C1: one charger wrote 3.1 MB/s to the disk for as long as it liked, twenty 68 MB/s."""
    now = 0.0
    volume = Volume(per_charger=10, per_address=100, in_all=1000, clock=lambda: now)
    volume.read("cp1", "192.0.2.1", 10 * CHARGER_BURST)
    assert volume.wait("cp1", "192.0.2.1") > 0
    # Who comes in again, from elsewhere, has no new account; its neighbours have theirs.
    assert volume.wait("cp1", "192.0.2.2") > 0
    assert volume.wait("cp2", "192.0.2.1") == 0
    for number in range(8):
        volume.read(f"cp{number + 2}", "192.0.2.1", 10 * CHARGER_BURST)
    assert volume.wait("cp99", "192.0.2.1") > 0
    assert volume.wait("cp99", "192.0.2.2") == 0
    # A proxy on this machine stands for many.
    assert volume.wait("cp99", "") == 0
    volume.read("cp99", "", 1000 * TOTAL_BURST)
    assert volume.wait("cp100", "192.0.2.3") > 0
    now += 10 * CHARGER_BURST + TOTAL_BURST * 1000
    assert volume.wait("cp1", "192.0.2.1") == 0
    for number in range(3000):
        now += 1
        volume.read(f"new{number}", "", 10)
    assert len(volume._of_charger) <= 1024


async def test_a_flood_is_read_at_the_rate_answered_whole_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """I-24: nobody is disconnected, no frame is lost; the bystander's frames pass meanwhile."""
    async with (
        running_edge(max_frame_rate=2, frame_burst=20) as (edge, _),
        raw_charger(edge.port, "/ws/FLOOD") as flood,
        raw_charger(edge.port, "/ws/BYSTANDER") as bystander,
    ):
        for number in range(24):
            flood.send(FRAME % number)
        for number in range(10):
            bystander.send(FRAME % number)
            assert await bystander.text() == f"echo {FRAME % number}"
        assert [await flood.text() for _ in range(24)] == [
            f"echo {FRAME % number}" for number in range(24)
        ]
        # Four frames, and the wait before there is a 25th.
        assert 1 <= counted(edge.metrics, "frames_paced") <= 5
        assert {each.lane.charge_point: each.paced for each in edge._sockets if each.lane} == {
            "FLOOD": True,
            "BYSTANDER": False,
        }
        assert counted(edge.metrics, "connections_closed", "1008") == 0
        _, shown = await http_get(edge.port, "/metrics")
        paced = counted(edge.metrics, "frames_paced")
        assert f"levity_edge_frames_paced_total {paced:.1f}" in shown
    said = [record for record in caplog.records if "frames a second" in record.message]
    assert [record.levelno for record in said] == [logging.WARNING]
    assert said[0].message.startswith("FLOOD sends more than 2 frames a second")


async def test_who_sends_too_many_bytes_is_read_slowly_and_answered_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """C1: never a disconnect; a bystander does not notice."""
    async with (
        running_edge(max_byte_rate=40_000, frame_gap=0.0) as (edge, _),
        raw_charger(edge.port, "/ws/FLOOD") as flood,
        raw_charger(edge.port, "/ws/BYSTANDER") as bystander,
    ):
        edge._volume.read("flood", "", 40_000 * CHARGER_BURST)
        for number in range(6):
            flood.send(FRAME % number + " " * 8_000)
        for number in range(10):
            bystander.send(FRAME % number)
            assert await bystander.text() == f"echo {FRAME % number}"
        for number in range(6):
            assert (await flood.text()).startswith(f"echo {FRAME % number}")
        assert counted(edge.metrics, "frames_paced") >= 5
        assert counted(edge.metrics, "connections_closed", "1008") == 0
    said = [record.message for record in caplog.records if "LEVITY_MAX_BYTE_RATE" in record.message]
    assert len(said) == 1
    assert said[0].startswith("FLOOD sends more bytes than")


async def test_without_a_limit_nobody_waits() -> None:
    async with (
        running_edge(max_frame_rate=0, frame_gap=0.0) as (edge, _),
        raw_charger(edge.port) as charger,
    ):
        for number in range(600):
            charger.send(FRAME % number)
        assert [await charger.text() for _ in range(600)][-1] == f"echo {FRAME % 599}"
        assert counted(edge.metrics, "frames_paced") == 0


async def test_the_backlog_of_an_outage_gets_through_whole() -> None:
    """More than the burst: slower, but complete and on the same connection."""
    async with (
        running_edge(max_frame_rate=400, frame_burst=100) as (edge, backend),
        raw_charger(edge.port) as charger,
    ):
        for number in range(300):
            charger.send(FRAME % number)
            assert await charger.text() == f"echo {FRAME % number}"
        assert len(backend.of(Connected)) == 1
        assert backend.of(Disconnected) == []


async def test_a_charger_that_connects_over_and_over_is_told_to_wait() -> None:
    """E-10: 100 handshakes of one identity; nobody else notices."""
    async with running_edge(connect_burst=3) as (edge, backend):
        answers = []
        for number in range(100):
            async with raw_charger(edge.port, f"/ws/{'cP1' if number % 2 else 'CP1'}") as charger:
                answers.append((charger.status, charger.header("Retry-After")))
        async with raw_charger(edge.port, "/ws/OTHER") as other:
            other.send("hello")
            assert await other.text() == "echo hello"
        accepted = [answer for answer in answers if answer[0] == 101]
        assert answers[:3] == [(101, None)] * 3
        assert len(accepted) <= 6
        assert {answer for answer in answers if answer not in accepted} == {(429, "1")}
        assert counted(edge.metrics, "refusals", "churn") == 100 - len(accepted)
        assert len(await heard(backend, Connected, len(accepted) + 1)) == len(accepted) + 1


async def test_many_handshakes_of_one_identity_at_once_are_counted_together() -> None:
    """E-10: they all ask before the first is accepted."""
    async with running_edge(connect_burst=2) as (edge, backend):
        backend.answering.clear()

        async def ask() -> int:
            async with raw_charger(edge.port, "/ws/CP1") as charger:
                return charger.status

        asking = [asyncio.create_task(ask()) for _ in range(8)]
        async with asyncio.timeout(60):
            while edge._handshakes.admission.connections < 8:  # noqa: ASYNC110  # a count tells nobody
                await asyncio.sleep(0.01)
        backend.answering.set()
        assert sorted(await asyncio.gather(*asking)) == [101] * 2 + [429] * 6


async def test_a_stranger_who_is_refused_shuts_nobody_out() -> None:
    """S-14: only who was accepted counts."""
    from levity_ws.rpc.envelope import Accept, Authenticate, Refuse

    def by_password(event: Authenticate) -> Accept | Refuse:
        if event.authorization:
            return Accept(event.connection)
        return Refuse(event.connection, 401, "who?")

    broker = MemoryBroker()
    backend = ScriptedBackend(broker.worker_transport(), authenticate=by_password)
    settings = EdgeSettings(host="127.0.0.1", port=0, connect_burst=2, close_timeout=0.3)
    edge = EdgeServer(settings, broker.edge_transport())
    await edge.start()
    try:
        for _ in range(20):
            async with raw_charger(edge.port, "/ws/CP1") as stranger:
                assert stranger.status == 401
        async with raw_charger(edge.port, "/ws/CP1", "Authorization: Basic eA==") as charger:
            assert charger.status == 101
    finally:
        await edge.stop()
        backend.stop()


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """One small frame."""
    return (
        struct.pack("!BB", (0x80 if fin else 0) | opcode, 0x80 | len(payload)) + bytes(4) + payload
    )


def pings(count: int) -> bytes:
    return masked(PING) * count


def pongs(count: int) -> bytes:
    return masked(PONG, b"unasked") * count


def empty_fragments(count: int) -> bytes:
    return masked(TEXT, b"[", fin=False) + masked(CONTINUATION, fin=False) * count


async def closing_code(charger: RawCharger) -> int:
    """The code of the close frame, whatever comes before it."""
    while True:
        opcode, payload = await charger.frame()
        if opcode == 8:
            return int(struct.unpack("!H", payload[:2])[0])


@pytest.mark.parametrize("flood", [pings, pongs, empty_fragments])
async def test_a_flood_of_small_frames_closes_its_connection_only(
    flood: Callable[[int], bytes],
) -> None:
    """I-19: 10,000 pings, pongs or empty fragments; what comes behind them is not even read."""
    async with (
        running_edge() as (edge, _),
        raw_charger(edge.port, "/ws/BYSTANDER") as bystander,
        raw_charger(edge.port, "/ws/FLOOD") as charger,
    ):
        charger.writer.write(flood(10_000))
        # Whichever limit is met first: ours, or the library's of fragments of one message.
        assert await closing_code(charger) in (1008, 1009)
        bystander.send("still here")
        assert await bystander.text() == "echo still here"
        charger.writer.write_eof()
        await charger.end_of_stream()
        assert edge.metrics.counts["connections_opened", ""] == 2


async def test_a_flood_of_pings_is_counted_and_told_to_the_backend() -> None:
    """I-19."""
    async with running_edge() as (edge, backend), raw_charger(edge.port) as charger:
        charger.writer.write(pings(10_000))
        assert await closing_code(charger) == 1008
        await charger.close()
        [gone] = await heard(backend, Disconnected, 1)
        assert (gone.code, gone.reason) == (1008, "too many pings, pongs or fragments")
        assert counted(edge.metrics, "floods") == 1


async def test_who_has_flooded_is_refused_and_nobody_else() -> None:
    """I-19: without asking the backend; with the reason in the list of refusals."""
    async with running_edge() as (edge, backend):
        async with raw_charger(edge.port, "/ws/FLOOD") as charger:
            charger.writer.write(pings(10_000))
            assert await closing_code(charger) == 1008
            async with raw_charger(edge.port, "/ws/Flood") as again:
                assert (again.status, again.header("Retry-After")) == (429, "30")
        async with raw_charger(edge.port, "/ws/OTHER") as other:
            assert other.status == 101
        assert len(backend.of(Authenticate)) == 2
        assert counted(edge.metrics, "refusals", "after a flood") == 1
        [report] = await heard(backend, Refused, 1)
        assert [item.reason for item in report.refusals] == ["after a flood"]


async def test_a_ping_now_and_then_is_answered() -> None:
    """As many as a charger may send in one go; and it is served on."""
    async with running_edge() as (edge, _), raw_charger(edge.port) as charger:
        charger.writer.write(pings(SMALL_FRAMES.burst))
        for _ in range(SMALL_FRAMES.burst):
            assert await charger.frame() == (PONG, b"")
        charger.send("hello")
        assert await charger.text() == "echo hello"
        assert counted(edge.metrics, "floods") == 0


async def test_endless_fragments_end_at_the_size_limit() -> None:
    """I-19: a message of the largest size in 125-byte fragments passes; one that goes on, not."""
    async with running_edge(max_frame_size=100_000) as (edge, _), raw_charger(edge.port) as charger:
        charger.writer.write(masked(TEXT, b"x" * 125, fin=False))
        charger.writer.write(masked(CONTINUATION, b"x" * 125, fin=False) * 50)
        charger.writer.write(masked(CONTINUATION, b"end"))
        assert await charger.text() == f"echo {'x' * 125 * 51}end"
        charger.writer.write(masked(TEXT, b"x" * 125, fin=False))
        charger.writer.write(masked(CONTINUATION, b"x" * 125, fin=False) * 1000)
        assert await closing_code(charger) in (1008, 1009)


async def test_who_leaves_while_it_is_read_no_faster_is_gone_at_once() -> None:
    """It was on line for as long as it would have had to wait, and a shutdown waited with it until
    the edge was killed."""
    async with running_edge(max_byte_rate=100) as (edge, backend):
        edge._volume.read("cp1", "", 100 * (CHARGER_BURST + 600))
        async with raw_charger(edge.port):
            await heard(backend, Connected, 1)
        await heard(backend, Disconnected, 1)
        async with raw_charger(edge.port):
            await heard(backend, Connected, 2)
            await edge.stop()
        assert len(backend.of(Disconnected)) == 2
        assert counted(edge.metrics, "frames_paced") == 2
