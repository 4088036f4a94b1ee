"""Actions on all that was selected: in portions, and asked first where it is a lot.

"Select all" may mean 100,000 rows. None is left out without a word, and none holds the database
for longer than a portion takes.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from levity.ocpp.audit import note_all

__all__ = ["MANY", "ask_if_many", "change_all", "portions"]

PORTION = 500
# From here on a page asks first: somebody may have meant those on his page only.
MANY = 500
SURE = "sure"


def portions(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """All these rows, `PORTION` at a time, by their key: changing some leaves none out."""
    last = None
    rows = rows.order_by("pk")
    while found := list((rows if last is None else rows.filter(pk__gt=last))[:PORTION]):
        last = found[-1].pk
        yield found


def change_all(
    request: HttpRequest,
    rows: QuerySet[Any],
    change: Callable[[list[Any]], Any],
    action_flag: int,
    done: str,
) -> int:
    """Change all these rows, and write down who did it; how many they were.

    `change` gets a portion, within a transaction.
    """
    count = 0
    for portion in portions(rows):
        with transaction.atomic():
            change(portion)
            note_all(request, portion, action_flag, done)
        count += len(portion)
    return count


def ask_if_many(
    request: HttpRequest, admin: Any, rows: QuerySet[Any], name: str, title: str
) -> HttpResponse | None:
    """The page that asks, if these are many and nobody has said yes to it; else None.

    `name` is the action's own; the page sends the same form again, with the answer.
    """
    if request.POST.get(SURE) or (count := rows.count()) <= MANY:
        return None
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "count": f"{count:,}",
        "name": name,
        "checkbox": ACTION_CHECKBOX_NAME,
        "across": request.POST.get("select_across", "0"),
        "every": request.POST.getlist(ACTION_CHECKBOX_NAME),
    }
    return TemplateResponse(request, "levity/many.html", context)
