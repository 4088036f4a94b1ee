"""What all forms of commands have: a key, whether to wait, and the check of the whole payload."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.versions import ACTIONS, VERSIONS, version_of
from levity.ocpp.visibility import visible
from levity.pages.calls.examples import examples
from levity.pages.calls.facts import Facts
from levity.pages.site import site

__all__ = ["AnyCommandForm", "CommandForm", "NewCommandForm"]

LONGEST_PAYLOAD = 65_536


class CommandForm(forms.Form):
    """Turns what a person filled in into an action and its payload, valid by the schema."""

    class Media:
        js = ("levity/calls.js",)

    action = ""
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    queue_offline = forms.BooleanField(
        label="Wait while the charger is offline",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="For an hour at most. Otherwise it fails at once if the charger is offline.",
    )

    def __init__(
        self,
        *args: Any,
        charge_point: ChargePoint | None = None,
        user: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.charge_point = charge_point
        self.facts = Facts(charge_point, user)
        self.order_fields([*(name for name in self.fields if name != "queue_offline")])

    def prefill(self, given: Mapping[str, str]) -> None:
        """Put these values into the fields, by their places in the payload."""

    def payload(self) -> dict[str, Any]:
        """The payload of the Call."""
        return {}

    def clean(self) -> dict[str, Any]:
        """Refuse what the official schema refuses."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        target = self.charge_point or cleaned.get("target")
        spoken = target.subprotocol if isinstance(target, ChargePoint) else ""
        calls = version_of(spoken).calls
        if not self.errors and (wrong := calls.wrong_with(self.action, self.payload())):
            raise forms.ValidationError(f"{wrong}." if wrong[-1:] not in "?." else wrong)
        profile = target.security_profile if isinstance(target, ChargePoint) else 0
        if not self.errors and (refused := calls.objection(self.action, self.payload(), profile)):
            raise forms.ValidationError(f"This command is never sent: {refused}.")
        return cleaned


class AnyCommandForm(CommandForm):
    """Any Call, with its payload as JSON."""

    call = forms.ChoiceField(
        label="Action",
        choices=[("", "Choose"), *((name, name) for name in ACTIONS)],
        widget=UnfoldAdminSelectWidget,
    )
    text = forms.CharField(
        label="Payload",
        initial="{}",
        max_length=LONGEST_PAYLOAD,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="A JSON object. Choose an action, and an example for this charger stands here.",
    )

    def prefill(self, given: Mapping[str, str]) -> None:
        """The example of an action."""
        if payload := examples(self.facts).get(given.get("call", "")):
            self.initial.update(call=given["call"], text=json.dumps(payload, indent=2))

    def clean_text(self) -> dict[str, Any]:
        """The payload: a JSON object that can be written as JSON again."""
        try:
            payload = json.loads(self.cleaned_data["text"], parse_constant=_refuse_constant)
            json.dumps(payload, allow_nan=False).encode()
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from None
        if not isinstance(payload, dict):
            raise forms.ValidationError("The payload must be a JSON object, enclosed in { }.")
        return payload

    def clean(self) -> dict[str, Any]:
        """Check with the action that was chosen."""
        self.action = self.cleaned_data.get("call", "")
        cleaned = super().clean()
        if not self.errors:
            self._check_that_it_names_something()
        return cleaned

    def _check_that_it_names_something(self) -> None:
        """What removes everything is confirmed, and this form can't ask."""
        for calls in (version.calls for version in VERSIONS.values()):
            if said := calls.removes_all(self.action, self.payload()):
                titles = [form.title for form in calls.forms if form.action == self.action]
                self.add_error("text", f"{said} Confirm that in the form “{titles[0]}”.")

    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.cleaned_data["text"]
        return payload


class _ChargePointSelect(AutocompleteSelect):
    """Django's asks the database for whatever was sent, and fails where that is no key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The one that is chosen."""
        keys = [key for key in value if str(key).isascii() and str(key).isdigit()]
        return super().optgroups(name, keys, attr)


class NewCommandForm(AnyCommandForm):
    """Any Call to any charge point."""

    target = forms.ModelChoiceField(
        label="Charge point", queryset=ChargePoint.objects.all(), widget=forms.Select
    )
    field_order = ("target", "call", "text", "queue_offline")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.order_fields(self.field_order)
        target = self.fields["target"]
        target.queryset = visible(ChargePoint.objects.all(), user)  # type: ignore[attr-defined]
        # Asks the server while one types: a list of 10,000 charge points helps nobody.
        target.widget = _ChargePointSelect(
            Command._meta.get_field("charge_point"),
            site,
            attrs={"class": "unfold-filter-autocomplete"},
        )
        target.widget.choices = target.choices  # type: ignore[attr-defined]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
