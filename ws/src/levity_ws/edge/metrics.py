"""Counters, gauges and latencies of one edge, as Prometheus reads them.

Counting happens for every frame, so it is an addition in a dictionary; the library that knows
Prometheus' formats is only used when metrics are requested.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from websockets.frames import CloseCode

from levity_ws import __version__

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["CONTENT_TYPE", "LATENCIES", "SIZES", "Distribution", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Name, the name of its label (empty: none), what it counts.
_COUNTERS: Mapping[str, tuple[str, str]] = {
    "connections_opened": ("", "Websockets opened."),
    "connections_closed": ("code", "Websockets closed, by close code."),
    "refusals": ("reason", "Handshakes refused, by reason."),
    "frames_received": ("", "Text frames from chargers."),
    "frames_sent": ("", "Text frames to chargers."),
    "commands_dropped": ("kind", "Backend commands for connections that no longer exist, by kind."),
    "batches_published": ("", "Batches sent, including repeats."),
    "batches_repeated": ("", "Batches sent again because no answer came."),
    "batches_answered": ("", "Batches answered by the backend."),
    "replies_unknown": ("", "Duplicate answers to batches."),
    "frames_given_up": ("", "Frames whose connection was closed because no answer came in time."),
    "frames_too_large": (
        "",
        "Frames larger than LEVITY_MAX_FRAME_SIZE, which closed their connection.",
    ),
    "frames_paced": ("", "Frames delayed because their charger sends too many."),
    "messages_joined": ("", "Messages that came behind another one in the same frame."),
    "frames_spooled": ("action", "Frames stored and answered by the spool."),
    "spooled_frames_delivered": ("", "Spooled frames delivered to the backend."),
    "spool_refusals": ("reason", "Frames that the spool could not store."),
    "floods": ("", "Connections closed because of too many pings, pongs or fragments."),
    "slow_chargers": ("", "Connections dropped because the charger did not read."),
}
# Seconds: from the time of a fast disk to the limit for which an edge waits.
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
# RFC 6455, 7.4: all other codes that a charger may invent share one label.
_CLOSE_CODES = frozenset(str(int(code)) for code in CloseCode)


class Distribution:
    """A histogram; `bounds` are the upper bounds, in ascending order."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """One more value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, how many at most that), as Prometheus wants them: cumulative."""
        shown: list[tuple[str, float]] = []
        so_far = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            so_far += count
            shown.append((bound, so_far))
        return shown


class Metrics:
    """Counters since the start, by name and label; and gauges, read when they are shown."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.answer_seconds = Distribution(LATENCIES)
        self.batch_seconds = Distribution(LATENCIES)
        self.batch_events = Distribution(SIZES)
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.edge = ""

    def count(self, name: str, label: str = "", amount: int = 1) -> None:
        """Count one more. `name` is one of those described above."""
        self.counts[name, label] += amount

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Show the value of `read` at the time of the request."""
        self._gauges[name] = (description, read)

    def collect(self) -> "Iterator[Metric]":
        """The metrics, for a registry of prometheus_client."""
        from prometheus_client.metrics_core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        about = GaugeMetricFamily(
            "levity_edge_info", "Always 1; the labels say which.", labels=["edge", "version"]
        )
        about.add_metric([self.edge, __version__], 1)
        yield about
        for name, (description, read) in self._gauges.items():
            yield GaugeMetricFamily(f"levity_edge_{name}", description, value=float(read()))
        for name, (label, description) in _COUNTERS.items():
            counter = CounterMetricFamily(
                f"levity_edge_{name}", description, labels=[label] if label else []
            )
            for value, count in sorted(self._by_label(name).items()):
                counter.add_metric([value] if label else [], count)
            yield counter
        for name, description, distribution in (
            ("answer_seconds", "Time from a frame's arrival to its answer.", self.answer_seconds),
            ("batch_seconds", "Time from sending a batch to its answer.", self.batch_seconds),
            ("batch_events", "Events in a batch.", self.batch_events),
        ):
            histogram = HistogramMetricFamily(f"levity_edge_{name}", description)
            histogram.add_metric([], distribution.buckets(), distribution.total)
            yield histogram

    def _by_label(self, name: str) -> Counter[str]:
        shown: Counter[str] = Counter() if _COUNTERS[name][0] else Counter({"": 0})
        for (key, label), count in list(self.counts.items()):
            if key == name:
                odd = name == "connections_closed" and label not in _CLOSE_CODES
                shown["other" if odd else label] += count
        return shown

    def text(self) -> str:
        """Prometheus' text format, with the memory and CPU of this process."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)  # any object with `collect` is a Collector
        ProcessCollector(registry=registry)
        return generate_latest(registry).decode()
