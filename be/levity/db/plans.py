"""Statements that Postgres parses and plans once per connection instead of once per batch.

For a batch of one frame, planning is half of what a query costs. Only the worker's threads do so
(`plan_once`): all others, and everything on SQLite, execute the same text directly. Behind a pooler
that gives each transaction another connection (pgbouncer's transaction mode) this can't work: the
worker then continues without it; `OCPP_PREPARED_STATEMENTS = False` switches it off from the start.
"""

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from levity.db.outgrown import Sizes

__all__ = ["array_text", "lost_its_plan", "plain_value", "plan_once", "planned", "plans"]

log = logging.getLogger(__name__)

# A plan is kept for whatever values come, and until a table is ten times as large (`outgrown.py`):
# so it walks along indexes, even where reading a whole table would be cheaper today. Where there is
# no index after all, the forbidden way seems so dear that Postgres would compile it first, for
# 75 ms each time. A bitmap of all sessions that a connector ever had would be sorted for the newest
# five, which an index has in their order.
SESSION = (
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
    " SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    " SET enable_material = off; SET jit = off"
)
# SQLSTATE; the last is "cached plan must not change result type".
NO_SUCH_STATEMENT, DUPLICATE_STATEMENT, CHANGED_RESULT = "26000", "42P05", "0A000"

_thread = threading.local()
# Not empty: this process does not prepare statements, whatever its threads ask for.
_without: list[bool] = []


def plan_once() -> None:
    """From now on, this thread's connections plan their statements once; call it outside a
    transaction."""
    _thread.plans = True
    database = connections[DEFAULT_DB_ALIAS]
    if database.connection is not None:
        _begin(sender=None, connection=database)


@receiver(connection_created, dispatch_uid="levity.db.plans")
def _begin(sender: Any, connection: Any, **_: Any) -> None:
    if not getattr(_thread, "plans", False) or connection.vendor != "postgresql":
        return
    if _without:
        return
    with connection.cursor() as cursor:
        cursor.execute(SESSION)
    connection.levity_plans = (connection.connection, set(), Sizes())


def plans(database: Any) -> bool:
    """True if this Django connection plans its statements once."""
    begun = getattr(database, "levity_plans", None)
    return begun is not None and begun[0] is database.connection and not _without


def planned(database: Any, sql: str) -> str:
    """The statement to execute with the same parameters; already planned, if this connection does
    so.

    `database` is Django's connection, open. The name under which the statement is planned is a
    digest of its text.
    """
    if not plans(database):
        return sql
    own, begun, sizes = database.levity_plans
    name, prepare, execute = _texts(sql)
    if name not in begun:
        # Not with Django's cursor: statements that wait for a common round trip may continue to
        # wait.
        with database.wrap_database_errors, own.cursor() as cursor:
            sizes.note(sql, cursor)
            cursor.execute(prepare)
        begun.add(name)
    if sizes.is_due():
        with database.wrap_database_errors, own.cursor() as cursor:
            sizes.look(cursor)
    return execute


def lost_its_plan(error: Exception) -> bool:
    """True if the statement failed only because of how it was planned: try again, it will work.

    A migration may change what a planned statement reads; and a pooler may give each transaction
    another connection, which does not have our plans: then we stop using them.
    """
    code = getattr(error.__cause__, "pgcode", None)
    if code in (NO_SUCH_STATEMENT, DUPLICATE_STATEMENT) and not _without:
        log.warning(
            "Postgres does not keep prepared statements (pgbouncer?); continuing without them (to "
            "do so from the start: OCPP_PREPARED_STATEMENTS = False)"
        )
        _without.append(True)
        return True
    return code in (NO_SUCH_STATEMENT, DUPLICATE_STATEMENT, CHANGED_RESULT)


@lru_cache(maxsize=512)
def _texts(sql: str) -> tuple[str, str, str]:
    """The statement's name, its PREPARE and its EXECUTE."""
    name = "levity_" + sha256(sql.encode()).hexdigest()[:24]
    text, count = "", 0
    for piece in sql.split("%%"):
        first, *others = piece.split("%s")
        text += f"%{first}"
        for other in others:
            count += 1
            text += f"${count}{other}"
    text = text[1:]
    values = f"({', '.join(['%s'] * count)})" if count else ""
    return name, f"PREPARE {name} AS {text}", f"EXECUTE {name}{values}"


def array_text(values: Collection[Any]) -> str:
    """The values as the text of a Postgres array, for a parameter whose type is known there.

    psycopg2 writes `ARRAY['a', 'b']`, with a function call in Python for each value and a node to
    parse for each in Postgres; one text is cheaper for both. JSON has the same format, except for
    the brackets and for the escapes of control characters, which Postgres reads differently.
    """
    if not isinstance(values, list | tuple):
        values = list(values)
    try:
        text = orjson.dumps(values, default=str)
    except (TypeError, orjson.JSONEncodeError):  # a lone surrogate, a number above 64 bits
        return _array_of(values)
    if b"\\" in text and b"\\" in text.replace(b"\\\\", b"").replace(b'\\"', b""):
        return _array_of(values)
    return "{" + text[1:-1].decode() + "}"


def _array_of(values: Collection[Any]) -> str:
    """The same, value by value."""
    return "{" + ",".join([_WRITTEN.get(type(value), _other)(value) for value in values]) + "}"


def plain_value(value: Any) -> str | int | None:
    """The value for a parameter whose type is known there, in the form that psycopg2 writes
    fastest."""
    kind = type(value)
    if kind is str or kind is int or value is None or kind is bool:
        return value
    return value.isoformat() if kind is datetime else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _other(value: Any) -> str:
    """A choice is also a str."""
    return _quoted(value) if isinstance(value, str) else str(value)


_WRITTEN: dict[type, Callable[[Any], str]] = {
    str: _quoted,
    type(None): lambda _: "NULL",
    datetime: datetime.isoformat,
    int: repr,
}
