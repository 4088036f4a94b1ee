"""Guessing passwords: what is counted, and the page for users who have to wait.

django-axes counts. After five failures within fifteen minutes an address is locked out, whatever
names it tries, and so is a user name, whatever the addresses. A browser in which this person has
logged in before is counted by its address only: otherwise anyone could lock the owner out for as
long as they like.
"""

from datetime import timedelta
from typing import Any

from axes.conf import settings as axes_settings
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from levity.visitors import address

__all__ = ["KNOWN_BROWSER", "counted_by", "locked_out", "locked_until"]

KNOWN_BROWSER = "levity_known"
SALT = "levity.accounts.lockout"
# Seconds.
KNOWN_FOR = 180 * 86_400


def counted_by(request: Any, credentials: Any = None) -> list[str]:
    """Which of ip_address and username the failures of this request are counted by."""
    username = get_client_username(request, credentials)
    if username and username in _known_names(request):
        return ["ip_address"]
    return ["ip_address", "username"]


def _known_names(request: HttpRequest) -> list[str]:
    try:
        names = signing.loads(
            request.COOKIES.get(KNOWN_BROWSER, ""), salt=SALT, max_age=timedelta(seconds=KNOWN_FOR)
        )
    except signing.BadSignature:
        return []
    return names if isinstance(names, list) else []


def locked_until(request: HttpRequest, credentials: Any = None) -> Any:
    """When the lock on this request ends; None if nothing is counted any more."""
    username = get_client_username(request, credentials)
    wanted = {"ip_address": address(request), "username": username}
    limit: int = axes_settings.AXES_FAILURE_LIMIT
    window: timedelta = axes_settings.AXES_COOLOFF_TIME
    since = timezone.now() - window
    ends = []
    for parameter in counted_by(request, credentials):
        rows = AccessAttempt.objects.filter(
            attempt_time__gt=since, **{parameter: wanted[parameter]}
        ).order_by("-attempt_time")
        left = 0
        # The lock ends when enough failures have expired to fall below the limit.
        for moment, failures in rows.values_list("attempt_time", "failures_since_start"):
            left += failures
            if left >= limit:
                ends.append(moment + window)
                break
    return max(ends, default=None)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """The page for users who have to wait: until when, and who can unlock at once. Status 429."""
    # The modules of the admin are loaded after this app.
    from levity.pages.kit.formats import local_time

    until = locked_until(request, credentials)
    minutes = -(-(until - timezone.now()).total_seconds() // 60) if until else 0
    answer = TemplateResponse(
        request,
        "accounts/locked_out.html",
        {
            **admin.site.each_context(request),
            "title": "Too many failed logins",
            "until": local_time(until) if until else "",
            "minutes": int(minutes),
            "address": address(request) or "",
        },
        status=429,
    )
    if until:
        answer.headers["Retry-After"] = str(int(minutes) * 60)
    return answer.render()


@receiver(user_logged_in, dispatch_uid="levity.accounts.lockout")
def forget_failures(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """After a successful login: earlier failures were typing errors, and this browser is the
    user's.

    Only failures with this name from this address: a user must not be able to clear their guesses
    at another account.
    """
    name = user.get_username()
    AccessAttempt.objects.filter(username=name, ip_address=address(request)).delete()
    names = [name, *(other for other in _known_names(request) if other != name)]
    # LevityAdminSite puts it on the response.
    request.known_browser = signing.dumps(names[:5], salt=SALT)  # type: ignore[attr-defined]
