"""Whether the pages were ever visited from outside, because then strangers can also find the
chargers' port."""

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from levity.ocpp.store.newcomers import newcomers

__all__ = ["VisitorsFromOutside"]

log = logging.getLogger(__name__)


class VisitorsFromOutside:
    """Notes a public address, once for ever; see `levity/ocpp/decisions/onboarding.py`.

    Behind `TrustedProxies`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response of the other middleware."""
        try:
            newcomers.note_visitor(request.META.get("REMOTE_ADDR", ""))
        except DatabaseError as error:
            # The page is more important, and the next visitor is noted as well.
            log.warning("An outside visitor could not be recorded: %s", error)
        return self.get_response(request)
