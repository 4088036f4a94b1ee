"""Certificates: what chargers want signed, and to whom a client certificate is made out."""

import base64
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID

from levity.ocpp.chargers.security.certificates import CertificateError, check_csr, read_certificate
from levity.ocpp.effects import NoteSecurityEvent
from levity.ocpp.models import Message, RefusedHandshake, SecurityEvent
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.sign_certificate import sign_certificate
from tests.ocpp.charger import NOW, CentralSystem, Charger
from tests.ocpp.keyring import asks, basic, charge_point, status
from tests.ocpp.states import request
from tests.system.terminator import Authority

# The primes of a DSA key of 2048 bits: to find some takes a second.
P = int(
    "da1583be6ff4c60f5132343a65a111e5ad4d52c97b92b76d2125720911ea9cd57bc4c6741070ebc13cdd5adf"
    "f5db4f96565936cdff5c2d19571267f6d0ca1b0a9db2d1858f1497b8c572062187c0653e86ea9c21accb9565"
    "c92636d755b5257f23b352f4cf7dbdad290c07028e01dd9153bc3fb2e74918209de890e2bc39dfbd7268530f"
    "2e34b73682520b5f2e3848221653b24e6ff251abd0c99045d0aacafce1d43a67619271c6de2c593d4e71f347"
    "0b67c2f7b43ecfdee03fd9a73eafc7001c78a960d26b645c5e6df61936bbab30c1a4ba9224fed8b1b65e6c99"
    "68b65576862b18427f97682d7235c6521f58fddb21d319d66588ac9d6758efc30176abbf",
    16,
)
Q = int("b341bdb24211797ec2dcb876d77bf204ace883c9682549f0b7c8e2a03ed0602b", 16)


