"""Chargers' files: diagnostics and logs to fetch, firmware to upload and to install."""

from typing import Any, Literal

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Status
from pydantic import Field, model_validator

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.orders import Order, refusals, waited
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, may, one, seen
from levity.api.kit.schemas import BYTES, CONTENT, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.problems import Problem
from levity.files import jobs, kept
from levity.files.jobs import Asking
from levity.files.models import Firmware, StoredFile
from levity.files.telling import told
from levity.files.web import Body as Sent
from levity.ocpp.models import ChargePoint, FileJob
from levity.ocpp.visibility import visible

__all__ = ["AS_CHOSEN", "Protocol", "asking_of", "firmware_of", "router"]

router = Router(tags=["files"])
Protocol = Literal["", "http", "https", "ftp"]
UPLOAD = {"requestBody": {"required": True, "content": BYTES}}
AS_CHOSEN = "Empty: what worked last, what the charger reports, or HTTP."


class FileRow(Row):
    """A file that a charger uploaded."""

    id: int
    name: str = Field(description="As the charger calls it.")
    size_bytes: int = Field(alias="size")
    sha256: str
    is_complete: bool = Field(description="False: the connection broke before its end.")
    protocol: str
    received_at: Time


class FileJobRow(Row):
    """An upload or a firmware update that a charger was told to do."""

    id: int
    charge_point: str = Field(description="Its identity.")
    kind: str
    state: str = Field(description="By what the charger says.")
    said: str = Field(description="What the charger says beside what has arrived, in words.")
    status: str = Field(description="The charger's last report, in OCPP's spelling.")
    status_at: Time | None
    request_id: int | None
    command_id: int | None
    location: str = Field(description="Without its secret part.")
    file_name: str
    arrived: int = Field(description="Uploads that came, or fetches of the firmware.")
    created_at: Time
    finished_at: Time | None
    reports: list[list[str]] = Field(description="Time and status of each report.")
    files: list[FileRow]

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)

    @staticmethod
    def resolve_said(row: Any) -> str:
        """In words."""
        return told(row, getattr(row, "drop", None)).text

    @staticmethod
    def resolve_reports(row: Any) -> Any:
        """As they came."""
        return [
            [str(part) for part in item] for item in row.history if isinstance(item, list | tuple)
        ]

    @staticmethod
    def resolve_files(row: Any) -> Any:
        """What has come of it."""
        return list(row.files.all())


