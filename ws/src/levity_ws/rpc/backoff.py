"""How long to pause before the next try to connect: full jitter, so that nobody marches in step."""

import random
from collections.abc import Callable

__all__ = ["jittered_pause"]


def jittered_pause(
    failures: int,
    *,
    base: float = 0.5,
    limit: float = 10.0,
    uniform: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds to wait after this many failures in a row: anything from 0 to the doubled base."""
    ceiling = min(limit, base * 2.0 ** min(failures - 1, 16))
    return uniform(0.0, ceiling)
