"""What a round writes: bytes of WAL, and bytes by which its tables grow, indexes included."""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

import psycopg2
from psycopg2 import sql

from levity_lab.bench.figures import between

__all__ = ["WAL", "Growth"]

WAL = "WAL"
SAMPLE_SECONDS = 0.5


class Growth:
    """Samples the counters in a thread of its own, between `with` and its end.

    `tables` are names of tables by what they keep. WAL is the server's: what others write into
    other databases meanwhile is in it. Raises psycopg2's errors from `with`, none later: where
    Postgres goes away, the round fails anyway.
    """

    def __init__(self, url: str, tables: Mapping[str, str]) -> None:
        self._url = url
        self._names = (WAL, *tables)
        self._query = _query(list(tables.values()))
        self._samples: list[tuple[float, Sequence[int]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="growth", daemon=True)

    def __enter__(self) -> "Growth":
        self._database = psycopg2.connect(self._url)
        self._database.autocommit = True
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        with contextlib.suppress(psycopg2.Error):
            self._sample()
        self._database.close()

    def bytes_grown(self, begin: float, end: float) -> dict[str, float]:
        """Bytes written between these moments (POSIX seconds), by counter."""
        return {
            name: between([(at, counted[place]) for at, counted in self._samples], begin, end)
            for place, name in enumerate(self._names)
        }

    def _run(self) -> None:
        with contextlib.suppress(psycopg2.Error):
            while not self._over.wait(SAMPLE_SECONDS):
                self._sample()

    def _sample(self) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(self._query)
            counted = cursor.fetchone()
        self._samples.append((time.time(), [int(value) for value in counted]))


def _query(tables: Sequence[str]) -> sql.Composed:
    sizes = [sql.SQL("pg_total_relation_size({})").format(sql.Literal(name)) for name in tables]
    wal = sql.SQL("pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join([wal, *sizes]))
