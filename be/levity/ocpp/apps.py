"""How Django knows this app."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

__all__ = ["OcppConfig"]


class OcppConfig(AppConfig):
    """The app `ocpp`: its label is the first part of every table and admin address."""

    name = "levity.ocpp"
    label = "ocpp"
    verbose_name = "OCPP"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from levity.ocpp import checks  # noqa: F401  (registers by being imported)

        connection_created.connect(_without_regular_expressions)


def _without_regular_expressions(connection: Any, **_: Any) -> None:
    """Django lends SQLite those of Python, which can hold the interpreter for ever."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("regexp", 2, None)
