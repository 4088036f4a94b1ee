"""How Levity wants its database to be connected, on SQLite and on Postgres."""

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
# A server that is gone without a word (a pulled cable, a firewall that forgot us) is noticed
# within a minute; by default Linux asks after two hours, and a worker would wait as long.
POSTGRES: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # A lock that is held for ever fails the one statement, not the whole worker. A worker that
    # stands still in the middle of a batch loses it as soon as no edge waits for it any more, and
    # whoever waits for that worker's locks goes on.
    "options": "-c statement_timeout=30000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=20000",
}


def tuned(database: dict[str, Any]) -> dict[str, Any]:
    """This entry of DATABASES with Levity's options; its own OPTIONS come before them."""
    own = database.get("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        return {"CONN_MAX_AGE": None, **database, "OPTIONS": {**SQLITE, **own}}
    if database["ENGINE"] != "django.db.backends.postgresql":
        return database
    from levity.db.watched_connection import WatchedConnection, WatchedCursor

    watched = {
        # A server that acknowledges and says nothing is not noticed by the above: workers hang up
        # on it.
        "connection_factory": WatchedConnection,
        "cursor_factory": WatchedCursor,
    }
    return {
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 600,
        **database,
        "OPTIONS": {**POSTGRES, **watched, **own},
    }
