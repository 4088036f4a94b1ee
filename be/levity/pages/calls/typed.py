"""The form of a described Call: fields become the payload, and a payload fills the fields."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldBooleanWidget

from levity.ocpp.call_forms import CallForm, Field, Kind
from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import Transaction
from levity.pages.calls.command_form import CommandForm
from levity.pages.calls.fields import TAGS, django_field, is_given, sent_value
from levity.pages.calls.places import at, put

__all__ = ["TypedForm", "initial_of", "input_name", "typed"]

ALL = "confirm_all"


class TypedForm(CommandForm):
    """Made by `typed` for one description."""

    described: ClassVar[CallForm]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = self.described.action
        for item in self.described.fields:
            self.fields[input_name(item)] = django_field(item, self.facts)
        if self.described.all_if_empty:
            self.fields[ALL] = forms.BooleanField(
                label="Yes, all of them",
                required=False,
                widget=UnfoldBooleanWidget,
                help_text=self.described.all_if_empty,
            )
        self.order_fields([*map(input_name, self.described.fields), ALL, "queue_offline", "key"])

    @property
    def suggested_tags(self) -> list[tuple[str, str]]:
        """For the box of an id tag, if there is one."""
        return self.facts.tags if self.asks_tag else []

    @property
    def asks_tag(self) -> bool:
        """Whether an id tag is asked for."""
        kinds = [item.kind for each in self.described.fields for item in (each, *each.fields)]
        return Kind.TAG in kinds

    @property
    def tags_list(self) -> str:
        """The id of the list that suggests them."""
        return TAGS

    def prefill(self, given: Mapping[str, str]) -> None:
        """`connectorId=1`, `firmware.location=…`; or `preset=night`."""
        chosen = given.get("preset", "")
        preset = next((each for each in self.described.presets if each.slug == chosen), None)
        for item in self.described.fields:
            if preset and item.at in preset.values:
                value = preset.values[item.at]
                self.initial[input_name(item)] = (
                    _midnight(self.facts.zone) if value == "midnight" else value
                )
            if item.at in given:
                self.initial[input_name(item)] = given[item.at]

    def payload(self) -> dict[str, Any]:
        """What was filled in, at its places."""
        payload: dict[str, Any] = dict(self.described.fixed or {})
        for item in self.described.fields:
            value = self.cleaned_data.get(input_name(item))
            if is_given(item, value):
                put(payload, item.at, self._sent(item, value))
                for place, fixed in (self.described.fixed_with or {}).get(item.at, {}).items():
                    put(payload, place, fixed)
        return payload

    def clean(self) -> dict[str, Any]:
        """What removes everything is confirmed."""
        cleaned = super().clean()
        is_asked = bool(self.described.all_if_empty) and not cleaned.get(ALL)
        if is_asked and not self.errors and not self.payload():
            self.add_error(
                ALL, "Fill in a field above, or confirm here that all are to be removed."
            )
        return cleaned

    def _sent(self, item: Field, value: Any) -> Any:
        if item.kind == Kind.SESSION:
            # By the number by which the charger knows it.
            return told_id(Transaction.objects.get(pk=value))
        return sent_value(item, value)


def typed(described: CallForm) -> type[TypedForm]:
    """The form for this description."""
    name = described.slug.title().replace("-", "") + "Form"
    return type(name, (TypedForm,), {"described": described, "__doc__": described.explanation})


def input_name(item: Field) -> str:
    """`p-firmware-location`: no name of a field of ours begins so."""
    return f"p-{item.at.replace('.', '-')}"


def initial_of(described: CallForm, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields for this payload; sessions are left to the person."""
    found: dict[str, Any] = {}
    for item in described.fields:
        value = at(payload, item.at)
        if item.kind != Kind.SESSION and value is not None:
            found[input_name(item)] = _moment(value) if item.kind == Kind.MOMENT else value
    return found


def _midnight(zone: tzinfo) -> datetime:
    return datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(value: Any) -> Any:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
