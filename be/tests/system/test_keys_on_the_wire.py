"""Handshakes of strangers and chargers against `levity serve`, byte by byte."""

import base64
import contextlib
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import ChargePoint, Credential, Edge, RefusedHandshake
from tests.ocpp.keyring import KEY, basic
from tests.system.processes import eventually
from tests.system.site import Site, embedded, serve

pytestmark = pytest.mark.slow

RAW = b"p:a:s:s \xff\xfe\xf6\xfc in raw bytes"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("wire")
    with embedded(folder, django_db_blocker, started=False) as running:
        serve(running, LEVITY_SECURITY_PROFILE="1", LEVITY_TRUSTED_PROXIES="127.0.0.1")
        for identity, key in (("CP1", KEY.encode()), ("a.b", KEY.encode()), ("RAW", RAW)):
            with running.books.open(ChargePoint) as rows:
                row = rows.create(identity=identity, security_profile=1)
            with running.books.open(Credential) as rows:
                rows.create(charge_point_id=row.pk, digest=digest_of(key))
        yield running
        assert running.tracebacks() == []
        assert KEY not in running.edges[0].log


def shake(site: Site, path: str, *headers: bytes) -> tuple[int, bytes]:
    """Status of the answer to this handshake, and all of it."""
    request = b"\r\n".join(
        (
            f"GET {path} HTTP/1.1".encode(),
            b"Host: levity",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + base64.b64encode(b"0123456789abcdef"),
            *headers,
            b"",
            b"",
        )
    )
    with socket.create_connection(("127.0.0.1", site.port()), 20) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while b"\r\n\r\n" not in answer and (piece := connection.recv(65536)):
                answer += piece
            if not answer.startswith(b"HTTP/1.1 101"):
                while piece := connection.recv(65536):
                    answer += piece
    return int(answer.split(b" ", 2)[1]), answer


def login(header: str) -> bytes:
    return b"Authorization: " + header.encode()


REFUSED = {
    "no header": (),
    "no credentials": (b"Authorization: Basic",),
    "empty": (b"Authorization:",),
    "raw bytes": (b"Authorization: Basic \xff\xfe\xfc",),
    "truncated": (login(basic())[:-4],),
    "wrong": (login(basic(password="x" * 20)),),
    "twice": (login(basic()), login(basic())),
    "username": (login(basic("CP2")),),
    "another scheme": (b"Authorization: Digest a=b",),
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_who_has_not_the_key_is_refused_before_the_upgrade(
    site: Site, headers: tuple[bytes, ...]
) -> None:
    """S-01: 401 with WWW-Authenticate, and no word about why."""
    status, answer = shake(site, "/ws/CP1", *headers)
    assert status == 401
    assert b"WWW-Authenticate: Basic" in answer
    assert b"101 Switching" not in answer


def test_a_header_of_a_megabyte_is_refused_without_reading_it(site: Site) -> None:
    """S-01, E-11."""
    status, _ = shake(site, "/ws/CP1", b"Authorization: Basic " + b"A" * (1 << 20))
    assert status == 431


def test_a_key_of_raw_bytes_opens(site: Site) -> None:
    """S-01: Java-OCA-OCPP 163: a charger that sends the bytes and not their hexadecimal text."""
    raw = base64.b64encode(b"CP1:" + bytes.fromhex(KEY)).decode()
    assert shake(site, "/ws/CP1", login(f"Basic {raw}"))[0] == 101
    assert shake(site, "/ws/RAW", login(basic("RAW", RAW)))[0] == 101


def test_nothing_in_an_identity_leads_astray(site: Site) -> None:
    """E-05: a dot and an asterisk are signs like any other (an EVSE id has them), "#" is none."""
    assert shake(site, "/ws/a.b", login(basic("a.b")))[0] == 101
    for path in ("/ws/%23", "/ws/a.%23", "/ws/a%2Eb%23"):
        assert shake(site, path, login(basic("a.b")))[0] == 404
    # Without a key: each of these would be a guess, and the lock-out counts them.
    for path in ("/ws/*", "/ws/a.*"):
        assert shake(site, path)[0] == 401
    # The reply queue of an edge is the broker's own name; no name is made of an identity.
    assert {row[0] for row in site.books.rows(Edge, "reply_to")}.isdisjoint({"a.b", "CP1"})


@pytest.mark.timed
def test_an_unknown_identity_and_a_wrong_key_answer_alike(site: Site) -> None:
    """E-21: the same status, words and headers, in the same time: the medians of 200 each, taken
    in turns, differ by at most 5 ms. (Without a guess of a key: those are locked out, S-05.)"""
    times: dict[str, list[float]] = {"CP1": [], "NOBODY": []}
    answers = set()
    for _ in range(200):
        for identity, took in times.items():
            began = time.perf_counter()
            status, answer = shake(site, f"/ws/{identity}", login(basic(identity, "x" * 20)))
            took.append(time.perf_counter() - began)
            head, _, body = answer.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
            answers.add((status, tuple(lines), body))
    assert len(answers) == 1
    assert {status for status, _, _ in answers} == {401}
    known, unknown = (statistics.median(took) for took in times.values())
    assert abs(known - unknown) <= 0.005
    assert site.books.count(ChargePoint, identity="NOBODY") == 0


@pytest.mark.parametrize("spread", [False, True], ids=["one identity", "spread over identities"])
def test_a_thousand_guesses_at_once_keep_nobody_out(site: Site, spread: bool) -> None:
    """S-05: five are looked at, the others get 429; meanwhile the real charger gets in at once,
    from where it is."""
    guesser = b"X-Forwarded-For: 203.0.113.9" if spread else b"X-Forwarded-For: 203.0.113.8"
    waits: list[float] = []

    def guess(number: int) -> int:
        identity = f"X{number}" if spread else "CP1"
        header = login(basic(identity, f"guess {number:020} {spread}"))
        return shake(site, f"/ws/{identity}", header, guesser)[0]

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(guess, range(1000))
        for _ in range(3):
            began = time.monotonic()
            real = shake(site, "/ws/CP1", login(basic()), b"X-Forwarded-For: 192.0.2.1")
            waits.append(time.monotonic() - began)
            assert real[0] == 101
        told = list(answers)
    assert {status: told.count(status) for status in set(told)} == {401: 5, 429: 995}
    assert max(waits) < 60
    assert shake(site, "/ws/CP1", login(basic()), b"X-Forwarded-For: 192.0.2.1")[0] == 101


@pytest.mark.timed
def test_what_the_edge_refuses_is_on_the_books_within_seconds(site: Site) -> None:
    """The onboarding doctor knows of the wrong address, too."""
    assert shake(site, "/static/1.6/CP1", b"User-Agent: Charger/1")[0] == 404
    with socket.create_connection(("127.0.0.1", site.port()), 20) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        with contextlib.suppress(ConnectionError):
            assert connection.recv(100) == b""
    wanted = [("", "/static/1.6/CP1", "path"), ("", "", "tls-on-a-plain-port")]
    found = eventually(
        lambda: sorted(
            site.books.rows(
                RefusedHandshake,
                *("identity", "path", "reason"),
                reason__in=("path", "tls-on-a-plain-port"),
            ),
            key=lambda row: str(row[2]),
        ),
        wanted,
        within=15,
    )
    assert found == wanted
