"""docker-compose.full-tls.yml from its first start on, step by step as the README has them.

Needs the built images and a network namespace of its own: `make check-deploy`.
"""

import asyncio
import base64
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import pytest
from ocpp.v16 import call
from playwright.sync_api import sync_playwright
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.deploy.authority import Authority as ClientAuthority
from tests.deploy.containers import Project
from tests.deploy.front import tool
from tests.deploy.test_lets_encrypt import Authority
from tests.system.chargers import IndependentCharger

pytestmark = [pytest.mark.deploy, pytest.mark.slow, pytest.mark.services, pytest.mark.browser]

DOMAIN = "example.com"
PASSWORD = "a-password-of-the-superuser"


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    assert os.environ.get("LEVITY_OWN_NETWORK"), "run it by `make check-deploy`"
    # Postgres runs as itself, and can't look into pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="levity-site-"))
    folder.chmod(0o755)
    # The containers' network is 127.0.0.1 here.
    proxies = {"LEVITY_TRUSTED_PROXIES": "127.0.0.1"}
    made = Project("docker-compose.full-tls.yml", folder, HOSTNAME=DOMAIN, **proxies)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


def fe_tls(project: Project, script: str, *arguments: str, **options: Any) -> None:
    """`docker compose run --rm --entrypoint 'sh /usr/local/bin/SCRIPT ARGUMENTS' fe_tls`."""
    done = project.run(
        "fe_tls", entrypoint=["sh", f"/usr/local/bin/{script}", *arguments], **options
    )
    assert done.returncode == 0, done.stdout + done.stderr


