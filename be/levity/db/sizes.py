"""What a database and its tables take on the disk."""

from collections.abc import Collection

from django.db import OperationalError, connection

__all__ = ["free_size", "table_sizes", "whole_size"]

# An empty table of SQLite has a page, as has each of its indexes.
_PAGE = 4096
_EMPTY = 8 * _PAGE


def whole_size() -> int:
    """Bytes of the whole database, with what deleted rows have left free in it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        return _pragma(cursor, "page_count") * _pragma(cursor, "page_size")


def free_size() -> int:
    """Bytes in a SQLite file that new rows will use before it grows; 0 on Postgres, where each
    table keeps its own."""
    if connection.vendor == "postgresql":
        return 0
    with connection.cursor() as cursor:
        return _pragma(cursor, "freelist_count") * _pragma(cursor, "page_size")


def table_sizes(names: Collection[str]) -> dict[str, int]:
    """Bytes of these tables, each with its indexes and large values; empty ones are left out.

    Reads the whole file on SQLite: a second for each gigabyte or so. The result is empty where
    SQLite was built without `dbstat`.
    """
    found = _postgres(names) if connection.vendor == "postgresql" else _sqlite(names)
    return {name: size for name, size in found.items() if size > _EMPTY}


def _postgres(names: Collection[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(pg_class.oid) FROM pg_class"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE relname = ANY(%s) AND relkind = 'r' AND nspname = current_schema()",
            [list(names)],
        )
        return {name: int(size) for name, size in cursor.fetchall()}


def _sqlite(names: Collection[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = 1")
        except OperationalError:
            return {}
        sizes = dict(cursor.fetchall())
        cursor.execute("SELECT name, tbl_name FROM sqlite_master")
        found: dict[str, int] = dict.fromkeys(names, 0)
        for name, table in cursor.fetchall():
            if table in found:
                found[table] += int(sizes.get(name, 0))
        return found


def _pragma(cursor: "object", name: str) -> int:
    return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[attr-defined]  # a cursor of Django's
