"""The admin site of Levity's own project, with a second step after the password."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from levity.accounts.lockout import KNOWN_BROWSER, KNOWN_FOR
from levity.accounts.second_step import ENROL, VERIFY, missing_step
from levity.pages.site import PagesSite

__all__ = ["LevityAdminSite"]


class LevityAdminSite(PagesSite):
    """Nobody is logged in before the last step; every page checks this."""

    def has_permission(self, request: HttpRequest) -> bool:
        """True for staff whose login is complete."""
        return super().has_permission(request) and not missing_step(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the password; a user who has already given it continues with what is missing."""
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

    def get_urls(self) -> list[URLPattern]:
        """The pages of the second step are next to the login."""
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
        """A page for users who have entered their password, whatever else is missing."""

        def inner(request: HttpRequest) -> HttpResponse:
            if not PagesSite.has_permission(self, request):
                wanted = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()}, safe="/")
                return redirect(f"{reverse(f'{self.name}:login')}?{wanted}")
            return view(request)

        return never_cache(csrf_protect(inner))
