"""How Django knows this app."""

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse

from levity.installation import needs

__all__ = ["IntegrationsConfig"]


def mqtt_page(request: HttpRequest) -> str:
    """For those who may see webhooks."""
    user: Any = request.user
    if not user.has_perm("integrations.view_webhook"):
        return ""
    return reverse("levity:integrations_mqtt")


class IntegrationsConfig(AppConfig):
    """The app `integrations`: what Levity tells others."""

    name = "levity.integrations"
    label = "integrations"
    verbose_name = "Integrations"
    levity_navigation = (
        (
            "Integrations",
            (
                ("Webhooks", "webhook", "integrations.webhook"),
                ("Deliveries", "outbox", "integrations.delivery"),
                ("Events", "rss_feed", "integrations.event"),
                ("MQTT", "hub", mqtt_page),
            ),
        ),
    )
    default_auto_field = "django.db.models.BigAutoField"

    def import_models(self) -> None:
        """They are about those of levity.ocpp."""
        needs("levity.integrations", "levity.ocpp")
        super().import_models()

    def ready(self) -> None:
        """Throw old events away when old messages are, and forget id tags with the others."""
        from levity.integrations.retention import forget_tag, forget_with_messages
        from levity.ocpp.decisions.forgetting import forgotten
        from levity.ocpp.decisions.retention import pruned

        pruned.connect(forget_with_messages, dispatch_uid="levity.integrations")
        forgotten.connect(forget_tag, dispatch_uid="levity.integrations")
