"""The documented TLS steps, certificates and client certificates (CHECKS.md, S and P)."""

import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography import x509

from tests.deploy.authority import Authority
from tests.deploy.charger import charger
from tests.deploy.front import DOMAIN, Backends, Front, front, raw, tool
from tests.system.processes import eventually

pytestmark = pytest.mark.nginx

Site = tuple[Front, Backends]
SUITES = {  # OCPP 1.6 security whitepaper, A00.FR.317, by OpenSSL's names
    "ECDHE-ECDSA-AES128-GCM-SHA256": "ecdsa",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "ecdsa",
    "AES128-GCM-SHA256": "rsa",
    "AES256-GCM-SHA384": "rsa",
}


def s_client(site: Front, *options: str) -> str:
    done = subprocess.run(
        [
            tool("openssl", "openssl"),
            "s_client",
            "-connect",
            f"127.0.0.1:{site.https}",
            *options,
        ],
        input=b"",
        capture_output=True,
        timeout=20,
        check=False,
    )
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.parametrize("suite", SUITES)
def test_each_suite_of_the_whitepaper_gets_its_kind_of_certificate(
    tls_site: Site, suite: str
) -> None:
    """S-09: all four, RSA and ECDSA side by side."""
    said = s_client(tls_site[0], "-tls1_2", "-cipher", suite)
    assert f"Cipher is {suite}" in said
    kind = "id-ecPublicKey" if SUITES[suite] == "ecdsa" else "rsaEncryption"
    assert f"a:PKEY: {kind}" in said, said
    assert "Compression: NONE" in said


def test_tls_1_3_is_spoken_and_nothing_older_than_1_2(tls_site: Site) -> None:
    """S-09: weak suites and old versions are not to be had."""
    site, _ = tls_site
    assert "New, TLSv1.3" in s_client(site, "-tls1_3")
    for old in ("-tls1", "-tls1_1"):
        assert "Cipher is (NONE)" in s_client(site, old, "-cipher", "ALL:@SECLEVEL=0")
    for weak in ("AES128-SHA", "ECDHE-RSA-AES128-SHA", "NULL", "aNULL"):
        said = s_client(site, "-tls1_2", "-cipher", f"{weak}:@SECLEVEL=0")
        assert "Cipher is (NONE)" in said, weak


def test_keys_are_for_their_owner_alone(tls_site: Site) -> None:
    site, _ = tls_site
    keys = list(site.certificates.rglob("privkey.pem"))
    assert len(keys) == 2
    assert {key.stat().st_mode & 0o077 for key in keys} == {0}


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "https://example.com",
        "example.com/x",
        "a;b",
        "a b",
        "$(id)",
        "-x",
        ".com",
        "a..b",
        "x\ny",
        "{}",
        "a:80",
    ],
)
def test_what_is_no_domain_is_refused_with_an_example(tmp_path: Path, domain: str) -> None:
    site = Front(tmp_path, 1, 1, tls=True)
    for name, more in (
        ("write-nginx-conf.sh", ()),
        ("self-signed-cert.sh", ()),
        ("lets-encrypt-cert.sh", ("a@example.com",)),
    ):
        done = site.script(name, domain, *more)
        assert done.returncode == 1, name
        assert "such as chargers.example.com" in done.stderr
    assert not list((tmp_path / "site").iterdir())


def test_arguments_that_are_missing_are_told(tmp_path: Path) -> None:
    site = Front(tmp_path, 1, 1, tls=True)
    assert "usage: write-nginx-conf.sh DOMAIN" in site.script("write-nginx-conf.sh").stderr
    assert "EMAIL" in site.script("lets-encrypt-cert.sh", DOMAIN).stderr
    assert "is not an e-mail address" in site.script("lets-encrypt-cert.sh", DOMAIN, "x").stderr
    assert "certifies names" in site.script("lets-encrypt-cert.sh", "192.0.2.1", "a@b.c").stderr


