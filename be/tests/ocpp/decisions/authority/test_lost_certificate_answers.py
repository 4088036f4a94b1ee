"""CertificateSigned reached the charger, and its answer was lost: nobody is locked out for that."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from django.utils import timezone

from levity.monitoring.alerts import conditions
from levity.ocpp.decisions.authority import issuing
from levity.ocpp.models import ChargePoint, ChargePointCertificate, Command
from levity.pages.chargers.charge_point_forms import ChargePointForm
from tests.ocpp.charger import CentralSystem
from tests.ocpp.chargers.security.test_certificates import csr
from tests.ocpp.decisions.authority.lines import Line, levity, states
from tests.ocpp.keyring import asks, charge_point, status

DAY = timedelta(days=1)


@pytest.fixture
def line(db: None, settings: Any, tmp_path: Path) -> Line:
    """A charger of profile 2, and an authority of our own."""
    settings.OCPP_CA_KEY_FILE = str(tmp_path / "authority.key")
    levity("create", "--organization", "Housing Co-op")
    return Line()


def unanswered(line: Line, *name: str) -> tuple[str, Command]:
    """It is sent a certificate, and the line breaks before it answers; the chain, the command."""
    line.is_asked()
    assert line.asks(csr("EC 256", *name)) == "Accepted"
    issuing.sign_approved(timezone.now())
    (frame,) = line.sent()
    line.site.take(line.charger.leaves())
    command = Command.objects.get(action="CertificateSigned")
    assert command.state == "timed_out"
    assert states() == ["issued"]
    return frame[3]["certificateChain"], command


def comes(chain: str, site: CentralSystem | None = None) -> int:
    """It connects with profile 3 and the first certificate of this chain; the status."""
    ChargePoint.objects.update(security_profile=3)
    (leaf, *_) = x509.load_pem_x509_certificates(chain.encode())
    pem = chain[: chain.index("-----END CERTIFICATE-----") + 25]
    assert x509.load_pem_x509_certificate(pem.encode()) == leaf
    verdict = asks(
        site or CentralSystem(), secure=True, certificate=quote(pem), certificate_verified="SUCCESS"
    )
    return status(verdict)


def test_a_handshake_with_the_new_certificate_settles_the_command(line: Line) -> None:
    """It has it: that is what the answer would have said."""
    chain, command = unanswered(line)
    assert comes(chain) == 101
    assert states() == ["installed"]
    command.refresh_from_db()
    assert (command.state, command.confirmed_by) == (
        "answered",
        "a connection with the new certificate; its own answer did not come",
    )


def test_what_was_sent_is_renewed_and_told_before_it_ends(line: Line) -> None:
    """A charger that was never heard to say Accepted lives by it all the same: after a year it
    would be out without a word."""
    unanswered(line)
    ChargePoint.objects.update(security_profile=3)
    soon = timezone.now() + 364 * DAY
    (finding,) = conditions.charge_point_certificates(soon)
    assert finding.summary.startswith("the certificate of CP1 expires: ")
    assert issuing.renew(timezone.now() + 30 * DAY) == 0
    assert issuing.renew(soon) == 1


def test_what_was_sent_long_ago_does_not_stand_in_the_way_of_a_renewal(line: Line) -> None:
    """A week after it was sent, one that nobody has confirmed is on its way no more."""
    unanswered(line)
    old = ChargePointCertificate.objects.get()
    now = timezone.now()
    ChargePointCertificate.objects.create(
        charge_point=old.charge_point, identity="CP1", state="installed", not_after=now + 10 * DAY
    )
    assert issuing.renew(now) == 0
    assert issuing.renew(now + 8 * DAY) == 1


def test_the_issuer_comes_with_the_certificate(line: Line) -> None:
    """A charger that checks the chain need not have it already."""
    chain, _ = unanswered(line)
    leaf, issuer = x509.load_pem_x509_certificates(chain.encode())
    assert leaf.issuer == issuer.subject
    leaf.verify_directly_issued_by(issuer)
    assert len(chain) < 10_000


def test_the_serial_number_is_the_name_where_somebody_has_set_it(line: Line) -> None:
    """A00.FR.405 of the whitepaper; without that, a request in another name is refused."""
    assert line.asks(csr("EC 256", "SN-4711")) == "Rejected"
    ChargePoint.objects.update(certificate_name="SN-4711")
    chain, _ = unanswered(line, "sn-4711")
    assert comes(chain) == 101
    assert states() == ["installed"]
    ChargePoint.objects.update(certificate_name="")
    assert comes(chain) == 401


def test_the_certificate_of_before_is_good_until_it_has_the_new_one(line: Line) -> None:
    """Whoever sets the name locks nobody out."""
    chain, _ = unanswered(line)
    ChargePoint.objects.update(certificate_name="SN-4711")
    assert comes(chain) == 101


def test_anothers_certificate_confirms_nothing(line: Line) -> None:
    """Only its own charge point's connection says so."""
    chain, _ = unanswered(line)
    other = ChargePoint.objects.create(identity="CP2", security_profile=0)
    ChargePointCertificate.objects.update(charge_point=other)
    assert comes(chain) == 101
    assert states() == ["issued"]


def test_no_two_charge_points_share_a_certificate_name(db: None) -> None:
    """A certificate would be good for both."""
    charge_point("CP1")
    charge_point("CP2")
    ChargePoint.objects.filter(identity="CP2").update(certificate_name="SN-2")
    for name, said in (("sn-2", True), ("cp2", True), ("SN-1", False), ("CP1", False)):
        row = ChargePoint.objects.get(identity="CP1")
        form = ChargePointForm({"certificate_name": name}, instance=row)
        assert ("certificate_name" in form.errors) == said, name
