"""The certification cases about who connects, over real TLS where they ask for it.

The charger is the independent one. TLS is ended in front of Levity, as nginx does it for a site.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from ocpp.v16 import call
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from levity.monitoring.models import Alert
from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Command,
    ConnectionEvent,
    Credential,
    Message,
    RefusedHandshake,
    SecurityEvent,
)
from tests.ocpp.certificate_requests import certificate_request
from tests.system.chargers import IndependentCharger
from tests.system.processes import eventually
from tests.system.site import Site, embedded, serve
from tests.system.terminator import Authority, terminated

KEY = "00112233445566778899aabbccddeeff00112233"
NEW = "ffeeddccbbaa99887766554433221100ffeeddcc"


class Place:
    """A running Levity with and without TLS in front of it."""

    def __init__(self, site: Site, tls: int, authority: Authority) -> None:
        self.site, self.tls, self.authority = site, tls, authority

    def charge_point(self, identity: str, profile: int, key: str = KEY) -> None:
        """One that is on the books, with its key."""
        with self.site.books.open(ChargePoint) as rows:
            row = rows.create(identity=identity, security_profile=profile)
        with self.site.books.open(Credential) as rows:
            rows.create(charge_point_id=row.pk, digest=digest_of(key.encode()))

    @asynccontextmanager
    async def charger(
        self,
        identity: str,
        key: str | None = KEY,
        *,
        username: str | None = None,
        tls: bool = False,
        certificate: Path | None = None,
        trusts: Path | None = None,
    ) -> AsyncIterator[IndependentCharger]:
        """Connected so, listening until the block ends; `InvalidStatus` where it is refused."""
        headers = {}
        if key is not None:
            login = f"{username or identity}:{key}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
        options: dict[str, Any] = {}
        url = self.site.url()
        if tls:
            context = ssl.create_default_context(cafile=str(trusts or self.authority.pem))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if certificate:
                context.load_cert_chain(certificate)
            options["ssl"] = context
            url = f"wss://127.0.0.1:{self.tls}/ws"
        async with connect(
            f"{url}/{identity}",
            subprotocols=["ocpp1.6"],
            proxy=None,
            additional_headers=headers,
            **options,
        ) as socket:
            charger = IndependentCharger(identity, socket)
            listening = asyncio.ensure_future(charger.start())
            try:
                yield charger
            finally:
                await socket.close()
                listening.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await listening

    def boots(self, identity: str, key: str | None = KEY, **more: Any) -> str:
        """Connect so, and boot: the registration status; of one who is refused, the HTTP status.

        `no TLS` where it does not even come to HTTP.
        """

        async def run() -> str:
            async with self.charger(identity, key, **more) as charger:
                said = await charger.call(call.BootNotification("Model S1", "Independent"))
                return str(said.status)

        try:
            return asyncio.run(run())
        except InvalidStatus as error:
            response = error.response
            if response.status_code == 401:
                assert response.headers["WWW-Authenticate"].startswith("Basic ")
            return str(response.status_code)
        except (OSError, EOFError, InvalidMessage, ConnectionClosed):
            return "no TLS"

    def reasons(self, identity: str) -> list[str]:
        """Why it was refused, as the onboarding doctor has it."""
        rows = self.site.books.rows(RefusedHandshake, "reason", identity=identity)
        return sorted(str(row[0]) for row in rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("security")
    with embedded(folder, django_db_blocker, started=False) as site:
        serve(site, LEVITY_TRUSTED_PROXIES="127.0.0.1")
        authority = Authority(folder)
        with terminated(site.port(), authority) as tls:
            yield Place(site, tls, authority)
        assert site.tracebacks() == []
        assert KEY not in site.edges[0].log
        assert NEW not in site.edges[0].log


def test_tc_085_csms__basic_authentication(place: Place) -> None:
    """The key opens, and nothing else does; S-01, S-02, S-03 on the wire."""
    place.charge_point("TC-085", 1)
    place.charge_point("TC-085-B", 1, key=NEW)
    assert place.boots("TC-085") == "Accepted"
    assert place.boots("TC-085", NEW) == "401"
    assert place.boots("TC-085", None) == "401"
    assert place.boots("TC-085", username="TC-085-B") == "401"
    assert place.boots("TC-085-B") == "401"
    assert place.reasons("TC-085") == ["key", "no-key", "username"]
    assert place.site.books.count(ConnectionEvent, identity="TC-085", kind="connected") == 1
    assert place.site.books.count(Message, charge_point__identity="TC-085") == 1


def test_tc_086_csms__tls_with_a_server_certificate(place: Place) -> None:
    """Profile 2: over TLS with the key; without TLS not even with the key (S-04)."""
    place.charge_point("TC-086", 2)
    assert place.boots("TC-086", tls=True) == "Accepted"
    assert place.boots("TC-086") == "401"
    assert place.boots("TC-086", None, tls=True) == "401"
    stranger = Authority(place.authority.folder, "Somebody else")
    assert place.boots("TC-086", tls=True, trusts=stranger.pem) == "no TLS"
    assert place.reasons("TC-086") == ["no-key", "no-tls"]
    assert place.site.books.row(ChargePoint, "remote_address", identity="TC-086") == {
        "remote_address": "192.0.2.50"
    }


def test_tc_087_csms__tls_with_a_client_certificate(place: Place) -> None:
    """Profile 3: the charger's own certificate; S-10 but for what is the proxy's."""
    place.charge_point("TC-087", 3)
    own, other = place.authority.issue("TC-087"), place.authority.issue("TC-087-B")
    ended = place.authority.issue("TC-087", ended=True)
    foreign = Authority(place.authority.folder, "Another authority").issue("TC-087")
    assert place.boots("TC-087", None, tls=True, certificate=own) == "Accepted"
    assert place.boots("TC-087", tls=True) == "401"
    assert place.boots("TC-087", tls=True, certificate=other) == "401"
    assert place.boots("TC-087") == "401"
    assert place.boots("TC-087", tls=True, certificate=ended) == "no TLS"
    assert place.boots("TC-087", tls=True, certificate=foreign) == "no TLS"
    assert place.reasons("TC-087") == ["certificate-name", "no-certificate", "no-tls"]
    assert place.site.books.count(ConnectionEvent, identity="TC-087", kind="connected") == 1


def test_tc_073_csms__the_password_is_changed(place: Place) -> None:
    """The operator changes it; the charger comes with the new one, and the old one is dead."""
    place.charge_point("TC-073", 2)

    async def script() -> None:
        async with place.charger("TC-073", tls=True) as charger:
            await charger.call(call.BootNotification("Model S1", "Independent"))
            sent = await place.site.levity_async(
                *("send_command", "--wait", "TC-073", "ChangeConfiguration"),
                f'{{"key":"AuthorizationKey","value":"{NEW}"}}',
            )
            assert sent.returncode == 0, sent.stderr
            (asked,) = await charger.until_asked(1)
            assert asked.payload == {"key": "AuthorizationKey", "value": NEW}

    asyncio.run(script())
    assert place.boots("TC-073", tls=True) == "401"
    assert place.boots("TC-073", NEW, tls=True) == "Accepted"
    mine = {"charge_point__identity": "TC-073"}
    assert place.site.books.rows(Command, "state", "payload", "secret", **mine) == [
        ("answered", {"key": "AuthorizationKey", "value": "***"}, "")
    ]
    assert NEW not in str(place.site.books.rows(Message, "request", "response", **mine))


@pytest.fixture(scope="module")
def own_authority(place: Place) -> x509.Certificate:
    """Levity's own certificate authority, made as an operator makes it."""
    command = "certificate_authority"
    made = place.site.levity(command, "create", "--organization", "Housing Co-op")
    assert made.returncode == 0, made.stderr
    root = place.site.levity(command, "export")
    return x509.load_pem_x509_certificate(root.stdout.encode())


