"""CPU and memory of groups of processes, read from the system while a round runs."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import psutil

from levity_lab.bench.figures import between

__all__ = ["Members", "Watch", "of_broker", "of_children", "of_database"]

Members = Callable[[], Iterable[psutil.Process]]
"""The processes of a group as they are now."""

SAMPLE_SECONDS = 0.2
# Looking for new processes costs more than reading those that are known.
SEARCH_EVERY = 5
_MB = 1024 * 1024


def of_children(pids: Sequence[int]) -> Members:
    """These processes and all that they started."""

    def members() -> Iterable[psutil.Process]:
        for pid in pids:
            try:
                process = psutil.Process(pid)
                yield process
                yield from process.children(recursive=True)
            except psutil.NoSuchProcess:
                continue

    return members


def of_broker() -> Iterable[psutil.Process]:
    """RabbitMQ, where it runs on this machine; all of it, also what others ask of it."""
    return (each for each in psutil.process_iter(["name"]) if each.info["name"] == "beam.smp")


def of_database(name: str) -> Members:
    """Postgres, where it runs on this machine: the backends of this database, and those for all."""

    def members() -> Iterable[psutil.Process]:
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] != "postgres":
                continue
            title = " ".join(process.info["cmdline"] or ())
            words = title.split()
            if name in words or any(word in _FOR_ALL for word in words):
                yield process

    return members


# A word of the title of each process that works for all databases.
_FOR_ALL = frozenset({"walwriter", "checkpointer", "writer"})


class Watch:
    """Samples the groups in a thread of its own, between `with` and its end."""

    def __init__(self, groups: Mapping[str, Members]) -> None:
        self._groups = groups
        self._known: dict[str, dict[int, psutil.Process]] = {name: {} for name in groups}
        self._spent: dict[str, dict[int, float]] = {name: {} for name in groups}
        self._samples: dict[str, list[tuple[float, float]]] = {name: [] for name in groups}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._search()
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._sample()

    def cpu_seconds(self, begin: float, end: float) -> dict[str, float]:
        """What each group spent between these moments (POSIX seconds)."""
        return {name: between(samples, begin, end) for name, samples in self._samples.items()}

    def memory_mb(self) -> dict[str, float]:
        """Resident memory now, of each group's largest process."""
        sizes = {}
        for name, known in self._known.items():
            found = [_resident(process) for process in known.values()]
            if found:
                sizes[name] = max(found) / _MB
        return sizes

    def _run(self) -> None:
        rounds = 0
        while not self._over.wait(SAMPLE_SECONDS):
            rounds += 1
            if rounds % SEARCH_EVERY == 0:
                self._search()
            self._sample()

    def _search(self) -> None:
        for name, members in self._groups.items():
            for process in members():
                self._known[name].setdefault(process.pid, process)

    def _sample(self) -> None:
        for name, known in self._known.items():
            spent = self._spent[name]
            for pid, process in known.items():
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue  # what it has spent so far stays in the sum
                spent[pid] = times.user + times.system
            self._samples[name].append((time.time(), sum(spent.values())))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
