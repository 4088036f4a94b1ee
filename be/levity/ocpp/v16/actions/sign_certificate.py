"""SignCertificate (OCPP 1.6 security whitepaper, A02, 5.15): the charger wants a certificate."""

from levity.ocpp.chargers.security.certificates import LONGEST_CSR, CertificateError, read_csr
from levity.ocpp.conf import setting
from levity.ocpp.effects import NoteSecurityEvent, RequestCertificate
from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import text

__all__ = ["sign_certificate"]

MOST_A_DAY = 10
"""Requests of one charge point in 24 hours; the same one again, while it waits, is no new one."""


def sign_certificate(request: Request) -> Response:
    """Take the request, for our own authority to sign; refuse it where something is wrong.

    It is signed without a person's approval only where we asked for it and the charger has proved
    who it is. The certificate follows in a CertificateSigned.
    """
    signing = request.signing
    if signing.requests_today >= MOST_A_DAY:
        return _refused("SignCertificateRefused", f"more than {MOST_A_DAY} requests in a day")
    try:
        wanted = read_csr(
            text(request.payload, "csr", LONGEST_CSR + 1),
            request.charge_point.identity,
            request.charge_point.certificate_name,
        )
    except CertificateError as error:
        return _refused("InvalidCertificateRequest", str(error))
    if not signing.has_authority:
        return _refused("SignCertificateRefused", "no certificate authority exists")
    asked_for = signing.trigger is not None and signing.is_proved
    is_approved = asked_for and setting("OCPP_SIGN_CERTIFICATES") == "triggered"
    if wanted.key_fingerprint == signing.waiting_key and not is_approved:
        return Response({"status": "Accepted"})
    return Response(
        {"status": "Accepted"},
        (
            RequestCertificate(
                wanted.pem, wanted.key_kind, wanted.key_fingerprint, is_approved, signing.trigger
            ),
        ),
    )


def _refused(kind: str, why: str) -> Response:
    return Response({"status": "Rejected"}, (NoteSecurityEvent(kind, why),))
