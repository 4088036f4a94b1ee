"""Levity's admin site: a site of its own, beside the one that a project has already.

In Levity's own project it is Django's default site as well (levity/run/web/apps.py), so that
`admin.register` of an app puts its pages here.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import InvalidPage, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.functional import LazyObject, SimpleLazyObject
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy
from django.views.i18n import set_language
from unfold.sites import UnfoldAdminSite

from levity.pages.kit import finding, live
from levity.pages.kit.engine import with_own_templates
from levity_ws import __version__

__all__ = ["NAME", "UNFOLD", "PagesSite", "site", "the_site"]

# The namespace of its addresses: reverse("levity:ocpp_chargepoint_changelist").
NAME = "levity"
# Of what Ctrl-K finds.
MOST_FOUND = 60

# What stands around the pages. The setting LEVITY_UNFOLD replaces some or all of it; UNFOLD, if a
# project has it, is for its own pages.
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Levity",
    "SITE_HEADER": "Levity",
    "SITE_SUBHEADER": f"EV charging, release {__version__}",
    "SITE_SYMBOL": "ev_station",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "levity.pages.overview.page.summary",
    "STYLES": ["levity.pages.navigation.style", "levity.pages.navigation.overview_style"],
    "SCRIPTS": [
        "levity.pages.navigation.script",
        "levity.pages.navigation.live_script",
        "levity.pages.navigation.plots_script",
    ],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "levity.pages.navigation.icon"},
    ],
    "ACCOUNT": {"navigation": "levity.pages.navigation.account_links"},
    "SHOW_LANGUAGES": "levity.pages.navigation.shows_languages",
    "LANGUAGES": {"action": "levity.pages.navigation.language_address"},
    "SIDEBAR": {"navigation": "levity.pages.navigation.navigation"},
}


class PagesSite(UnfoldAdminSite):
    """For staff of the project, who log in as they do everywhere in it."""

    settings_name = "LEVITY_UNFOLD"
    index_template = "levity/index.html"
    index_title = gettext_lazy("Overview")
    # The same dash as everywhere on the pages.
    empty_value_display = "\N{EN DASH}"

    def __init__(self, name: str = NAME) -> None:
        super().__init__(name)

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        """With templates from Levity's engine, whose `admin:...` are addresses of this site.

        Django says so in its own views only; a page of ours would link to the project's admin.
        """
        return super().admin_view(self._here(with_own_templates(view)), cacheable)

    def _here(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.current_app = self.name
            return view(request, *args, **kwargs)

        return inner

    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The password, where the person is not logged in to the project."""
        return with_own_templates(super().login)(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The lists of all models, made where a page shows them: Django asks on every page."""
        made = super().get_app_list
        return SimpleLazyObject(lambda: made(request, app_label))

    def get_urls(self) -> list[URLPattern]:
        """With the first steps, and the choice of a language."""
        return [
            path("language/", self.admin_view(set_language), name="set_language"),
            path("first-steps/", self.admin_view(self.first_run), name="first_run"),
            path("first-steps/<slug:name>/", self.admin_view(self.first_run), name="first_step"),
            *super().get_urls(),
        ]

    def first_run(self, request: HttpRequest, name: str = "") -> HttpResponse:
        """What a new installation asks once."""
        return _view("first_run.view.first_run_view")(request, name)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The overview, or what has changed on it, or the plots alone, or one as CSV."""
        if "csv" in request.GET:
            return _overview("csv_view")(request, request.GET["csv"])
        if request.GET.get("part") == "plots":
            return _overview("plots_view")(request)
        extra = {
            **(extra_context or {}),
            "live_every": live.EVERY,
            "live_now": live.now_of_browsers(),
        }
        answer = super().index(request, extra)
        if not live.wants_changes(request):
            return answer
        context = getattr(answer, "context_data", None) or {}
        part = live.rendered("levity/overview_live.html", context, request)
        return live.changed_page(request, {"lv-dashboard": part})

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The search of the sidebar, and of Ctrl-K; a page that is none is not found.

        What Ctrl-K finds is not kept, as unfold does: it depends on what a person may see now.
        """
        term = request.GET.get("s", "").strip()
        if term and "extended" in request.GET:
            pages = self._search_apps(self.get_app_list(request), term.lower())
            results = [*finding.found(self, request, term), *pages]
            pages_of = Paginator(results, MOST_FOUND)
            return TemplateResponse(
                request,
                "unfold/helpers/command_results.html",
                {
                    "page_obj": pages_of,
                    "results": pages_of.get_page(1),
                    "page_counter": 0,
                    "execution_time": 0.0,
                },
                headers={"HX-Trigger": "search"},
            )
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404("there is no such page") from error


def _overview(name: str) -> Callable[..., HttpResponse]:
    return _view(f"overview.page.{name}")


def _view(name: str) -> Callable[..., HttpResponse]:
    """A view of `levity.pages` that stands above this module."""
    found: Callable[..., HttpResponse] = import_string(f"levity.pages.{name}")
    return found


class _Site(LazyObject):
    """Made when it is first used: the settings say of which class."""

    def _setup(self) -> None:
        config: Any = apps.get_app_config("levity_pages")
        self._wrapped = import_string(config.site_class)()

    def __repr__(self) -> str:
        return repr(self._wrapped)


site: Any = _Site()


def the_site() -> AdminSite:
    """For `AdminConfig.default_site`, which Django calls."""
    made: AdminSite = site
    return made