class Jobs(Paged):
    """Which jobs."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    kind: FileJob.Kind | None = None
    state: FileJob.State | None = None


class FetchAsked(Order):
    """What to fetch."""

    log: Literal["", "DiagnosticsLog", "SecurityLog"] = Field(
        "", description="A log of the security extension. Empty: diagnostics."
    )
    protocol: Protocol = Field("", description=AS_CHOSEN)
    since: TimeGiven | None = None
    until: TimeGiven | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "FetchAsked":
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("until has to be later than since")
        return self


class UpdateAsked(Order):
    """Which firmware to install."""

    firmware_id: Id
    protocol: Protocol = Field("", description=AS_CHOSEN)
    not_before: TimeGiven | None = Field(None, description="Null: at once.")


class FirmwareRow(Row):
    """A firmware that was uploaded here."""

    id: int
    version: str
    vendor: str
    model: str
    note: str
    name: str
    size_bytes: int = Field(alias="size")
    sha256: str
    uploaded_at: Time


class FirmwareNamed(Row):
    """What is said about a firmware that is uploaded."""

    name: Text = Field(max_length=255, description="File name.")
    version: Text = Field(min_length=1, max_length=255, description="As the charger reports it.")
    vendor: Text = Field("", max_length=255)
    model: Text = Field("", max_length=255)
    note: Text = Field("", max_length=2_000)


def _jobs(request: HttpRequest) -> Any:
    rows = seen(request, FileJob).select_related("charge_point", "drop__firmware")
    return rows.prefetch_related("files")


def asking_of(request: HttpRequest, protocol: str) -> Asking:
    """By which address, and how, the charger is to come."""
    return Asking(request.get_host(), request.is_secure(), protocol=protocol)


def _charge_point(request: HttpRequest, identity: str) -> ChargePoint:
    return charge_point_at(seen(request, ChargePoint), identity)


def firmware_of(request: HttpRequest, pk: int) -> Firmware:
    """The one that a body names; a problem (422) if whoever asks sees no such row."""
    row = visible(Firmware.objects.all(), principal(request)).filter(pk=pk).first()
    if row is None:
        raise Problem(422, f"There is no firmware {pk}.")
    return row


def _answer(request: HttpRequest, response: HttpResponse, job: FileJob, seconds: float) -> Any:
    waited(job.command, seconds)
    response["Location"] = f"/api/v1/file-jobs/{job.pk}"
    return Status(202, one(_jobs(request), pk=job.pk))


@router.get("/file-jobs", response=Page[FileJobRow])
def list_file_jobs(request: HttpRequest, asked: Query[Jobs]) -> Any:
    """Uploads and updates, the newest first."""
    rows = _jobs(request)
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    if asked.kind is not None:
        rows = rows.filter(kind=asked.kind)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    return page(rows, asked, newest_first=True)


@router.get("/file-jobs/{job_id}", response=FileJobRow)
def get_file_job(request: HttpRequest, job_id: Id) -> Any:
    """One of them."""
    return one(_jobs(request), pk=job_id)


@router.post("/charge-points/{identity}/diagnostics", response={202: FileJobRow})
def fetch_diagnostics(
    request: HttpRequest,
    response: HttpResponse,
    identity: Text,
    body: FetchAsked | None = None,
    idempotency_key: Key = None,
) -> Any:
    """Let the charger upload its diagnostics, or a log, to Levity. Without a body: diagnostics.

    `wait` is for its answer to the order; the upload goes on: look at `Location`.
    """
    asked = body or FetchAsked.model_validate({})
    row, who = _charge_point(request, identity), principal(request)
    asking = asking_of(request, asked.protocol)
    span: dict[str, Any] = {
        "since": asked.since,
        "until": asked.until,
        "expires_after": asked.life,
    }

    def order() -> FileJob:
        if asked.log:
            return jobs.fetch_log(row, asked.log, who, asking, **span)
        return jobs.fetch_diagnostics(row, who, asking, **span)

    with refusals():
        job = once(request, idempotency_key, asked, FileJob, order)
    return _answer(request, response, job, asked.wait)


@router.post("/charge-points/{identity}/firmware-update", response={202: FileJobRow})
def update_firmware(
    request: HttpRequest,
    response: HttpResponse,
    identity: Text,
    body: UpdateAsked,
    idempotency_key: Key = None,
) -> Any:
    """Let the charger fetch a firmware from Levity and install it.

    `wait` is for its answer to the order; the update goes on: look at `Location`.
    """
    row, who = _charge_point(request, identity), principal(request)
    firmware = firmware_of(request, body.firmware_id)
    asking = asking_of(request, body.protocol)

    def order() -> FileJob:
        at, life = body.not_before, body.life
        return jobs.update_firmware(row, firmware, who, asking, at=at, expires_after=life)

    with refusals():
        job = once(request, idempotency_key, body, FileJob, order)
    return _answer(request, response, job, body.wait)


@router.get("/files/{file_id}/content", openapi_extra=CONTENT)
def download_file(request: HttpRequest, file_id: Id) -> HttpResponseBase:
    """The file as it came. Each download is in the audit."""
    row = one(seen(request, StoredFile), pk=file_id)
    response = FileResponse(
        kept.open_file(row, principal(request)),
        as_attachment=True,
        filename=row.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


@router.get("/firmware", response=Page[FirmwareRow])
def list_firmware(request: HttpRequest, asked: Query[Paged]) -> Any:
    """The firmware that was uploaded."""
    return page(seen(request, Firmware), asked, newest_first=True)


@router.post("/firmware", response={201: FirmwareRow}, openapi_extra=UPLOAD)
def upload_firmware(request: HttpRequest, about: Query[FirmwareNamed]) -> Any:
    """Upload a firmware: the body is the file."""
    may(request, kept.ADD_FIRMWARE)
    values = {name: getattr(about, name) for name in ("version", "vendor", "model", "note")}
    body = Sent(request)
    row = kept.add_firmware(iter(body.read, b""), about.name, values, principal(request))
    if not body.is_whole:
        kept.forget_broken(row)
        raise Problem(400, "The connection ended before all of the file had come.")
    return Status(201, row)
