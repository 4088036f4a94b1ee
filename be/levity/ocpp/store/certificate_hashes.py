"""By what a charger names a certificate (OCPP 1.6 security whitepaper, CertificateHashDataType).

The library is loaded when a certificate is read, which is seldom.
"""

from datetime import datetime
from typing import Any

from levity.ocpp.effects import CertificateHash
from levity_ws.frozen import frozen

__all__ = ["ReadCertificate", "read_certificate"]


@frozen
class ReadCertificate:
    """What a certificate says of itself."""

    hash: CertificateHash
    subject: str
    not_after: datetime


def read_certificate(pem: str, algorithm: str) -> ReadCertificate | None:
    """None if it can't be read. The hash of the key is empty for a certificate that another
    authority has signed, whose key is not in it.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    kinds: dict[str, Any] = {
        "SHA256": hashes.SHA256,
        "SHA384": hashes.SHA384,
        "SHA512": hashes.SHA512,
    }
    if algorithm not in kinds:
        return None

    def digest(content: bytes) -> str:
        made = hashes.Hash(kinds[algorithm]())
        made.update(content)
        return made.finalize().hex()

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        own = found.issuer == found.subject
        named = CertificateHash(
            algorithm=algorithm,
            issuer_name=digest(found.issuer.public_bytes()),
            issuer_key=digest(_bits(found.public_key())) if own else "",
            serial_number=f"{found.serial_number:x}",
        )
        subject = found.subject.rfc4514_string()
    except Exception:  # noqa: BLE001  # whatever is wrong with what somebody has sent
        return None
    return ReadCertificate(named, subject, found.not_valid_after_utc)


def _bits(key: Any) -> bytes:
    """The key without its algorithm (RFC 6960, 4.1.1)."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    found: bytes = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return found
