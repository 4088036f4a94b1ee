"""The list of charge points as a CSV file: out, and in after a look at what it would do."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from levity.ocpp.decisions.charge_points_csv import (
    COLUMNS,
    BadFile,
    Read,
    export_lines,
    import_charge_points,
    read_charge_points,
    text_of,
)
from levity.ocpp.models import ChargePoint
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.file_form import FileForm
from levity.pages.kit.formats import refusal

__all__ = ["ChargePointFiles"]

SHOWN = 50


class ChargePointFiles(LevityAdmin):
    """For the admin of charge points."""

    def get_urls(self) -> list[URLPattern]:
        """The list goes out and comes in at addresses of its own."""
        view = self.admin_site.admin_view
        return [
            path("export/", view(self.export_view), name="ocpp_chargepoint_export"),
            path("import/", view(self.import_view), name="ocpp_chargepoint_import"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that this person sees, retired ones as well, as the import reads them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).prefetch_related(None).order_by(Lower("identity"))
        return streamed_csv(export_lines(rows), "charge-points")

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """First what the file would do, then the same done."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None)
        read: Read | None = None
        text = note = ""
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                if given["text"]:
                    text = given["text"]
                    read = import_charge_points(text, request.user)
                else:
                    text, note = text_of(given["file"].read())
                    read = read_charge_points(text, request.user)
            except BadFile as error:
                form.add_error("file", refusal(error))
        if read is not None and read.done:
            messages.success(request, f"Imported: {read.new:,} new, {read.changed:,} changed.")
            return redirect("levity:ocpp_chargepoint_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": ChargePoint._meta,
            "title": "Import charge points",
            "form": form,
            "columns": ", ".join(COLUMNS),
            "read": read,
            "note": note,
            "problems": read.problems[:SHOWN] if read else [],
            "more": max(0, len(read.problems) - SHOWN) if read else 0,
            "lines": read.lines[:SHOWN] if read and not read.problems else [],
            "more_lines": max(0, len(read.lines) - SHOWN) if read else 0,
            "text": text,
        }
        return TemplateResponse(request, "levity/charge_points_import.html", context)
