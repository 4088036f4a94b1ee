"""How much the sender of a request may send, judged by its first line and headers alone.

`levity serve` keeps a body on the disk until all of it has come. So a large one needs a reason
before its first byte is kept: the place of an open job, a token of the API, or somebody who is
logged in. (Behind nginx bodies are bounded there, and files go to their place as they come.)
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, close_old_connections
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_otp.middleware import OTPMiddleware

from levity.accounts.second_step import missing_step
from levity.api.models import Scope
from levity.api.principals import TokenPrincipal
from levity.api.tokens import find_token
from levity.files import conf, drops
from levity.files.kept import ADD_FIRMWARE
from levity.run.web.bodies import ANYBODY, KNOWN

__all__ = ["most_bytes"]

log = logging.getLogger(__name__)

SLACK = 100_000
"""Bytes of a form around its file."""
API_FIRMWARE = "/api/v1/firmware"


def most_bytes(method: str, path: str, headers: Mapping[str, str]) -> int:
    """Bytes that this request may have as its body.

    `headers` as waitress has them: upper case, `_` for `-`. The path is without its query, decoded.
    """
    try:
        return _most_bytes(method, path, headers)
    except DatabaseError as error:
        log.warning("who sends a large request could not be looked up: %s", error)
        return ANYBODY
    finally:
        close_old_connections()


def _most_bytes(method: str, path: str, headers: Mapping[str, str]) -> int:
    one, _, firmware = conf.limits()
    if path.startswith(drops.PREFIX):
        drop = drops.by_token(path.removeprefix(drops.PREFIX).partition("/")[0])
        takes = drop is not None and drop.firmware is None and method in ("PUT", "POST")
        return one + SLACK if takes else ANYBODY
    user = _token(headers) if "AUTHORIZATION" in headers else _logged_in(headers)
    if user is None:
        return ANYBODY
    if method == "POST" and _is_for_firmware(path) and user.has_perm(ADD_FIRMWARE):
        return firmware + SLACK
    return KNOWN


def _is_for_firmware(path: str) -> bool:
    try:
        page = reverse("levity:files_firmware_add")
    except NoReverseMatch:
        page = ""
    return path in (page, API_FIRMWARE)


def _token(headers: Mapping[str, str]) -> Any:
    scheme, _, text = headers["AUTHORIZATION"].partition(" ")
    row = find_token(text.strip()) if scheme.lower() == "bearer" else None
    if row is None or row.scope == Scope.READ or row.why_invalid(timezone.now()):
        return None
    return TokenPrincipal(row)


def _logged_in(headers: Mapping[str, str]) -> Any:
    cookies = parse_cookie(headers.get("COOKIE", ""))
    if settings.SESSION_COOKIE_NAME not in cookies:
        return None
    request: Any = HttpRequest()
    request.COOKIES = cookies
    for step in (SessionMiddleware, AuthenticationMiddleware):
        step(_nothing).process_request(request)
    OTPMiddleware(_nothing)(request)
    user = request.user
    is_in = user.is_authenticated and user.is_active and user.is_staff and not missing_step(user)
    return user if is_in else None


def _nothing(_: HttpRequest) -> HttpResponse:
    return HttpResponse()