def test_a_front_without_configuration_says_what_to_run(tmp_path: Path) -> None:
    """The two commands that the README has in their order."""
    site = Front(tmp_path, 1, 1, tls=True)
    run = [str(Path(__file__).parents[3] / "fe/levity-fe"), "render"]

    def said() -> str:
        done = subprocess.run(
            run, env=site.environ, capture_output=True, text=True, timeout=10, check=False
        )
        return done.stderr if done.returncode else "started"

    assert "sh /usr/local/bin/write-nginx-conf.sh example.com' fe_tls" in said()
    site.script("write-nginx-conf.sh", DOMAIN)
    assert "sh /usr/local/bin/self-signed-cert.sh example.com' fe_tls" in said()
    site.script("self-signed-cert.sh", DOMAIN)
    assert said() == "started"


def test_a_new_certificate_is_served_without_cutting_a_charger_off(tmp_path: Path) -> None:
    """F-27, P-10: nginx reloads by itself; who is connected stays connected."""
    with (
        front(tmp_path, tls=True) as (site, _),
        charger(site, "/ws/F-27") as connected,
    ):
        connected.recv()
        before = site.served_certificate()
        assert site.script("self-signed-cert.sh", DOMAIN).returncode == 0
        assert eventually(lambda: site.served_certificate() != before, True, within=10)
        connected.send("still here")
        assert connected.recv(timeout=5) == "still here"


def test_half_of_a_change_is_not_used(tmp_path: Path) -> None:
    """P-10: a certificate whose key is another one's, or a broken site: what works goes on."""
    with front(tmp_path, tls=True) as (site, _):
        before = site.served_certificate()
        other = Authority(tmp_path, DOMAIN)
        (site.certificates / "current/ecdsa/fullchain.pem").write_bytes(other.pem)
        assert site.process is not None
        site.process.line("what has changed does not hold, and is not used")
        assert site.served_certificate() == before
        assert site.process.running
        # The next whole change is taken.
        assert site.script("self-signed-cert.sh", DOMAIN).returncode == 0
        assert eventually(lambda: site.served_certificate() != before, True, within=10)


def test_a_renewed_certificate_never_gives_way_to_a_self_signed_one(tmp_path: Path) -> None:
    site = Front(tmp_path, 1, 1, tls=True)
    site.prepare()
    for kind in ("rsa", "ecdsa"):
        live = site.certificates / f"live/{DOMAIN}-{kind}"
        live.parent.mkdir(exist_ok=True)
        shutil.copytree(site.certificates / f"current/{kind}", live)
        link = site.certificates / f"current/{kind}"
        link.unlink()
        link.symlink_to(f"../live/{DOMAIN}-{kind}")
    done = site.script("self-signed-cert.sh", DOMAIN)
    assert (done.returncode, done.stderr.count("it stays")) == (0, 2)
    assert str((site.certificates / "current/rsa").readlink()) == f"../live/{DOMAIN}-rsa"


def test_a_certificate_near_its_end_is_an_alert(tmp_path: Path) -> None:
    """P-10: three weeks before, so that fourteen days are left at the very least."""
    site = Front(tmp_path, 1, 1, tls=True)
    site.prepare()
    assert site.script("certificates-healthy.sh").returncode == 0
    for days, status in ((15, 1), (20, 1), (22, 0)):
        folder = site.certificates / "current/rsa"
        subprocess.run(
            [
                tool("openssl", "openssl"),
                *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days"],
                str(days),
                *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
            ],
            capture_output=True,
            check=True,
        )
        done = site.script("certificates-healthy.sh")
        assert (done.returncode, "ALERT: the rsa certificate" in done.stderr) == (
            status,
            bool(status),
        )


