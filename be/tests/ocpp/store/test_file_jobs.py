"""Uploads and firmware updates as rows: what a charger answers and reports, as it happened."""

from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.commands.lifecycle import calls_to_send, queue
from levity.ocpp.decisions.retention import prune
from levity.ocpp.models import ChargePoint, Command, FileJob
from levity.ocpp.store.file_jobs import settle_file_jobs
from levity.ocpp.testing import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

PLACE = "https://files.example.com/"
DIAGNOSTICS = ("GetDiagnostics", {"location": PLACE})
UPDATE = ("UpdateFirmware", {"location": PLACE, "retrieveDate": "2036-01-01T00:00:00Z"})


def log(number: int) -> tuple[str, dict[str, Any]]:
    payload = {"logType": "SecurityLog", "requestId": number, "log": {"remoteLocation": PLACE}}
    return "GetLog", payload


def signed(number: int) -> tuple[str, dict[str, Any]]:
    firmware = {
        "location": PLACE,
        "retrieveDateTime": "2036-01-01T00:00:00Z",
        "signingCertificate": "c",
        "signature": "s",
    }
    return "SignedUpdateFirmware", {"requestId": number, "firmware": firmware}


class Told:
    """A connected charger that is given orders."""

    def __init__(self) -> None:
        self.system, self.charger = CentralSystem(), Charger()
        self.system.connect(self.charger)
        self.system.take(self.charger.boots())
        self.row = ChargePoint.objects.get()

    def order(self, call: tuple[str, dict[str, Any]]) -> FileJob:
        """Send this Call; the job that it makes."""
        command = queue(self.row, *call, source="test")
        Command.objects.filter(pk=command.pk).update(not_before=at())
        assert len(calls_to_send(at(self.charger.now)).calls) == 1
        return FileJob.objects.get(command=command)

    def ordered(self, call: tuple[str, dict[str, Any]], answer: dict[str, Any]) -> FileJob:
        """The same, answered."""
        job = self.order(call)
        assert job.command is not None
        self.system.take(self.charger.answers(job.command.unique_id, answer))
        return job

    def says(self, action: str, status: str, **more: Any) -> None:
        """It reports a status."""
        self.charger.now += 1
        assert self.system.result(self.charger.calls(action, {"status": status, **more})) == {}


def of(job: FileJob) -> tuple[str, str, list[str]]:
    """(state, last status, all statuses) of a job."""
    job.refresh_from_db()
    return job.state, job.status, [status for _, status in job.history]


def test_diagnostics_are_asked_for_uploaded_and_done() -> None:
    told = Told()
    job = told.order(DIAGNOSTICS)
    assert (job.kind, job.state, job.location, job.request_id) == (
        *("diagnostics", "sent", PLACE, None),
    )
    assert job.command is not None
    told.system.take(told.charger.answers(job.command.unique_id, {"fileName": "d.zip"}))
    assert of(job) == ("accepted", "", [])
    assert job.file_name == "d.zip"
    told.says("DiagnosticsStatusNotification", "Uploading")
    assert of(job) == ("running", "Uploading", ["Uploading"])
    told.says("DiagnosticsStatusNotification", "Uploaded")
    assert of(job) == ("done", "Uploaded", ["Uploading", "Uploaded"])
    assert job.status_at == job.finished_at == at(2)
    assert job.history[0][0] == at(1).isoformat()


def test_a_charger_without_a_file_name_has_nothing_to_upload() -> None:
    told = Told()
    job = told.ordered(DIAGNOSTICS, {})
    assert of(job)[0] == "nothing"


def test_a_charger_that_uploads_without_a_file_name_has_uploaded() -> None:
    told = Told()
    job = told.ordered(DIAGNOSTICS, {})
    told.says("DiagnosticsStatusNotification", "Uploaded")
    assert of(job)[0] == "done"


def test_a_report_that_comes_before_the_answer_says_more() -> None:
    told = Told()
    job = told.order(DIAGNOSTICS)
    told.says("DiagnosticsStatusNotification", "Uploading")
    assert job.command is not None
    told.system.take(told.charger.answers(job.command.unique_id, {"fileName": "d.zip"}))
    assert of(job)[0] == "running"
    assert job.file_name == "d.zip"


def test_idle_says_nothing_about_a_job() -> None:
    told = Told()
    job = told.ordered(DIAGNOSTICS, {"fileName": "d.zip"})
    told.says("DiagnosticsStatusNotification", "Idle")
    assert of(job) == ("accepted", "Idle", ["Idle"])


