"""What stands around every page: our stylesheet and script, and the way about."""

from contextlib import suppress

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from levity.pages.kit.hooks import Item, menu

__all__ = ["account_links", "icon", "live_script", "navigation", "script", "style"]


def style(request: HttpRequest) -> str:
    """The address of our stylesheet."""
    return static("levity/admin.css")


def script(request: HttpRequest) -> str:
    """The address of our script."""
    return static("levity/admin.js")


def live_script(request: HttpRequest) -> str:
    """The address of the script that renews pages."""
    return static("levity/live.js")


def icon(request: HttpRequest) -> str:
    """The address of the picture in the browser's tab."""
    return static("levity/icon.svg")


def navigation(request: HttpRequest) -> list[Item]:
    """The sidebar: only what this person may see."""
    start = {"title": "Overview", "icon": "dashboard", "link": reverse("levity:index")}
    return [{"items": [start]}, *menu(request)]


def account_links(request: HttpRequest) -> list[Item]:
    """Behind the person's name: what can be done about one's own login."""
    links = []
    for title, name in (
        ("Change password", "password_change"),
        # Only where levity.accounts is installed.
        ("Two-factor login", "two_factor"),
    ):
        with suppress(NoReverseMatch):
            links.append({"title": title, "link": reverse(f"levity:{name}")})
    return links
