"""P-10: a certificate that expires is told of at least fourteen days before."""

import datetime as dt
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from levity.monitoring.alerts import conditions
from tests.ocpp.charger import NOW


def pem(days: float, *, is_rsa: bool = False) -> tuple[bytes, bytes]:
    """(certificate, key) good for so many days after NOW."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if is_rsa:
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chargers.example.net")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - dt.timedelta(days=400))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (22, []),
        (20.9, [("expires: 2026-12-13 09:36 UTC", "warning")]),
        (14.1, [("expires: 2026-12-06 14:24 UTC", "warning")]),
        (2.9, [("expires: 2026-11-25 09:36 UTC", "critical")]),
        (-1, [("has expired: 2026-11-21 12:00 UTC", "critical")]),
    ],
)
def test_a_file(tmp_path: Path, days: float, said: list[tuple[str, str]]) -> None:
    path = tmp_path / "fullchain.pem"
    path.write_bytes(pem(days)[0])
    findings, expiries = conditions.certificates([str(tmp_path / "*.pem")], NOW)
    assert [
        (item.summary.removeprefix(f"the certificate of {path} "), item.severity)
        for item in findings
    ] == said
    assert expiries == {str(path): (NOW + dt.timedelta(days=days)).timestamp()}


def serving(context: ssl.SSLContext) -> list[str]:
    """What is told of a server with this context."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        findings, _ = conditions.certificates([f"127.0.0.1:{port}"], NOW)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    prefix = f"the certificate of 127.0.0.1:{port} "
    return [item.summary.removeprefix(prefix) for item in findings]


def test_what_a_server_really_serves(tmp_path: Path) -> None:
    """A renewed file that nobody has loaded yet is no renewal."""
    certificate, key = pem(10)
    (tmp_path / "both.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    assert serving(context) == ["expires: 2026-12-02 12:00 UTC"]


@pytest.mark.parametrize(("elliptic", "other"), [(60, 10), (10, 60)])
def test_of_two_kinds_side_by_side_the_one_that_ends_first_counts(
    tmp_path: Path, elliptic: int, other: int
) -> None:
    """Each is renewed on its own, and chargers that know RSA alone would be out."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for days, made in ((elliptic, pem(elliptic)), (other, pem(other, is_rsa=True))):
        path = tmp_path / f"{days}.pem"
        path.write_bytes(b"".join(made))
        context.load_cert_chain(path)
    assert serving(context) == ["expires: 2026-12-02 12:00 UTC"]


def test_what_cannot_be_read_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("no certificate")
    names = [str(tmp_path / "broken.pem"), str(tmp_path / "missing.pem")]
    findings, expiries = conditions.certificates(names, NOW)
    assert [item.summary for item in findings] == [
        f"the certificate of {name} can't be read" for name in names
    ]
    assert expiries == {}
