"""A list as a CSV file: the columns of its page, as text, of all rows that fit its filters."""

import html
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags

from levity.pages.chargers.csv_export import CHUNK, cell, streamed_csv
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import NOTHING
from levity.pages.kit.live import cells_of

__all__ = ["ListAsCsv"]


class ListAsCsv(LevityAdmin):
    """Its list has a button, and the address behind it."""

    @property
    def csv_link(self) -> str:
        """Where the file is; the template adds the filters."""
        return reverse(f"levity:{self._csv_name}")

    @property
    def _csv_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def get_urls(self) -> list[URLPattern]:
        """With that of the file."""
        view = self.admin_site.admin_view(self.list_csv_view)
        return [path("export/", view, name=self._csv_name), *super().get_urls()]

    def list_csv_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that fit the filters in the address, or all; what this person may see of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        label = f"{self.opts.app_label}_{self.opts.model_name}"
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(f"levity:{label}_changelist")
        name = str(self.opts.verbose_name_plural).replace(" ", "-")
        return streamed_csv(self._csv_rows(changes, changes.get_queryset(request)), name)

    def _csv_rows(self, changes: Any, rows: Any) -> Iterator[list[str]]:
        names = [name for name in changes.list_display if name != "action_checkbox"]
        yield ["number", *(str(label_for_field(name, self.model, self)) for name in names)]
        for row in rows.iterator(chunk_size=CHUNK):
            yield [str(row.pk), *(_text(shown) for _, shown in cells_of(changes, row))]


def _text(shown: Any) -> str:
    """What people read in this cell, in one line."""
    lines = str(shown).replace("<br>", " ").replace("</div>", "</div> ")
    text = " ".join(html.unescape(strip_tags(lines)).split())
    return "" if text == NOTHING else cell(text)
