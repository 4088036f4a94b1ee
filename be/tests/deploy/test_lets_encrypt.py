"""lets-encrypt-cert.sh and renewal, against pebble: Let's Encrypt's own server for tests."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.rabbitmq import unused_port

from tests.deploy.charger import charger
from tests.deploy.front import DOMAIN, Backends, Front, front, raw, tool
from tests.system.processes import CHECKOUT, Process, eventually

pytestmark = [pytest.mark.nginx, pytest.mark.deploy, pytest.mark.slow]

CERTBOT = CHECKOUT / ".certbot/bin"


class Authority:
    """A running pebble, which finds every name on this machine."""

    def __init__(self, folder: Path, http_port: int, port: int = 0, dns: str = "") -> None:
        self.port = port or unused_port()
        own_dns = f"127.0.0.1:{unused_port()}"
        self.certificate = folder / "pebble.pem"
        key = folder / "pebble.key"
        subprocess.run(
            [
                *(tool("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", key, "-out", self.certificate, "-days", "2"),
            ],
            capture_output=True,
            check=True,
        )
        config = folder / "pebble.json"
        config.write_text(
            json.dumps(
                {
                    "pebble": {
                        "listenAddress": f"127.0.0.1:{self.port}",
                        "managementListenAddress": f"127.0.0.1:{unused_port()}",
                        "certificate": str(self.certificate),
                        "privateKey": str(key),
                        "httpPort": http_port,
                        "tlsPort": unused_port(),
                        "ocspResponderURL": "",
                        "externalAccountBindingRequired": False,
                    }
                }
            )
        )
        self.names = Process(
            "pebble-challtestsrv",
            [
                *(tool("pebble-challtestsrv", "pebble"), "-defaultIPv4", "127.0.0.1"),
                *("-defaultIPv6", "", "-dns01", own_dns, "-http01", ""),
                *("-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{unused_port()}"),
            ],
            {},
            folder,
        )
        self.process = Process(
            "pebble",
            [
                *(tool("pebble", "pebble"), "-config", str(config)),
                *("-dnsserver", dns or own_dns),
            ],
            {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
            folder,
        )
        self.process.line("ACME directory available at")

    @property
    def environ(self) -> dict[str, str]:
        """What certbot must know of it."""
        return {
            "LEVITY_ACME_SERVER": f"https://127.0.0.1:{self.port}/dir",
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }

    def close(self) -> None:
        self.process.kill()
        self.names.kill()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Front, Backends]]:
    assert (CERTBOT / "certbot").exists(), "no certbot: make check-deploy makes .certbot"
    with front(tmp_path, tls=True) as (made, backends):
        made.environ["PATH"] = f"{CERTBOT}:{made.environ['PATH']}"
        yield made, backends


def served(site: Front, suite: str) -> x509.Certificate:
    said = subprocess.run(
        [
            *(tool("openssl", "openssl"), "s_client", "-tls1_2", "-cipher", suite),
            *("-connect", f"127.0.0.1:{site.https}"),
        ],
        input=b"",
        capture_output=True,
        timeout=20,
        check=False,
    ).stdout
    return x509.load_pem_x509_certificate(said[said.index(b"-----BEGIN CERTIFICATE") :])


def issuers(site: Front) -> set[str]:
    return {
        served(site, suite).issuer.rfc4514_string().split(" ")[0]
        for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "AES128-GCM-SHA256")
    }


def test_the_documented_steps_end_with_two_certificates_in_use(
    site: tuple[Front, Backends], tmp_path: Path
) -> None:
    """S-09: RSA and ECDSA, both of the authority, and no charger is cut off on the way."""
    made, _ = site
    authority = Authority(tmp_path, made.http)
    try:
        with charger(made, "/ws/CP1") as connected:
            connected.recv()
            first = made.script(
                "lets-encrypt-cert.sh", DOMAIN, "email@example.com", **authority.environ
            )
            assert first.returncode == 0, first.stdout + first.stderr
            assert eventually(lambda: issuers(made), {"CN=Pebble"}) == {"CN=Pebble"}
            kinds = (
                type(served(made, "ECDHE-ECDSA-AES128-GCM-SHA256").public_key()),
                type(served(made, "AES128-GCM-SHA256").public_key()),
            )
            assert issubclass(kinds[0], ec.EllipticCurvePublicKey)
            assert issubclass(kinds[1], rsa.RSAPublicKey)
            again = made.script(
                "lets-encrypt-cert.sh", DOMAIN, "email@example.com", **authority.environ
            )
            assert again.returncode == 0
            assert "not yet due for renewal" in again.stdout + again.stderr
            connected.send("still here")
            assert connected.recv(timeout=5) == "still here"

            # What certbot does in the last third of a certificate's life, by force.
            before = served(made, "AES128-GCM-SHA256").serial_number
            renewed = subprocess.run(
                [
                    *(CERTBOT / "certbot", "renew", "--force-renewal", "--non-interactive"),
                    *("--no-random-sleep-on-renew", "--config-dir", made.certificates),
                    *("--work-dir", tmp_path / "certbot", "--logs-dir", tmp_path / "certbot/logs"),
                ],
                env={**made.environ, **authority.environ},
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
            )
            assert renewed.returncode == 0, renewed.stderr
            assert eventually(
                lambda: served(made, "AES128-GCM-SHA256").serial_number != before, True
            )
            connected.send("still here")
            assert connected.recv(timeout=5) == "still here"
        # A run of the service with nothing to do changes nothing.
        now = served(made, "AES128-GCM-SHA256").serial_number
        assert made.script("renew.sh", "once", **authority.environ).returncode == 0
        assert served(made, "AES128-GCM-SHA256").serial_number == now
    finally:
        authority.close()


def test_an_authority_that_refuses_leaves_what_works(
    site: tuple[Front, Backends], tmp_path: Path
) -> None:
    """P-10: the proof can't be fetched; the self-signed ones stay, and the cause is told."""
    made, _ = site
    authority = Authority(tmp_path, http_port=1)
    try:
        before = made.served_certificate()
        done = made.script("lets-encrypt-cert.sh", DOMAIN, "email@example.com", **authority.environ)
        assert done.returncode == 1
        assert f"Does {DOMAIN} lead to this machine, and is port 80 open" in done.stderr
        assert made.served_certificate() == before
    finally:
        authority.close()


def test_only_challenges_are_to_be_had_on_port_80(site: tuple[Front, Backends]) -> None:
    made, backends = site
    folder = made.acme / ".well-known/acme-challenge"
    folder.mkdir(parents=True)
    (folder / "token").write_text("proof")
    (made.acme / "secret").write_text("no")

    def get(path: str) -> tuple[int, bytes]:
        with made.connect(tls=False) as connection:
            return raw(connection, f"GET {path} HTTP/1.0\r\n\r\n")

    assert get("/.well-known/acme-challenge/token")[1].endswith(b"proof")
    assert get("/.well-known/acme-challenge/other")[0] == 404
    assert get("/.well-known/acme-challenge/../../secret")[0] == 301
    assert not backends.pages
