"""`/api/docs`: the schema as pages to try, by Swagger UI from django-ninja's own files.

No CDN and no inline script: the page works without the internet and under our strict CSP.
"""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

__all__ = ["documentation"]


@require_safe
@ensure_csrf_cookie
def documentation(request: HttpRequest) -> HttpResponse:
    """The page; whoever is logged in may try everything at once."""
    is_logged_in = bool(getattr(request, "user", None) and request.user.is_authenticated)
    context = {
        "is_logged_in": is_logged_in,
        "csrf": get_token(request) if is_logged_in else "",
        "schema": reverse("api_docs").removesuffix("docs") + "v1/openapi.json",
    }
    return render(request, "levity/api/docs.html", context)
