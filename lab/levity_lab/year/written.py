"""How much was written."""

import os
from pathlib import Path

from django.db import connection

__all__ = ["written"]


def written() -> int:
    """Bytes so far: to the WAL of the server, or by this process to its disk (SQLite, Linux)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
            return int(cursor.fetchone()[0])
    for line in Path(f"/proc/{os.getpid()}/io").read_text().splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    return 0
