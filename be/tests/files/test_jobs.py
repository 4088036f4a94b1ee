"""Orders for chargers' files: the address, the protocol, who may, and what is never done."""

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import levity.files
from levity.files import jobs, places
from levity.files.jobs import Asking
from levity.files.models import Drop
from levity.files.telling import told
from levity.ocpp.commands.lifecycle import NeverSent, calls_to_send, queue
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import ChargePoint, Command, ConfigurationKey, FileJob
from tests.files.conftest import Ordered, firmware_of, url_of

pytestmark = pytest.mark.django_db


def way(row: ChargePoint, **asking: Any) -> tuple[str, str]:
    found = jobs.ways(row, Asking(**{"called": "192.0.2.1:8000", **asking}))
    return found.base.protocol, found.why


def test_http_is_the_usual_way() -> None:
    assert way(Ordered().row) == ("http", "the usual one")


def test_what_the_charger_reports_is_chosen() -> None:
    row = Ordered().row
    ConfigurationKey.objects.create(
        charge_point=row,
        name="supportedfiletransferprotocols",
        key="SupportedFileTransferProtocols",
        value="FTP,FTPS",
    )
    assert way(row) == ("ftp", "it reports FTP,FTPS")


def test_a_quirk_profile_says_so() -> None:
    row = Ordered().row
    row.quirk_overrides = {"file_transfer": "ftp"}
    assert way(row)[0] == "ftp"


def test_after_a_failure_the_other_way_and_then_what_worked() -> None:
    ordered = Ordered()
    job = ordered.diagnostics()
    FileJob.objects.update(state="failed")
    assert way(ordered.row) == ("ftp", "HTTP failed last time")
    again = jobs.try_other_way(job, None, Asking(called="192.0.2.1:8000"))
    assert again.drop.protocol == "ftp"
    FileJob.objects.filter(pk=again.pk).update(state="done", arrived=1)
    assert way(ordered.row) == ("ftp", "FTP worked last time")


def test_ftp_can_be_switched_off(settings: Any) -> None:
    settings.LEVITY_FTP_PORT = 0
    ordered = Ordered()
    with pytest.raises(NotPossible, match="LEVITY_FTP_PORT"):
        jobs.try_other_way(ordered.diagnostics(), None, Asking(called="192.0.2.1:8000"))


def test_only_addresses_of_our_own_can_be_chosen() -> None:
    row = Ordered().row
    for wrong in ("http://169.254.169.254", "file:///etc", "ftp://evil.example:21"):
        with pytest.raises(NotPossible, match="not an address of this Levity"):
            way(row, base=wrong)


def test_the_settings_say_how_chargers_come(settings: Any) -> None:
    settings.LEVITY_FILES_URL = "https://c.example.net http://c.example.net"
    settings.LEVITY_FTP_HOST = "ftp.example.net"
    row = Ordered().row
    found = [base.url for base in places.bases(row, "10.0.0.1")]
    assert found[:2] == ["https://c.example.net", "http://c.example.net"]
    ftp = places.ftp_base(row, "10.0.0.1")
    assert ftp is not None
    assert ftp.url == "ftp://ftp.example.net:2121"


def test_a_charger_on_this_machine_is_sent_to_this_machine(settings: Any) -> None:
    settings.LEVITY_HTTP_PORT = 8123
    row = Ordered().row
    row.remote_address = "127.0.0.1"
    assert places.bases(row, "levity.example:8123")[0].url == "http://127.0.0.1:8123"


def test_no_diagnostics_are_asked_for_that_end_before_they_begin() -> None:
    row = ChargePoint.objects.create(identity="CP1")
    now = timezone.now()
    span = {"since": now, "until": now - timedelta(hours=1)}
    with pytest.raises(NotPossible, match="later than the first"):
        jobs.fetch_diagnostics(row, None, Asking(called="192.0.2.1:8000"), **span)
    with pytest.raises(NotPossible, match="later than the first"):
        jobs.fetch_log(row, "SecurityLog", None, Asking(called="192.0.2.1:8000"), **span)
    assert not Command.objects.exists()


def test_the_command_waits_until_ftp_is_open() -> None:
    ordered = Ordered()
    ordered.asking = Asking(called="192.0.2.1:8000", protocol="ftp")
    job = ordered.diagnostics()
    command = Command.objects.get()
    assert (command.not_before - job.created_at).total_seconds() >= 3
    assert url_of(job).startswith(f"ftp://job{job.pk}:")
    assert command.payload["location"] == "ftp://***@192.0.2.1:2121/"


def test_what_is_sent_is_the_whole_url() -> None:
    ordered = Ordered(called="192.168.7.7:8000")
    job = ordered.diagnostics()
    ChargePoint.objects.update(connection="00000000-0000-0000-0000-000000000001")
    command = Command.objects.get()
    (outgoing,) = calls_to_send(command.not_before).calls
    assert "http://192.168.7.7:8000/files/lvdrop-" in outgoing.text
    assert "***" not in outgoing.text
    job.refresh_from_db()
    assert (job.state, job.is_own) == ("sent", True)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://169.254.169.254/latest/meta-data/",
        "http://example.com@127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::ffff:169.254.169.254]/",
        "http://router/",
        "http://db.internal/",
        "http://192.168.1.1/files/lvdrop-aaaaaaaaaaaaaaaaaaaaaaaa/",
        "http://example.com\\@10.0.0.1/",
        "ftp://10.0.0.1/",
    ],
)
def test_other_places_are_only_those_that_are_allowed(url: str) -> None:
    """S-16."""
    row = Ordered().row
    with pytest.raises(NeverSent):
        queue(row, "GetDiagnostics", {"location": url}, source="test")


def test_the_server_itself_never_fetches() -> None:
    """S-16: nothing in this room can open a connection to a place that somebody names."""
    clients = {"http.client", "urllib.request", "ftplib", "requests", "httpx", "aiohttp", "urllib3"}
    for path in Path(levity.files.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            module = getattr(node, "module", "") or ""
            assert not clients & {module, *names}, path
            assert getattr(node, "attr", "") != "create_connection", path


def test_what_is_said_is_what_happened() -> None:
    ordered = Ordered()
    job = ordered.diagnostics()
    drop = Drop.objects.get(job=job)

    def says(state: str, status: str = "", arrived: int = 0, **more: Any) -> str:
        job.state, job.status, job.arrived = state, status, arrived
        for name, value in more.items():
            setattr(job, name, value)
        return told(job, drop).text

    assert says("queued").startswith("The charger is offline")
    assert says("done", "Uploaded") == (
        "The charger says that it has uploaded the file, but nothing arrived here."
    )
    assert says("done", "Uploaded", 1) == "The file has arrived."
    assert says("failed", "UploadFailed", 1) == (
        "The charger reports UploadFailed, but a file has arrived."
    )
    assert says("failed", "UploadFailed") == (
        "The charger reports UploadFailed. It never came here."
    )
    assert says("nothing").startswith("The charger has nothing to upload")
    assert says("done", "", 1, detail="the file has arrived") == (
        "The file has arrived, although the charger did not report it."
    )
    assert says("refused", detail="NotImplemented") == "The charger refused: NotImplemented."


def test_an_update_says_which_firmware_is_there_now() -> None:
    ordered = Ordered()
    job = ordered.update(firmware_of(b"x", version="2.0"))
    drop = Drop.objects.get(job=job)
    job.state, job.firmware_after = "done", "2.0"
    assert told(job, drop).text == "Updated: the charger booted with firmware 2.0."
    job.firmware_after = "1.9"
    assert told(job, drop).level == "warn"
