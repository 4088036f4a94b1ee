"""The plain form of a tariff version, and the field for those who write JSON."""

import json
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.billing.plain import BANDS, document_of
from levity.billing.tariffs import checked_document
from levity.pages.calls.fields import MomentField

__all__ = ["TariffForm"]

WEEKDAYS = (
    *(
        ("mon", _("Mon")),
        ("tue", _("Tue")),
        ("wed", _("Wed")),
        ("thu", _("Thu")),
        ("fri", _("Fri")),
    ),
    *(("sat", _("Sat")), ("sun", _("Sun"))),
)
LARGEST = 200_000
GROUPS: dict[str, tuple[str, ...]] = {
    gettext_noop("Time bands"): ("band_",),
    gettext_noop("Fees"): ("session_fee", "monthly_fee"),
    gettext_noop("Idle fee: for a full car that keeps the place"): ("idle_", "quiet_"),
    gettext_noop("For experts"): ("holiday_dates", "holiday_calendar", "document"),
}
"""Headings, and how the names of their fields begin."""


class _Clock(UnfoldAdminTextInputWidget):
    """The browser's own picker of a time."""

    input_type = "time"

    def format_value(self, value: Any) -> str | None:
        """Hours and minutes."""
        return str(value)[:5] if value else None


class TariffForm(forms.Form):
    """A version of a tariff; or, with `document`, the same as JSON."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("As the statement names it."),
        widget=UnfoldAdminTextInputWidget,
    )
    currency = forms.RegexField(
        "^[A-Z]{3}$",
        label=_("Currency"),
        initial="EUR",
        help_text=_("Such as EUR."),
        widget=UnfoldAdminTextInputWidget,
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        help_text=_("Of the site, such as Europe/Berlin: time bands are by its clock."),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "lv-zones"}),
    )
    tax_included = forms.BooleanField(
        required=False, label=_("Prices include the tax"), widget=UnfoldBooleanWidget
    )
    vat_percent = forms.DecimalField(
        min_value=0,
        max_value=100,
        initial=0,
        label=_("Tax (%)"),
        help_text=_("VAT. 0 where none is due."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )

    def __init__(
        self, *args: Any, zone: tzinfo, holidays: list[str], is_new: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.holidays, self.zone = holidays, zone
        if not is_new:
            del self.fields["name"]
        self.fields["begins"] = MomentField(
            zone=zone,
            label=_("Holds from"),
            help_text=_(
                "Sessions that begin from then on have these prices. A time in the past is "
                "possible; sessions on a closed statement stay as they are."
            ),
        )
        self._add("price_per_kwh", _("Price per kWh"))
        for number in BANDS:
            self._add_band(number)
        self._add("session_fee", _("Price per session"), required=False)
        self._add("monthly_fee", _("Price per month"), required=False)
        self._add("idle_price", _("Price per minute"), required=False)
        self._add("idle_grace", _("Grace after the last energy (min)"), required=False)
        self._add("idle_maximum", _("Of a session at most"), required=False)
        for name, label in (("from", _("No fee from")), ("to", _("No fee until"))):
            self.fields[f"quiet_{name}"] = _clock(label)
        self.fields["holiday_dates"] = forms.CharField(
            required=False,
            initial=" ".join(holidays),
            label=_("Holidays"),
            help_text=_("Dates such as 2026-12-25, for bands that are limited to holidays (JSON)."),
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        )
        self.fields["holiday_calendar"] = forms.CharField(
            required=False,
            max_length=23,
            label=_("Calendar of holidays"),
            help_text=_(
                "Of a country or a part of it, such as DE-BY or NL: its public holidays are "
                "copied into this version, from the year before it begins, for twelve years."
            ),
            widget=UnfoldAdminTextInputWidget,
        )
        self.fields["note"] = forms.CharField(
            label=_("Note"),
            required=False,
            max_length=200,
            help_text=_("Why: for those who look at it later."),
            widget=UnfoldAdminTextInputWidget,
        )
        self.fields["document"] = forms.CharField(
            required=False,
            max_length=LARGEST,
            label=_("All of it as JSON"),
            help_text=_(
                "For experts, see docs/billing.md; or a tariff of OCPI 2.2.1. If this is given, "
                "only “holds from” and the note of the fields above count."
            ),
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false"}),
        )
        if str(self.data.get("document", "")).strip():
            for name, field in self.fields.items():
                field.required = name in ("name", "begins", "document")

    @property
    def zones(self) -> list[str]:
        """Proposals for the time zone."""
        return sorted(name for name in available_timezones() if "/" in name)

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """(heading, fields, whether it is open): what most tariffs need comes first, without a
        heading; the rest is open where it says something."""
        by_group: dict[str, list[forms.BoundField]] = {title: [] for title in ("", *GROUPS)}
        for field in self:
            by_group[_group_of(field.name)].append(field)
        return [
            (
                gettext(title) if title else "",
                fields,
                not title or any(map(_says_something, fields)),
            )
            for title, fields in by_group.items()
        ]

    def clean(self) -> dict[str, Any]:
        """The document that these values make, as `document` of what is cleaned."""
        found: dict[str, Any] = super().clean() or {}
        if self.errors:
            return found
        try:
            found["document"] = checked_document(
                {**self._document(found), "name": found.get("name", "")}, found["begins"]
            )
        except ValidationError as error:
            for message in error.messages:
                self._blame(message, is_json=bool(found["document"]))
        return found

    def _document(self, found: Mapping[str, Any]) -> dict[str, Any]:
        if text := found["document"].strip():
            try:
                content = json.loads(text)
            except (ValueError, RecursionError) as error:
                text = _("document: this is no JSON (%(error)s)") % {"error": error}
                raise ValidationError(text) from None
            if not isinstance(content, dict):
                raise ValidationError(_("document: write a JSON object, in {}"))
            return self._of_ocpi(content) if "elements" in content else content
        for number in BANDS:
            edges = (found.get(f"band_{number}_{name}") for name in ("from", "to", "weekdays"))
            if found.get(f"band_{number}_price") is not None and not any(edges):
                what = _("say when this price holds")
                raise ValidationError(f"band_{number}_from: {what}")
        return document_of(found, sorted(set(found["holiday_dates"].replace(",", " ").split())))

    def _of_ocpi(self, content: dict[str, Any]) -> dict[str, Any]:
        # Pydantic is loaded when a document is read, not at the start of a program (ADR 37).
        from levity.billing.computing import CannotPrice, read_ocpi

        try:
            return read_ocpi(content, str(self.data.get("time_zone") or self.zone))
        except CannotPrice as error:
            raise ValidationError([f"{where}: {what}" for where, what in error.problems]) from None

    def _blame(self, message: str, *, is_json: bool) -> None:
        where, _, what = message.partition(": ")
        if is_json:
            self.add_error("document", message)
        elif where in self.fields and what:
            self.add_error(where, what)
        elif where.startswith("holidays"):
            self.add_error("holiday_dates", gettext("Write each date like 2026-12-25."))
        else:
            self.add_error(None, message)

    def _add(self, name: str, label: Any, *, required: bool = True) -> None:
        self.fields[name] = forms.DecimalField(
            min_value=0,
            max_digits=14,
            decimal_places=6,
            required=required,
            label=label,
            widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        )

    def _add_band(self, number: int) -> None:
        band = f"band_{number}"
        self.fields[f"{band}_name"] = forms.CharField(
            required=False,
            max_length=40,
            label=_band(_("Band %(number)s: name"), number),
            help_text=_("Such as night. Leave it and its price empty if there is none."),
            widget=UnfoldAdminTextInputWidget,
        )
        self._add(
            f"{band}_price", _band(_("Band %(number)s: price per kWh"), number), required=False
        )
        self.fields[f"{band}_from"] = _clock(_band(_("Band %(number)s: from"), number))
        self.fields[f"{band}_to"] = _clock(_band(_("Band %(number)s: until"), number))
        self.fields[f"{band}_weekdays"] = forms.MultipleChoiceField(
            required=False,
            choices=WEEKDAYS,
            label=_band(_("Band %(number)s: only on"), number),
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )


def _group_of(name: str) -> str:
    for title, beginnings in GROUPS.items():
        if name.startswith(beginnings):
            return title
    return ""


def _says_something(field: forms.BoundField) -> bool:
    return bool(field.errors or field.value())


def _band(text: Any, number: int) -> str:
    return str(text) % {"number": number}


def _clock(label: Any) -> forms.TimeField:
    return forms.TimeField(required=False, label=label, widget=_Clock)
