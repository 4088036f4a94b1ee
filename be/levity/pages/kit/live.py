"""Pages that renew themselves, cell by cell: what has changed since, and nothing else.

A page that is looked at asks its own address again with the header X-Levity-Live, which names each
cell that it shows with a digest of what stands there: `r.12:aaaabbbb` a row of a list, four signs
for each of its columns, `p.lv-now:cccc` a part with that id, `f.3:dddd` the fourth read-only field
of a form. The answer holds the cells that differ, whole rows that are new, and the order of all;
204 if nothing differs. X-Levity-Every tells when to ask again, in seconds; 0: never.

Answers are compressed: they hold no token and no other secret beside what came with the address
(BREACH needs both). Whole pages, which hold the form's token, are not.
"""

import gzip
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from hashlib import blake2s
from typing import Any

from django.contrib.admin.utils import lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from unfold.templatetags.unfold_list import result_list
from unfold.utils import display_for_field, display_for_value

from levity.pages.kit import engine

__all__ = [
    "EVERY",
    "SOON",
    "cells_of",
    "changed_list",
    "changed_page",
    "digest",
    "now_of_browsers",
    "order_of",
    "rendered",
    "wants_changes",
]

HEADER = "X-Levity-Live"
# Seconds between two renewals: as a rule, and where somebody waits for an answer.
EVERY, SOON = 10.0, 1.0
# An answer below this is not worth compressing.
SHORT = 500
BYTES_OF_DIGEST, SIGNS = 3, 4
SINCE = '<time data-since="'


def wants_changes(request: HttpRequest) -> bool:
    """True if this page is there already and asks what is new."""
    return HEADER in request.headers


def order_of(changes: ChangeList) -> str:
    """The keys of the rows of this list, in their order, as the page knows them."""
    return " ".join(_key(row) for row in changes.result_list)


def digest(html: str) -> str:
    """Four signs that differ where what people see differs.

    How long ago something was goes on by itself in the browser: it does not count.
    """
    first, *others = html.split(SINCE)
    for part in others:
        since, _, rest = part.partition('"')
        first += since + rest.partition("</time>")[2]
    found = blake2s(first.encode("utf-8", "surrogatepass"), digest_size=BYTES_OF_DIGEST)
    return urlsafe_b64encode(found.digest()).decode()


def changed_list(
    request: HttpRequest, changes: ChangeList, parts: Mapping[str, str], every: float
) -> HttpResponse:
    """What is new in this list. `parts`: what stands around it, by the id of its element."""
    have = _have(request)
    rows = list(changes.result_list)
    known, order = [], order_of(changes)
    new, digests = [], []
    for row in rows:
        cells = dict(cells_of(changes, row))
        now = [digest(cell) for cell in cells.values()]
        before = have.get(f"r.{_key(row)}")
        if before is None:
            new.append(row)
            digests.append("".join(now))
        elif before != "".join(now):
            known.append(_changed_row(row, cells, now, before))
    body = [*known, *_new_rows(request, changes, new, digests), *_parts("part", "p", parts, have)]
    if not body and order == _order_had(have):
        return _answer(request, "", every)
    whole = format_html_join("", "{}", ((item,) for item in known))
    table = format_html('<table data-order="{}">{}</table>', order, whole)
    return _answer(request, "".join([table, *body[len(known) :]]), every)


def changed_page(
    request: HttpRequest,
    parts: Mapping[str, str],
    fields: Iterable[str] = (),
    every: float = EVERY,
) -> HttpResponse:
    """What is new on a page that is no list. `fields`: its read-only fields, in their order."""
    have = _have(request)
    numbered = {str(at): content for at, content in enumerate(fields)}
    body = [*_parts("part", "p", parts, have), *_parts("field", "f", numbered, have)]
    return _answer(request, "".join(body), every)


def _have(request: HttpRequest) -> dict[str, str]:
    """What the page said that it has: digests by key."""
    found = {}
    for item in request.headers[HEADER].split(","):
        key, _, digests = item.rpartition(":")
        found[key] = digests
    return found


