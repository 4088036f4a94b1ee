"""Rows of fields: the entries of a list, the periods of a schedule.

Works without a script: below the rows that are filled in stand empty ones, which count for nothing
as long as nothing is typed there. The script (static/levity/rows.js) adds and removes rows.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join

from levity.ocpp.call_forms import Field, Kind
from levity.pages.calls.facts import Facts
from levity.pages.calls.fields import django_field, is_given, sent_value
from levity.pages.calls.places import at, put

__all__ = ["RowsField"]

MOST = 500
SPARE = 2
AT_LEAST = 3
Raw = dict[str, Any]


class RowsWidget(forms.Widget):
    """A table with a row of inputs for each entry."""

    use_fieldset = True

    def __init__(self, columns: Mapping[str, tuple[Field, forms.Field]], label: str) -> None:
        super().__init__()
        self.columns = columns
        self.label = label

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Raw]:
        """The rows as they were typed, up to the first number that no input has."""
        found: list[Raw] = []
        while len(found) < MOST:
            row = {key: data.get(f"{name}-{len(found)}-{key}") for key in self.columns}
            if all(value is None for value in row.values()):
                break
            found.append(row)
        return found

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Never: no rows are an answer."""
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        """With some empty rows at the end."""
        rows: list[Raw] = list(value or [])
        empty = {key: field.initial for key, (_, field) in self.columns.items()}
        wanted = max(AT_LEAST, len(rows) + SPARE)
        rows += [empty] * (wanted - len(rows))
        heads = format_html_join(
            "", "<th>{}</th>", ((field.label,) for _, field in self.columns.values())
        )
        body = format_html_join(
            "", "{}", ((self._row(name, number, row),) for number, row in enumerate(rows))
        )
        return format_html(
            '<div class="lv-rows" data-rows="{}" data-most="{}"><table class="lv-table">'
            '<thead><tr>{}<th hidden data-remove><span class="lv-unseen">Remove</span></th></tr>'
            "</thead><tbody>{}</tbody></table>"
            '<button type="button" class="lv-button" data-add hidden>Add a row</button></div>',
            name,
            MOST,
            heads,
            body,
        )

    def id_for_label(self, id_: str, index: Any = None) -> str:
        """The first input."""
        return f"{id_}-0-{next(iter(self.columns))}" if id_ else id_

    def _row(self, name: str, number: int, row: Raw) -> str:
        cells = []
        for key, (_, field) in self.columns.items():
            attrs = {
                "id": f"id_{name}-{number}-{key}",
                "aria-label": f"{self.label}, row {number + 1}: {field.label}",
            }
            value = field.prepare_value(row.get(key))
            # An input of a row is checked with its row: an empty row is none.
            rendered = field.widget.render(f"{name}-{number}-{key}", value, attrs)
            cells.append((field.label, rendered))
        inputs = format_html_join("", '<td data-label="{}">{}</td>', cells)
        return format_html(
            '<tr>{}<td hidden data-remove><button type="button" class="lv-button" '
            'aria-label="Remove row {}">Remove</button></td></tr>',
            inputs,
            number + 1,
        )


class RowsField(forms.Field):
    """The value is the list as it stands in the payload."""

    def __init__(self, *, described: Field, facts: Facts, **kwargs: Any) -> None:
        self.described = described
        self.columns = {
            item.at.replace(".", "-"): (item, django_field(item, facts))
            for item in described.fields
        }
        for item, field in self.columns.values():
            field.widget.is_required = False
            if item.kind == Kind.TAG:
                # With which Levity starts by itself: nothing to put into a list.
                field.initial = None
        kwargs.setdefault("initial", None)
        widget = RowsWidget(self.columns, described.label)
        super().__init__(widget=widget, **kwargs)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Each row that somebody has typed something into."""
        rows, errors = [], []
        for number, raw in enumerate(value or [], start=1):
            if self._is_empty(raw):
                continue
            row: dict[str, Any] = {}
            for key, (item, field) in self.columns.items():
                try:
                    cleaned = field.clean(raw.get(key) or "")
                except forms.ValidationError as error:
                    errors += [f"Row {number}, {field.label}: {said}" for said in error.messages]
                    continue
                if is_given(item, cleaned):
                    put(row, item.at, sent_value(item, cleaned))
            rows.append(row)
        if errors:
            raise forms.ValidationError(errors[:10])
        if self.required and not rows:
            raise forms.ValidationError("Fill in at least one row.")
        return rows

    def prepare_value(self, value: Any) -> Any:
        """Rows of a payload as the inputs take them; rows that were typed as they are."""
        return [
            # A row of a payload may have objects within, which a row of inputs never has.
            {key: row.get(key, at(row, item.at)) for key, (item, _) in self.columns.items()}
            for row in value or []
        ]

    def _is_empty(self, raw: Raw) -> bool:
        return all(
            str(raw.get(key) or "") in ("", str(field.initial or ""))
            for key, (_, field) in self.columns.items()
        )
