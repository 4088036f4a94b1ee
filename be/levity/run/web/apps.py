"""Levity's own project: its admin site is the default one, and its login has two steps."""

from typing import Any

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.backends.signals import connection_created

from levity.pages.apps import PagesConfig as AnyPagesConfig

__all__ = ["AdminConfig", "PagesConfig"]


class AdminConfig(DjangoAdminConfig):
    """Django's admin, with Levity's site for what apps register."""

    default_site = "levity.pages.site.the_site"

    def ready(self) -> None:
        """Refuse insecure settings; no regular expressions in SQLite."""
        from levity.run.web import production  # noqa: F401  (registers by being imported)

        super().ready()
        connection_created.connect(_without_regular_expressions)


class PagesConfig(AnyPagesConfig):
    """Levity's pages, with an admin site that asks for the second step of a login."""

    site_class = "levity.accounts.site.LevityAdminSite"


def _without_regular_expressions(connection: Any, **_: Any) -> None:
    """Django gives SQLite Python's regular expressions, which can block the interpreter for
    ever.
    """
    if connection.vendor == "sqlite":
        connection.connection.create_function("regexp", 2, None)
