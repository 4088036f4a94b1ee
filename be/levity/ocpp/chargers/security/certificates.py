"""Certificates of chargers, and what they ask to have signed. `cryptography` reads them.

It is imported when the first one comes: a site without certificates never loads it.
"""

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from levity.ocpp.wire.scanning import is_hex
from levity_ws.frozen import frozen

if TYPE_CHECKING:
    from cryptography import x509

__all__ = [
    "LONGEST_CSR",
    "CertificateError",
    "CertificateRequest",
    "ClientCertificate",
    "check_csr",
    "read_certificate",
    "read_csr",
]

LONGEST_CSR = 5500
"""Characters (OCPP 1.6 security whitepaper, SignCertificate.req)."""
LEAST_RSA, MOST_RSA, LEAST_EC = 2048, 8192, 256
"""Bits of a key. OCPP 1.6 security whitepaper, A00.FR.501: RSA from 2048, elliptic curves from 224;
but TLS 1.3 knows no curve below 256."""
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
"""Those that nginx takes in a client certificate (RFC 8446, 4.2.3)."""
LONGEST_CERTIFICATE = 16 * 1024

_PEM = tuple(
    (b"-----BEGIN %sCERTIFICATE REQUEST-----" % new, b"-----END %sCERTIFICATE REQUEST-----" % new)
    for new in (b"", b"NEW ")
)


class CertificateError(ValueError):
    """It can't be believed; the text says why, for people."""


@frozen
class ClientCertificate:
    """What a client certificate says of its holder."""

    name: str
    """The common name."""
    serial_number: str
    """Hexadecimal. By this a revoked one is known, not by its fingerprint: an ECDSA signature can
    be rewritten without the key, and then the fingerprint is another one."""
    ends_at: float
    """POSIX seconds. A proxy looks at it in a new TLS session only, and with TLS 1.3 a charger can
    go on with an old one for ever."""


def read_certificate(escaped: str) -> ClientCertificate:
    """A client certificate, as nginx's $ssl_client_escaped_cert has it.

    Whether it is genuine is nginx's word; this says to whom it is made out, and until when.
    Raises `CertificateError`.
    """
    from cryptography import x509

    if len(escaped) > LONGEST_CERTIFICATE * 3:
        raise CertificateError("the certificate is too long")
    try:
        certificate = x509.load_pem_x509_certificate(unquote_to_bytes(escaped))
        name = _common_name(certificate.subject)
        ends_at = certificate.not_valid_after_utc.timestamp()
        return ClientCertificate(name, f"{certificate.serial_number:x}", ends_at)
    except CertificateError:
        raise
    except Exception as error:  # whatever a stranger's bytes make the parser raise
        raise CertificateError("the certificate can't be read") from error


@frozen
class CertificateRequest:
    """A certificate request of a charger that is in order."""

    pem: str
    name: str
    """The common name, as the charger spells it."""
    key_kind: str
    """Such as RSA 2048 or EC 256."""
    key_fingerprint: str
    """SHA-256 of the public key, hexadecimal."""


def check_csr(csr: str, identity: str, certificate_name: str = "") -> str:
    """Why this certificate request of this charger is refused; empty if it is in order."""
    try:
        read_csr(csr, identity, certificate_name)
    except CertificateError as error:
        return str(error)
    return ""


def read_csr(csr: str, identity: str, certificate_name: str = "") -> CertificateRequest:
    """This certificate request of this charger. Raises `CertificateError`.

    The whitepaper (A00.FR.405) wants the charger's serial number as common name. A serial number is
    what a charger says of itself, so it counts where a person has written it down as the charge
    point's `certificate_name`; else, and beside it, the identity does.
    """
    if len(csr) > LONGEST_CSR:
        raise CertificateError(f"longer than {LONGEST_CSR} characters")
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    data = csr.encode("utf-8", "replace")
    try:
        armoured = _pem_in(data)
        request = (
            x509.load_pem_x509_csr(armoured)
            if armoured
            else x509.load_der_x509_csr(_from_text(csr))
        )
        kind = _kind_of_key(request)
        if not request.is_signature_valid:
            raise CertificateError("it is not signed with its own key")
        name = _common_name(request.subject)
        pem = request.public_bytes(Encoding.PEM).decode()
        key_fingerprint = _fingerprint_of_key(request)
    except CertificateError:
        raise
    except Exception as error:  # whatever a stranger's bytes make the parser raise
        raise CertificateError("not a certificate request") from error
    if name.lower() not in (identity.lower(), certificate_name.lower() or None):
        wanted = f" (“{_printable(certificate_name)}”)" if certificate_name else ""
        raise CertificateError(f"issued to “{_printable(name)}”, not to this charger{wanted}")
    return CertificateRequest(pem, name, kind, key_fingerprint)


def _kind_of_key(request: "x509.CertificateSigningRequest") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = request.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA:
            raise CertificateError(f"an RSA key of {key.key_size} bits is too weak")
        if key.key_size > MOST_RSA:
            raise CertificateError(f"an RSA key of {key.key_size} bits is too long")
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        size = key.curve.key_size
        if size < LEAST_EC:
            raise CertificateError(f"an elliptic curve of {size} bits is too weak")
        if key.curve.name not in CURVES:
            raise CertificateError(f"the elliptic curve {key.curve.name} is not supported")
        return f"EC {size}"
    raise CertificateError(f"a key of type {type(key).__name__} is not supported")


def _fingerprint_of_key(request: "x509.CertificateSigningRequest") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def _common_name(subject: "x509.Name") -> str:
    from cryptography.x509.oid import NameOID

    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise CertificateError("it has no common name" if not names else "it has several names")
    value = names[0].value
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _pem_in(data: bytes) -> bytes:
    """The request in its armour, whatever stands before and behind it; b"" without one."""
    for begin, end in _PEM:
        first, last = data.find(begin), data.rfind(end)
        if 0 <= first < last:
            return data[first : last + len(end)]
    return b""


def _from_text(csr: str) -> bytes:
    """A request as bare hexadecimal or base64 text, which some chargers send."""
    text = "".join(csr.split())
    if is_hex(text):
        return bytes.fromhex(text)
    return base64.b64decode(text, validate=True)


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:64]
