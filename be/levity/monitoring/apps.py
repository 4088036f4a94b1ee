"""How Django knows this app."""

from django.apps import AppConfig

__all__ = ["OperationConfig"]


class OperationConfig(AppConfig):
    """The app `operation`: health, metrics and alerts of a Levity."""

    name = "levity.monitoring"
    label = "operation"
    verbose_name = "Operation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from levity.monitoring import checks  # noqa: F401  (registers by being imported)
