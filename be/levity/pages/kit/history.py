"""The history of a row, from the one audit that the pages, the API and the command line share.

What the forms of the admin save is written there, too, and not into Django's own log.
"""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin

from levity.ocpp.audit import kind_of, note
from levity.ocpp.models import AuditEntry
from levity.pages.kit.formats import NOTHING, shown_time
from levity_ws.frozen import frozen

__all__ = ["Audited", "changes_shown"]

A_PAGE = 100


@frozen
class Shown:
    """A line of the history."""

    when: str
    who: str
    what: str
    change: str


class Audited(ModelAdmin):
    """Saves of this admin leave an audit entry; its history pages show all entries of a row."""

    object_history_template = "levity/history.html"
    # Fields of the form whose values go into the audit, before and after: never a secret.
    audited: tuple[str, ...] = ()
    # Whether all that this admin saves and deletes are decisions, which leave entries of their own.
    by_decisions = False

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """What Django says of the form; with the values of `audited` fields for `log_change`."""
        names = [name for name in self.audited if name in form.changed_data]
        request.audited = (  # type: ignore[attr-defined]  # for log_change, just below
            {name: _plain(form.initial.get(name)) for name in names},
            {name: _plain(form.cleaned_data.get(name)) for name in names},
        )
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """After a form has added it."""
        if not self.by_decisions:
            note(request.user, [obj], _text(message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """After a form has changed it; the text names the fields."""
        before, after = getattr(request, "audited", ({}, {}))
        if not self.by_decisions:
            note(request.user, [obj], _text(message), before, after)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        """Before these are deleted."""
        if not self.by_decisions:
            note(request.user, queryset, "deleted")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was decided about this row, the oldest first."""
        rows = AuditEntry.objects.filter(
            kind=kind_of(self.model), object_id=unquote(object_id)
        ).order_by("pk")
        pages = self.get_paginator(request, rows, A_PAGE)
        page = pages.get_page(request.GET.get(PAGE_VAR, 1))
        extra = {
            "entries": [_shown(entry) for entry in page],
            "page": page,
            **(extra_context or {}),
        }
        return super().history_view(request, object_id, extra)


def changes_shown(entry: AuditEntry) -> str:
    """The values before and after, a line each; empty where there are none."""
    before, after = entry.before or {}, entry.after or {}
    names = [*before, *(name for name in after if name not in before)]
    lines = [(name, _value(before.get(name)), _value(after.get(name))) for name in names]
    return format_html_join("", "<div>{}: {} → {}</div>", lines) if after else ""


def _shown(entry: AuditEntry) -> Shown:
    return Shown(
        shown_time(entry.at), entry.who_name or "command line", entry.what, changes_shown(entry)
    )


def _value(value: Any) -> str:
    return NOTHING if value in (None, "") else format_html("{}", str(value)[:120])


def _plain(value: Any) -> Any:
    """A row by its key, all else as it is."""
    return value.pk if isinstance(value, Model) else value


def _text(message: Any) -> str:
    """What Django says of a form that was saved: a list of changes, or a text."""
    said = message if isinstance(message, str) else json.dumps(message)
    return str(LogEntry(change_message=said).get_change_message())
