"""System check: the API is where its documentation, its clients and its own answers say."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import NoReverseMatch, reverse

__all__ = ["check_address"]

ADDRESS = "/api/docs"


@register(Tags.urls)
def check_address(**kwargs: Any) -> list[CheckMessage]:
    """api.E001: no address leads to the API, or one that it does not know."""
    try:
        found = reverse("api_docs")
    except NoReverseMatch:
        found = ""
    if found == ADDRESS:
        return []
    said = f"the API is at {found.removesuffix('docs')}" if found else "no address leads to the API"
    return [
        Error(
            f"{said}; it has to be at /api/, as its clients expect",
            hint='Add to urlpatterns in the root urls.py: path("api/", include("levity.api.urls"))',
            id="api.E001",
        )
    ]
