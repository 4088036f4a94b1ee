"""Counters and gauges of one edge, as Prometheus reads them."""

from collections import Counter
from collections.abc import Callable

__all__ = ["Metrics"]

_COUNTERS = {
    "connections_opened": "Websockets opened.",
    "connections_closed": "Websockets closed, by close code.",
    "refusals": "Handshakes refused, by reason.",
    "frames_received": "Text frames from chargers.",
    "frames_sent": "Text frames to chargers.",
    "commands_dropped": "What the backend said to connections that are gone, by kind.",
    "batches_published": "Batches handed to the transport, repeats included.",
    "batches_repeated": "Batches published again because no answer came.",
    "batches_answered": "Batches that the backend answered.",
    "replies_unknown": "Answers to batches that had been answered before.",
    "frames_given_up": "Frames whose connection was closed because no answer came in time.",
    "frames_paced": "Frames that waited because their charger sends too many.",
    "floods": "Connections closed because of too many pings, pongs or fragments.",
    "slow_chargers": "Connections dropped because the charger did not read.",
}


class Metrics:
    """What happened since the start, by name and label; and what is, asked when it is shown."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}

    def count(self, name: str, label: str = "", amount: int = 1) -> None:
        """One more of these. `name` is one of those described above."""
        self.counts[name, label] += amount

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Show what `read` says at the time."""
        self._gauges[name] = (description, read)

    def text(self) -> str:
        """Prometheus' text format, version 0.0.4."""
        lines: list[str] = []
        for name, (description, read) in self._gauges.items():
            lines += [
                f"# HELP levity_edge_{name} {description}",
                f"# TYPE levity_edge_{name} gauge",
                f"levity_edge_{name} {read():g}",
            ]
        for name, description in _COUNTERS.items():
            full = f"levity_edge_{name}_total"
            lines += [f"# HELP {full} {description}", f"# TYPE {full} counter"]
            labelled = sorted(
                (label, count) for (key, label), count in self.counts.items() if key == name
            )
            lines += [
                f'{full}{{kind="{label}"}} {count}' if label else f"{full} {count}"
                for label, count in labelled or [("", 0)]
            ]
        return "\n".join(lines) + "\n"
