"""How Django knows this app."""

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse

from levity.installation import needs

__all__ = ["ApiConfig"]

NEEDED = (
    "levity.ocpp",
    "levity.monitoring",
    "levity.pages",
    "levity.files",
    "levity.integrations",
    "levity.billing",
)


def tokens_address(request: HttpRequest) -> str:
    """The list of tokens, for who may have some; people of one site have their own, too."""
    user: Any = request.user
    if not user.has_perm("api.view_apitoken"):
        return ""
    return reverse("levity:api_apitoken_changelist")


class ApiConfig(AppConfig):
    """The app `api`: tokens, and the REST API."""

    name = "levity.api"
    label = "api"
    verbose_name = "API"
    default_auto_field = "django.db.models.BigAutoField"

    levity_navigation = (("People", (("API tokens", "key", tokens_address),)),)

    def import_models(self) -> None:
        """They point to those of levity.ocpp; the resources are what all of these apps have."""
        needs("levity.api", *NEEDED)
        super().import_models()

    def ready(self) -> None:
        """Register the system check."""
        from levity.api import checks  # noqa: F401  (registers by being imported)
