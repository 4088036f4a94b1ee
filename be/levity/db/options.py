"""Levity's options for database connections, on SQLite and on Postgres."""

from typing import Any

__all__ = ["SQLITE", "tuned"]

# One writer at a time: a transaction takes the write lock when it begins, so it never fails
# half-way because another one was faster.
SQLITE: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: a committed StartTransaction survives a power cut, too.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
        "PRAGMA cache_size=-8000;"
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
