"""Actions on all that was selected, asked first where it is a lot.

"Select all" may mean 100,000 rows; `levity.ocpp.deciding.decide_all` does it in portions.
"""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

__all__ = ["MANY", "ask_if_many"]

# From here on a page asks first: only those on the page may have been meant.
MANY = 500
SURE = "sure"


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