def test_a_self_signed_certificate_is_renewed_before_it_ends(tmp_path: Path) -> None:
    """For a site without a domain: fe_tls makes a new one thirty days before."""
    site = Front(tmp_path, 1, 1, tls=True)
    site.prepare()
    folder = site.certificates / "current/ecdsa"
    subprocess.run(
        [
            tool("openssl", "openssl"),
            *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "29"],
            *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
        ],
        capture_output=True,
        check=True,
    )
    done = site.script("renew.sh", "once")
    assert done.returncode == 0, done.stderr
    renewed = x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes())
    assert (renewed.not_valid_after_utc - renewed.not_valid_before_utc).days == 397
    assert renewed.extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    ).value.get_values_for_type(x509.DNSName) == [DOMAIN]


@pytest.fixture(scope="module")
def profile_3(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Front, Backends, Authority]]:
    folder = tmp_path_factory.mktemp("profile-3")
    authority = Authority(folder, "The operator's authority")
    with front(folder, tls=True) as (site, backends):
        assert site.script("client-certificates.sh", "ca", stdin=authority.pem).returncode == 0
        known = authority.issue("CP-3")
        wanted = "SUCCESS"
        assert eventually(lambda: arrives(site, known)["x-client-verify"], wanted) == wanted
        yield site, backends, authority


def arrives(site: Front, certificate: Path | None) -> dict[str, str]:
    """What the edge is told of a charger's certificate."""
    with charger(
        site,
        "/ws/CP-3",
        certificate=certificate,
        additional_headers={"X-Client-Verify": "SUCCESS", "X-Client-Cert": "forged"},
    ) as connected:
        headers = json.loads(connected.recv())["headers"]
    return {name.lower(): value for name, value in headers.items()}


def test_the_edge_is_told_whose_certificate_it_is(
    profile_3: tuple[Front, Backends, Authority],
) -> None:
    """S-10: nginx has checked it; the edge reads the name in it."""
    site, _, authority = profile_3
    headers = arrives(site, authority.issue("CP-3"))
    assert headers["x-client-verify"] == "SUCCESS"
    told = x509.load_pem_x509_certificate(unquote(headers["x-client-cert"]).encode())
    assert told.subject.rfc4514_string() == "CN=CP-3"
    assert len(headers["x-client-fingerprint"]) == 40


