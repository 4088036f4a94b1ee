"""How Django knows this app."""

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse

from levity.installation import needs

__all__ = ["ApiConfig"]


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
        """They point to those of levity.ocpp."""
        needs("levity.api", "levity.ocpp")
        super().import_models()
