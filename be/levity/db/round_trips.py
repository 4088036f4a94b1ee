"""A transaction in as few round trips to Postgres as possible.

For a batch of one frame, a round trip costs as much as the query in it. So BEGIN, and statements
without a result (`ahead`), are sent with the first query, and COMMIT with the last writes. Only the
worker's threads do so, as with plans (`plans.py`); elsewhere this is `transaction.atomic`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

from levity.db.plans import planned, plans

__all__ = ["ahead", "in_few_trips", "rows_of", "write_last"]


UUID = 2950
"""The number of this type in Postgres."""


class _Trips(threading.local):
    """The state of this thread's transaction, if it is one of ours."""

    waiting: list[str] | None = None
    """What is sent with the next statement."""
    begun = False
    """BEGIN was sent, but neither COMMIT nor ROLLBACK."""


_trips = _Trips()


@contextmanager
def in_few_trips() -> Iterator[None]:
    """`transaction.atomic()`, outermost; see above."""
    database = connections[DEFAULT_DB_ALIAS]
    nested = database.in_atomic_block
    with transaction.atomic():
        if nested or not plans(database):
            yield
            return
        # Otherwise psycopg2 would send a BEGIN of its own. Django resets this at the end.
        database.connection.autocommit = True
        _trips.waiting, _trips.begun = ["BEGIN"], False
        try:
            with database.execute_wrapper(_with_what_waits):
                yield
            if _trips.begun:
                _end(database, "ROLLBACK" if database.needs_rollback else "COMMIT")
        except BaseException:
            # A connection that is gone has rolled back; Django finds that out by itself.
            with suppress(Error):
                if _trips.begun:
                    _end(database, "ROLLBACK")
            raise
        finally:
            _trips.waiting, _trips.begun = None, False


def ahead(sql: str, values: Sequence[Any]) -> None:
    """Execute this before the next statement, in the same round trip; its result is ignored."""
    database = connections[DEFAULT_DB_ALIAS]
    if _trips.waiting is not None:
        _trips.waiting.append(_in_words(database, planned(database, sql), values))
        return
    with database.cursor() as cursor:
        cursor.execute(planned(database, sql), values)


def rows_of(database: Any, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What this query finds; `database` is Django's connection.

    If no wrapper needs to see it, without Django's cursor, whose layers cost as much as the round
    trip to Postgres. Then a UUID may come as its text, which is what `str` makes of the object that
    Django's driver builds of that text.
    """
    waiting = _waiting_unseen(database)
    if waiting is None:
        with database.cursor() as cursor:
            cursor.execute(planned(database, sql), values)
            return list(cursor.fetchall())
    text = planned(database, sql)
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        cursor.tzinfo_factory = database.tzinfo_factory
        _let_uuids_be_text(cursor)
        cursor.execute(_after(waiting, text), values)
        return list(cursor.fetchall())


def _let_uuids_be_text(cursor: Any) -> None:
    register, kind = _uuid_text()
    register(kind, cursor)


@cache
def _uuid_text() -> tuple[Callable[..., None], Any]:
    # Only with Postgres: SQLite works without the driver.
    from psycopg2.extensions import UNICODE, new_type, register_type

    return register_type, new_type((UUID,), "UUID_TEXT", UNICODE)


def write_last(database: Any, text: str, values: Sequence[Any]) -> None:
    """Execute the last statements of a transaction, with its COMMIT if it is ours to send."""
    waiting = _waiting_unseen(database)
    if waiting is None:
        with database.cursor() as cursor:
            cursor.execute(_with_commit(text, database), values)
    else:
        with database.wrap_database_errors, database.connection.cursor() as cursor:
            cursor.execute(_after(waiting, _with_commit(text, database)), values)
    if _trips.waiting is not None and not database.savepoint_ids:
        # What follows is another transaction.
        _trips.waiting, _trips.begun = ["BEGIN"], False


def _waiting_unseen(database: Any) -> list[str] | None:
    """What is sent with the next statement; None if a wrapper needs to see the statements."""
    if _trips.waiting is None:
        # No transaction at all, for instance to look whether there is something to do.
        alone = not (
            database.in_atomic_block or database.execute_wrappers or database.queries_logged
        )
        return [] if alone and plans(database) else None
    if database.execute_wrappers != [_with_what_waits]:
        return None
    database.validate_no_broken_transaction()
    return _trips.waiting


def _in_words(database: Any, sql: str, values: Sequence[Any]) -> str:
    """The statement with its values, as psycopg2 would send it."""
    with database.connection.cursor() as cursor:
        text: str = cursor.mogrify(sql, values).decode()
    return text


def _with_commit(text: str, database: Any) -> str:
    ours = _trips.waiting is not None and not database.savepoint_ids
    return f"{text};\nCOMMIT" if ours else text


def _with_what_waits(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
    if _trips.waiting:
        sql = _after(_trips.waiting, sql, quoting=parameters is not None)
    return execute(sql, parameters, many, context)


def _after(waiting: Sequence[str], sql: str, *, quoting: bool = True) -> str:
    if not waiting:
        return sql
    _trips.waiting, _trips.begun = [], True
    before = ";\n".join(waiting)
    # It already contains the values: a % in them is not a placeholder.
    return f"{before.replace('%', '%%') if quoting else before};\n{sql}"


def _end(database: Any, text: str) -> None:
    _trips.begun = False
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        cursor.execute(text)