def test_a_refusal_names_its_reason() -> None:
    told = Told()
    job = told.order(UPDATE)
    assert job.command is not None
    told.system.take(told.charger.refuses(job.command.unique_id, "NotImplemented"))
    assert of(job)[0] == "refused"
    assert job.detail == "NotImplemented"


def test_logs_are_told_apart_by_the_number_of_their_request() -> None:
    told = Told()
    first = told.ordered(log(1), {"status": "Accepted", "filename": "a.log"})
    second = told.ordered(log(2), {"status": "AcceptedCanceled", "filename": "b.log"})
    assert (of(first)[0], of(second)[0]) == ("cancelled", "accepted")
    told.says("LogStatusNotification", "Uploading", requestId=2)
    told.says("LogStatusNotification", "UploadFailure", requestId=1)
    told.says("LogStatusNotification", "Uploaded", requestId=2)
    assert of(first) == ("failed", "UploadFailure", ["UploadFailure"])
    assert of(second) == ("done", "Uploaded", ["Uploading", "Uploaded"])


def test_a_report_on_a_request_that_nobody_made_changes_nothing() -> None:
    told = Told()
    job = told.ordered(log(1), {"status": "Accepted", "filename": "a.log"})
    told.says("LogStatusNotification", "UploadFailure", requestId=9)
    assert of(job) == ("accepted", "", [])


def test_a_signed_update_goes_through_its_steps() -> None:
    told = Told()
    job = told.ordered(signed(7), {"status": "Accepted"})
    steps = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"]
    for step in steps:
        told.says("SignedFirmwareStatusNotification", step, requestId=7)
        assert of(job)[0] == "running"
    told.says("SignedFirmwareStatusNotification", "Installed", requestId=7)
    assert of(job) == ("done", "Installed", [*steps, "Installed"])


def test_a_signed_update_with_a_bad_certificate_is_refused() -> None:
    told = Told()
    job = told.ordered(signed(7), {"status": "InvalidCertificate"})
    assert (of(job)[0], job.detail) == ("refused", "InvalidCertificate")


def boots_with(told: Told, version: str) -> None:
    payload = {
        "chargePointVendor": "Vendor",
        "chargePointModel": "Model",
        "firmwareVersion": version,
    }
    told.charger.now += 1
    told.system.take(told.charger.calls("BootNotification", payload))


def test_an_update_of_which_no_word_comes_is_done_by_the_boot_with_another_firmware() -> None:
    told = Told()
    boots_with(told, "1.0")
    job = told.ordered(UPDATE, {})
    boots_with(told, "1.0")
    assert of(job)[0] == "accepted"
    boots_with(told, "2.0")
    assert of(job)[0] == "done"
    assert (job.firmware_before, job.firmware_after) == ("1.0", "2.0")


def test_a_failed_update_is_not_done_by_a_later_boot() -> None:
    told = Told()
    boots_with(told, "1.0")
    job = told.ordered(UPDATE, {})
    told.says("FirmwareStatusNotification", "InstallationFailed")
    boots_with(told, "2.0")
    assert of(job)[0] == "failed"


def test_a_command_that_is_never_sent_ends_its_job() -> None:
    told = Told()
    command = queue(told.row, *DIAGNOSTICS, source="test")
    job = FileJob.objects.create(charge_point=told.row, command=command, kind="diagnostics")
    settle_file_jobs(at())
    assert of(job)[0] == "queued"
    command.state, command.error_description = "expired", "it could not be sent in time"
    command.save()
    settle_file_jobs(at())
    assert (of(job)[0], job.detail) == ("unsent", "it could not be sent in time")


def test_a_job_of_which_nothing_is_heard_for_a_day_is_silent_and_may_speak_again() -> None:
    told = Told()
    job = told.ordered(DIAGNOSTICS, {"fileName": "d.zip"})
    settle_file_jobs(at() + timedelta(hours=23))
    assert of(job)[0] == "accepted"
    settle_file_jobs(at() + timedelta(hours=25))
    assert of(job)[0] == "silent"
    told.charger.now += 26 * 3600
    told.says("DiagnosticsStatusNotification", "Uploaded")
    assert of(job)[0] == "done"


def test_reports_are_bounded() -> None:
    told = Told()
    job = told.ordered(DIAGNOSTICS, {"fileName": "d.zip"})
    calls = [
        told.charger.calls("DiagnosticsStatusNotification", {"status": "Uploading"})
        for _ in range(200)
    ]
    told.system.take(*calls)
    assert len(of(job)[2]) == 60


def test_jobs_go_with_the_log() -> None:
    told = Told()
    told.ordered(DIAGNOSTICS, {})
    prune(at() + timedelta(days=89))
    assert FileJob.objects.count() == 1
    prune(at() + timedelta(days=91))
    assert FileJob.objects.count() == 0