def asks_and_gets(place: Place, identity: str, answer: str) -> tuple[str, str]:
    """A02: the operator asks, the charger has a new key signed and answers so.

    The certificate that it is sent, and the fingerprint of its key.
    """
    key, csr = certificate_request(identity)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    async def script() -> str:
        async with place.charger(identity, tls=True) as charger:
            await charger.call(call.BootNotification("Model S1", "Independent"))
            charger.habits.answers["CertificateSigned"] = answer
            sent = await place.site.levity_async(
                *("send_command", "--wait", identity, "ExtendedTriggerMessage"),
                '{"requestedMessage":"SignChargePointCertificate"}',
            )
            assert sent.returncode == 0, sent.stderr
            said = await charger.call(call.SignCertificate(csr))
            assert said.status == "Accepted"
            _, asked = await charger.until_answered(2)
            assert asked.action == "CertificateSigned"
            if answer != "Accepted":
                await charger.call(
                    call.SecurityEventNotification(
                        "InvalidChargePointCertificate", "2026-11-22T12:00:00Z", "not mine"
                    )
                )
            # One more exchange, so that the answer before it is on the books.
            await charger.call(call.Heartbeat())
            return str(asked.payload["certificate_chain"])

    return asyncio.run(script()), hashlib.sha256(public).hexdigest()


