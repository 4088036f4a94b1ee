"""From a charger's request to its certificate, and to its end."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.utils import timezone

from levity.monitoring.alerts import conditions
from levity.ocpp.decisions.authority import authorities, issuing, requests
from levity.ocpp.decisions.authority.key_file import KeyUnavailable, new_key, write_key
from levity.ocpp.effects import NoteSecurityEvent, RequestCertificate
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
    SecurityEvent,
)
from levity.ocpp.request import Response, SigningState
from levity.ocpp.v16.actions.sign_certificate import MOST_A_DAY, sign_certificate
from levity.ocpp.worker.housekeeping import sweep
from tests.ocpp.charger import NOW, CentralSystem
from tests.ocpp.chargers.security.test_certificates import csr
from tests.ocpp.decisions.authority.lines import DAY, Line, State, levity, states
from tests.ocpp.keyring import asks, charge_point, status
from tests.ocpp.states import request


def test_another_key_signs_nothing(line: Line, key_file: Path) -> None:
    """Whoever exchanged the file: nothing is signed with a key that is not the authority's."""
    line.is_asked()
    assert line.asks() == "Accepted"
    key_file.unlink()
    with pytest.raises(KeyUnavailable):
        authorities.make_revocation_list(CertificateAuthority.objects.get(), 1, NOW)
    write_key(new_key(), key_file)
    assert issuing.sign_approved(NOW + DAY) == 0
    row = ChargePointCertificate.objects.get()
    assert (row.state, row.serial_number) == ("approved", None)
    assert "is not the key of" in row.detail


def signing(**known: Any) -> Response:
    state = SigningState(has_authority=True, **known)
    return sign_certificate(request("SignCertificate", {"csr": csr()}, signing=state))


def test_without_an_authority_a_request_is_rejected() -> None:
    event = NoteSecurityEvent("SignCertificateRefused", "no certificate authority exists")
    said = sign_certificate(request("SignCertificate", {"csr": csr()}))
    assert said == Response({"status": "Rejected"}, (event,))


@pytest.mark.parametrize(
    ("known", "is_approved"),
    [
        ({}, False),
        ({"is_proved": True}, False),
        ({"trigger": 7}, False),
        ({"trigger": 7, "is_proved": True}, True),
    ],
)
def test_only_what_we_asked_for_of_a_proved_charger_needs_no_approval(
    known: dict[str, Any], is_approved: bool
) -> None:
    response = signing(**known)
    assert response.payload == {"status": "Accepted"}
    (effect,) = response.effects
    assert isinstance(effect, RequestCertificate)
    assert (effect.is_approved, effect.trigger) == (is_approved, known.get("trigger"))
    assert effect.key_kind == "EC 256"


def test_with_the_setting_everything_needs_approval(settings: Any) -> None:
    settings.OCPP_SIGN_CERTIFICATES = "approval"
    (effect,) = signing(trigger=7, is_proved=True).effects
    assert isinstance(effect, RequestCertificate)
    assert not effect.is_approved


def test_the_same_request_again_is_no_new_one(line: Line) -> None:
    assert [line.asks() for _ in range(3)] == ["Accepted"] * 3
    assert states() == ["waiting"]
    assert line.asks(csr("RSA 2048")) == "Accepted"
    assert states() == ["superseded", "waiting"]


def test_a_charger_asks_ten_times_a_day_at_most(line: Line) -> None:
    keys = ("EC 256", "RSA 2048")
    said = [line.asks(csr(keys[number % 2])) for number in range(MOST_A_DAY + 1)]
    assert said == ["Accepted"] * MOST_A_DAY + ["Rejected"]
    event = SecurityEvent.objects.get()
    assert (event.type, event.detail) == (
        "SignCertificateRefused",
        "more than 10 requests in a day",
    )
    ChargePointCertificate.objects.update(requested_at=NOW - DAY)
    assert line.asks(csr("RSA 2048")) == "Accepted"


def test_what_we_asked_for_is_signed_sent_and_installed(
    line: Line, authority: CertificateAuthority
) -> None:
    """A02 of the whitepaper: ExtendedTriggerMessage, SignCertificate, CertificateSigned."""
    line.is_asked()
    assert line.asks() == "Accepted"
    sweep(NOW)
    made = line.gets()
    row = ChargePointCertificate.objects.get()
    assert (row.state, row.decided_by, row.identity) == ("installed", None, "CP1")
    assert made.subject.rfc4514_string() == row.subject == "CN=CP1,O=Housing Co-op"
    assert f"{made.serial_number:x}" == row.serial_number
    assert made.fingerprint(hashes.SHA256()).hex() == row.fingerprint
    assert (made.not_valid_before_utc, made.not_valid_after_utc) == (row.not_before, row.not_after)
    assert row.not_after is not None
    assert row.not_after == NOW + 365 * DAY
    assert row.trigger is not None
    assert row.trigger.action == "ExtendedTriggerMessage"


