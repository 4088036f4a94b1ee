"""The files over HTTP: what chargers upload and fetch, and what is refused."""

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished
from django.db import OperationalError, close_old_connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.files import conf, drops, storage
from levity.files.models import Drop, StoredFile
from levity.integrations import webhooks
from levity.integrations.models import Event
from levity.integrations.webhooks import Wishes
from levity.ocpp import events
from levity.ocpp.models import AuditEntry, Command
from levity.ocpp.store.file_jobs import is_own_place
from tests.files.conftest import Ordered, firmware_of, url_of

pytestmark = pytest.mark.django_db
CONTENT = b"what happened\n" * 1000


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def put(path: str, content: bytes = CONTENT, **more: Any) -> Any:
    return Client().put(path, content, content_type="application/octet-stream", **more)


def gone(answer: Any) -> None:
    """The charger has gone away before the end: a server closes the answer.

    As Django's client does it where an answer is read to its end: the test's own connection to the
    database stays open.
    """
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)


def test_what_is_put_is_stored_beside_what_the_charger_says() -> None:
    job = Ordered().diagnostics()
    answer = put(f"{path_of(url_of(job))}diag.zip", HTTP_HOST="whatever.example")
    assert answer.status_code == 201
    row = StoredFile.objects.get()
    assert (row.name, row.size, row.is_complete) == ("diag.zip", len(CONTENT), True)
    assert row.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert storage.path_of(row.path).read_bytes() == CONTENT
    job.refresh_from_db()
    assert (job.arrived, job.state) == (1, "queued")


def test_the_file_of_a_charger_that_never_reports_has_arrived() -> None:
    job = Ordered().diagnostics()
    type(job).objects.filter(pk=job.pk).update(state="accepted")
    put(path_of(url_of(job)))
    job.refresh_from_db()
    assert (job.state, job.detail) == ("done", "the file has arrived")


def test_a_form_is_taken_for_its_file() -> None:
    job = Ordered().diagnostics()
    file = SimpleUploadedFile("../../etc/passwd", CONTENT)
    answer = Client().post(path_of(url_of(job)), {"note": "x", "file": file})
    assert answer.status_code == 201
    row = StoredFile.objects.get()
    assert (row.name, row.size) == ("passwd", len(CONTENT))
    assert storage.path_of(row.path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "name",
    ["..%2F..%2Fx.log", "a/../../x.log", "%00x.log", "x%0A.log", "C:%5Cx.log", "."],
)
def test_names_are_data(name: str, files_folder: Path) -> None:
    job = Ordered().diagnostics()
    assert put(f"{path_of(url_of(job))}{name}").status_code in (201, 404)
    for row in StoredFile.objects.all():
        assert "/" not in row.name
        assert row.name.isprintable()
    inside = {path.parent for path in files_folder.rglob("*") if path.is_file()}
    assert inside <= {files_folder / "uploads"}


def test_without_its_token_there_is_nothing() -> None:
    job = Ordered().diagnostics()
    url = path_of(url_of(job))
    for path in ("/files/", "/files/x/", "/files/lvdrop-/", url.replace("lvdrop-", "lvdrop-x")):
        assert put(path).status_code == 404
    assert StoredFile.objects.count() == 0


def test_a_place_closes() -> None:
    job = Ordered().diagnostics()
    Drop.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert put(path_of(url_of(job))).status_code == 404


@pytest.mark.parametrize("state", ["done", "failed", "refused", "unsent", "cancelled"])
def test_a_place_closes_an_hour_after_its_job_is_over(state: str) -> None:
    """A sniffed address is good for no more than that."""
    job = Ordered().diagnostics()
    ended = {"state": state, "finished_at": timezone.now() - timedelta(minutes=50)}
    type(job).objects.filter(pk=job.pk).update(**ended)
    assert put(path_of(url_of(job))).status_code == 201
    over = timezone.now() - timedelta(minutes=61)
    type(job).objects.filter(pk=job.pk).update(finished_at=over, state=state)
    assert put(path_of(url_of(job))).status_code == 404


