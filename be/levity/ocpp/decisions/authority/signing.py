"""The X.509 of a certificate authority: its own certificate, those of chargers, what it revoked.

Values in, values out; time and key are arguments. `cryptography` is imported when it is needed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from levity_ws.frozen import frozen

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["Issued", "Revoked", "fits", "issued", "revocation_list", "root"]

EARLIER = timedelta(days=1)
"""Certificates are good from a day before: clocks of chargers run late, too."""


@frozen
class Issued:
    """A certificate and what is kept of it beside."""

    pem: str
    subject: str
    """RFC 4514."""
    serial_number: str
    """Hexadecimal."""
    fingerprint: str
    """SHA-256, hexadecimal."""
    not_before: datetime
    not_after: datetime


@frozen
class Revoked:
    """An entry of the list of revoked certificates."""

    serial_number: str
    at: datetime
    reason: str
    """RFC 5280, 5.3.1."""


def root(key: "EllipticCurvePrivateKey", organization: str, days: int, now: datetime) -> Issued:
    """The authority's own certificate, signed by itself. It may sign chargers, not authorities."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    names = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, _name(organization))]
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
    public = key.public_key()
    builder = (
        _begun(subject, subject, public, now - EARLIER, now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return _kept(builder.sign(key, hashes.SHA256()))


def issued(
    csr: str, authority: str, key: "EllipticCurvePrivateKey", days: int, now: datetime
) -> Issued:
    """The certificate that this request asks for: its public key and its common name are taken
    over, and nothing else. It ends with the authority at the latest."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    request = x509.load_pem_x509_csr(csr.encode())
    signer = x509.load_pem_x509_certificate(authority.encode())
    public: Any = request.public_key()
    # OCPP 1.6 security whitepaper, A00.FR.511: O is the operator, CN the charger.
    (operator,) = signer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    (charger,) = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject = x509.Name([operator, x509.NameAttribute(NameOID.COMMON_NAME, str(charger.value))])
    end = min(now + timedelta(days=days), signer.not_valid_after_utc)
    usage = _usage(digital_signature=True, key_encipherment=isinstance(public, rsa.RSAPublicKey))
    signer_id = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _begun(subject, signer.subject, public, now - EARLIER, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer_id),
            critical=False,
        )
    )
    return _kept(builder.sign(key, hashes.SHA256()))


def revocation_list(
    authority: str,
    key: "EllipticCurvePrivateKey",
    revoked: Iterable[Revoked],
    days: int,
    now: datetime,
) -> str:
    """The list (CRL) of what the authority has revoked, PEM; good for so many days."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    signer = x509.load_pem_x509_certificate(authority.encode())
    signer_id = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.subject)
        .last_update(now)
        .next_update(now + timedelta(days=days))
        # Each list has a higher number than the one before (RFC 5280, 5.2.3).
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer_id),
            critical=False,
        )
    )
    for item in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(int(item.serial_number, 16))
            .revocation_date(item.at)
        )
        if item.reason not in ("", "unspecified"):
            flag = x509.ReasonFlags(item.reason)
            entry = entry.add_extension(x509.CRLReason(flag), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def fits(key: "EllipticCurvePrivateKey", authority: str) -> bool:
    """True if this is the key of this authority."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(authority.encode())
    return certificate.public_key() == key.public_key()


def _name(organization: str) -> str:
    # ub-common-name of RFC 5280 is 64.
    suffix = " charge points"
    return f"{organization[: 64 - len(suffix)]}{suffix}"


def _begun(
    subject: "x509.Name",
    issuer: "x509.Name",
    public: Any,
    not_before: datetime,
    not_after: datetime,
) -> "x509.CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )


def _usage(**given: bool) -> "x509.KeyUsage":
    from cryptography import x509

    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    more = ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: given.get(name, False) for name in (*names, *more)})


def _kept(certificate: "x509.Certificate") -> Issued:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    return Issued(
        certificate.public_bytes(Encoding.PEM).decode(),
        certificate.subject.rfc4514_string(),
        f"{certificate.serial_number:x}",
        certificate.fingerprint(hashes.SHA256()).hex(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
