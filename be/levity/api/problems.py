"""Errors as RFC 9457 has them: `application/problem+json` with a `detail` for people.

Without ninja, so that errors before the first request to the API look the same.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from levity.ocpp.deciding import NotAllowed, Refused
from levity.writing import as_sentence

__all__ = ["CONTENT_TYPE", "Problem", "answer_to", "is_for_the_api", "problem"]

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
URN = "urn:levity:problem:"
# What people are told where nobody knows better.
DETAILS = {
    400: "The request can't be read.",
    401: "No valid token. Send the header “Authorization: Bearer <token>”, or log in.",
    403: "You may not do this.",
    404: "There is nothing at this address, or you may not see it.",
    405: "This address does not support this method; see the Allow header.",
    413: "The body of the request is too large.",
    500: "An error of Levity itself. The server's log has the details.",
    503: "Levity's database can't be reached. Try again in a few seconds.",
}


class Problem(Exception):
    """Raise it anywhere in a resource: the client gets it as an answer."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        code: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code = status, detail, code
        self.errors, self.headers, self.more = errors, headers or {}, more

    def response(self) -> HttpResponse:
        """What the client gets."""
        return problem(
            self.status,
            self.detail,
            code=self.code,
            errors=self.errors,
            headers=self.headers,
            **self.more,
        )


def problem(
    status: int,
    detail: str = "",
    *,
    code: str = "",
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> HttpResponse:
    """A problem as a response. `code`: a word that programs can rely on, the end of `type`."""
    phrase = HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": f"{URN}{code or phrase.lower().replace(' ', '-')}",
        "title": phrase,
        "status": status,
        "detail": as_sentence(detail or DETAILS.get(status, f"{phrase}.")),
        **more,
    }
    if errors:
        body["errors"] = list(errors)
    return HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type=CONTENT_TYPE,
        headers=dict(headers or {}),
    )


def answer_to(error: Exception, request: HttpRequest) -> HttpResponse:
    """What the client is told of this exception."""
    match error:
        case Problem():
            return error.response()
        case Http404():
            return problem(404)
        case NotAllowed():
            return problem(403, error.sentence)
        case Refused():
            return problem(409, error.sentence)
        case ProtectedError():
            return problem(409, "Other records refer to it.")
        case PermissionDenied():
            return problem(403)
        case RequestDataTooBig():
            return problem(413)
        case SuspiciousOperation() | UnreadablePostError():
            return problem(400)
        case OperationalError() | InterfaceError():
            log.error("The API could not reach the database: %s", error)
            return problem(503, headers={"Retry-After": "5"})
    log.error("%s %s failed", request.method, request.path_info, exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return problem(500)


def is_for_the_api(request: HttpRequest) -> bool:
    """True for requests whose errors are read by programs."""
    return request.path_info.startswith("/api/") and request.path_info != "/api/docs"