def test_what_is_too_large_is_refused_and_leaves_nothing(settings: Any, files_folder: Path) -> None:
    settings.LEVITY_FILES_MAX_MB = 1
    job = Ordered().diagnostics()
    assert put(path_of(url_of(job)), b"x" * 1_200_000).status_code == 413
    assert put(path_of(url_of(job)), b"x" * 1_999_999).status_code == 413
    assert [path for path in files_folder.rglob("*") if path.is_file()] == []
    assert Drop.objects.get().trouble == "more than 1 MB"


def test_a_full_disk_is_left_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Ordered().diagnostics()
    monkeypatch.setattr(storage, "free", lambda: storage.RESERVE - 1)
    assert put(path_of(url_of(job))).status_code == 507
    assert "are left to the database" in Drop.objects.get().trouble


def test_a_charger_that_tries_for_ever_leaves_ten_files() -> None:
    job = Ordered().diagnostics()
    codes = [put(path_of(url_of(job)), b"x").status_code for _ in range(12)]
    assert codes == [201] * 10 + [507] * 2


def test_all_uploads_together_are_limited(settings: Any) -> None:
    settings.LEVITY_FILES_TOTAL_MB = 0
    assert put(path_of(url_of(Ordered().diagnostics()))).status_code == 507


def test_a_part_is_not_taken_for_the_whole() -> None:
    path = path_of(url_of(Ordered().diagnostics()))
    assert put(path, HTTP_CONTENT_RANGE="bytes 0-9/20").status_code == 400
    assert Client().get(path).status_code == 405


