"""Django's fields for the described ones: what a person types, checked, as the protocol has it."""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from levity.ocpp.call_forms import Field, Kind
from levity.ocpp.wire.fields import wire_time
from levity.pages.calls.facts import LISTED, Facts
from levity.pages.kit.formats import NOTHING

__all__ = ["TAGS", "MomentField", "django_field", "is_given", "sent_value", "shown_moment"]

TAGS = "lv-tags"
"""The id of the list that suggests id tags."""
FORMAT = "%Y-%m-%dT%H:%M"


class MomentInput(UnfoldAdminTextInputWidget):
    """The browser's own picker of a date and a time."""

    input_type = "datetime-local"


class NumberInput(UnfoldAdminIntegerFieldWidget):
    """A number, with its steps."""

    input_type = "number"


class MomentField(forms.Field):
    """A local time of this zone; the value is a moment."""

    widget = MomentInput

    def __init__(self, *, zone: tzinfo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone

    def to_python(self, value: Any) -> datetime | None:
        """`2026-11-30T14:05`, or with an offset of its own."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError(
                "Enter a date and a time, such as 2026-11-30T14:05."
            ) from None
        if not 2000 <= moment.year < 2100:
            raise forms.ValidationError("Enter a year between 2000 and 2099.")
        return moment

    def prepare_value(self, value: Any) -> Any:
        """A moment as the browser's picker takes it."""
        return shown_moment(value, self.zone) if isinstance(value, datetime) else value


def shown_moment(moment: datetime, zone: tzinfo) -> str:
    """In this zone, to the minute."""
    return moment.astimezone(zone).strftime(FORMAT)


class WordsField(forms.CharField):
    """Words, separated by commas."""

    def __init__(self, *, longest_word: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest_word = longest_word

    def clean(self, value: Any) -> Any:
        """A list of them."""
        words = [word.strip() for word in super().clean(value).split(",") if word.strip()]
        for word in words:
            if len(word) > self.longest_word:
                raise forms.ValidationError(
                    f"“{word[:20]}…” has {len(word)} characters; at most {self.longest_word} are "
                    "allowed."
                )
        return words

    def prepare_value(self, value: Any) -> Any:
        """With commas between them."""
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def django_field(described: Field, facts: Facts, label: str = "") -> forms.Field:
    """The field that a form has for it."""
    common: dict[str, Any] = {
        "label": label or (f"{described.label} ({described.unit})" if described.unit else None),
        "help_text": described.help,
        "required": described.required and not described.may_be_empty,
        "initial": _initial(described, facts),
    }
    common["label"] = common["label"] or described.label
    return _BUILDERS[described.kind](described, facts, common)


def sent_value(described: Field, value: Any) -> Any:
    """As it stands in the payload."""
    if isinstance(value, datetime):
        return wire_time(value)
    if isinstance(value, Decimal):
        return float(value)
    return value


def is_given(described: Field, value: Any) -> bool:
    """Whether it goes into the payload."""
    return described.may_be_empty or value not in (None, "", [])


def _initial(described: Field, facts: Facts) -> Any:
    if described.kind == Kind.MOMENT and described.default is not None:
        now = timezone.now().replace(second=0, microsecond=0)
        return now + timedelta(minutes=described.default)
    if described.kind == Kind.TAG:
        return facts.usual_tag or None
    return described.default


def _text(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    widget = UnfoldAdminTextInputWidget(attrs=attrs)
    return forms.CharField(max_length=described.longest, widget=widget, **common)


def _long_text(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 5, "spellcheck": "false"})
    return forms.CharField(max_length=described.longest, widget=widget, **common)


def _tag(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    attrs = {"list": TAGS, "autocomplete": "off", "spellcheck": "false"}
    widget = UnfoldAdminTextInputWidget(attrs=attrs)
    return forms.CharField(max_length=described.longest, widget=widget, **common)


def _whole(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    return forms.IntegerField(
        min_value=_int(described.least),
        max_value=_int(described.most),
        widget=NumberInput,
        **common,
    )


def _decimal(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    # OCPP 1.6, 7.14: a limit has at most one decimal.
    return forms.DecimalField(
        min_value=described.least,
        max_value=described.most,
        max_digits=9,
        decimal_places=1,
        widget=NumberInput(attrs={"step": "0.1"}),
        **common,
    )


def _choice(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    shown = [
        (word, word if word == meaning else f"{meaning} ({word})")
        for word, meaning in described.choices
    ]
    empty = [] if described.required else [("", described.nothing or NOTHING)]
    return forms.ChoiceField(choices=[*empty, *shown], widget=UnfoldAdminSelectWidget, **common)


def _connector(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    empty = [] if described.required else [("", described.nothing or NOTHING)]
    whole = [("0", f"0: {described.whole}")] if described.whole else []
    listed = [(str(number), shown) for number, shown in facts.connectors[:LISTED]]
    if len(facts.connectors) > LISTED:
        common["help_text"] = f"The first {LISTED}. Use “Send command…” for any other number."
    if common["initial"] is not None and not described.whole:
        common["initial"] = listed[0][0]
    return forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        choices=[*empty, *whole, *listed],
        widget=UnfoldAdminSelectWidget,
        **common,
    )


def _session(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    empty = [] if described.required else [("", described.nothing or NOTHING)]
    if len(facts.sessions) > LISTED:
        common["help_text"] = (
            f"The newest {LISTED}. Stop older ones on their own pages or with “Send command…”."
        )
    if described.required and facts.charge_point and not facts.sessions:
        common["help_text"] = (
            "Nothing is charging here. Use “Send command…” to stop a session by its number."
        )
    return forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        choices=[*empty, *facts.sessions[:LISTED]],
        widget=UnfoldAdminSelectWidget,
        **common,
    )


def _moment(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    common["label"] = f"{common['label']} ({facts.zone})"
    return MomentField(zone=facts.zone, **common)


def _words(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"})
    return WordsField(longest_word=described.longest or 50, widget=widget, **common)


def _rows(described: Field, facts: Facts, common: dict[str, Any]) -> forms.Field:
    from levity.pages.calls.rows import RowsField

    return RowsField(described=described, facts=facts, **common)


def _int(number: float | None) -> int | None:
    return None if number is None else int(number)


_BUILDERS = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _long_text,
    Kind.WHOLE: _whole,
    Kind.DECIMAL: _decimal,
    Kind.CHOICE: _choice,
    Kind.CONNECTOR: _connector,
    Kind.TAG: _tag,
    Kind.SESSION: _session,
    Kind.MOMENT: _moment,
    Kind.WORDS: _words,
    Kind.ROWS: _rows,
}
