"""Who did what, to all rows: the one audit that their history pages show row by row."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from levity.ocpp.models import AuditEntry
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.csv_export import CHUNK, cell, local_cell, streamed_csv, utc_cell
from levity.pages.chargers.filters import ChoiceFilter, DayRangeFilter, Lookups
from levity.pages.kit.base import ReadOnlyAdmin, newest
from levity.pages.kit.formats import NOTHING, excerpt, link, shown_time
from levity.pages.kit.history import changes_shown
from levity.pages.site import site

__all__ = ["AuditEntryAdmin"]

COMMAND_LINE = "command line"
# Of very many users the first by name; the search finds the entries of all.
USERS = 200
# No index knows the texts, so a search reads entries one by one: these many.
SEARCHED = 20_000


class UserFilter(ChoiceFilter, DropdownFilter):
    """Entries by who decided; the command line has no name."""

    title = "user"
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        """The users there are, and the command line."""
        model = get_user_model()
        people = model._default_manager.all()  # noqa: SLF001  # Django's own name for it
        found = people.order_by(model.USERNAME_FIELD)
        names = found.values_list(model.USERNAME_FIELD, flat=True)[:USERS]
        return [(f"={name}", str(name)) for name in names] + [("-", COMMAND_LINE)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By the name at that time."""
        chosen = self.chosen()
        if chosen is None:
            return queryset
        return queryset.filter(who_name="" if chosen == "-" else chosen[1:])


class KindFilter(ChoiceFilter, DropdownFilter):
    """Entries by the kind of object; the table is not asked which ones occur."""

    title = "kind of object"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        """All kinds that have a page."""
        # (Levity's site: it may be one of several.)
        models = model_admin.admin_site._registry  # noqa: SLF001
        kinds = {model._meta.label_lower: _kind(model._meta.label_lower) for model in models}
        return sorted(kinds.items(), key=lambda kind: kind[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The entries about objects of this kind."""
        chosen = self.chosen()
        return queryset if chosen is None else queryset.filter(kind=chosen)


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The newest first."""

    list_display = ("happened", "user", "what_shown", "object_shown", "change_shown")
    list_filter = (UserFilter, KindFilter, ("at", DayRangeFilter))
    sortable_by = ()
    search_fields = ("object_name",)
    search_help_text = "Text in the object, the action or the user"
    list_before_template = "levity/audit_export.html"
    fields = ("happened", "user", "what", "kind_shown", "object_shown", "change_shown")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for somebody who is limited: no entry belongs to a site, and users have names."""
        return super().has_view_permission(request, obj) and not is_limited(request.user)

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first, by the index that answers the filter."""
        if any(request.GET.get(name) for name in ("at_from", "at_to")):
            return ("-at", "-id")
        return ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Among the newest that fit the filters."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(object_name__icontains=term) | Q(what__icontains=term)
        wanted |= Q(who_name__icontains=term)
        return newest(queryset, SEARCHED).filter(wanted), False

    @display(description="time")
    def happened(self, entry: AuditEntry) -> str:
        """When it was decided."""
        return shown_time(entry.at)

    @display(description="user")
    def user(self, entry: AuditEntry) -> str:
        """By whom, by the name of that time."""
        return entry.who_name or COMMAND_LINE

    @display(description="what")
    def what_shown(self, entry: AuditEntry) -> str:
        """What was done."""
        return entry.what or NOTHING

    @display(description="kind of object")
    def kind_shown(self, entry: AuditEntry) -> str:
        """What the object is."""
        return _kind(entry.kind) or NOTHING

    @display(description="object")
    def object_shown(self, entry: AuditEntry) -> str:
        """What it was done to, with a link to its history; the object may be gone."""
        name = excerpt(entry.object_name, 60) or NOTHING
        address = _history_of(entry)
        shown = link(address, name) if address else name
        return format_html('{}<br><span class="lv-soft">{}</span>', shown, _kind(entry.kind))

    @display(description="before → after")
    def change_shown(self, entry: AuditEntry) -> str:
        """The values that changed."""
        return changes_shown(entry) or NOTHING

    def get_urls(self) -> list[URLPattern]:
        """The file has its address."""
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="ocpp_auditentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All entries that fit the filters in the address, or all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("levity:ocpp_auditentry_changelist")
        return streamed_csv(_rows_of(found), "audit")


def _kind(label: str) -> str:
    """A model as people call it; the label of one that is not installed any more."""
    try:
        return capfirst(str(apps.get_model(label)._meta.verbose_name))
    except (LookupError, ValueError):
        return label


def _history_of(entry: AuditEntry) -> str:
    if entry.kind.count(".") != 1 or not entry.object_id:
        return ""
    name = entry.kind.replace(".", "_")
    try:
        return reverse(f"levity:{name}_history", args=[quote(entry.object_id)])
    except NoReverseMatch:
        return ""


def _rows_of(entries: QuerySet[AuditEntry]) -> Iterator[list[str]]:
    """The header, then a row for each entry."""
    yield [
        *("entry", "time (UTC)", "time (local)", "user", "what"),
        *("kind", "object id", "object", "before", "after"),
    ]
    for entry in entries.iterator(chunk_size=CHUNK):
        yield [
            str(entry.pk),
            utc_cell(entry.at),
            local_cell(entry.at, None),
            cell(entry.who_name or COMMAND_LINE),
            cell(entry.what),
            cell(entry.kind),
            cell(entry.object_id),
            cell(entry.object_name),
            cell(_text(entry.before)),
            cell(_text(entry.after)),
        ]


def _text(values: Any) -> str:
    if not isinstance(values, dict):
        return "" if values is None else str(values)
    return "; ".join(f"{name}: {'' if value is None else value}" for name, value in values.items())
