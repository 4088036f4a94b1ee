"""The database of a site under test, read from outside."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dj_database_url
from django.db import connections
from django.db.models import Model, QuerySet

from tests.migrated import execute, template

__all__ = ["Books", "postgres_database"]


class Books:
    """A connection for each look: it sees what is committed, and holds nothing open.

    `blocker` is pytest-django's: these databases are not the one it guards.
    """

    def __init__(self, url: str, blocker: Any) -> None:
        self.alias = f"books-{uuid.uuid4().hex[:8]}"
        self._blocker = blocker
        config = dict(dj_database_url.parse(url))
        connections.settings[self.alias] = connections.configure_settings({"default": config})[
            "default"
        ]

    @contextmanager
    def open(self, model: type[Model]) -> Iterator[QuerySet[Any]]:
        """All rows of a model, for this block."""
        with self._blocker.unblock():
            try:
                yield model._default_manager.using(self.alias).all()
            finally:
                connections[self.alias].close()
                del connections[self.alias]

    def rows(self, model: type[Model], *fields: str, **filters: Any) -> list[tuple[Any, ...]]:
        """These fields of the rows that match, in the order of their making."""
        with self.open(model) as all_rows:
            return list(all_rows.filter(**filters).order_by("pk").values_list(*fields))

    def row(self, model: type[Model], *fields: str, **filters: Any) -> dict[str, Any]:
        """These fields of the one row that matches."""
        with self.open(model) as all_rows:
            found = list(all_rows.filter(**filters).values(*fields))
        assert len(found) == 1, f"{len(found)} rows of {model.__name__} for {filters}"
        return found[0]

    def count(self, model: type[Model], **filters: Any) -> int:
        """How many rows match."""
        with self.open(model) as all_rows:
            return all_rows.filter(**filters).count()


@contextmanager
def postgres_database(server: str, *, migrated: bool = False) -> Iterator[str]:
    """A new database on the server at this URL; dropped afterwards. Yields its URL.

    It is empty, or has the tables of today.
    """
    name = f"levity_test_{uuid.uuid4().hex[:12]}"
    like = f" TEMPLATE {template(server)}" if migrated else ""
    execute(server, f'CREATE DATABASE "{name}"{like}')
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')
