"""What may be asked for in the address of a list: what its filters ask for, and nothing else.

Django lets any column of the model be asked for there, with any comparison: `?webhook_url__regex=`
tells a secret letter by letter that no page shows, and `?request__regex=(y+)+z` never ends.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter

__all__ = ["LONGEST", "OnlyDeclaredLookups", "few_words"]

# How the filters of Django and unfold call what they ask for.
_OF_FIELD = ("", "__exact", "__isnull", "__id__exact", "__pk__exact")
_OF_RANGE = ("_from", "_to")
_DIGITS = 18
LONGEST, MOST_WORDS = 200, 12
"""Characters of one value in an address, and words of a search: Django looks for each in each of
the columns, and reads quotation marks with an expression that goes back and tries again."""


class OnlyDeclaredLookups:
    """Goes before Django's ModelAdmin in the bases of every admin."""

    extra_lookups: tuple[str, ...] = ()
    """Beside those of the filters: what our own pages link to."""

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """True for what a filter of this list, or a link of ours, asks for.

        No column holds a whole number of more digits than these, and SQLite fails at it; the
        filters by a row leave it out themselves.
        """
        filters = self.get_list_filter(request)  # type: ignore[attr-defined]  # of ModelAdmin
        if lookup not in self.extra_lookups and lookup not in _asked_by(filters):
            return False
        is_long = len(str(value)) > _DIGITS and str(value).lstrip("+-").isdigit()
        return not is_long or lookup in _of_rows(filters)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, asked for what it can answer: see `_sane`."""
        request.GET = _sane(request.GET)  # type: ignore[assignment]  # immutable, as Django's own
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]  # of ModelAdmin
        return answer

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also for what is looked for while one types into a form."""
        found: tuple[QuerySet[Any], bool] = super().get_search_results(  # type: ignore[misc]  # of ModelAdmin
            request, queryset, few_words(search_term)
        )
        return found


def few_words(term: str) -> str:
    """The beginning of what is looked for; quotation marks that never close are no quotation."""
    words = term[:LONGEST].replace("\x00", "").split()
    text = " ".join(words[:MOST_WORDS])
    return text if text.count('"') % 2 == 0 and text.count("'") % 2 == 0 else _unquoted(text)


def _unquoted(text: str) -> str:
    return text.replace('"', " ").replace("'", " ")


def _asked_by(filters: Any) -> Iterator[str]:
    for item in filters:
        if isinstance(item, type) and issubclass(item, SimpleListFilter):
            yield str(item.parameter_name)
        elif isinstance(item, tuple | list) and issubclass(item[1], RangeDateFilter):
            yield from (f"{item[0]}{end}" for end in _OF_RANGE)
        elif isinstance(item, tuple | list) and issubclass(item[1], AutocompleteSelectFilter):
            yield f"{item[0]}__id__exact"
        else:
            field = item[0] if isinstance(item, tuple | list) else item
            yield from (f"{field}{end}" for end in _OF_FIELD)


def _of_rows(filters: Any) -> list[str]:
    return [
        f"{item[0]}__id__exact"
        for item in filters
        if isinstance(item, tuple | list) and issubclass(item[1], AutocompleteSelectFilter)
    ]


def _sane(asked: QueryDict) -> QueryDict:
    """Without a NUL, which Postgres can't compare with anything, and without endless values."""
    if all("\x00" not in value and len(value) <= LONGEST for value in _values(asked)):
        return asked
    sane = QueryDict(mutable=True)
    for name, values in asked.lists():
        for value in values:
            sane.appendlist(name.replace("\x00", ""), value.replace("\x00", "")[:LONGEST])
    sane._mutable = False  # noqa: SLF001  # as Django's own have it
    return sane


def _values(asked: QueryDict) -> Iterator[str]:
    for name, values in asked.lists():
        yield name
        yield from (value for value in values if isinstance(value, str))
