"""What all lists share: bounded counting, no facets, no editing of records."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from unfold.views import ChangeList

from levity.ocpp.visibility import is_limited, visible
from levity.pages.kit.formats import said
from levity.pages.kit.forms import LevityForm
from levity.pages.kit.live_admin import LiveAdmin
from levity.pages.kit.lookups import OnlyDeclaredLookups

__all__ = [
    "BoundedChangeList",
    "BoundedPaginator",
    "LevityAdmin",
    "NamesAfterwards",
    "ReadOnlyAdmin",
    "all_of",
    "newest",
]

# Up to here the values themselves stand in a statement: an index finds each.
NAMED = 1_000


class BoundedPaginator(Paginator):
    """Counts at most `LIMIT` rows: page 200 is not how anybody finds an old message.

    Counting a million rows to its end takes Postgres as long as the rest of the page does
    twenty times.
    """

    LIMIT = 10_000
    template_name = "levity/pagination.html"

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than the limit."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        # Only keys: a list may compute more for each row, which counting does not need.
        return rows.order_by().values("pk")[: self.LIMIT + 1].count()

    @cached_property
    def count(self) -> int:
        """How many rows can be reached by paging."""
        return min(self.counted, self.LIMIT)

    @property
    def shown(self) -> str:
        """How many, for people."""
        return f"{self.count:,}"

    @property
    def is_bounded(self) -> bool:
        """True if there are more rows than can be reached by paging."""
        return self.counted > self.LIMIT


def newest(rows: QuerySet[Any], limit: int) -> QuerySet[Any]:
    """Only the newest `limit` of these rows, by a condition that their index answers.

    A slice would forbid further filters; this does not.
    """
    floor = rows.order_by("-pk").values_list("pk", flat=True)[limit : limit + 1].first()
    return rows if floor is None else rows.filter(pk__gt=floor)


def all_of(found: QuerySet[Any]) -> list[Any] | QuerySet[Any]:
    """For `__in`: the values, which an index finds; of very many the query, which has them all."""
    some = list(found[: NAMED + 1])
    return some if len(some) <= NAMED else found


class BoundedChangeList(ChangeList):
    """A list that does not offer to show all rows beside how many it found."""

    def get_results(self, request: HttpRequest) -> None:
        """Take what was found for all there is: nobody counted the rest."""
        super().get_results(request)
        self.full_result_count = self.result_count

    def get_filters(self, request: HttpRequest) -> Any:
        """With titles and choices in the language of the page: models keep English ones."""
        found = super().get_filters(request)
        for spec in found[0]:
            spec.title = said(str(spec.title))
            if getattr(getattr(spec, "field", None), "choices", None):
                spec.choices = partial(_choices_said, spec.choices)
        return found


def _choices_said(choices: Callable[[Any], Iterator[Any]], changes: Any) -> Iterator[Any]:
    for choice in choices(changes):
        if "form" in choice:
            for field in choice["form"].fields.values():
                field.choices = [(key, said(str(text))) for key, text in field.choices]
        else:
            choice["display"] = said(str(choice["display"]))
        yield choice


class NamesAfterwards(BoundedChangeList):
    """What its rows refer to is asked for when the rows of the page are known.

    Within a join SQLite would begin with the small table of the two, and read and sort all rows of
    the large one for the fifty that are shown.
    """

    names: tuple[str, ...]
    queryset: Any

    def get_results(self, request: HttpRequest) -> None:
        """A statement more for each table that they refer to."""
        self.queryset = self.queryset.select_related(None).prefetch_related(*self.names)
        super().get_results(request)


class LevityAdmin(OnlyDeclaredLookups, LiveAdmin):
    """A list that stays fast however many rows there are."""

    paginator = BoundedPaginator
    form: Any = LevityForm
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    list_fullwidth = True
    actions: Any = None
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that this person may see: lists, pages, choices and exports begin here."""
        return visible(super().get_queryset(request), request.user)

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the templates of the page of this row show beside its form."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The row, with what stands beside it for who may look."""
        extra = dict(extra_context or {})
        if type(self).beside is not LevityAdmin.beside:
            row = self.get_object(request, object_id)
            if row is not None and self.has_view_permission(request, row):
                extra |= self.beside(request, row)
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only those that the list names: Django adds “delete selected” to every list."""
        found: dict[str, Any] = super().get_actions(request)
        return {name: item for name, item in found.items() if name in self.actions}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who is limited to sites adds nothing: it might be of another site."""
        return super().has_add_permission(request) and not is_limited(request.user)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only rows that this person may see can be chosen, whatever the form says."""
        _limit_choices(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The same for several."""
        _limit_choices(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """With its label, help and choices in the language of the page: models keep English ones,
        and the catalogs say what they are called."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.label = said(capfirst(field.label))
            field.help_text = said(field.help_text)
            if db_field.choices:
                field.choices = [(key, said(text)) for key, text in field.choices]
        return field

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The kind of list."""
        return BoundedChangeList


def _limit_choices(db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> None:
    if "queryset" not in kwargs and is_limited(request.user):
        kwargs["queryset"] = visible(
            db_field.remote_field.model._meta.default_manager.all(), request.user
        )


class ReadOnlyAdmin(LevityAdmin):
    """Rows that are written by the pipeline and only looked at here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: rows come from chargers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: what happened does not change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: retention removes rows, people do not."""
        return False
