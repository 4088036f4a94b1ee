"""SignCertificate (OCPP 1.6 security whitepaper, 5.15): the charger wants a certificate."""

from levity.ocpp.effects import NoteSecurityEvent
from levity.ocpp.fields import text
from levity.ocpp.request import Request, Response
from levity.ocpp.security.certificates import LONGEST_CSR, check_csr

__all__ = ["sign_certificate"]


def sign_certificate(request: Request) -> Response:
    """Refuse, and note what is wrong with it: this central system signs nothing itself.

    A middleware with a certificate authority may answer Accepted instead, where nothing is wrong.
    """
    csr = text(request.payload, "csr", LONGEST_CSR + 1)
    flaw = check_csr(csr, request.charge_point.identity)
    if flaw:
        event = NoteSecurityEvent("InvalidCertificateRequest", flaw)
    else:
        event = NoteSecurityEvent("SignCertificateRefused", "no certificate authority is set up")
    return Response({"status": "Rejected"}, (event,))
