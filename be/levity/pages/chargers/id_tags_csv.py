"""The list of id tags as a CSV file: out, and in with every wrong line named."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanWidget

from levity.ocpp.decisions import id_tags as decisions
from levity.ocpp.decisions.id_tags_csv import export_lines, sample
from levity.ocpp.decisions.id_tags_import import Imported
from levity.ocpp.decisions.spreadsheet_files import COLUMNS, BadFile
from levity.ocpp.models import ChargePoint, IdTag
from levity.ocpp.visibility import visible
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import and_more, refusal

__all__ = ["IdTagFiles"]

UPDATE = "Update existing tags"
# Wrong lines that are shown of one file, and its most bytes.
SHOWN, LARGEST = 50, 10_000_000


class ImportForm(forms.Form):
    """Which file, and what to do with tags that are known."""

    file = forms.FileField(
        help_text="CSV, as Excel and other spreadsheets save it; at most 10 MB.",
        widget=UnfoldAdminFileFieldWidget,
    )
    update = forms.BooleanField(label=UPDATE, required=False, widget=UnfoldBooleanWidget)

    def clean_file(self) -> Any:
        """Nobody has more cards than fit in there."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(
                "The file is larger than 10 MB: use the command import_id_tags."
            )
        return file


class IdTagFiles(LevityAdmin):
    """For the admin of id tags."""

    def get_urls(self) -> list[URLPattern]:
        """The list goes out and comes in as CSV at addresses of its own."""
        view = self.admin_site.admin_view
        return [
            path("export/", view(self.export_view), name="ocpp_idtag_export"),
            path("import/", view(self.import_view), name="ocpp_idtag_import"),
            path("import/sample.csv", view(self.sample_view), name="ocpp_idtag_sample"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All tags, as `import_id_tags` reads them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = f"id-tags-{timezone.localtime():%Y%m%d-%H%M}.csv"
        return StreamingHttpResponse(
            export_lines(
                self.get_queryset(request).order_by(Lower("id_tag")),
                visible(ChargePoint.objects.all(), request.user),
                visible(IdTag.objects.all(), request.user),
            ),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def sample_view(self, request: HttpRequest) -> HttpResponse:
        """A file to begin with."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponse(
            sample(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="id-tags-sample.csv"'},
        )

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A file of tags: all of them, or none and what is wrong with which line."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = ImportForm(request.POST, request.FILES) if is_sent else ImportForm()
        problems: list[str] = []
        notes: list[str] = []
        if is_sent and form.is_valid():
            try:
                data = form.cleaned_data["file"].read()
                done = decisions.import_tags(data, request.user, update=form.cleaned_data["update"])
            except BadFile as error:
                form.add_error("file", refusal(error))
            else:
                notes = done.notes
                if done.done:
                    said = f"Imported: {done.created} new, {done.updated} changed."
                    messages.success(request, said)
                    for text in notes[:SHOWN]:
                        messages.warning(request, text)
                    if more := and_more(len(notes) - SHOWN):
                        messages.warning(request, f"{more.strip().capitalize()} such notes.")
                    return redirect("levity:ocpp_idtag_changelist")
                problems = _in_words(done)
        context = {
            **self.admin_site.each_context(request),
            "opts": IdTag._meta,
            "title": "Import id tags",
            "form": form,
            "columns": ", ".join(COLUMNS),
            "problems": problems[:SHOWN],
            "notes": notes[:SHOWN],
            "more": max(0, len(problems) - SHOWN),
            "more_notes": max(0, len(notes) - SHOWN),
        }
        return TemplateResponse(request, "levity/id_tags_import.html", context)


def _in_words(done: Imported) -> list[str]:
    """What is wrong with each line; tags that are known already in one sentence."""
    said = [str(problem) for problem in done.problems if not problem.is_known]
    known = [problem for problem in done.problems if problem.is_known]
    if len(known) == 1:
        said.append(f"{known[0]}: select “{UPDATE}” below to update it")
    elif known:
        said.append(
            f"{len(known)} tags already exist, the first in line {known[0].line}: select "
            f"“{UPDATE}” below to update them"
        )
    return said