def test_it_is_a_client_certificate_for_the_key_of_the_request(
    line: Line, authority: CertificateAuthority
) -> None:
    line.is_asked()
    line.asks()
    issuing.sign_approved(timezone.now())
    made = line.gets()
    wanted = x509.load_pem_x509_csr(csr().encode())
    assert made.public_key() == wanted.public_key()
    root = x509.load_pem_x509_certificate(authority.certificate.encode())
    made.verify_directly_issued_by(root)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca
    assert made.serial_number.bit_length() > 64


def test_nothing_of_the_request_but_key_and_name_is_taken_over(line: Line) -> None:
    """A charger that asks for an authority's certificate, or for other names, gets neither."""
    names = [
        x509.NameAttribute(NameOID.COMMON_NAME, "CP1"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Evil"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "evil@example.com"),
    ]
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(names))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    line.is_asked()
    assert line.asks(wanted.public_bytes(serialization.Encoding.PEM).decode()) == "Accepted"
    issuing.sign_approved(timezone.now())
    made = line.gets()
    assert made.subject.rfc4514_string() == "CN=CP1,O=Housing Co-op"
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_trigger_is_good_for_one_request(line: Line) -> None:
    line.is_asked()
    assert line.asks() == "Accepted"
    assert line.asks(csr("RSA 2048")) == "Accepted"
    assert states() == ["approved", "waiting"]


def test_a_trigger_of_yesterday_is_none(line: Line) -> None:
    line.is_asked()
    Command.objects.update(sent_at=NOW - DAY)
    line.asks()
    assert states() == ["waiting"]


@pytest.mark.parametrize("profile", [0, 1])
def test_a_charger_without_tls_waits_for_approval(
    authority: CertificateAuthority, profile: int
) -> None:
    line = Line(profile)
    line.is_asked()
    line.asks()
    sweep(NOW)
    assert states() == ["waiting"]


def test_a_connection_from_before_the_profile_was_raised_has_proved_nothing(
    authority: CertificateAuthority,
) -> None:
    """Somebody who came in while it was open stays connected when the profile is raised."""
    line = Line(profile=0)
    ChargePoint.objects.update(security_profile=2, profile_since=NOW + timedelta(seconds=1))
    line.is_asked()
    line.asks()
    assert states() == ["waiting"]


def test_a_charger_that_refuses_raises_an_alert(line: Line) -> None:
    """TC_077 in small: the answer, the charger's own event, and what people are told."""
    line.is_asked()
    line.asks()
    issuing.sign_approved(timezone.now())
    line.gets("Rejected")
    row = ChargePointCertificate.objects.get()
    assert (row.state, row.detail) == ("refused", "the charger said Rejected")
    (found,) = conditions.charge_point_certificates(timezone.now())
    assert (found.kind, found.summary) == (
        "certificate",
        "CP1 refused its new certificate",
    )
    requests.send_again(row, None)
    line.gets()
    assert states() == ["installed"]
    assert conditions.charge_point_certificates(timezone.now()) == []


def test_a_certificate_never_outlives_its_authority(db: None, key_file: Path) -> None:
    levity("create", "--organization", "Co-op", "--days", "30")
    line = Line()
    line.is_asked()
    line.asks()
    issuing.sign_approved(timezone.now())
    made = line.gets()
    assert made.not_valid_after_utc == CertificateAuthority.objects.get().not_after


def test_a_missing_key_is_told_and_signs_later(line: Line, key_file: Path) -> None:
    line.is_asked()
    line.asks()
    aside = key_file.rename(key_file.with_suffix(".aside"))
    assert issuing.sign_approved(NOW + timedelta(seconds=5)) == 0
    assert ChargePointCertificate.objects.get().detail == ""
    assert issuing.sign_approved(NOW + timedelta(seconds=60)) == 0
    row = ChargePointCertificate.objects.get()
    assert (row.state, "can't be read" in row.detail) == ("approved", True)
    aside.rename(key_file)
    assert issuing.sign_approved(NOW + timedelta(seconds=65)) == 1
    assert states() == ["issued"]


def test_an_authority_that_has_ended_signs_nothing_and_says_so(line: Line) -> None:
    """Nor does it keep the housekeeping from the rest of its work."""
    line.is_asked()
    assert line.asks() == "Accepted"
    for days in (0.5, 30):
        CertificateAuthority.objects.update(not_after=NOW - days * DAY)
        assert issuing.sign_approved(NOW + DAY) == 0
        row = ChargePointCertificate.objects.get()
        assert row.state == State.APPROVED
        assert "has ended" in row.detail


def test_what_nobody_decides_is_over_after_a_week(line: Line) -> None:
    line.asks()
    issuing.forget_undecided(NOW + 6 * DAY)
    assert states() == ["waiting"]
    issuing.forget_undecided(NOW + 8 * DAY)
    assert states() == ["expired"]


