"""An empty database after each test that commits, in milliseconds.

Django truncates every table, writes each one's new files to the disk and makes all permissions
anew: two seconds on Postgres for each such test. Nearly all tables are empty anyway; deleting what
is in the others leads to the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.test import TransactionTestCase

__all__ = ["flush_quickly"]

Rows = dict[str, list[tuple[Any, ...]]]

_teardown = TransactionTestCase._fixture_teardown
# Database -> what Django's own way leaves behind: permissions, content types, roles.
_left: dict[str, Rows] = {}


def flush_quickly() -> None:
    """From now on."""
    TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[method-assign]


def _fixture_teardown(case: Any) -> None:
    database = connections[DEFAULT_DB_ALIAS]
    name = str(database.settings_dict["NAME"])
    if not case.serialized_rollback and case.databases == {DEFAULT_DB_ALIAS}:
        left = _left.get(name)
        if left is not None and _deleted(database, left):
            return
    with _without_triggers(database):
        _teardown(case)
    _left[name] = _contents(database, _filled(database))


def _deleted(database: Any, left: Rows) -> bool:
    """True if nothing is there any more but what always is."""
    try:
        filled = _filled(database)
        if _contents(database, left.keys()) != left:
            return False
        added = [database.ops.quote_name(table) for table in filled if table not in left]
        if not added:
            return True
        texts = [f"DELETE FROM {table}" for table in added]
        with database.constraint_checks_disabled(), database.cursor() as cursor:
            if database.vendor == "postgresql":
                # Constraints are triggers there.
                role = "SET LOCAL session_replication_role = replica"
                cursor.execute(";".join(["BEGIN", role, *texts, "COMMIT"]))
            else:
                with _without_triggers(database):
                    for text in texts:
                        cursor.execute(text)
    except Error:
        database.close()
        return False
    return True


@contextmanager
def _without_triggers(database: Any) -> Iterator[None]:
    """Let even closed statements go, on SQLite."""
    if database.vendor != "sqlite":
        yield
        return
    with database.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {database.ops.quote_name(name)}")
        try:
            yield
        finally:
            for _, made in triggers:
                cursor.execute(made)


def _filled(database: Any) -> list[str]:
    tables = database.introspection.django_table_names(only_existing=True, include_views=False)
    quoted = database.ops.quote_name
    each = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quoted(name)})" for name in tables]
    with database.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return [name for (name,) in cursor.fetchall()]


def _contents(database: Any, tables: Any) -> Rows:
    found: Rows = {}
    with database.cursor() as cursor:
        for name in tables:
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(name)}")
            found[name] = sorted(cursor.fetchall(), key=repr)
    return found
