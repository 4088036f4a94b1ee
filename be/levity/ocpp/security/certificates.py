"""Certificates of chargers, and what they ask to have signed. `cryptography` reads them.

It is imported when the first one comes: a site without certificates never loads it.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["LONGEST_CSR", "CertificateError", "check_csr", "name_in"]

LONGEST_CSR = 5500
"""Characters (OCPP 1.6 security whitepaper, SignCertificate.req)."""
LEAST_RSA, LEAST_EC = 2048, 224
"""Bits of a key (OCPP 1.6 security whitepaper, A00.FR.501)."""
LONGEST_CERTIFICATE = 16 * 1024

_PEM = re.compile(
    rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----.*-----END (?:NEW )?CERTIFICATE REQUEST-----",
    re.DOTALL,
)


class CertificateError(ValueError):
    """It can't be believed; the text says why, for people."""


def name_in(escaped: str) -> str:
    """The common name in a client certificate, as nginx's $ssl_client_escaped_cert has it.

    Whether the certificate is valid is nginx's word; this only says to whom it is made out.
    Raises `CertificateError`.
    """
    from cryptography import x509

    if len(escaped) > LONGEST_CERTIFICATE * 3:
        raise CertificateError("the certificate is too long")
    try:
        certificate = x509.load_pem_x509_certificate(unquote_to_bytes(escaped))
        return _common_name(certificate.subject)
    except CertificateError:
        raise
    except Exception as error:  # whatever a stranger's bytes make the parser raise
        raise CertificateError("the certificate can't be read") from error


def check_csr(csr: str, identity: str) -> str:
    """Why this certificate request of this charger is refused; empty if it is in order."""
    if len(csr) > LONGEST_CSR:
        return f"longer than {LONGEST_CSR} characters"
    from cryptography import x509

    data = csr.encode("utf-8", "replace")
    try:
        match = _PEM.search(data)
        request = (
            x509.load_pem_x509_csr(match[0]) if match else x509.load_der_x509_csr(_from_text(csr))
        )
        if not request.is_signature_valid:
            return "its signature is not made with its own key"
        if weakness := _weakness(request):
            return weakness
        name = _common_name(request.subject)
    except CertificateError as error:
        return str(error)
    except Exception:  # noqa: BLE001  # whatever a stranger's bytes make the parser raise
        return "not a certificate request"
    if name.lower() != identity.lower():
        return f"made out to “{_printable(name)}”, not to this charger"
    return ""


def _weakness(request: "x509.CertificateSigningRequest") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    key = request.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "" if key.key_size >= LEAST_RSA else f"an RSA key of {key.key_size} bits is too weak"
    if isinstance(key, ec.EllipticCurvePublicKey):
        size = key.curve.key_size
        return "" if size >= LEAST_EC else f"an elliptic curve of {size} bits is too weak"
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return ""
    return f"a key of the kind {type(key).__name__} is not taken"


def _common_name(subject: "x509.Name") -> str:
    from cryptography.x509.oid import NameOID

    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise CertificateError("it has no common name" if not names else "it has several names")
    value = names[0].value
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _from_text(csr: str) -> bytes:
    """A request as bare hexadecimal or base64 text, which some chargers send."""
    import base64

    text = "".join(csr.split())
    if re.fullmatch(r"[0-9A-Fa-f]+", text):
        return bytes.fromhex(text)
    return base64.b64decode(text, validate=True)


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:64]
