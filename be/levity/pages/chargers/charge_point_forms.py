"""The forms of a charge point and a site; a charge point may be written down before it connects."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminSelectWidget

from levity.ocpp.chargers.quirks.matching import all_profiles
from levity.ocpp.conf import setting
from levity.ocpp.decisions import charge_point_values as values
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity.pages.kit.formats import said

__all__ = ["ChargePointForm", "SiteForm", "rule_of"]


class _TimeZoneForm(forms.ModelForm):
    """Refuses a time zone that nobody knows."""

    def clean_time_zone(self) -> str:
        """The name of a time zone, or nothing."""
        return values.time_zone(self.cleaned_data["time_zone"])


class SiteForm(_TimeZoneForm):
    """The rules of a site."""

    class Meta:
        model = Site
        fields = (
            *("name", "time_zone", "authorization", "security_profile", "bill_signed"),
            "notes",
        )


class ChargePointForm(_TimeZoneForm):
    """Refuses an identity with which no charger could connect, and quirks that do not exist."""

    quirk_profile = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = ChargePoint
        fields = (
            "identity",
            "name",
            "site",
            "registration",
            "authorization",
            "time_zone",
            "quirk_profile",
            "quirk_overrides",
            "max_power",
            "heartbeat_interval",
            "ping_interval",
            "call_timeout",
            "certificate_name",
            "notes",
        )
        labels = {"max_power": "Highest power of a connector"}
        help_texts = {
            "max_power": (
                "In W: the most that one connector of this charger can deliver. Meter values that "
                "rise faster are considered implausible. This does not limit charging: “Maximum "
                "current of this charger” does. Empty: the default."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "authorization" in self.fields:
            self.fields[
                "authorization"
            ].help_text = f"Now: {rule_of(self.instance)}. Empty: the site's rule."
        field = self.fields.get("quirk_profile")
        if not isinstance(field, forms.ChoiceField):
            return
        charger = self.instance
        fitting = values.fitting_profile(charger)
        known = [(item.name, item.title) for item in all_profiles()]
        named = charger.quirk_profile
        # A profile of an extension that is gone stays readable, and may stay.
        gone = [(named, f"{named} (not installed)")] if named and named not in dict(known) else []
        field.choices = [("", f"by vendor, model and firmware: {fitting.title}"), *known, *gone]
        field.help_text = fitting.facts

    def clean_identity(self) -> str:
        """The identity as it stands in the charger's URL, decoded."""
        return values.identity(self.cleaned_data["identity"])

    def clean_certificate_name(self) -> str:
        """The common name of its certificate; never the name of another charge point."""
        return values.certificate_name(self.cleaned_data["certificate_name"], self.instance)

    def clean_quirk_overrides(self) -> dict[str, Any]:
        """Fields of the quirk profile with other values; an empty field is none."""
        return values.quirk_overrides(self.cleaned_data["quirk_overrides"], self.instance)


def rule_of(charge_point: ChargePoint) -> str:
    """Who may charge here now, and who says so."""
    site = charge_point.site
    if charge_point.authorization:
        rule, origin = charge_point.authorization, gettext("set on this charge point")
    elif site is not None and site.authorization:
        rule, origin = site.authorization, gettext("set on its site %(site)s") % {"site": site}
    else:
        rule, origin = setting("OCPP_AUTHORIZATION"), gettext("from the setting OCPP_AUTHORIZATION")
    return f"{said(Authorization(rule).label)}; {origin}"
