"""The authority itself: its key, its certificate, another in its place, what it revoked."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.core.management import CommandError
from django.core.serializers import serialize
from django.utils import timezone

from levity.ocpp.decisions.authority import authorities, requests
from levity.ocpp.decisions.authority.key_file import KeyUnavailable, key_path, read_key
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePointCertificate,
)
from tests.ocpp.decisions.authority.lines import DAY, levity


def test_the_key_is_a_file_for_its_owner_alone(authority: CertificateAuthority) -> None:
    path = key_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = "".join(path.read_text().splitlines()[1:-1])
    assert secret not in serialize("json", CertificateAuthority.objects.all()).replace("\\n", "")
    path.chmod(0o640)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        read_key(path)


def test_the_key_is_encrypted_with_a_passphrase(settings: Any, db: None, key_file: Path) -> None:
    settings.OCPP_CA_PASSPHRASE = "correct horse"
    levity("create", "--organization", "Co-op")
    assert "ENCRYPTED" in key_file.read_text()
    read_key(key_file)
    for wrong, said in (("wrong", "passphrase is wrong"), ("", "set OCPP_CA_PASSPHRASE")):
        settings.OCPP_CA_PASSPHRASE = wrong
        with pytest.raises(KeyUnavailable, match=said):
            read_key(key_file)


def test_its_certificate_signs_chargers_and_no_other_authorities(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    made = x509.load_pem_x509_certificate(levity("export").encode())
    assert made.subject.rfc4514_string() == "CN=Housing Co-op charge points,O=Housing Co-op"
    basic_constraints = made.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic_constraints.critical
    assert basic_constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert made.not_valid_after_utc - timezone.now() > 7299 * DAY
    levity("export", str(tmp_path / "ca.pem"))
    assert (tmp_path / "ca.pem").read_text() == authority.certificate
    assert authority.fingerprint in levity("show")


def test_there_is_one_authority_and_a_new_one_takes_its_place(
    authority: CertificateAuthority, key_file: Path
) -> None:
    with pytest.raises(CommandError, match="there already is an authority"):
        levity("create", "--organization", "Another")
    old = key_file.read_text()
    levity("create", "--organization", "Another", "--replace")
    assert key_file.with_name(f"authority.key.{authority.fingerprint[:16]}").read_text() == old
    authority.refresh_from_db()
    assert authority.replaced_at is not None
    current = authorities.current_authority()
    assert current is not None
    assert current.organization == "Another"
    for each in CertificateAuthority.objects.all():
        authorities.make_revocation_list(each, 1, timezone.now())


def test_nginx_gets_the_lists_of_all_whose_certificates_may_be_in_use(
    authority: CertificateAuthority, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would let nobody in with a certificate of the one before."""
    levity("create", "--organization", "Housing Co-op", "--replace")
    roots = x509.load_pem_x509_certificates(levity("export", "--all").encode())
    assert len(x509.load_pem_x509_certificates(levity("export").encode())) == 1
    mark = "-----BEGIN X509 CRL-----"
    lists = [
        x509.load_pem_x509_crl((mark + part).encode()) for part in levity("crl").split(mark)[1:]
    ]
    assert len(roots) == len(lists) == 2
    for root, found in zip(roots, lists, strict=True):
        key: Any = root.public_key()
        assert found.is_signature_valid(key)
    # One whose key is gone must not keep the list of the other back.
    key_file.with_name(f"authority.key.{authority.fingerprint[:16]}").unlink()
    assert levity("crl").count(mark) == 1
    assert "Remove its certificate from nginx" in capsys.readouterr().err


def test_an_authority_that_can_not_be_replaced_stays_whole(
    authority: CertificateAuthority, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full at the new key: the old one must go on signing."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CommandError, match="No space left"):
            levity("create", "--organization", "Another", "--replace")
    assert authorities.current_authority() == authority
    authorities.make_revocation_list(authority, 1, timezone.now())
    levity("create", "--organization", "Another", "--replace")
    assert CertificateAuthority.objects.count() == 2


def test_a_key_that_lies_there_is_never_written_over(db: None, key_file: Path) -> None:
    key_file.write_text("somebody's")
    with pytest.raises(CommandError, match="move it away first"):
        levity("create", "--organization", "Co-op")
    assert key_file.read_text() == "somebody's"
    assert not CertificateAuthority.objects.exists()


def test_the_list_of_revoked_certificates(
    installed: ChargePointCertificate, authority: CertificateAuthority
) -> None:
    def listed() -> x509.CertificateRevocationList:
        found = x509.load_pem_x509_crl(levity("crl", "--days", "7").encode())
        root = x509.load_pem_x509_certificate(authority.certificate.encode())
        key: Any = root.public_key()
        assert found.is_signature_valid(key)
        assert found.next_update_utc is not None
        assert found.next_update_utc - found.last_update_utc == 7 * DAY
        return found

    assert list(listed()) == []
    requests.revoke(installed, "superseded", None)
    (entry,) = listed()
    assert f"{entry.serial_number:x}" == installed.serial_number
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.superseded