def test_no_certificate_and_bad_ones_are_told_as_such(
    profile_3: tuple[Front, Backends, Authority],
) -> None:
    """S-10: none, another authority's, an expired one, a revoked one; never SUCCESS."""
    site, _, authority = profile_3
    headers = arrives(site, None)
    assert headers["x-client-verify"] == "NONE"
    assert "x-client-cert" not in headers
    stranger = Authority(site.folder, "The operator's authority").issue("CP-3")
    assert arrives(site, stranger)["x-client-verify"].startswith("FAILED:")
    assert "expired" in arrives(site, authority.issue("CP-3", expired=True))["x-client-verify"]
    revoked, good = authority.issue("CP-3", revoked=True), authority.issue("CP-3")
    assert arrives(site, revoked)["x-client-verify"] == "SUCCESS"
    assert site.script("client-certificates.sh", "crl", stdin=authority.crl()).returncode == 0
    assert (
        eventually(lambda: arrives(site, revoked)["x-client-verify"], "FAILED:certificate revoked")
        == "FAILED:certificate revoked"
    )
    assert arrives(site, good)["x-client-verify"] == "SUCCESS"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_revoked_certificate_lives_on_in_no_tls_session(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """nginx looks at a certificate once in a session, and clients may take it up again."""
    authority = Authority(tmp_path, "The operator's authority")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(authority.issue("CP-3", revoked=True))
    wanted = f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n"

    def again(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None, bool]:
        plain = socket.create_connection(("127.0.0.1", site.https), 10)
        with context.wrap_socket(plain, session=session) as tls:
            _, answer = raw(tls, wanted)
            return b'"X-Client-Verify": "SUCCESS"' in answer, tls.session, bool(tls.session_reused)

    with front(tmp_path, tls=True) as (site, _):
        assert site.script("client-certificates.sh", "ca", stdin=authority.pem).returncode == 0
        sessions: list[ssl.SSLSession | None] = []

        def taken_up_again() -> bool:
            # While nginx reloads, a process of before may take any of these connections.
            first, session, _ = again(None)
            second, _, is_reused = again(session)
            sessions.append(session)
            return first and second and is_reused

        assert eventually(taken_up_again, True)
        assert site.script("client-certificates.sh", "crl", stdin=authority.crl()).returncode == 0
        assert eventually(lambda: again(None)[0], False) is False
        assert eventually(lambda: again(sessions[-1])[0], False) is False


@pytest.mark.parametrize("path", ["/metrics", "/admin/", "/ws/../metrics", "/wsx"])
def test_a_bad_certificate_opens_no_way_around(
    profile_3: tuple[Front, Backends, Authority], path: str
) -> None:
    """E-20: what is passed to the edge all the same, so that it can tell why, is /ws alone."""
    site, backends, _ = profile_3
    stranger = Authority(site.folder, "A stranger").issue("CP-3")
    seen = len(backends.pages), len(backends.sockets)
    with site.connect(certificate=stranger) as connection:
        status, answer = raw(
            connection, f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n"
        )
    assert (status, b"does not hold" in answer) == (400, True)
    assert (len(backends.pages), len(backends.sockets)) == seen


def test_what_is_no_certificate_is_not_taken_for_an_authority(tmp_path: Path) -> None:
    site = Front(tmp_path, 1, 1, tls=True)
    done = site.script("client-certificates.sh", "ca", stdin=b"nonsense")
    assert (done.returncode, "no certificate in PEM form" in done.stderr) == (1, True)
    assert "first give the authorities" in site.script("client-certificates.sh", "crl").stderr
    assert "usage:" in site.script("client-certificates.sh").stderr


def test_a_list_that_would_let_nobody_in_is_not_taken(tmp_path: Path) -> None:
    """One past its end, and one without the list of every authority; nginx takes both."""
    site = Front(tmp_path, 1, 1, tls=True)
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    # Of the same name, as that of an operator who takes a new key.
    old, new = Authority(tmp_path / "old", "Co-op"), Authority(tmp_path / "new", "Co-op")
    lists = site.certificates / "clients/crl.pem"

    def brings(what: str, *files: bytes) -> tuple[int, str]:
        done = site.script("client-certificates.sh", what, stdin=b"".join(files))
        return done.returncode, done.stderr

    assert brings("ca", old.pem)[0] == 0
    status, said = brings("crl", old.crl(days=-0.5))
    assert (status, "past its end" in said) == (1, True)
    assert not lists.exists()
    assert brings("crl", old.crl())[0] == 0
    status, said = brings("ca", old.pem, new.pem)
    assert (status, "until you bring" in said) == (0, True)
    status, said = brings("crl", new.crl())
    assert (status, "without a list of each authority" in said) == (1, True)
    assert lists.read_bytes() == old.crl() or lists.read_bytes().count(b"BEGIN") == 1
    assert brings("crl", new.crl(), old.crl())[0] == 0
    assert lists.read_bytes().count(b"BEGIN X509 CRL") == 2


def test_a_list_of_revoked_certificates_near_its_end_is_an_alert(tmp_path: Path) -> None:
    """In the last quarter of its time, however long that is."""
    site = Front(tmp_path, 1, 1, tls=True)
    site.prepare()
    authority = Authority(tmp_path, "The operator's authority")
    assert site.script("client-certificates.sh", "ca", stdin=authority.pem).returncode == 0
    # It was made a day ago.
    for days, status in ((0.3, 1), (0.4, 0), (30, 0)):
        crl = authority.crl(days=days)
        assert site.script("client-certificates.sh", "crl", stdin=crl).returncode == 0
        done = site.script("certificates-healthy.sh")
        assert (done.returncode, "ALERT: a list" in done.stderr) == (status, bool(status)), days