@cache
def key(kind: str) -> object:
    made = {
        "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),
        "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
        "EC 192": lambda: ec.generate_private_key(ec.SECP192R1()),
        "EC 224": lambda: ec.generate_private_key(ec.SECP224R1()),
        "EC 256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EC 384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "Brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
        "DSA 2048": lambda: (
            dsa.DSAParameterNumbers(P, Q, pow(2, (P - 1) // Q, P))
            .parameters()
            .generate_private_key()
        ),
    }
    return made[kind]()


def csr(kind: str = "EC 256", *names: str) -> str:
    """A certificate request, signed by its own key."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names or ("CP1",)]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    made = builder.sign(key(kind), hashes.SHA256())  # type: ignore[arg-type]  # any of the kinds
    return made.public_bytes(serialization.Encoding.PEM).decode()


def forged() -> str:
    """One whose signature is not its own key's."""
    der = bytearray(base64.b64decode("".join(csr().splitlines()[1:-1])))
    der[-1] ^= 1
    body = base64.encodebytes(bytes(der)).decode()
    mark = "CERTIFICATE REQUEST-----"
    return f"-----BEGIN {mark}\n{body}-----END {mark}"


@pytest.mark.parametrize("kind", ["RSA 2048", "EC 256", "EC 384"])
def test_a_request_in_order_has_no_flaw(kind: str) -> None:
    """S-13: from 2048 bits RSA and 256 bits of a curve on; the case of the name does not matter."""
    assert check_csr(csr(kind), "CP1") == ""
    assert check_csr(csr(kind, "cp1"), "CP1") == ""


BAD = {
    "nothing": ("", "not a certificate request"),
    "junk": ("junk", "not a certificate request"),
    "junk in PEM": (
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        "not a certificate request",
    ),
    "half of one": (csr()[:200], "not a certificate request"),
    "surrogates": ("\ud800" * 10, "not a certificate request"),
    "weak RSA": (csr("RSA 1024"), "an RSA key of 1024 bits is too weak"),
    "a curve below 256 bits": (csr("EC 224"), "an elliptic curve of 224 bits is too weak"),
    "a curve that TLS 1.3 lacks": (
        csr("Brainpool"),
        "the elliptic curve brainpoolP256r1 is not supported",
    ),
    "another kind of key": (csr("DSA 2048"), "a key of type DSAPublicKey is not supported"),
    "another charger's": (csr("EC 256", "CP2"), "issued to “CP2”, not to this charger"),
    "two names": (csr("EC 256", "CP1", "CP2"), "it has several names"),
    "forged": (forged(), "it is not signed with its own key"),
    "1 MB": ("A" * (1 << 20), "longer than 5500 characters"),
}


@pytest.mark.parametrize(("text", "flaw"), BAD.values(), ids=BAD)
def test_a_request_with_a_flaw_is_refused_with_an_event(text: str, flaw: str) -> None:
    """S-13."""
    assert check_csr(text, "CP1") == flaw
    response = sign_certificate(request("SignCertificate", {"csr": text}))
    event = NoteSecurityEvent("InvalidCertificateRequest", flaw)
    assert response == Response({"status": "Rejected"}, (event,))


def test_a_weak_curve_is_refused() -> None:
    """S-13: some builds of OpenSSL can't even read such a key; then it is none."""
    try:
        text = csr("EC 192")
    except Exception:  # noqa: BLE001  # cryptography's own, where the curve is left out
        text = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"
    assert check_csr(text, "CP1") in (
        "an elliptic curve of 192 bits is too weak",
        "not a certificate request",
    )


@pytest.mark.django_db
def test_a_request_is_answered_and_noted_on_the_books() -> None:
    """S-13: through the pipeline; who sent it stays connected."""
    site = CentralSystem()
    charger = site.connect(Charger())
    for text in ("junk", csr("RSA 1024"), csr()):
        assert site.result(charger.calls("SignCertificate", {"csr": text})) == {
            "status": "Rejected"
        }
    found = SecurityEvent.objects.order_by("pk").values_list("type", "detail")
    assert list(found) == [
        ("InvalidCertificateRequest", "not a certificate request"),
        ("InvalidCertificateRequest", "an RSA key of 1024 bits is too weak"),
        ("SignCertificateRefused", "no certificate authority exists"),
    ]
    assert Message.objects.count() == 3


def shown(path: Path) -> str:
    """As nginx tells it: percent-encoded PEM of the certificate alone."""
    text = path.read_text()
    return quote(text[text.index("-----BEGIN CERTIFICATE-----") :], safe="")


@pytest.mark.parametrize("text", ["", "junk", "%", "-----BEGIN%20CERTIFICATE-----", "A" * 100_000])
def test_a_certificate_that_can_not_be_read_is_nobody_s(text: str) -> None:
    with pytest.raises(CertificateError):
        read_certificate(text)


@pytest.mark.django_db
def test_profile_3_wants_the_certificate_of_this_charger_over_tls(tmp_path: Path) -> None:
    """S-10: none, another charger's, one that the proxy does not believe, and the right one."""
    charge_point(profile=3)
    authority = Authority(tmp_path)
    own, other = shown(authority.issue("CP1")), shown(authority.issue("CP2"))
    assert read_certificate(own).name == "CP1"
    site = CentralSystem()

    def told(verified: str, certificate: str = "", **more: object) -> int:
        return status(
            asks(
                site,
                certificate_verified=verified,
                certificate=certificate,
                **{"secure": True, **more},  # type: ignore[arg-type]  # fields of the event
            )
        )

    assert told("SUCCESS", own) == 101
    assert told("NONE", authorization=basic()) == 401
    assert told("", authorization=basic()) == 401
    assert told("SUCCESS", other) == 401
    assert told("SUCCESS", "junk") == 401
    assert told("FAILED:certificate has expired", own) == 401
    assert told("FAILED:certificate revoked", own) == 401
    assert told("SUCCESS", own, secure=False) == 401
    rows = RefusedHandshake.objects.order_by("reason").values_list("reason", "count")
    assert list(rows) == [
        ("certificate", 3),
        ("certificate-name", 1),
        ("no-certificate", 2),
        ("no-tls", 1),
    ]


@pytest.mark.django_db
def test_a_tls_session_that_is_taken_up_again_outlives_no_certificate(tmp_path: Path) -> None:
    """nginx says SUCCESS for as long as the session lasts, which with TLS 1.3 is for ever."""
    charge_point(profile=3)
    own = Authority(tmp_path).issue("CP1")
    ends_at = x509.load_pem_x509_certificate(own.read_bytes()).not_valid_after_utc
    ends = (ends_at - NOW).total_seconds()
    site = CentralSystem()

    def told(at: float) -> int:
        event = {"certificate_verified": "SUCCESS", "certificate": shown(own), "secure": True}
        return status(asks(site, at=at, **event))  # type: ignore[arg-type]  # fields of the event

    assert [told(ends - 60), told(ends + 60)] == [101, 401]
    refused = RefusedHandshake.objects.get()
    assert (refused.reason, refused.detail) == ("certificate", "it has expired")
