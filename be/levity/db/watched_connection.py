"""psycopg2 connections whose statements can be watched for answers that never come
(`silence.py`).
"""

from typing import Any

from psycopg2.extensions import connection, cursor

from levity.db.silence import question

__all__ = ["WatchedConnection", "WatchedCursor"]


class WatchedCursor(cursor):
    """A cursor whose statements are watched, in a thread that asked for it."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  # as psycopg2 names it
        """See psycopg2."""
        asking = question()
        if asking is None:
            super().execute(query, vars)
            return
        asking.begin(self.connection)
        try:
            super().execute(query, vars)
        finally:
            asking.end()


class WatchedConnection(connection):
    """Its own statements at the end of a transaction are watched as well."""

    def commit(self) -> None:
        """See psycopg2."""
        self._ask(super().commit)

    def rollback(self) -> None:
        """See psycopg2."""
        self._ask(super().rollback)

    def _ask(self, ask: Any) -> None:
        asking = question()
        if asking is None:
            ask()
            return
        asking.begin(self)
        try:
            ask()
        finally:
            asking.end()
