"""How Django knows this app."""

from django.apps import AppConfig

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
