"""S-10 from end to end: real nginx with the files of `fe`, a real Levity behind it."""

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from django.utils import timezone
from ocpp.v16 import call
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Credential,
    RefusedHandshake,
)
from tests.deploy.authority import Authority
from tests.deploy.front import Front
from tests.ocpp.certificate_requests import certificate_request
from tests.system.chargers import IndependentCharger
from tests.system.processes import eventually
from tests.system.site import Site, embedded, serve

pytestmark = [pytest.mark.nginx, pytest.mark.slow]

SHAKE = (
    "GET /ws/{identity} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n{more}\r\n"
)


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[tuple[Site, Front, Authority]]:
    folder = tmp_path_factory.mktemp("profile-3")
    with embedded(folder, django_db_blocker, started=False) as site:
        serve(site, LEVITY_TRUSTED_PROXIES="127.0.0.1")
        for identity in ("CP-3", "CP-4"):
            with site.books.open(ChargePoint) as rows:
                rows.create(identity=identity, security_profile=3)
        authority = Authority(folder, "The operator's authority")
        front = Front(folder, site.port(), site.port(), tls=True)
        try:
            front.prepare()
            ca = front.script("client-certificates.sh", "ca", stdin=authority.pem)
            assert ca.returncode == 0, ca.stderr
            front.start()
            yield site, front, authority
        finally:
            front.close()


def shake(front: Front, identity: str, certificate: Path | None = None, more: str = "") -> int:
    """The status of the answer; 0 where TLS or nginx ends it before."""
    try:
        with front.connect(tls=True, certificate=certificate) as connection:
            request = SHAKE.format(identity=identity, host="chargers.example.com", more=more)
            connection.sendall(request.encode())
            connection.settimeout(10)
            answer = connection.recv(65536)
    except (ssl.SSLError, ConnectionError):
        return 0
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def test_only_its_own_valid_certificate_lets_a_charger_in(
    place: tuple[Site, Front, Authority],
) -> None:
    """S-10: none, another authority's, expired, another charger's, revoked: 5 of 5 refused. E-14:
    nor does a header help that says what only nginx may say."""
    site, front, authority = place
    own = authority.issue("CP-3")
    revoked = authority.issue("CP-3", revoked=True)
    assert shake(front, "CP-3", own) == 101
    assert shake(front, "CP-3", revoked) == 101
    crl = front.script("client-certificates.sh", "crl", stdin=authority.crl())
    assert crl.returncode == 0, crl.stderr
    bad = {
        "none": None,
        "another authority": Authority(front.folder, "The operator's authority").issue("CP-3"),
        "expired": authority.issue("CP-3", expired=True),
        "another charger's": authority.issue("CP-4"),
        "revoked": revoked,
    }
    process = front.process
    assert process is not None
    process.line("nginx reloads")
    told = {name: shake(front, "CP-3", certificate) for name, certificate in bad.items()}
    # A worker of before the reload may take a first connection.
    told["revoked"] = shake(front, "CP-3", revoked)
    assert told == dict.fromkeys(bad, 401)
    lie = "X-Client-Verify: SUCCESS\r\nX-Client-Cert: {}\r\n".format(
        own.read_text().partition("-----BEGIN CERTIFICATE")[2].replace("\n", "%0A")
    )
    assert shake(front, "CP-3", None, lie) == 401
    assert shake(front, "CP-4", own) == 401
    assert shake(front, "CP-3", own) == 101
    found = site.books.rows(RefusedHandshake, "reason", "detail", identity="CP-3")
    assert {reason for reason, _ in found} == {"no-certificate", "certificate", "certificate-name"}


def test_a_charger_gets_in_with_the_certificate_of_our_own_authority(
    place: tuple[Site, Front, Authority],
) -> None:
    """From SignCertificate to wss with profile 3, through real nginx; revoked, it is out at once,
    and by nginx's own list as well."""
    site, front, others = place
    made = site.levity("certificate_authority", "create", "--organization", "Housing Co-op")
    assert made.returncode == 0, made.stderr
    root = site.levity("certificate_authority", "export").stdout.encode()
    trusted = front.script("client-certificates.sh", "ca", stdin=others.pem + root)
    assert trusted.returncode == 0, trusted.stderr

    def give_lists() -> None:
        """nginx wants a list of each of its authorities."""
        crl = site.levity("certificate_authority", "crl")
        assert crl.returncode == 0, crl.stderr
        given = front.script(
            "client-certificates.sh", "crl", stdin=others.crl() + crl.stdout.encode()
        )
        assert given.returncode == 0, given.stderr

    give_lists()
    own_key = "00112233445566778899aabbccddeeff00112233"
    with site.books.open(ChargePoint) as rows:
        row = rows.create(identity="CP-5", security_profile=2)
    with site.books.open(Credential) as rows:
        rows.create(charge_point_id=row.pk, digest=digest_of(own_key.encode()))
    key, csr = certificate_request("CP-5")

    async def script() -> str:
        login = base64.b64encode(f"CP-5:{own_key}".encode()).decode()
        async with connect(
            f"wss://127.0.0.1:{front.https}/ws/CP-5",
            subprotocols=[Subprotocol("ocpp1.6")],
            ssl=front.context(),
            proxy=None,
            additional_headers={"Authorization": f"Basic {login}"},
        ) as websocket:
            charger = IndependentCharger("CP-5", websocket)
            listening = asyncio.ensure_future(charger.start())
            asked = await site.levity_async(
                *("send_command", "--wait", "CP-5", "ExtendedTriggerMessage"),
                '{"requestedMessage":"SignChargePointCertificate"}',
            )
            assert asked.returncode == 0, asked.stderr
            assert (await charger.call(call.SignCertificate(csr))).status == "Accepted"
            _, signed = await charger.until_answered(2)
            await charger.call(call.Heartbeat())
            listening.cancel()
            return str(signed.payload["certificate_chain"])

    chain = asyncio.run(script())
    path = front.folder / "CP-5.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + chain.encode())
    with site.books.open(ChargePoint) as rows:
        rows.filter(identity="CP-5").update(security_profile=3)
    process = front.process
    assert process is not None
    assert eventually(lambda: shake(front, "CP-5", path), 101) == 101
    assert shake(front, "CP-5") == 401
    assert shake(front, "CP-4", path) == 401
    with site.books.open(ChargePointCertificate) as rows:
        rows.filter(identity="CP-5").update(state="revoked", revoked_at=timezone.now())
    assert shake(front, "CP-5", path) == 401
    refused = {"identity": "CP-5", "reason": "certificate"}
    assert site.books.row(RefusedHandshake, "detail", **refused) == {
        "detail": "it was revoked here"
    }
    give_lists()

    def detail() -> str:
        assert shake(front, "CP-5", path) == 401
        return str(site.books.row(RefusedHandshake, "detail", **refused)["detail"])

    assert eventually(detail, "certificate revoked") == "certificate revoked"


def test_without_tls_nobody_gets_past_nginx(place: tuple[Site, Front, Authority]) -> None:
    """S-04, P-11: port 80 leads to https, not to the chargers' door."""
    _, front, _ = place
    with contextlib.closing(socket.create_connection(("127.0.0.1", front.http), 10)) as connection:
        connection.sendall(SHAKE.format(identity="CP-3", host="x", more="").encode())
        assert not connection.recv(65536).startswith(b"HTTP/1.1 101")
