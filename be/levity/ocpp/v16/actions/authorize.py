"""Authorize (OCPP 1.6, 4.1): may this id tag charge?"""

from levity.ocpp.request import Request, Response
from levity.ocpp.v16.actions.id_tag_info import accepted

__all__ = ["authorize"]


def authorize(request: Request) -> Response:
    """Yes: every tag may, unless a middleware says otherwise."""
    return Response({"idTagInfo": accepted()})
