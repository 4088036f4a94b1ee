"""SignCertificate (OCPP 1.6 security whitepaper, 5.15): the charger wants a certificate."""

from levity.ocpp.effects import NoteSecurityEvent
from levity.ocpp.request import Request, Response

__all__ = ["sign_certificate"]


def sign_certificate(request: Request) -> Response:
    """Refuse: this central system signs nothing yet. A middleware with a CA may accept."""
    event = NoteSecurityEvent("SignCertificateRefused", "no certificate authority is set up")
    return Response({"status": "Rejected"}, (event,))
