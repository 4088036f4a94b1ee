"""Which authorities a charger trusts, as far as is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from levity.ocpp.commands import lifecycle
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.root_certificates import (
    TYPES,
    ask_for_certificates,
    delete_certificate,
)
from levity.ocpp.models import ChargePoint, InstalledCertificate
from levity.ocpp.store.certificate_hashes import read_certificate
from tests.ocpp.open_line import OpenLine

pytestmark = pytest.mark.django_db
ACCEPTED = {"status": "Accepted"}
CENTRAL, MANUFACTURER = TYPES


def authority(name: str = "Root") -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=9))
    return builder.sign(key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def hash_data(certificate: x509.Certificate, algorithm: Any = None) -> dict[str, str]:
    """As another author's library has it: what a charger would say."""
    kind = algorithm or hashes.SHA256()
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, kind).build()
    return {
        "hashAlgorithm": kind.name.upper(),
        "issuerNameHash": asked.issuer_name_hash.hex(),
        "issuerKeyHash": asked.issuer_key_hash.hex(),
        "serialNumber": f"{asked.serial_number:X}",
    }


@pytest.fixture
def line() -> OpenLine:
    return OpenLine()


def installs(line: OpenLine, root: x509.Certificate, kind: str = CENTRAL, said: str = "Accepted"):
    payload = {"certificateType": kind, "certificate": pem(root)}
    lifecycle.queue(line.row, "InstallCertificate", payload, source="test")
    line.answers({"status": said})


def reports(line: OpenLine, kind: str, *roots: dict[str, str]) -> None:
    lifecycle.queue(
        line.row, "GetInstalledCertificateIds", {"certificateType": kind}, source="test"
    )
    found = {"status": "Accepted", "certificateHashData": list(roots)}
    line.answers(found if roots else {"status": "NotFound"})


def rows() -> list[tuple[str, str, str]]:
    found = InstalledCertificate.objects.order_by("pk")
    return [(row.type, row.state, row.subject) for row in found]


def test_the_hashes_are_those_of_rfc_6960() -> None:
    root = authority()
    read = read_certificate(pem(root), "SHA256")
    assert read is not None
    said = hash_data(root)
    assert read.hash.issuer_name == said["issuerNameHash"]
    assert read.hash.issuer_key == said["issuerKeyHash"]
    assert read.hash.serial_number == said["serialNumber"].lower()
    assert read_certificate("no certificate", "SHA256") is None
    assert read_certificate(pem(root), "MD5") is None


def test_an_installed_one_is_on_the_books_and_found_again_when_reported(line: OpenLine) -> None:
    root = authority()
    installs(line, root)
    row = InstalledCertificate.objects.get()
    assert (row.state, row.subject, row.reported_at) == ("installed", "CN=Root", None)
    # In another algorithm.
    reports(line, CENTRAL, hash_data(root, hashes.SHA512()))
    row.refresh_from_db()
    assert row.reported_at is not None
    assert row.hash_algorithm == "SHA512"
    assert rows() == [(CENTRAL, "installed", "CN=Root")]


def test_a_refused_one_keeps_the_chargers_word(line: OpenLine) -> None:
    installs(line, authority(), said="Rejected")
    assert rows() == [(CENTRAL, "refused", "CN=Root")]
    assert InstalledCertificate.objects.get().said == "Rejected"


def test_what_is_no_longer_reported_is_missing_and_what_was_there_is_added(line: OpenLine) -> None:
    root, other = authority(), authority("Other")
    installs(line, root)
    installs(line, authority("Maker"), MANUFACTURER)
    reports(line, CENTRAL, hash_data(other))
    assert rows() == [
        (CENTRAL, "missing", "CN=Root"),
        (MANUFACTURER, "installed", "CN=Maker"),
        (CENTRAL, "installed", ""),
    ]
    reports(line, CENTRAL, hash_data(root))
    assert [state for _, state, _ in rows()] == ["installed", "installed", "missing"]
    reports(line, MANUFACTURER)
    assert rows()[1] == (MANUFACTURER, "missing", "CN=Maker")


def test_it_is_deleted_by_its_hashes(line: OpenLine) -> None:
    root = authority()
    installs(line, root)
    installs(line, authority("Other"))
    row = InstalledCertificate.objects.earliest("pk")
    delete_certificate(row, None, source="test")
    asked = line.answers(ACCEPTED)["certificateHashData"]
    assert asked == {**hash_data(root), "serialNumber": hash_data(root)["serialNumber"].lower()}
    assert [state for _, state, _ in rows()] == ["deleted", "installed"]
    row.refresh_from_db()
    with pytest.raises(NotPossible, match="not installed any more"):
        delete_certificate(row, None, source="test")


def test_a_failure_to_delete_changes_nothing(line: OpenLine) -> None:
    installs(line, authority())
    delete_certificate(InstalledCertificate.objects.get(), None, source="test")
    line.answers({"status": "Failed"})
    assert rows()[0][1] == "installed"


def test_the_last_one_by_which_it_knows_this_server_stays(line: OpenLine) -> None:
    installs(line, authority())
    ChargePoint.objects.update(security_profile=2)
    with pytest.raises(NotPossible, match="could not connect any more"):
        delete_certificate(InstalledCertificate.objects.get(), None, source="test")


def test_the_charger_is_asked_for_both_types(line: OpenLine) -> None:
    ask_for_certificates(line.row, None, source="test")
    assert line.answers({"status": "NotFound"}) == {"certificateType": CENTRAL}
    assert line.answers({"status": "NotFound"}) == {"certificateType": MANUFACTURER}
