"""System checks: what the pages miss in a project is named, with the line to add."""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse

from levity.pages.kit.hooks import problems

__all__ = ["check_addresses", "check_apps", "check_hooks", "check_templates"]

# What the pages use, and the entry of INSTALLED_APPS.
NEEDED = {
    "django.contrib.admin": "django.contrib.admin",
    "levity.ocpp": "levity.ocpp",
    "unfold": "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters": "unfold.contrib.filters",
}


@register(Tags.compatibility)
def check_apps(**kwargs: Any) -> list[CheckMessage]:
    """pages.E001: an app is missing that the pages use."""
    return [
        Error(
            f"Levity's pages need {name}",
            hint=f'Add to the settings: INSTALLED_APPS += ["{entry}"]',
            id="pages.E001",
        )
        for name, entry in NEEDED.items()
        if not apps.is_installed(name)
    ]


@register(Tags.urls)
def check_addresses(**kwargs: Any) -> list[CheckMessage]:
    """pages.E002: no address leads to the pages."""
    try:
        reverse("levity:index")
    except NoReverseMatch:
        return [
            Error(
                "no address leads to Levity's pages",
                hint="Add to the root urls.py: from levity.pages.site import site, and in "
                'urlpatterns: path("levity/", site.urls)',
                id="pages.E002",
            )
        ]
    return []


@register(Tags.templates)
def check_templates(**kwargs: Any) -> list[CheckMessage]:
    """pages.W001: the templates of unfold stand before those of the project's own admin."""
    if "django.contrib.admin" not in {config.name for config in apps.get_app_configs()}:
        return []
    # In Levity's own project, and where a project has unfold for its own pages, they shall.
    from django.contrib import admin
    from unfold.sites import UnfoldAdminSite

    if isinstance(admin.site, UnfoldAdminSite):
        return []
    try:
        found = Path(str(get_template("admin/base.html").origin))  # type: ignore[attr-defined]
    except TemplateDoesNotExist:
        return []
    if "unfold" not in found.parts:
        return []
    return [
        Warning(
            "the project's own admin is shown with the templates of Levity's pages",
            hint='In INSTALLED_APPS, move "unfold.apps.BasicAppConfig" behind '
            '"django.contrib.admin".',
            id="pages.W001",
        )
    ]


@register(Tags.compatibility)
def check_hooks(**kwargs: Any) -> list[CheckMessage]:
    """pages.E003: a `levity_...` attribute of an app that pages read is wrong."""
    return [
        Error(
            f"{config.name}: {problem}",
            hint="docs/extending.md, “Menu entries and tiles”, shows a whole example.",
            id="pages.E003",
        )
        for config in apps.get_app_configs()
        for problem in problems(config)
    ]
