"""Counts and latencies of a whole fleet, cheap enough to be kept for every message."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

__all__ = ["Histogram", "Statistics"]

_SUB_BITS = 4


class Histogram:
    """Latencies in buckets that are about 6 % wide, from a microsecond to hours."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0

    def add(self, seconds: float) -> None:
        """Count one latency."""
        micros = max(1, int(seconds * 1e6))
        shift = max(0, micros.bit_length() - _SUB_BITS - 1)
        self._buckets[(shift << (_SUB_BITS + 1)) | (micros >> shift)] += 1
        self.count += 1

    def add_all(self, others: "Histogram") -> None:
        """Count what another one has counted."""
        self._buckets.update(others._buckets)  # noqa: SLF001  # one of its own kind
        self.count += others.count

    def percentile(self, share: float) -> float:
        """The seconds that `share` (0 to 1) of all do not exceed; 0.0 if there are none."""
        wanted = share * self.count
        seen = 0
        for bucket in sorted(self._buckets, key=_upper_end):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return _upper_end(bucket) / 1e6
        return 0.0


def _upper_end(bucket: int) -> int:
    return ((bucket & ((1 << (_SUB_BITS + 1)) - 1)) + 1) << (bucket >> (_SUB_BITS + 1))


@dataclass(slots=True)
class Statistics:
    """What a fleet has done so far. Shared by all its chargers."""

    connects: int = 0
    connected: int = 0
    disconnects: int = 0
    refused: int = 0
    """Dials that failed."""
    last_refusal: str = ""
    boots: int = 0
    messages: int = 0
    """Calls sent, retries included."""
    results: int = 0
    timeouts: int = 0
    lost: int = 0
    dropped: int = 0
    """Transaction messages the chargers gave up."""
    call_errors: Counter[str] = field(default_factory=Counter)
    """By error code."""
    calls_received: Counter[str] = field(default_factory=Counter)
    """The central system's Calls by action."""
    bad_frames: int = 0
    """Frames from the central system that were no OCPP-J or answered nothing."""
    started: int = 0
    stopped: int = 0
    latency: Histogram = field(default_factory=Histogram)
    latency_of: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    """By action."""
