"""The files over FTP, by the client of Python's standard library."""

import ftplib
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from levity.files import drops, jobs, storage
from levity.files.models import Drop, StoredFile
from levity.ocpp.models import FileJob
from tests.files.conftest import Ordered, firmware_of, url_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
CONTENT = b"what happened\n" * 5000


@contextmanager
def ftp_server() -> Iterator[int]:
    """A server on a free port; its port."""
    from levity.files.ftp import serve_on

    server = serve_on("127.0.0.1", 0)
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server.address[1]
    finally:
        stopping.set()
        thread.join()
        server.close_all()


def by_ftp(ordered: Ordered) -> Ordered:
    ordered.asking = jobs.Asking(called="192.0.2.1:8000", protocol="ftp")
    return ordered


def login(port: int, url: str) -> ftplib.FTP:
    parts = urlsplit(url)
    client = ftplib.FTP(timeout=60)
    client.connect("127.0.0.1", port)
    try:
        client.login(parts.username or "", parts.password or "")
    except BaseException:
        client.close()
        raise
    return client


def test_a_file_is_stored_by_its_account() -> None:
    job = by_ftp(Ordered()).diagnostics()
    with ftp_server() as port, login(port, url_of(job)) as client:
        client.cwd("/logs")
        client.storbinary("STOR diag.zip", io.BytesIO(CONTENT))
        assert client.nlst() == ["diag.zip"]
    row = StoredFile.objects.get()
    assert (row.name, row.size, row.is_complete) == ("diag.zip", len(CONTENT), True)
    assert row.remote_address == "127.0.0.1"
    assert storage.path_of(row.path).read_bytes() == CONTENT
    assert FileJob.objects.get().arrived == 1


def test_one_that_broke_off_goes_on() -> None:
    job = by_ftp(Ordered()).diagnostics()
    with ftp_server() as port:
        with login(port, url_of(job)) as client:
            client.voidcmd("TYPE I")
            data = client.transfercmd("STOR diag.zip")
            data.sendall(CONTENT[:20_000])
            wait_for_bytes(20_000)
            # As a line does that breaks: no end of the data, but a reset.
            data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            data.close()
            with pytest.raises(ftplib.error_temp):
                client.voidresp()
        row = StoredFile.objects.get()
        assert (row.is_complete, row.size) == (False, 20_000)
        assert FileJob.objects.get().arrived == 0
        with login(port, url_of(job)) as client:
            client.voidcmd("TYPE I")
            assert client.size("diag.zip") == 20_000
            client.storbinary("STOR diag.zip", io.BytesIO(CONTENT[15_000:]), rest=15_000)
    row = StoredFile.objects.get()
    assert (row.is_complete, row.size) == (True, len(CONTENT))
    assert storage.path_of(row.path).read_bytes() == CONTENT


def wait_for_bytes(size: int) -> None:
    """Until so much has been written."""
    waiting = threading.Event()
    for _ in range(250):
        if storage.used() >= size:
            return
        waiting.wait(0.02)
    # What is buffered is not on the disk yet.


def test_appending_goes_on_as_well() -> None:
    job = by_ftp(Ordered()).diagnostics()
    with ftp_server() as port, login(port, url_of(job)) as client:
        client.storbinary("STOR a.log", io.BytesIO(CONTENT[:100]))
        client.storbinary("APPE a.log", io.BytesIO(CONTENT[100:]))
    newest = StoredFile.objects.order_by("-pk")[0]
    assert storage.path_of(newest.path).read_bytes() == CONTENT


def test_an_account_sees_its_own_place_only(files_folder: Any) -> None:
    mine, other = by_ftp(Ordered("A")).diagnostics(), by_ftp(Ordered("B")).diagnostics()
    with ftp_server() as port:
        with login(port, url_of(other)) as client:
            client.storbinary("STOR secret.log", io.BytesIO(b"other"))
        with login(port, url_of(mine)) as client:
            client.cwd("../../../etc")
            assert client.nlst() == []
            client.storbinary("STOR ../../../../tmp/x", io.BytesIO(b"mine"))
            for command in ("RETR x", "RETR secret.log", "RETR /etc/passwd"):
                with pytest.raises(ftplib.error_perm):
                    client.retrbinary(command, lambda piece: None)
            for command in ("DELE x", "RNFR x", "SITE CHMOD 777 x", "PORT 127,0,0,1,4,1"):
                with pytest.raises(ftplib.error_perm):
                    client.voidcmd(command)
    assert {row.name for row in StoredFile.objects.all()} == {"secret.log", "x"}
    inside = {path.parent for path in files_folder.rglob("*") if path.is_file()}
    assert inside == {files_folder / "uploads"}


def test_firmware_is_fetched_and_nothing_is_stored_beside_it() -> None:
    job = by_ftp(Ordered()).update(firmware_of(CONTENT))
    got: list[bytes] = []
    with ftp_server() as port, login(port, url_of(job)) as client:
        assert urlsplit(url_of(job)).path == "/fw.bin"
        client.voidcmd("TYPE I")
        assert client.size("fw.bin") == len(CONTENT)
        client.retrbinary("RETR /fw.bin", got.append, rest=1000)
        with pytest.raises(ftplib.error_perm):
            client.storbinary("STOR x", io.BytesIO(b"x"))
    assert b"".join(got) == CONTENT[1000:]
    assert Drop.objects.get().sent_bytes > 0


def test_wrong_passwords_and_closed_accounts_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from levity.files import ftp

    monkeypatch.setattr(ftp._Handler, "auth_failed_timeout", 0.01)
    job = by_ftp(Ordered()).diagnostics()
    url = url_of(job)
    with ftp_server() as port:
        for wrong in (url.replace(f"job{job.pk}:", f"job{job.pk}:x"), url.replace("job", "root")):
            with pytest.raises(ftplib.error_perm):
                login(port, wrong)
        Drop.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        with pytest.raises(ftplib.error_perm):
            login(port, url)


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    settings: Any, files_folder: Any
) -> None:
    settings.LEVITY_FILES_MAX_MB = 1
    job = by_ftp(Ordered()).diagnostics()
    with (
        pytest.raises((ftplib.error_temp, OSError)),
        ftp_server() as port,
        login(port, url_of(job)) as client,
    ):
        client.storbinary("STOR big", io.BytesIO(b"x" * 3_000_000))
    assert [path for path in files_folder.rglob("*") if path.is_file()] == []
    assert Drop.objects.get().trouble == "more than 1 MB"


def test_ftp_is_wanted_while_a_job_runs_and_a_little_longer() -> None:
    assert not drops.any_ftp()
    job = by_ftp(Ordered()).diagnostics()
    assert drops.any_ftp()
    mine = FileJob.objects.filter(pk=job.pk)
    mine.update(state="done", finished_at=timezone.now())
    assert drops.any_ftp()
    mine.update(finished_at=timezone.now() - timedelta(minutes=6))
    assert not drops.any_ftp()