def _order_had(have: Mapping[str, str]) -> str:
    return " ".join(key.removeprefix("r.") for key in have if key.startswith("r."))


def _key(row: Model) -> str:
    """The row's key as it stands in a header and in an attribute: no text of anybody's."""
    if isinstance(row.pk, int):
        return str(row.pk)
    return blake2s(str(row.pk).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


def cells_of(changes: ChangeList, row: Model) -> Iterator[tuple[str, str]]:
    """Each column's name and content, as unfold shows it, without the table around it."""
    admin = changes.model_admin
    for name in changes.list_display:
        if name == "action_checkbox" or not isinstance(name, str):
            continue
        empty = admin.get_empty_value_display()
        try:
            field, found, value = lookup_field(name, row, admin)
        except ObjectDoesNotExist:
            yield name, empty
            continue
        if field is None or field.auto_created:
            empty = getattr(found, "empty_value_display", empty)
            shown = display_for_value(value, empty, getattr(found, "boolean", False))
        elif field.many_to_one:
            related = getattr(row, field.name)
            shown = empty if related is None else related
        else:
            shown = display_for_field(value, field, empty)
        yield name, conditional_escape(shown)


def _changed_row(row: Model, cells: Mapping[str, str], now: list[str], before: str) -> str:
    had = [before[at : at + SIGNS] for at in range(0, len(before), SIGNS)]
    had += [""] * (len(now) - len(had))
    changed = [
        (name, cell)
        for (name, cell), is_now, was in zip(cells.items(), now, had, strict=False)
        if is_now != was
    ]
    return format_html(
        '<tbody data-row="{}" data-have="{}"><tr>{}</tr></tbody>',
        _key(row),
        "".join(now),
        format_html_join("", '<td data-cell="{}">{}</td>', changed),
    )


def _new_rows(
    request: HttpRequest, changes: ChangeList, rows: list[Model], digests: list[str]
) -> list[str]:
    """These rows as the page itself would show them."""
    if not rows:
        return []
    some = copy(changes)
    some.result_list, some.formset = rows, None
    label, model = changes.opts.app_label, changes.opts.model_name
    names = (f"admin/{label}/{model}", f"admin/{label}", "admin")
    results = engine.template([f"{name}/change_list_results.html" for name in names])
    table = results.render(result_list({"request": request}, some), request)
    keys = " ".join(map(_key, rows))
    return [
        format_html('<div data-new="{}" data-have="{}">{}</div>', keys, " ".join(digests), table)
    ]


def _parts(
    kind: str, prefix: str, parts: Mapping[str, str], have: Mapping[str, str]
) -> Iterator[str]:
    for name, content in parts.items():
        now = digest(content)
        if have.get(f"{prefix}.{name}") != now:
            # (What no template has rendered is escaped here.)
            yield format_html('<div data-{}="{}" data-have="{}">{}</div>', kind, name, now, content)


def _answer(request: HttpRequest, body: str, every: float) -> HttpResponse:
    answer = HttpResponse(status=200 if body else 204)
    answer["X-Levity-Every"] = f"{every:g}"
    if not body:
        return answer
    content = body.encode("utf-8", "replace")
    if len(content) > SHORT and "gzip" in request.headers.get("Accept-Encoding", ""):
        content = gzip.compress(content, compresslevel=6, mtime=0)
        answer["Content-Encoding"] = "gzip"
    answer["Vary"] = "Accept-Encoding"
    answer.content = content
    answer["Content-Length"] = str(len(content))
    return answer


def now_of_browsers() -> int:
    """Milliseconds since 1970, as browsers count."""
    return int(timezone.now().timestamp() * 1000)


def rendered(name: str, context: Mapping[str, Any], request: HttpRequest) -> str:
    """One part of a page."""
    return str(engine.template(name).render(dict(context), request))
