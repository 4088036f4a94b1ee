"""What the schema check costs, in this process."""

import time
from collections.abc import Mapping

import orjson

from levity.ocpp.v16.schemas import SCHEMAS
from levity.simulator.script import CALLS_PER_SESSION, SessionFrames

__all__ = ["session_mean", "validation_us"]

REPEATS = 2_000


def validation_us(repeats: int = REPEATS) -> dict[str, float]:
    """Microseconds of one check, by action."""
    frames = SessionFrames(1)
    frames.transaction_id = 1
    payloads = {}
    for _ in range(CALLS_PER_SESSION):
        action, _, frame = frames.next()
        payloads[action] = orjson.loads(frame)[3]
    costs = {}
    for action, payload in payloads.items():
        SCHEMAS.check(action, payload)  # compiles it
        begun = time.process_time()
        for _ in range(repeats):
            SCHEMAS.check(action, payload)
        costs[action] = (time.process_time() - begun) / repeats * 1e6
    return costs


def session_mean(costs: Mapping[str, float]) -> float:
    """Of one message of a full session."""
    frames = SessionFrames(1)
    actions = [frames.next()[0] for _ in range(CALLS_PER_SESSION)]
    return sum(costs[action] for action in actions) / len(actions)
