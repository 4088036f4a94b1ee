"""In which language a page is answered."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

__all__ = ["LanguageOfPages"]

API = "/api/"


class LanguageOfPages(LocaleMiddleware):
    """The person's own choice in this browser, else the browser's first language that Levity
    speaks, else the site's (LANGUAGE_CODE). What programs read, the API, is always English."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """English for the API; a page as its reader wants it."""
        if not request.path.startswith(API):
            shown: Any = super().__call__(request)
            page: HttpResponse = shown
            return page
        with translation.override("en"):
            get_response: Any = self.get_response
            answer: HttpResponse = get_response(request)
            return answer
