"""What a message writes to the disk, and how often it waits for the disk.

    python -m levity_lab.bench.disk        (SQLite: a database of its own, watched by strace)
    DATABASE_URL=... python -m levity_lab.bench.disk    (Postgres: an empty, migrated database on a
                                            server that nobody else uses, as a superuser)

One frame a batch, as on a site with few chargers, and at the end ten. docs/evidence/storage.md
says what it means.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from levity_lab.bench.processes import python
from levity_lab.bench.statements import Charger
from levity_ws.rpc.envelope import Batch, Event, Received, Send

__all__ = ["Counted", "main", "read_trace"]

BATCHES, TOGETHER = 440, 10
# What twenty chargers say in five minutes, after which Postgres writes a checkpoint.
A_CHECKPOINT = 54
PAGE = 8192
PHASES = (
    "Heartbeat",
    "MeterValues of 4 samples",
    "whole sessions",
    f"whole sessions, {TOGETHER} frames a batch",
)
_METER = (
    '[2,"m%d","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%s",'
    '"sampledValue":[{"value":"%d","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    '{"value":"7210","measurand":"Power.Active.Import","unit":"W"},'
    '{"value":"31.3","measurand":"Current.Import","phase":"L1","unit":"A"},'
    '{"value":"230.1","measurand":"Voltage","phase":"L1-N","unit":"V"}]}]}]'
)


class Counted:
    """What one phase did to the disk."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        """Bytes, by where they went."""
        self.waits = 0
        """fsync and fdatasync."""

    def line(self, name: str, messages: int) -> str:
        """For people, each message's share."""
        total = sum(self.written.values()) / messages
        parts = ", ".join(f"{what} {count / messages:,.0f}" for what, count in self.written.items())
        return f"{name:<32}{self.waits / messages:5.2f} waits {total:8,.0f} bytes ({parts})"


class _Site:
    """Chargers, and the pipeline that takes what they say."""

    def __init__(self) -> None:
        import django

        django.setup()
        from levity.ocpp.worker.pipeline import Pipeline

        self._pipeline = Pipeline()
        self._chargers = [Charger(number) for number in range(1, TOGETHER + 1)]
        self._count = 0
        for charger in self._chargers:
            self._take([charger], [charger.connected()])
            self._take([charger], [charger.boot()])

    def phase(self, number: int) -> Iterator[None]:
        """Each of its batches."""
        first = self._chargers[0]
        if number == 1:
            while first.action != "StartTransaction":
                self._take([first], [first.next()])
        for count in range(BATCHES):
            if number == 0:
                self._say(first, f'[2,"h{count}","Heartbeat",{{}}]')
            elif number == 1:
                at = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime()) + f"{count:03d}Z"
                self._say(first, _METER % (count, first.frames.transaction_id, at, count))
            else:
                chargers = self._chargers[: TOGETHER if number == 3 else 1]
                self._take(chargers, [each.next() for each in chargers])
            yield

    def _say(self, charger: Charger, text: str) -> None:
        event = Received(charger.name, charger.connection, charger.seq, time.time(), text)
        charger.seq += 1
        self._take([], [event])

    def _take(self, chargers: Sequence[Charger], events: Sequence[Event]) -> None:
        batch = Batch("disk", uuid.uuid4().hex, tuple(events))
        said = self._pipeline.take(batch, "disk").reply.commands
        by_connection = {each.connection: each for each in chargers}
        for command in said:
            if isinstance(command, Send) and (charger := by_connection.get(command.connection)):
                charger.answered(command.text)


def read_trace(lines: Iterable[str]) -> list[Counted]:
    """What strace saw, by phase: `getppid` begins one, and the one after the last."""
    phases: list[Counted] = []
    for line in lines:
        call, _, rest = line.partition(" ")[2].lstrip().partition("(")
        if call == "getppid":
            phases.append(Counted())
        elif phases and call in ("fsync", "fdatasync"):
            phases[-1].waits += 1
        elif phases and call == "pwrite64":
            path, result = rest.partition(">")[0], rest.rpartition("= ")[2]
            if ".sqlite3" in path and result.strip().isdecimal():
                where = "log" if path.endswith("-wal") else "database"
                phases[-1].written[where] += int(result)
    return phases[:-1]


def _of_sqlite() -> list[Counted]:
    with tempfile.TemporaryDirectory(prefix="levity-disk-") as folder:
        environ = {**os.environ, "LEVITY_DATA_DIR": folder, "SECRET_KEY": "of-no-value-" * 5}
        environ["DJANGO_SETTINGS_MODULE"] = "levity.settings"
        migrate = python("levity", "migrate", "--verbosity", "0")
        subprocess.run(migrate, env=environ, check=True)  # noqa: S603  # ours
        trace = Path(folder) / "trace"
        # -f: all threads; -y: a file's name beside its number.
        watched = ["strace", "-f", "-y", "-o", str(trace)]
        watched += ["-e", "trace=pwrite64,fsync,fdatasync,getppid"]
        child = [*watched, *python("levity_lab.bench.disk", "--child")]
        subprocess.run(child, env=environ, check=True)  # noqa: S603  # ours
        with trace.open(errors="replace") as lines:
            return read_trace(lines)


def _child() -> None:
    site = _Site()
    for number in range(len(PHASES)):
        os.getppid()
        for _ in site.phase(number):
            pass
    os.getppid()


def _of_postgres(url: str) -> list[Counted]:
    import psycopg2

    site, found = _Site(), []
    with contextlib.closing(psycopg2.connect(url)) as database:
        database.autocommit = True
        ask = _asking(database)
        for number in range(len(PHASES)):
            with database.cursor() as cursor:
                cursor.execute("CHECKPOINT")
            before = ask()
            for count, _ in enumerate(site.phase(number), start=1):
                if count % max(1, A_CHECKPOINT // (TOGETHER if number == 3 else 1)) == 0:
                    with database.cursor() as cursor:
                        cursor.execute("CHECKPOINT")
            wal, writes, waits, pages = (
                int(now - then) for now, then in zip(ask(), before, strict=True)
            )
            counted = Counted()
            # Each time whole pages are written: that which was begun before, and those after it.
            counted.written.update({"log": wal + writes * PAGE, "database": pages * PAGE})
            counted.waits = waits
            found.append(counted)
    return found


def _asking(database: Any) -> Callable[[], tuple[Any, ...]]:
    def ask() -> tuple[Any, ...]:
        # Other backends tell what they have counted once a second.
        time.sleep(1.5)
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), wal_write, wal_sync,"
                " buffers_checkpoint + buffers_clean + buffers_backend"
                " FROM pg_stat_wal, pg_stat_bgwriter"
            )
            return tuple(cursor.fetchone())

    return ask


def main() -> int:
    """Print a line for each phase."""
    if "--child" in sys.argv:
        _child()
        return 0
    url = os.environ.get("DATABASE_URL")
    for number, counted in enumerate(_of_postgres(url) if url else _of_sqlite()):
        print(counted.line(PHASES[number], BATCHES * (TOGETHER if number == 3 else 1)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
