"""The buttons of the page “Security”: what each says, what it asks, and which decision it is."""

from collections.abc import Callable
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.chargers.security.keys import LONGEST
from levity.ocpp.decisions import keys
from levity.ocpp.decisions.authority.requests import request_certificate
from levity.ocpp.decisions.security_profiles import raise_profile, set_profile
from levity.ocpp.models import ChargePoint, SecurityProfile
from levity_ws.frozen import frozen

__all__ = ["CHANGES", "Change", "Done"]


class ProfileForm(forms.Form):
    """Which profile."""

    profile = forms.TypedChoiceField(
        coerce=int, choices=SecurityProfile.choices, widget=UnfoldAdminSelectWidget
    )
    lower = forms.BooleanField(
        label="Lower the profile",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=(
            "Only for a lower profile than the current one: it makes the charger easier to "
            "impersonate."
        ),
    )


class RaiseForm(forms.Form):
    """Which profile the charger is to come with."""

    profile = forms.TypedChoiceField(
        coerce=int, choices=SecurityProfile.choices[1:], widget=UnfoldAdminSelectWidget
    )


class KeyForm(forms.Form):
    """A key that the charger has already."""

    key = forms.CharField(
        required=False,
        strip=False,
        max_length=2 * LONGEST,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text="As set in the charger: text or hexadecimal digits. At least 16 bytes.",
    )
    allow_short = forms.BooleanField(
        label="Allow a short or empty key",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=(
            "For chargers such as Grizzl-E Smart Connect, which send an empty password. Anyone "
            "who knows the identity can then impersonate this charger."
        ),
    )


@frozen
class Done:
    """What was done, in a sentence; and a key to be shown once, if there is a new one."""

    said: str
    key: str = ""


def _set_profile(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    wanted = values["profile"]
    set_profile(row, wanted, who, lower=values["lower"])
    return Done(f"The security profile is now {wanted}.")


def _generate(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    return Done("A new key is set. The charger can connect only with it.", keys.new_key(row, who))


def _set_key(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    keys.set_key(row, values["key"], who, allow_short=values["allow_short"])
    return Done("The key is set. The charger can connect only with it.")


def _remove_key(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    keys.remove_key(row, who)
    return Done("The key is removed.")


def _rotate(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    return Done(
        "The new key is being sent to the charger. The old key becomes invalid when the charger "
        "has accepted the new one or, if its answer is lost, when it first connects with it.",
        keys.rotate_key(row, who),
    )


def _raise(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    raise_profile(row, values["profile"], who)
    return Done(
        "The command was queued. When the charger has accepted it, reset the charger; the profile "
        "is raised here when the charger first connects with it."
    )


def _ask_for_certificate(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    request_certificate(row, who)
    return Done("The charger was asked for a request. The result appears under “Certificates”.")


def _unlock(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    keys.unlock(row, who)
    return Done("Failed key attempts were cleared.")


@frozen
class Change:
    """A button: what it says, what it asks, what it does."""

    title: str
    explanation: str
    form: type[forms.Form]
    do: Callable[[ChargePoint, dict[str, Any], Any], Done]
    is_dangerous: bool = False


CHANGES: dict[str, Change] = {
    "profile": Change(
        "Set profile",
        "What the charger must connect with from now on. An open connection is not closed; later "
        "connections with a lower profile are refused.",
        ProfileForm,
        _set_profile,
        is_dangerous=True,
    ),
    "generate": Change(
        "Generate a key",
        "Generates a random key, shown once. Enter it in the charger: the old key becomes invalid "
        "immediately, so the charger can reconnect only with the new one.",
        forms.Form,
        _generate,
        is_dangerous=True,
    ),
    "set": Change(
        "Set a key",
        "Sets the key that the charger already has. It is never shown again.",
        KeyForm,
        _set_key,
        is_dangerous=True,
    ),
    "remove": Change(
        "Remove the key",
        "Then no key is set. Only where the security profile needs none (0 and 3).",
        forms.Form,
        _remove_key,
        is_dangerous=True,
    ),
    "rotate": Change(
        "Change the key over OCPP",
        "Generates a new key and sends it to the charger (ChangeConfiguration AuthorizationKey). "
        "You need not type anything. If the charger rejects it, the old key stays valid.",
        forms.Form,
        _rotate,
    ),
    "raise": Change(
        "Raise the profile over OCPP",
        "Tells the charger to connect with a higher profile (ChangeConfiguration "
        "SecurityProfile). It must be reset afterwards.",
        RaiseForm,
        _raise,
    ),
    "certificate": Change(
        "Ask for a certificate",
        "Tells the charger to generate a new key and request a certificate from the certificate "
        "authority here (ExtendedTriggerMessage SignChargePointCertificate). With security "
        "profile 2 or 3 the request is signed automatically; otherwise it awaits approval under "
        "“Certificates”.",
        forms.Form,
        _ask_for_certificate,
    ),
    "unlock": Change(
        "Unlock",
        "Clears the failed key attempts for this charger, so that its next key is checked "
        "immediately.",
        forms.Form,
        _unlock,
    ),
}
