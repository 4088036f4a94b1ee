"""What must be known before a command can be sent, one form for each kind."""

import json
import uuid
from typing import Any, NoReturn

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.conf import setting
from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import ChargePoint, Command, Transaction
from levity.ocpp.versions import ACTIONS, version_of
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import NOTHING, UNKNOWN_PAYER
from levity.pages.site import site

__all__ = [
    "AnyCommandForm",
    "CommandForm",
    "GetConfigurationForm",
    "HardResetForm",
    "NewCommandForm",
    "RemoteStartForm",
    "RemoteStopForm",
    "SoftResetForm",
    "TriggerForm",
    "UnlockForm",
]

# OCPP 1.6, 7.8 and 5.17: what a charger may be asked for.
TRIGGERS = (
    "StatusNotification",
    "MeterValues",
    "BootNotification",
    "Heartbeat",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
)
LONGEST_PAYLOAD = 65_536
# Connectors and running sessions that a box offers.
LISTED = 100


class CommandForm(forms.Form):
    """Turns what a person filled in into an action and its payload, valid by the schema."""

    action = ""
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    queue_offline = forms.BooleanField(
        label="Wait while the charger is offline",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="For an hour at most. Otherwise it fails at once if the charger is offline.",
    )

    def __init__(self, *args: Any, charge_point: ChargePoint | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.charge_point = charge_point
        self.order_fields([*(name for name in self.fields if name != "queue_offline")])

    def payload(self) -> dict[str, Any]:
        """The payload of the Call."""
        return {}

    def clean(self) -> dict[str, Any]:
        """Refuse what the official schema refuses."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        target = self.charge_point or cleaned.get("target")
        spoken = target.subprotocol if isinstance(target, ChargePoint) else ""
        version = version_of(spoken)
        if not self.errors and (departure := version.schemas.finding(self.action, self.payload())):
            raise forms.ValidationError(f"Not a valid {self.action}: {departure}")
        profile = target.security_profile if isinstance(target, ChargePoint) else 0
        if not self.errors and (
            refused := version.calls.objection(self.action, self.payload(), profile)
        ):
            raise forms.ValidationError(f"This command is never sent: {refused}.")
        return cleaned


class SoftResetForm(CommandForm):
    """Nothing to choose: the page asks whether it is meant."""

    action = "Reset"

    def payload(self) -> dict[str, Any]:
        return {"type": "Soft"}


class HardResetForm(CommandForm):
    """Nothing to choose: the page asks whether it is meant."""

    action = "Reset"

    def payload(self) -> dict[str, Any]:
        return {"type": "Hard"}


class _ConnectorForm(CommandForm):
    """For one connector of this charger; a charger that said nothing yet has number 1."""

    connector = forms.TypedChoiceField(coerce=int, widget=UnfoldAdminSelectWidget)
    any_connector = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = (
            list(
                self.charge_point.connectors.filter(number__gt=0)
                .order_by("number")
                .values_list("number", "status")[: LISTED + 1]
            )
            if self.charge_point
            else []
        )
        choices = [
            (number, f"{number}: {status or 'unknown'}") for number, status in found[:LISTED]
        ]
        empty = [("", self.any_connector)] if self.any_connector else []
        field = self.fields["connector"]
        field.required = not self.any_connector
        field.choices = [*empty, *(choices or [(1, "1")])]  # type: ignore[attr-defined]
        if len(found) > LISTED:
            field.help_text = f"The first {LISTED}. Use “Send command…” for any other number."


class UnlockForm(_ConnectorForm):
    """Which connector to unlock."""

    action = "UnlockConnector"

    def payload(self) -> dict[str, Any]:
        return {"connectorId": self.cleaned_data["connector"]}


class RemoteStartForm(_ConnectorForm):
    """Where to start, and for whom."""

    action = "RemoteStartTransaction"
    any_connector = "chosen by the charger"
    id_tag = forms.CharField(
        label="Id tag",
        max_length=20,
        widget=UnfoldAdminTextInputWidget,
        help_text="The id tag to charge with. At most 20 characters; some chargers accept only 18.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["id_tag"].initial = setting("OCPP_AUTO_REMOTE_START_ID_TAG")

    def payload(self) -> dict[str, Any]:
        chosen = self.cleaned_data["connector"]
        connector = {"connectorId": chosen} if chosen else {}
        return {**connector, "idTag": self.cleaned_data["id_tag"]}


class RemoteStopForm(CommandForm):
    """Which of the running transactions to stop."""

    action = "RemoteStopTransaction"
    running = forms.TypedChoiceField(
        label="Transaction", coerce=int, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        running = Transaction.objects.filter(
            charge_point=self.charge_point, state=Transaction.State.ACTIVE
        )
        found = list(running.order_by("-id")[: LISTED + 1])
        choices = [
            (
                item.pk,
                f"#{item.pk}: connector {item.connector or NOTHING}, {_payer(item)}",
            )
            for item in found[:LISTED]
        ]
        field = self.fields["running"]
        field.choices = choices  # type: ignore[attr-defined]
        if len(found) > LISTED:
            field.help_text = (
                f"The newest {LISTED}. Stop older ones on their own pages or with “Send command…”."
            )
        if not choices:
            field.help_text = (
                "Nothing is charging here. Use “Send command…” to stop a transaction by number."
            )

    def payload(self) -> dict[str, Any]:
        return {"transactionId": told_id(Transaction.objects.get(pk=self.cleaned_data["running"]))}


class TriggerForm(_ConnectorForm):
    """Which message the charger is to send."""

    action = "TriggerMessage"
    any_connector = "all"
    message = forms.ChoiceField(
        choices=[(name, name) for name in TRIGGERS], widget=UnfoldAdminSelectWidget
    )

    def payload(self) -> dict[str, Any]:
        chosen = self.cleaned_data["connector"]
        connector = {"connectorId": chosen} if chosen else {}
        return {"requestedMessage": self.cleaned_data["message"], **connector}


class GetConfigurationForm(CommandForm):
    """Which keys to read."""

    action = "GetConfiguration"
    keys = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Separated by commas; empty: all keys.",
    )

    def payload(self) -> dict[str, Any]:
        keys = [key.strip() for key in self.cleaned_data["keys"].split(",") if key.strip()]
        return {"key": keys} if keys else {}


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
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="A JSON object, for example: {&quot;type&quot;: &quot;Soft&quot;}",
    )

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
        return super().clean()

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
        super().__init__(*args, **kwargs)
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


def _payer(item: Transaction) -> str:
    return item.id_tag or UNKNOWN_PAYER