def test_tc_074_csms__the_certificate_is_updated(
    place: Place, own_authority: x509.Certificate
) -> None:
    """ExtendedTriggerMessage, SignCertificate, CertificateSigned; what is sent is on the books."""
    place.charge_point("TC-074", 2)
    chain, key_fingerprint = asks_and_gets(place, "TC-074", "Accepted")
    made = x509.load_pem_x509_certificate(chain.encode())
    made.verify_directly_issued_by(own_authority)
    assert made.subject.rfc4514_string() == "CN=TC-074,O=Housing Co-op"
    pem = serialization.Encoding.PEM
    own = made.public_bytes(pem).decode()
    # Whom it is issued by goes with it: a charger that knows the root only can check the chain.
    assert chain == own + own_authority.public_bytes(pem).decode()
    mine = {"charge_point__identity": "TC-074"}
    assert place.site.books.rows(
        *(ChargePointCertificate, "state", "identity", "serial_number", "fingerprint"),
        *("key_fingerprint", "key_kind", "not_after", "certificate", "trigger__action"),
        **mine,
    ) == [
        (
            "installed",
            "TC-074",
            f"{made.serial_number:x}",
            made.fingerprint(hashes.SHA256()).hex(),
            key_fingerprint,
            "EC 256",
            made.not_valid_after_utc,
            own,
            "ExtendedTriggerMessage",
        )
    ]
    assert place.site.books.rows(Command, "action", "state", "result_status", **mine) == [
        ("ExtendedTriggerMessage", "answered", "Accepted"),
        ("CertificateSigned", "answered", "Accepted"),
    ]
    asked = place.site.books.rows(Message, "action", "sender", "error_code", **mine)
    assert asked == [
        ("BootNotification", "cp", ""),
        ("ExtendedTriggerMessage", "cs", ""),
        ("SignCertificate", "cp", ""),
        ("CertificateSigned", "cs", ""),
        ("Heartbeat", "cp", ""),
    ]
    assert place.site.books.count(SecurityEvent, **mine) == 0


def test_tc_077_csms__the_charger_refuses_its_certificate(
    place: Place, own_authority: x509.Certificate
) -> None:
    """It says Rejected and InvalidChargePointCertificate: kept, shown, and an alert."""
    place.charge_point("TC-077", 2)
    asks_and_gets(place, "TC-077", "Rejected")
    mine = {"charge_point__identity": "TC-077"}
    assert place.site.books.rows(ChargePointCertificate, "state", "detail", **mine) == [
        ("refused", "the charger said Rejected")
    ]
    assert place.site.books.rows(SecurityEvent, "type", "detail", **mine) == [
        ("InvalidChargePointCertificate", "not mine")
    ]
    assert place.site.books.rows(Command, "action", "state", "result_status", **mine) == [
        ("ExtendedTriggerMessage", "answered", "Accepted"),
        ("CertificateSigned", "answered", "Rejected"),
    ]
    told = [("certificate", "TC-077 refused its new certificate", "warning")]
    assert (
        eventually(
            lambda: place.site.books.rows(Alert, "kind", "summary", "severity", **mine),
            told,
            within=60,
        )
        == told
    )


def test_tc_083_csms__the_profile_is_raised(place: Place) -> None:
    """ChangeConfiguration, Reset, and back with profile 2; never again with profile 1."""
    place.charge_point("TC-083", 1)

    async def script() -> None:
        async with place.charger("TC-083") as charger:
            await charger.call(call.BootNotification("Model S1", "Independent"))
            for action, payload in (
                ("ChangeConfiguration", '{"key":"SecurityProfile","value":"2"}'),
                ("Reset", '{"type":"Hard"}'),
            ):
                sent = await place.site.levity_async(
                    "send_command", "TC-083", action, payload, "--wait"
                )
                assert sent.returncode == 0, sent.stderr
            asked = await charger.until_asked(2)
            assert [item.action for item in asked] == ["ChangeConfiguration", "Reset"]

    asyncio.run(script())
    assert place.boots("TC-083", tls=True) == "Accepted"
    assert eventually(
        lambda: place.site.books.row(ChargePoint, "security_profile", identity="TC-083"),
        {"security_profile": 2},
    ) == {"security_profile": 2}
    assert place.boots("TC-083") == "401"
    lowered = place.site.levity(
        *("send_command", "TC-083", "ChangeConfiguration", '{"key":"SecurityProfile","value":"1"}')
    )
    assert lowered.returncode != 0
    assert "never sent" in lowered.stderr


def test_tc_088_csms__the_subprotocol(place: Place) -> None:
    """Over TLS, too: ocpp1.6 is chosen among several, and what is not known is refused."""
    place.charge_point("TC-088", 2)
    context = ssl.create_default_context(cafile=str(place.authority.pem))
    login = base64.b64encode(f"TC-088:{KEY}".encode()).decode()
    url = f"wss://127.0.0.1:{place.tls}/ws/TC-088"

    async def offer(*names: str) -> str | None:
        async with connect(
            url,
            subprotocols=[Subprotocol(name) for name in names],
            ssl=context,
            proxy=None,
            additional_headers={"Authorization": f"Basic {login}"},
        ) as socket:
            return socket.subprotocol

    assert asyncio.run(offer("ocpp2.0.1", "ocpp1.6")) == "ocpp1.6"
    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(offer("ocpp9.9"))
    assert refused.value.response.status_code == 400
    assert place.reasons("TC-088") == ["subprotocol"]