def test_a_charger_is_asked_for_a_new_request_once_a_day_before_the_end(
    line: Line, installed: ChargePointCertificate
) -> None:
    end = installed.not_after
    assert end is not None
    Command.objects.all().delete()
    told = [issuing.renew(end - DAY * days) for days in (31, 29, 29, 28)]
    assert told == [0, 1, 0, 1]
    assert set(Command.objects.values_list("action", "source")) == {
        ("ExtendedTriggerMessage", "certificate authority")
    }


def test_chargers_that_are_gone_keep_nobody_else_from_being_asked(
    installed: ChargePointCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are asked at once have been asked today, and will never answer."""
    monkeypatch.setattr(issuing, "AT_ONCE", 3)
    Command.objects.all().delete()
    rows = [ChargePoint(identity=f"Gone-{number}") for number in range(8)]
    for row in ChargePoint.objects.bulk_create(rows):
        ChargePointCertificate.objects.create(
            charge_point=row,
            identity=row.identity,
            state=State.INSTALLED,
            requested_at=NOW,
            not_after=installed.not_after,
        )
    assert installed.not_after is not None
    soon = installed.not_after - DAY
    assert [issuing.renew(soon) for _ in range(4)] == [3, 3, 3, 0]
    assert Command.objects.values("charge_point").distinct().count() == 9


def test_who_has_a_later_one_is_not_asked(line: Line, installed: ChargePointCertificate) -> None:
    end = installed.not_after
    assert end is not None
    ChargePointCertificate.objects.create(
        charge_point=line.row, identity="CP1", state=State.INSTALLED, not_after=end + 300 * DAY
    )
    assert issuing.renew(end - DAY) == 0


def test_with_0_days_nobody_is_asked(settings: Any, installed: ChargePointCertificate) -> None:
    settings.OCPP_CERTIFICATE_RENEWAL_DAYS = 0
    assert installed.not_after is not None
    assert issuing.renew(installed.not_after - DAY) == 0


def test_a_certificate_that_ends_soon_is_an_alert(installed: ChargePointCertificate) -> None:
    """Only where it lets the charger in: with profile 3."""
    assert installed.not_after is not None
    soon = installed.not_after - 10 * DAY
    assert conditions.charge_point_certificates(soon) == []
    ChargePoint.objects.update(security_profile=3)
    (found,) = conditions.charge_point_certificates(soon)
    end = f"{installed.not_after:%Y-%m-%d %H:%M} UTC"
    assert (found.summary, found.severity) == (
        f"the certificate of CP1 expires: {end}",
        "warning",
    )
    assert conditions.charge_point_certificates(soon - 30 * DAY) == []


def knocks(certificate: str) -> int:
    """The status of a handshake with this certificate, which nginx believes."""
    return status(
        asks(
            CentralSystem(),
            secure=True,
            certificate_verified="SUCCESS",
            certificate=quote(certificate, safe=""),
        )
    )


def rewritten(certificate: str) -> str:
    """The same certificate with another ECDSA signature that is as good: n - s for s."""
    order = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
    made = x509.load_pem_x509_certificate(certificate.encode())
    r, s = decode_dss_signature(made.signature)
    der = made.public_bytes(serialization.Encoding.DER)
    other = encode_dss_signature(r, order - s)
    assert der.endswith(made.signature)
    outer = der[: -len(made.signature)]
    # The lengths of the bit string and of the whole may have changed by a byte.
    body = outer[4:-3] + bytes([3, len(other) + 1, 0]) + other
    whole = bytes([0x30, 0x82]) + len(body).to_bytes(2, "big") + body
    again = x509.load_der_x509_certificate(whole)
    return again.public_bytes(serialization.Encoding.PEM).decode()


def test_a_revoked_certificate_lets_nobody_in(
    installed: ChargePointCertificate, authority: CertificateAuthority
) -> None:
    """Whatever nginx says; nor does the same one with its signature rewritten."""
    ChargePoint.objects.update(security_profile=3)
    other = rewritten(installed.certificate)
    root = x509.load_pem_x509_certificate(authority.certificate.encode())
    twin = x509.load_pem_x509_certificate(other.encode())
    twin.verify_directly_issued_by(root)
    assert twin.fingerprint(hashes.SHA256()).hex() != installed.fingerprint
    assert [knocks(installed.certificate), knocks(other)] == [101, 101]
    requests.revoke(installed, "keyCompromise", None)
    assert [knocks(installed.certificate), knocks(other)] == [401, 401]
    row = ChargePointCertificate.objects.get()
    assert (row.state, row.revocation_reason) == ("revoked", "keyCompromise")
    assert row.revoked_at is not None
    with pytest.raises(requests.CannotDecide):
        requests.revoke(installed, "unspecified", None)


def test_it_stays_revoked_when_the_charge_point_is_deleted(
    installed: ChargePointCertificate,
) -> None:
    requests.revoke(installed, "cessationOfOperation", None)
    ChargePoint.objects.all().delete()
    charge_point(profile=3)
    assert knocks(installed.certificate) == 401
