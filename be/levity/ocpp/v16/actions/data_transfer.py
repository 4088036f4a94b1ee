"""DataTransfer (OCPP 1.6, 4.3): what the standard does not know."""

from levity.ocpp.request import Request, Response

__all__ = ["data_transfer"]


def data_transfer(request: Request) -> Response:
    """Nobody here knows the vendor; a middleware may. The message itself is kept in the log."""
    return Response({"status": "UnknownVendorId"})