def test_firmware_is_fetched_whole_in_parts_and_not_at_all() -> None:
    ordered = Ordered()
    job = ordered.update(firmware_of(CONTENT))
    path = path_of(url_of(job))
    assert path.endswith("/fw.bin")
    whole = Client().get(path)
    assert (whole.status_code, b"".join(whole.streaming_content)) == (200, CONTENT)
    assert whole["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert whole["X-Content-Type-Options"] == "nosniff"
    head = Client().head(path)
    assert (head.status_code, head["Content-Length"]) == (200, str(len(CONTENT)))
    size = len(CONTENT)
    for asked, first, last in (
        ("bytes=0-99", 0, 99),
        (f"bytes={size - 5}-", size - 5, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=10-{size + 100}", 10, size - 1),
    ):
        part = Client().get(path, HTTP_RANGE=asked)
        assert part.status_code == 206
        assert part["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert b"".join(part.streaming_content) == CONTENT[first : last + 1]
    assert Client().get(path, HTTP_RANGE=f"bytes={size}-").status_code == 416
    odd = Client().get(path, HTTP_RANGE="bytes=5-2")
    assert (odd.status_code, len(b"".join(odd.streaming_content))) == (200, size)
    stale = Client().get(path, HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE='"old"')
    assert (stale.status_code, len(b"".join(stale.streaming_content))) == (200, size)
    assert put(path).status_code == 405


def test_chargers_that_download_slowly_leave_half_of_the_threads(settings: Any) -> None:
    """Behind a proxy of one's own that does not buffer, each holds a thread to its end."""
    settings.OCPP_WAITING_REQUESTS = 2
    # Its places are counted from when it starts.
    client = Client()
    path = path_of(url_of(Ordered().update(firmware_of(CONTENT))))
    slow = [client.get(path) for _ in range(2)]
    assert [answer.status_code for answer in slow] == [200, 200]
    busy = client.get(path)
    assert (busy.status_code, busy["Retry-After"]) == (503, "60")
    assert client.head(path).status_code == 200
    # `levity serve` sends files in one loop: they hold no thread.
    in_a_loop = client.get(path, SERVER_SOFTWARE="Levity")
    assert in_a_loop.status_code == 200
    gone(in_a_loop)
    assert b"".join(slow[0].streaming_content) == CONTENT
    assert client.get(path, HTTP_RANGE="bytes=9999999-").status_code == 416
    again = client.get(path)
    assert again.status_code == 200
    # One that goes away before its end.
    gone(again)
    gone(slow[1])
    for _ in range(3):
        assert b"".join(client.get(path).streaming_content) == CONTENT


def test_a_download_that_cannot_be_noted_leaves_its_file_closed_and_its_place_free(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away once the file is open."""
    settings.OCPP_WAITING_REQUESTS = 1
    client = Client(raise_request_exception=False)
    path = path_of(url_of(Ordered().update(firmware_of(CONTENT))))
    opened: list[Any] = []
    really_open = Path.open

    def open_and_remember(file: Path, mode: str) -> Any:
        opened.append(really_open(file, mode))
        return opened[-1]

    def note(*_: Any) -> None:
        raise OperationalError("the server is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_and_remember)
        patch.setattr(drops, "note_fetched", note)
        assert [client.get(path).status_code for _ in range(2)] == [500, 500]
    assert [file.closed for file in opened] == [True, True]
    assert b"".join(client.get(path).streaming_content) == CONTENT


def test_firmware_is_left_to_nginx_where_it_can_read_it(settings: Any) -> None:
    """In compose: a charger with a slow line held one of eight threads."""
    settings.LEVITY_FILES_BY_NGINX = True
    ordered = Ordered()
    firmware = firmware_of(CONTENT)
    path = path_of(url_of(ordered.update(firmware)))
    answer = Client().get(path, HTTP_RANGE="bytes=0-99")
    name = firmware.path.removeprefix("firmware/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Accel-Redirect"] == f"/.levity/firmware/{name}"
    assert answer["Cache-Control"] == "no-store"
    file = storage.path_of(firmware.path)
    assert [each.stat().st_mode & 0o777 for each in (file, file.parent)] == [0o640, 0o710]
    assert Drop.objects.get().sent_bytes == 100
    file.unlink()
    assert Client().get(path).status_code == 404
    assert "not on the disk" in Drop.objects.get().trouble
    assert Client().get("/files/lvdrop-x/").status_code == 404


def test_no_token_is_stored_or_shown_in_clear() -> None:
    job = Ordered().diagnostics()
    token = url_of(job).split("lvdrop-")[1].rstrip("/")
    command = Command.objects.get()
    assert command.payload["location"] == f"http://{'192.0.2.1:8000'}/files/lvdrop-***/"
    seen = [
        str(Command.objects.values_list("payload", "source", "result").get()),
        str(list(AuditEntry.objects.values())),
        str(list(Drop.objects.values())),
        str(list(type(job).objects.values())),
    ]
    assert all(token not in text for text in seen)


def test_a_place_of_our_own_may_be_sent_although_it_is_inside_the_network() -> None:
    job = Ordered(called="192.168.1.5:8000").diagnostics()
    assert job.command is not None
    assert is_own_place(job.command.pk)
    assert url_of(job).startswith("http://192.168.1.5:8000/files/lvdrop-")


def test_limits_are_megabytes(settings: Any) -> None:
    settings.LEVITY_FILES_MAX_MB = 2
    assert conf.limits()[0] == 2_000_000


class _Slow(io.RawIOBase):
    """A body of which nobody knows when the rest of it comes."""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        raise AssertionError("a thread waits for the body")


def test_a_firmware_from_nobody_holds_no_thread() -> None:
    """The check against CSRF read the whole body to find its token, before anybody was asked."""
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")
    assert client.cookies["csrftoken"].value
    page = reverse("levity:files_firmware_add")
    # As a server has it that waits for the network.
    sent: dict[str, Any] = {"CONTENT_TYPE": "multipart/form-data; boundary=x"}
    sent |= {"CONTENT_LENGTH": "1000000", "wsgi.input": _Slow()}
    answer = client.generic("POST", page, **sent)
    assert (answer.status_code, answer.headers["Location"]) == (302, page)


def test_a_file_that_has_come_is_an_event(settings: Any) -> None:
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    webhooks.create(Wishes("theirs", "https://hook.example/"), None)
    events.refresh()
    job = Ordered().diagnostics()
    put(f"{path_of(url_of(job))}a.log")
    told = Event.objects.get(type="file.received")
    assert (told.identity, told.data["name"], told.data["size_bytes"], told.data["complete"]) == (
        *("CP1", "a.log", len(CONTENT), True),
    )
    assert told.data["file"] == StoredFile.objects.get().pk
    assert (told.data["job"], told.data["kind"]) == (job.pk, "diagnostics")
