"""What a charger wants signed."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["certificate_request"]


def certificate_request(identity: str) -> tuple[ec.EllipticCurvePrivateKey, str]:
    """A new key of a charger, and its request to have it signed (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return key, made.public_bytes(serialization.Encoding.PEM).decode()
