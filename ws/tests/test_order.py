"""Promise 4: each charger's frames are taken in their order, whoever takes them."""

import asyncio
import random
import threading
import time
from collections import defaultdict

import pytest
from tests.backend import ScriptedBackend
from tests.chargers import raw_charger

from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.envelope import Received, Send
from levity_ws.rpc.memory import MemoryBroker

CHARGERS, FRAMES = 100, 100


@pytest.mark.slow
async def test_two_workers_never_take_a_chargers_frames_in_another_order() -> None:
    """T-17: 10,000 frames, sent without waiting for answers, to two workers of uneven speed."""
    chance = random.Random(20261122)
    taken: dict[str, list[str]] = defaultdict(list)
    workers: set[int] = set()

    def take(event: Received) -> Send:
        if chance.random() < 0.005:
            time.sleep(0.002)  # now and then one is slower than the other
        taken[event.charge_point].append(event.text)
        workers.add(threading.get_ident())
        return Send(event.connection, event.text)

    broker = MemoryBroker()
    both = [ScriptedBackend(broker.worker_transport(), received=take) for _ in range(2)]
    edge = EdgeServer(
        EdgeSettings(host="127.0.0.1", port=0, max_frame_rate=0), broker.edge_transport()
    )
    await edge.start()
    wanted = [f"{number}" for number in range(FRAMES)]

    async def talk(identity: str) -> None:
        async with raw_charger(edge.port, f"/ws/{identity}") as charger:
            for text in wanted:
                charger.send(text)
            assert [await charger.text() for _ in wanted] == wanted

    await asyncio.gather(*(talk(f"CP-{number}") for number in range(CHARGERS)))
    inversions = [identity for identity, texts in taken.items() if texts != wanted]
    assert (inversions, len(taken), len(workers)) == ([], CHARGERS, 2)
    await edge.stop()
    for backend in both:
        backend.stop()
