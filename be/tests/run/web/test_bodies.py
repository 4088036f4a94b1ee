"""Bodies of requests to `levity serve`: refused before they are kept, over a real socket."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from waitress.server import create_server

from levity.api.tokens import create_token
from levity.files import conf
from levity.ocpp.models import ChargePoint, FileJob
from levity.run.web import body_limits
from levity.run.web.bodies import ANYBODY, AT_ONCE, KNOWN, limit_bodies
from levity.run.web.body_limits import most_bytes
from tests.files.conftest import Ordered, files_folder, firmware_of, url_of

__all__ = ["files_folder"]

HUGE = 100_000_000
OPEN = "/files/lvdrop-open/"


def judge(method: str, path: str, headers: Mapping[str, str]) -> int:
    return 3 * ANYBODY if path == OPEN else most_bytes(method, path, headers)


def pages(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = b"%d bytes came" % len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(autouse=True)
def keep_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing it would end the transaction that a test is in."""
    monkeypatch.setattr(body_limits, "close_old_connections", lambda: None)


@pytest.fixture
def port() -> Iterator[int]:
    server = create_server(pages, host="127.0.0.1", port=0, threads=1)
    limit_bodies(server, judge)
    # (A server that is closed in another thread fails loudly.)
    running = threading.Thread(target=_until_closed, args=[server], daemon=True)
    running.start()
    yield server.effective_port
    server.close()
    running.join(5)


def _until_closed(server: Any) -> None:
    with suppress(OSError):
        server.run()


def say(port: int, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and all of the answer to a request whose body may never come."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.settimeout(10)
        connection.sendall(f"{head}\r\nHost: x\r\n\r\n".encode())
        with suppress(OSError):
            connection.sendall(body)
        answer = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    return int(answer.split(b" ", 2)[1]), answer


def on_disk() -> int:
    """Bytes of files that this process has open and that have no name any more."""
    size = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if "(deleted)" in str(each.readlink()):
                size += each.stat().st_size
    return size


@pytest.mark.timed
@pytest.mark.parametrize(
    "path", ["/", "/admin/login/", "/admin/files/firmware/add/", "/api/v1/firmware", "/files/x/"]
)
def test_a_hundred_megabytes_from_nobody_are_refused_at_once(port: int, path: str) -> None:
    before, began = on_disk(), time.monotonic()
    status, answer = say(port, f"POST {path} HTTP/1.1\r\nContent-Length: {HUGE}", b"x" * 300_000)
    assert status == 413
    assert b"larger than 1.0 MB" in answer
    assert (b"application/problem+json" in answer) == path.startswith("/api/")
    assert time.monotonic() - began < 2
    assert on_disk() == before


def test_what_comes_in_chunks_ends_at_the_limit(port: int) -> None:
    before = on_disk()
    chunk = b"40000\r\n" + b"x" * 0x40000 + b"\r\n"
    head = "POST /admin/ HTTP/1.1\r\nTransfer-Encoding: chunked"
    assert say(port, head, chunk * 8)[0] == 413
    assert on_disk() == before


def test_a_charger_that_asks_first_is_not_told_to_go_on(port: int) -> None:
    head = f"PUT /files/x/ HTTP/1.1\r\nContent-Length: {HUGE}\r\nExpect: 100-continue"
    status, answer = say(port, head)
    assert (status, b"100 Continue" in answer) == (413, False)


def test_an_open_place_takes_what_it_is_for_and_no_more(port: int) -> None:
    head = f"PUT {OPEN} HTTP/1.1\r\nConnection: close\r\nContent-Length: "
    body = b"x" * (2 * ANYBODY)
    status, answer = say(port, f"{head}{len(body)}", body)
    assert (status, answer.endswith(b"2000000 bytes came")) == (200, True)
    assert say(port, f"{head}{3 * ANYBODY + 1}")[0] == 413
    small = "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 5"
    assert say(port, small, b"small")[0] == 200


def test_few_large_bodies_are_taken_at_the_same_time(port: int) -> None:
    head = f"PUT {OPEN} HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * ANYBODY}\r\n\r\n".encode()
    held = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(AT_ONCE)]
    try:
        for connection in held:
            connection.sendall(head + b"x" * 1000)
        again = f"PUT {OPEN} HTTP/1.1\r\nContent-Length: {2 * ANYBODY}"
        status, answer = say(port, again)
        assert (status, b"Retry-After: 60" in answer) == (503, True)
    finally:
        for connection in held:
            connection.close()
    body = b"x" * (2 * ANYBODY)
    for _ in range(50):
        status, _ = say(port, f"{again}\r\nConnection: close", body)
        if status == 200:
            break
        threading.Event().wait(0.02)
    assert status == 200


@pytest.mark.django_db
def test_the_place_of_an_open_job_takes_an_upload() -> None:
    job = Ordered().diagnostics()
    path = "/" + url_of(job).split("/", 3)[3]
    one, _, _ = conf.limits()
    assert most_bytes("PUT", f"{path}diag.zip", {}) > one
    assert most_bytes("GET", path, {}) == ANYBODY
    assert most_bytes("PUT", path.replace("lvdrop-", "lvdrop-x"), {}) == ANYBODY
    FileJob.objects.update(state="failed", finished_at="2020-01-01T00:00Z")
    assert most_bytes("PUT", path, {}) == ANYBODY


@pytest.mark.django_db
def test_the_place_of_a_firmware_takes_nothing() -> None:
    order = Ordered("CP2")
    job = order.update(firmware_of(b"new"))
    assert most_bytes("PUT", "/" + url_of(job).split("/", 3)[3], {}) == ANYBODY
    assert ChargePoint.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "path", "expected"),
    [
        ("Viewer", "/admin/files/firmware/add/", KNOWN),
        ("Viewer", "/admin/ocpp/idtag/import/", KNOWN),
        ("Admin", "/admin/files/firmware/add/", 1_000_100_000),
        ("Admin", "/api/v1/firmware", 1_000_100_000),
        ("Admin", "/admin/", KNOWN),
        ("", "/admin/files/firmware/add/", ANYBODY),
    ],
)
def test_a_login_is_a_reason(
    role: str, path: str, expected: int, browser: Callable[..., Client], person: Any
) -> None:
    user: User | None = person(role.lower(), role) if role else None
    cookies = browser(user).cookies
    said = {"COOKIE": "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())}
    assert most_bytes("POST", path, said) == expected
    if user is not None:
        User.objects.update(is_active=False)
        assert most_bytes("POST", path, said) == ANYBODY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scope", "expected"), [("read", ANYBODY), ("operate", 1_000_100_000), ("admin", 1_000_100_000)]
)
def test_a_token_is_a_reason(scope: str, expected: int) -> None:
    _, token = create_token("tests", scope, None)
    headers = {"AUTHORIZATION": f"Bearer {token}"}
    assert most_bytes("POST", "/api/v1/firmware", headers) == expected
    assert most_bytes("POST", "/api/v1/firmware", {"AUTHORIZATION": "Bearer x"}) == ANYBODY
