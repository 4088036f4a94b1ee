"""What stands around every page: our stylesheet and script, and the way about."""

from contextlib import suppress
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from levity.installation import is_levitys_own
from levity.pages.kit.hooks import Item, menu

__all__ = [
    "account_links",
    "icon",
    "language_address",
    "live_script",
    "navigation",
    "overview_style",
    "plots_script",
    "script",
    "shows_languages",
    "style",
]

# unfold's template asks each group and entry for these. What is not there Django looks for in five
# ways, and each costs an exception: 110 of them were a tenth of a page's time.
GROUP: Item = {"title": "", "separator": False, "collapsible": False, "badge": None}
ENTRY: Item = {"badge": None, "link_callback": None}


def style(request: HttpRequest) -> str:
    """The address of our stylesheet."""
    return static("levity/admin.css")


def script(request: HttpRequest) -> str:
    """The address of our script."""
    return static("levity/admin.js")


def live_script(request: HttpRequest) -> str:
    """The address of the script that renews pages."""
    return static("levity/live.js")


def overview_style(request: HttpRequest) -> str:
    """The address of the stylesheet of bays and plots."""
    return static("levity/overview.css")


def plots_script(request: HttpRequest) -> str:
    """The address of the script that draws plots."""
    return static("levity/plots.js")


def shows_languages(request: HttpRequest) -> bool:
    """Whether people choose their language here: another project has a way of its own."""
    return is_levitys_own()


def language_address(request: HttpRequest) -> str:
    """Where the chosen language goes."""
    return reverse("levity:set_language")


def icon(request: HttpRequest) -> str:
    """The address of the picture in the browser's tab."""
    return static("levity/icon.svg")


def navigation(request: HttpRequest) -> list[Item]:
    """The sidebar: only what this person may see."""
    start = [{"title": _("Overview"), "icon": "dashboard", "link": reverse("levity:index")}]
    user: Any = request.user
    if user.is_superuser:
        link = reverse("levity:first_run")
        start.append({"title": _("First steps"), "icon": "checklist", "link": link})
    return [
        {**GROUP, **group, "items": [{**ENTRY, **entry} for entry in group["items"]]}
        for group in ({"items": start}, *menu(request))
    ]


def account_links(request: HttpRequest) -> list[Item]:
    """Behind the person's name: what can be done about one's own login."""
    links = []
    for title, name in (
        (_("Change password"), "password_change"),
        # Only where levity.accounts is installed.
        (_("Two-factor login"), "two_factor"),
    ):
        with suppress(NoReverseMatch):
            links.append({"title": title, "link": reverse(f"levity:{name}")})
    return links
