"""Levity's options for database connections, on SQLite and on Postgres."""

from typing import Any

__all__ = ["SQLITE", "tuned"]

# One writer at a time: a transaction takes the write lock when it begins, so it never fails
# half-way because another one was faster.
SQLITE: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # Measured in docs/evidence/storage.md. WAL with FULL: one wait for the disk a commit, and what
    # was answered survives a power cut. A checkpoint after 1000 pages: four times as many save 2 %
    # of what is written, and have to be read again after one. The page stays SQLite's of 4096
    # bytes, that of the file system: with smaller ones less is written, but a cut in the middle of
    # one tears its neighbours, too, of which the log has no copy. A log that one large transaction
    # has let grow is cut back, or it keeps that size.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; "
        "PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000;"
    ),
}
# A server that disappears without notice (a pulled cable, a firewall that dropped its state) is
# noticed within a minute; by default Linux checks after two hours, and a worker would wait as long.
POSTGRES: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # A lock that is held for ever fails one statement, not the whole worker. A worker that is
    # paused in the middle of a batch loses its transaction as soon as no edge waits for the batch
    # any more, so that others that wait for its locks can continue.
    "options": "-c statement_timeout=30000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=20000",
}


def tuned(database: dict[str, Any]) -> dict[str, Any]:
    """This entry of DATABASES with Levity's options; its own OPTIONS take precedence."""
    own = database.get("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        return {"CONN_MAX_AGE": None, **database, "OPTIONS": {**SQLITE, **own}}
    if database["ENGINE"] != "django.db.backends.postgresql":
        return database
    from levity.db.watched_connection import WatchedConnection, WatchedCursor

    watched = {
        # The above does not notice a server that acknowledges but never answers: workers close its
        # connection.
        "connection_factory": WatchedConnection,
        "cursor_factory": WatchedCursor,
    }
    return {
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 600,
        **database,
        "OPTIONS": {**POSTGRES, **watched, **own},
    }
