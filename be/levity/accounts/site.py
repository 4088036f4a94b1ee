"""The admin site of Levity: unfold's, with a second step behind the password."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.sites import UnfoldAdminSite

from levity.accounts.lockout import KNOWN_BROWSER, KNOWN_FOR
from levity.accounts.second_step import ENROL, VERIFY, missing_step

__all__ = ["LevityAdminSite"]


class LevityAdminSite(UnfoldAdminSite):
    """Nobody is in before his last step is done; every page asks."""

    # The same dash as everywhere on the pages.
    empty_value_display = "\N{EN DASH}"

    def has_permission(self, request: HttpRequest) -> bool:
        """True for staff whose login is complete."""
        return super().has_permission(request) and not missing_step(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The password; who has given it already goes on to what is missing."""
        if super().has_permission(request) and (step := missing_step(request.user)):
            wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
            query = f"?{urlencode({REDIRECT_FIELD_NAME: wanted}, safe='/')}" if wanted else ""
            return redirect(f"{reverse(f'{self.name}:{step}')}{query}")
        response = super().login(request, extra_context)
        if known := getattr(request, "known_browser", None):
            response.set_cookie(
                KNOWN_BROWSER,
                known,
                max_age=KNOWN_FOR,
                path=reverse(f"{self.name}:login"),
                httponly=True,
                samesite="Lax",
            )
        return response

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The overview, or what has changed on it."""
        # The site is made while the admin modules are being imported.
        from levity.pages.kit import live

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
        """The search of the sidebar; a page that is none is not found."""
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404("there is no such page") from error

    def get_urls(self) -> list[URLPattern]:
        """The pages of the second step stand beside the login."""
        # The site is made while the admin modules are being imported, and these pages use them.
        from levity.accounts import two_factor

        return [
            path("two-factor/", self._for_staff(two_factor.manage), name=ENROL),
            path("two-factor/verify/", self._for_staff(two_factor.verify), name=VERIFY),
            path("two-factor/codes/", self.admin_view(two_factor.codes), name="two_factor_codes"),
            path("two-factor/off/", self.admin_view(two_factor.off), name="two_factor_off"),
            *super().get_urls(),
        ]

    def _for_staff(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """A page for who has given his password, whatever else is missing."""

        def inner(request: HttpRequest) -> HttpResponse:
            if not UnfoldAdminSite.has_permission(self, request):
                wanted = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()}, safe="/")
                return redirect(f"{reverse(f'{self.name}:login')}?{wanted}")
            return view(request)

        return never_cache(csrf_protect(inner))
