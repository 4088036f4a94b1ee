"""How Django knows this app."""

from django.apps import AppConfig

from levity.installation import needs

__all__ = ["OperationConfig"]


class OperationConfig(AppConfig):
    """The app `operation`: health, metrics and alerts."""

    name = "levity.monitoring"
    label = "operation"
    verbose_name = "Operation"
    default_auto_field = "django.db.models.BigAutoField"

    levity_navigation = (
        (
            "Trouble",
            (
                ("Alerts", "notifications", "operation.alert"),
                ("Alert rules", "forward_to_inbox", "operation.alertrule"),
            ),
        ),
    )
    levity_trouble = "levity.monitoring.admin.overview.open_alerts"

    def import_models(self) -> None:
        """They point to those of levity.ocpp."""
        needs("levity.monitoring", "levity.ocpp")
        super().import_models()

    def ready(self) -> None:
        """Register the system checks."""
        from levity.monitoring import checks  # noqa: F401  (registers by being imported)
