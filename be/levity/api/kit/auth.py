"""Who asks, and how often: a bearer token, or the session of somebody who is logged in."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyCookie, HttpBearer

from levity.api.models import Scope
from levity.api.people import second_step
from levity.api.principals import TokenPrincipal
from levity.api.problems import Problem
from levity.api.throttle import Throttle
from levity.api.tokens import find_token, note_use
from levity.visitors import address

__all__ = ["AUTHENTICATION", "FOR_COMPUTING", "THROTTLE", "principal"]

PER_MINUTE: int = getattr(settings, "LEVITY_API_REQUESTS_PER_MINUTE", 600)
THROTTLE = Throttle(PER_MINUTE, burst=max(1, PER_MINUTE))
# Requests without a valid token, by address.
GUESSES = Throttle(60, burst=30)
SAFE = ("GET", "HEAD")


class BearerToken(HttpBearer):
    """`Authorization: Bearer levity_...`."""

    def __init__(self, *, changes_nothing: bool = False) -> None:
        super().__init__()
        self._changes_nothing = changes_nothing

    def __call__(self, request: HttpRequest) -> Any:
        """None if there is no such header: the session is looked at."""
        if "Authorization" not in request.headers:
            return None
        scheme, _, token = request.headers["Authorization"].partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("Send the token as “Authorization: Bearer <token>”.")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> TokenPrincipal:
        """The principal of this token."""
        row = find_token(token)
        if row is None:
            if wait := GUESSES.wait_for(address(request) or ""):
                raise _too_many(wait)
            raise _unauthorized("There is no such token. Create one under “API tokens”.")
        now = timezone.now()
        if why := row.why_invalid(now):
            raise _unauthorized(f"The token “{row.name}” {why}. Create a new one.")
        if wait := THROTTLE.wait_for(f"token {row.pk}"):
            raise _too_many(wait)
        is_safe = self._changes_nothing or request.method in SAFE
        if row.scope == Scope.READ and not is_safe:
            raise Problem(403, "This token may only read; create one with the scope “operate”.")
        note_use(row, now)
        return TokenPrincipal(row)


class SessionCookie(APIKeyCookie):
    """The cookie of a browser; changes need the CSRF token as well (`X-CSRFToken`)."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Any:
        """The user; None if nobody is logged in."""
        user: Any = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            if wait := GUESSES.wait_for(address(request) or ""):
                raise _too_many(wait)
            raise _unauthorized()
        if second_step().missing_step(user):
            raise _unauthorized("Your login is not complete: the second step is missing.")
        # Raises, where a change comes without the token.
        super()._get_key(request)
        if wait := THROTTLE.wait_for(f"user {user.pk}"):
            raise _too_many(wait)
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Not asked: the session has been read by then."""
        return None


AUTHENTICATION = [BearerToken(), SessionCookie()]
FOR_COMPUTING = [BearerToken(changes_nothing=True), SessionCookie()]
"""Of a POST that stores nothing: a token that may only read may send it."""


def principal(request: HttpRequest) -> Any:
    """Who asks: for `visible`, `check` and every decision."""
    return request.auth  # type: ignore[attr-defined]


def _unauthorized(detail: str = "") -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="Levity"'})


def _too_many(seconds: int) -> Problem:
    return Problem(
        429,
        f"Too many requests. Try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )
