"""Chargers that nobody has let in."""

from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.wire.frames import ErrorCode, OcppError

__all__ = ["RegistrationRequired"]


class RegistrationRequired:
    """Refuse what a rejected charge point says, but for its BootNotification.

    OCPP 1.6, 4.2: while it is rejected it shall not send anything else. A pending one is served:
    what it sends is kept, and a person decides. Start- and StopTransaction of a rejected one are
    answered and quarantined, like all that does not fit what is recorded.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain; `OcppError` (SecurityError) for a rejected charge point."""
        if request.charge_point.registration == "Rejected" and request.action != "BootNotification":
            raise OcppError(ErrorCode.SECURITY_ERROR, "this charge point is rejected here")
        return self.get_response(request)
