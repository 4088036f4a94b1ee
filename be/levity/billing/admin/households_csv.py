"""Households as a CSV file: out, and in after a look at what it would do."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from levity.billing.admin.held import days_shown, thing_shown
from levity.billing.households_csv import (
    COLUMNS,
    BadFile,
    Read,
    export_lines,
    import_households,
    read_households,
)
from levity.billing.models import Household
from levity.ocpp.decisions.spreadsheet_files import decode
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.file_form import FileForm
from levity.pages.kit.formats import refusal
from levity.writing import Phrase

__all__ = ["HouseholdFiles"]

SHOWN = 50
SAMPLE = (
    COLUMNS,
    (
        *("Anna Müller", "3rd floor left", "12", "", "anna@example.org", "de", "Anna; Ben"),
        *("04A1B2C3D4E5F6;04A1B2C3D4E5F7", "", "2026-11-01", "", ""),
    ),
    ("Bob Smith", "ground floor", "13", "", "", "en", "", "", "garage-1#2", "2026-11-15", "", ""),
)


class HouseholdFiles(LevityAdmin):
    """For the admin of households."""

    def file_urls(self) -> list[URLPattern]:
        """The list goes out and comes in at addresses of its own."""
        view = self.admin_site.admin_view
        return [
            path("export/", view(self.export_view), name="billing_household_export"),
            path("import/", view(self.import_view), name="billing_household_import"),
            path("import/sample.csv", view(self.sample_view), name="billing_household_sample"),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that this person sees, as the import reads them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return streamed_csv(export_lines(self.get_queryset(request).order_by("pk")), "households")

    def sample_view(self, request: HttpRequest) -> HttpResponseBase:
        """A file to begin with, which a spreadsheet opens as it should."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return streamed_csv(SAMPLE, "households-sample")

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """First what the file would do, then the same done."""
        may = self.has_add_permission(request) and self.has_change_permission(request)
        if not may or is_limited(request.user):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None)
        read: Read | None = None
        text = ""
        if request.method == "POST" and form.is_valid():
            sure = bool(form.cleaned_data["text"])
            try:
                text, read = _read(form.cleaned_data)
                if sure and not read.problems:
                    done = import_households(text, request.user)
                    if not done.problems:
                        messages.success(
                            request,
                            gettext(
                                "Imported: %(new)s new households, %(changed)s changed, "
                                "%(assignments)s new assignments."
                            )
                            % {
                                "new": done.new,
                                "changed": done.changed,
                                "assignments": done.assignments,
                            },
                        )
                        return redirect("levity:billing_household_changelist")
                    read = done
            except BadFile as error:
                form.add_error("file", refusal(error))
        context = {
            **self.admin_site.each_context(request),
            "opts": Household._meta,
            "title": _("Import households"),
            "form": form,
            "columns": ", ".join(COLUMNS),
            "read": read,
            "problems": [each.in_words(gettext) for each in read.problems[:SHOWN]] if read else [],
            "notes": [_said(each) for each in read.notes] if read else [],
            "more": max(0, len(read.problems) - SHOWN) if read else 0,
            "preview": _preview(read) if read and not read.problems else [],
            "text": text,
        }
        return TemplateResponse(request, "levity/households_import.html", context)


def _read(given: dict[str, Any]) -> tuple[str, Read]:
    if given["text"]:
        return given["text"], read_households(given["text"])
    data = given["file"].read()
    decoded = decode(data)
    read = read_households(decoded.text)
    if decoded.note:
        read.notes.append(decoded.note)
    return decoded.text, read


def _said(note: Phrase | str) -> str:
    return note.in_words(gettext) if isinstance(note, Phrase) else note


def _preview(read: Read) -> list[dict[str, Any]]:
    return [
        {
            "line": line.number,
            "what": gettext("new") if line.values["pk"] is None else gettext("changed"),
            "name": line.values["name"],
            "flat": line.values.get("flat", ""),
            "things": [f"{thing_shown(each)}, {days_shown(each)}" for each in line.things],
        }
        for line in read.lines[:SHOWN]
    ]
