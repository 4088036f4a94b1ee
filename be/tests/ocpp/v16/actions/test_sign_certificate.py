"""SignCertificate (OCPP 1.6 security whitepaper)."""

from levity.ocpp.effects import NoteSecurityEvent
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.sign_certificate import sign_certificate
from tests.ocpp.states import request


def test_it_is_refused_and_noted() -> None:
    """Nothing is signed here; what is wrong with it is noted (S-13: tests/ocpp)."""
    event = NoteSecurityEvent("InvalidCertificateRequest", "not a certificate request")
    assert sign_certificate(request("SignCertificate", {"csr": "x"})) == Response(
        {"status": "Rejected"}, (event,)
    )