def fe_tls_with(project: Project, stdin: Path, script: str, *arguments: str) -> None:
    """`docker compose run --rm -T --entrypoint 'sh /usr/local/bin/SCRIPT ...' fe_tls <STDIN`."""
    words = project.words("fe_tls", entrypoint=["sh", f"/usr/local/bin/{script}", *arguments])
    with stdin.open("rb") as file:
        done = subprocess.run(words, stdin=file, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def boot(url: str, context: ssl.SSLContext | None) -> str:
    """An independent charger boots and has one session; what it was told at its boot."""
    async with connect(
        f"{url}/ws/CP-TLS", subprotocols=["ocpp1.6"], ssl=context, proxy=None
    ) as socket:
        charger = IndependentCharger("CP-TLS", socket)
        listening = asyncio.ensure_future(charger.start())
        try:
            booted = await charger.call(call.BootNotification("Model S1", "Independent"))
            now = datetime.now(UTC).isoformat()
            started = await charger.call(call.StartTransaction(1, "TAG", 1000, now))
            assert started.transaction_id > 0
            await charger.call(call.StopTransaction(1500, now, started.transaction_id))
            return str(booted.status)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_the_documented_steps_bring_a_site_up(project: Project, tmp_path: Path) -> None:
    """P-01, P-02, P-03, P-11, S-09, E-13: images, secrets, certificates, login, wss and ws."""

    fe_tls(project, "write-nginx-conf.sh", DOMAIN)
    fe_tls(project, "self-signed-cert.sh", DOMAIN)

    assert project.run("secrets").returncode == 0
    project.start_postgres()
    project.start_rabbitmq()
    be = project.up("be")
    be.line("Applying ocpp.0001_initial")
    project.up("ws")
    project.up("fe")
    project.publish()

    authority = _pebble(project, tmp_path)
    fe_tls(
        project,
        "lets-encrypt-cert.sh",
        DOMAIN,
        "email@example.com",
        extra={
            "LEVITY_ACME_SERVER": "https://127.0.0.1:14000/dir",
            "REQUESTS_CA_BUNDLE": "/tmp/pebble.pem",
        },
        more_files=[authority],
    )

    project.down("fe")
    project.up("fe")

    project.up("worker").line("worker takes batches")
    project.up("fe_tls")

    migrated = project.run("be", "poetry", "run", "python", "manage.py", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert "No migrations to apply" in migrated.stdout
    made = project.run(
        "be",
        *("poetry", "run", "python", "manage.py", "createsuperuser", "--no-input"),
        *("--username", "root", "--email", "root@example.com"),
        extra={"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
    )
    assert made.returncode == 0, made.stderr

    said = subprocess.run(
        [tool("openssl", "openssl"), "s_client", "-connect", "127.0.0.1:443"],
        input=b"",
        capture_output=True,
        check=False,
    ).stdout.decode()
    assert "issuer=CN = Pebble" in said, said


def test_an_independent_charger_comes_over_tls_alone(project: Project) -> None:
    """P-11: wss is taken; ws is refused until it is switched on, and then to /ws/ alone."""
    project.ready()
    assert asyncio.run(boot("wss://127.0.0.1", trusting())) == "Accepted"
    with pytest.raises(InvalidStatus, match="403"):
        asyncio.run(boot("ws://127.0.0.1", None))
    project.down("fe")
    project.up("fe", LEVITY_PLAIN_WS="true")
    assert asyncio.run(boot("ws://127.0.0.1", None)) == "Accepted"
    project.down("fe")
    project.up("fe")


def status_of(url: str, context: ssl.SSLContext | None, identity: str, key: str = "") -> int:
    """101 for a charger that is let in, else what the handshake was answered with."""

    async def knock() -> int:
        headers = {}
        if key:
            basic = base64.b64encode(f"{identity}:{key}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        try:
            async with connect(
                f"{url}/ws/{identity}",
                subprotocols=["ocpp1.6"],
                ssl=context,
                proxy=None,
                additional_headers=headers,
            ):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    return asyncio.run(knock())


def test_the_security_profiles_hold_behind_nginx(project: Project, tmp_path: Path) -> None:
    """S-04, S-10: keys and certificates, by the headers that nginx sets."""
    authority = ClientAuthority(tmp_path, "The operator's authority")
    stranger = ClientAuthority(tmp_path, "The operator's authority")
    for name, pem in (("ca", authority.pem), ("crl", authority.crl())):
        path = tmp_path / f"{name}.pem"
        path.write_bytes(pem)
        fe_tls_with(project, path, "client-certificates.sh", name)
    made = project.run(
        "be",
        *("levity", "shell", "--command"),
        "from levity.ocpp.models import ChargePoint, Credential\n"
        "from levity.ocpp.chargers.security.keys import digest_of\n"
        "for profile in (1, 2, 3):\n"
        "    made = ChargePoint.objects.create(\n"
        "        identity=f'PROFILE-{profile}', security_profile=profile)\n"
        "    Credential.objects.create(charge_point=made, digest=digest_of(b'k' * 20))\n",
    )
    assert made.returncode == 0, made.stderr
    project.down("fe")
    project.up("fe", LEVITY_PLAIN_WS="true")
    plain, tls, key = "ws://127.0.0.1", "wss://127.0.0.1", "k" * 20

    assert status_of(plain, None, "PROFILE-1", key) == 101
    assert status_of(plain, None, "PROFILE-1") == 401
    assert status_of(tls, trusting(), "PROFILE-2", key) == 101
    assert status_of(tls, trusting(), "PROFILE-2", "w" * 20) == 401
    assert status_of(plain, None, "PROFILE-2", key) in (401, 403)

    def with_certificate(path: Path) -> ssl.SSLContext:
        context = trusting()
        context.load_cert_chain(path)
        return context

    def third(path: Path, identity: str = "PROFILE-3") -> int:
        return status_of(tls, with_certificate(path), identity)

    assert third(authority.issue("PROFILE-3")) == 101
    refused = {
        "none": status_of(tls, trusting(), "PROFILE-3", key),
        "another's authority": third(stranger.issue("PROFILE-3")),
        "expired": third(authority.issue("PROFILE-3", expired=True)),
        "another charger's": third(authority.issue("PROFILE-2")),
    }
    revoked = authority.issue("PROFILE-3", revoked=True)
    path = tmp_path / "crl.pem"
    path.write_bytes(authority.crl())
    fe_tls_with(project, path, "client-certificates.sh", "crl")
    project.down("fe")
    project.up("fe")
    refused["revoked"] = third(revoked)
    assert set(refused.values()) <= {401, 403}, refused
    assert third(authority.issue("PROFILE-3")) == 101
    # Who brings a certificate that is wanted by nobody is not turned away for it.
    assert status_of(tls, with_certificate(stranger.issue("X")), "PROFILE-2", key) == 101
    fe_tls(project, "client-certificates.sh", "off")
    project.down("fe")
    project.up("fe")


def test_a_person_logs_in_through_nginx(project: Project, tmp_path: Path) -> None:
    """W-07 at the site as it is deployed: https, Secure cookies, HSTS, style sheets, no error."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tool("chromium", "chromium"),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                f"--host-resolver-rules=MAP {DOMAIN} 127.0.0.1",
            ],
        )
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "response",
            lambda response: (
                complaints.append(f"{response.status} {response.url}")
                if response.status >= 400
                else None
            ),
        )
        answer = page.goto(f"http://{DOMAIN}/admin/")
        assert answer is not None
        assert page.url.startswith(f"https://{DOMAIN}/admin/login/")
        assert "max-age=31536000" in (answer.headers.get("strict-transport-security") or "")
        page.fill("#id_username", "root")
        page.fill("#id_password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#lv-dashboard")
        page.goto(f"https://{DOMAIN}/admin/ocpp/chargepoint/")
        assert "CP-TLS" in page.content()
        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert cookies["sessionid"]["secure"]
        assert cookies["sessionid"]["httpOnly"]
        page.screenshot(path=str(tmp_path / "page.png"))
        browser.close()
    assert not complaints


def test_the_broker_knows_levity_alone(project: Project) -> None:
    """P-02: no guest, no administrator, one virtual host of its own."""
    assert project.rabbitmqctl("list_users").splitlines() == ["user\ttags", "levity\t[]"]
    assert project.rabbitmqctl("list_vhosts").splitlines() == ["name", "levity"]
    for login in ("guest:guest", "levity:levity", "levity:"):
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            pika.BlockingConnection(
                pika.URLParameters(f"amqp://{login}@127.0.0.1:5672/levity?connection_attempts=1")
            )


def test_no_container_can_write_to_its_image(project: Project) -> None:
    """P-04: nor does it have any right of root's."""
    for service in ("be", "ws", "fe", "fe_tls"):
        done = project.run(
            service, entrypoint=["sh", "-c", "id -u; touch /x || touch /etc/x; cat /proc/1/status"]
        )
        lines = done.stdout.splitlines()
        assert int(lines[0]) > 0
        assert done.stderr.count("Read-only file system") == 2, service
        assert "CapEff:\t0000000000000000" in lines


def test_a_deploy_stops_in_good_order(project: Project) -> None:
    """F-12, F-29: SIGTERM ends web pages, worker and edge; a new start takes up where they left."""
    for service in ("worker", "ws", "be"):
        process = project.running[service]
        project.down(service)
        assert "Traceback" not in process.log, process.log
    for service in ("be", "worker", "ws"):
        project.up(service)
    project.ready()
    assert asyncio.run(boot("wss://127.0.0.1", trusting())) == "Accepted"


def test_a_container_without_its_secrets_does_not_start(project: Project) -> None:
    """P-03: neither with a default nor with an empty database of its own."""
    for missing in ("SECRET_KEY", "DATABASE_URL"):
        done = project.run(
            "be", "levity", "check", extra={f"{missing}_FILE": "/run/levity/none/at-all"}
        )
        assert done.returncode != 0
        assert f"{missing}_FILE" in done.stderr


def _pebble(project: Project, folder: Path) -> Path:
    authority = Authority(folder, http_port=80, port=14000, dns="127.0.0.1:53")
    project.helpers += [authority.process, authority.names]
    return authority.certificate
