"""Jobs: what chargers were asked to upload or to install, what they say, and what is here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from levity.files import kept
from levity.files.models import StoredFile
from levity.files.telling import Told, is_over, told
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, Command, FileJob
from levity.ocpp.visibility import visible
from levity.pages.chargers.filters import RowFilter
from levity.pages.chargers.list_as_csv import ListAsCsv
from levity.pages.files.ordering import fetch_view, other_way_view, update_view
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    excerpt,
    shown_time,
    site_zone,
)
from levity.pages.kit.live import EVERY, SOON
from levity.pages.site import site

__all__ = ["FileJobAdmin", "file_size"]

SELDOM = 60.0


def file_size(size: int) -> str:
    """Bytes for people."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


@admin.register(FileJob, site=site)
class FileJobAdmin(ListAsCsv, ReadOnlyAdmin):
    """Rows are made by orders, and changed by what chargers say and send."""

    list_display = ("what", "to", "now", "here", "asked_at")
    list_filter = (
        ("kind", ChoicesCheckboxFilter),
        ("state", ChoicesCheckboxFilter),
        ("charge_point", RowFilter),
    )
    fields = ("to", "what", "place", "command_link", "asked_at", "steps")
    readonly_fields = fields
    change_form_outer_before_template = "levity/files/job_now.html"
    live_parts = {"lv-job": "levity/files/job_live.html"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileJob]:
        """With all that is said about one."""
        rows = super().get_queryset(request)
        return rows.select_related("charge_point__site", "drop__firmware", "command")

    def get_urls(self) -> list[URLPattern]:
        """Orders and downloads."""
        view = self.admin_site.admin_view
        return [
            path("fetch/<int:pk>/", view(fetch_view), name="files_fetch"),
            path("update/<int:pk>/", view(update_view), name="files_update"),
            path("<int:pk>/other/", view(require_POST(other_way_view)), name="files_other_way"),
            path("download/<int:pk>/", view(download_view), name="files_download"),
            path("<int:pk>/remove/", view(require_POST(remove_view)), name="files_remove"),
            *super().get_urls(),
        ]

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Every second while something is under way."""
        return SELDOM if is_over(row) else SOON

    def list_every(self, request: HttpRequest, changes: Any) -> float:
        """More often while one of them is under way."""
        return EVERY if all(is_over(row) for row in changes.result_list) else 2.0

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With what is said and what is here."""
        if (job := kwargs.get("obj")) is not None:
            context |= _shown(request, job)
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="job", ordering="id")
    def what(self, job: FileJob) -> str:
        """Its kind, and the firmware."""
        drop = getattr(job, "drop", None)
        firmware = f": {drop.firmware}" if drop is not None and drop.firmware else ""
        return f"{job.get_kind_display().capitalize()}{excerpt(firmware, 80)}"

    @display(description="charge point")
    def to(self, job: FileJob) -> str:
        """The charger."""
        return change_link(ChargePoint, job.charge_point_id, job.charge_point)

    @display(description="now")
    def now(self, job: FileJob) -> str:
        """In words."""
        said = told(job, getattr(job, "drop", None))
        return format_html(
            "{}<br>{}", badge(job.get_state_display(), said.level), excerpt(said.text, 160)
        )

    @display(description="files here")
    def here(self, job: FileJob) -> str:
        """How many have arrived; an update brings none."""
        is_upload = job.kind in (FileJob.Kind.DIAGNOSTICS, FileJob.Kind.LOG)
        return str(job.arrived) if is_upload and job.is_own else NOTHING

    @display(description="asked at", ordering="id")
    def asked_at(self, job: FileJob) -> str:
        """When."""
        return shown_time(job.created_at, site_zone(job))

    @display(description="address")
    def place(self, job: FileJob) -> str:
        """Where the charger was sent, without the secret part."""
        return excerpt(job.location, 200) or NOTHING

    @display(description="command")
    def command_link(self, job: FileJob) -> str:
        """The Call."""
        if job.command is None:
            return NOTHING
        return change_link(Command, job.command.pk, f"{job.command.action} #{job.command.pk}")

    @display(description="reported by the charger")
    def steps(self, job: FileJob) -> str:
        """Each status with its time."""
        zone = site_zone(job)
        lines = [
            (shown_time(parse_datetime(str(item[0])), zone), excerpt(str(item[1]), 64))
            for item in job.history
            if isinstance(item, list) and len(item) == 2
        ]
        return format_html_join("", "<div>{} {}</div>", lines) or "nothing yet"


def _shown(request: HttpRequest, job: FileJob) -> dict[str, Any]:
    drop = getattr(job, "drop", None)
    said: Told = told(job, drop)
    zone = site_zone(job)
    may_download = request.user.has_perm(kept.DOWNLOAD)
    files = [
        {
            "pk": row.pk,
            "name": excerpt(row.name, 100),
            "url": reverse("levity:files_download", args=[row.pk]) if may_download else "",
            "size": file_size(row.size),
            "at": shown_time(row.received_at, zone),
            "how": row.get_protocol_display(),
            "sha256": row.sha256,
            "is_complete": row.is_complete,
        }
        for row in StoredFile.objects.filter(job=job).order_by("-pk")
    ]
    return {
        "job": job,
        "job_said": said,
        "job_state": badge(job.get_state_display(), said.level),
        "job_files": files,
        "job_remove": (
            reverse("levity:files_remove", args=[job.pk])
            if request.user.has_perm(kept.DELETE)
            else ""
        ),
        "job_place": drop,
        "job_fetched": file_size(drop.sent_bytes) if drop is not None and drop.sent_bytes else "",
        "job_other": (
            reverse("levity:files_other_way", args=[job.pk])
            if drop is not None and request.user.has_perm("ocpp.add_command")
            else ""
        ),
    }


def download_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A file as an attachment; what is in it is nobody's to interpret."""
    row = get_object_or_404(visible(StoredFile.objects.all(), request.user), pk=pk)
    try:
        file = kept.open_file(row, request.user)
    except Refused as refused:
        if not request.user.has_perm(kept.DOWNLOAD):
            raise
        messages.error(request, refused.sentence)
        return redirect("levity:ocpp_filejob_changelist")
    response = FileResponse(
        file, as_attachment=True, filename=row.name, content_type="application/octet-stream"
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def remove_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a file of this job for good."""
    number = request.POST.get("file", "")
    rows = visible(StoredFile.objects.filter(job=pk), request.user)
    row = get_object_or_404(rows, pk=int(number) if number.isdecimal() else 0)
    try:
        kept.delete_file(row, request.user)
    except Refused as refused:
        if not request.user.has_perm(kept.DELETE):
            raise
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"Deleted: {row.name}")
    return redirect("levity:ocpp_filejob_change", pk)
