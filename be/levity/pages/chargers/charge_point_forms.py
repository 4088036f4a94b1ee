"""The forms of a charge point and a site; a charge point may be written down before it connects."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q
from unfold.widgets import UnfoldAdminSelectWidget

from levity.ocpp.chargers.quirks.matching import all_profiles, profile_for
from levity.ocpp.chargers.quirks.profile import BadQuirk, QuirkProfile, overridden
from levity.ocpp.conf import setting
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity_ws.edge.target import LONGEST, SIGNS, is_identity

__all__ = ["ChargePointForm", "SiteForm"]


class _TimeZoneForm(forms.ModelForm):
    """Refuses a time zone that nobody knows."""

    def clean_time_zone(self) -> str:
        """The name of a time zone, or nothing."""
        name: str = self.cleaned_data["time_zone"].strip()
        if name:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                # ZoneInfoNotFoundError is a KeyError; the others: odd paths, the name of a folder.
                raise forms.ValidationError(
                    f"“{name}” is not a time zone; enter one such as Europe/Berlin."
                ) from None
        return name


class SiteForm(_TimeZoneForm):
    """The rules of a site."""

    class Meta:
        model = Site
        fields = ("name", "time_zone", "authorization", "security_profile", "notes")


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
                "rise faster are considered implausible. This does not limit charging; to do "
                "that, send SetChargingProfile. Empty: the default."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "authorization" in self.fields:
            self.fields["authorization"].help_text = _rule(self.instance)
        field = self.fields.get("quirk_profile")
        if not isinstance(field, forms.ChoiceField):
            return
        charger = self.instance
        fitting = _fitting(charger)
        known = [(item.name, item.title) for item in all_profiles()]
        named = charger.quirk_profile
        # A profile of an extension that is gone stays readable, and may stay.
        gone = [(named, f"{named} (not installed)")] if named and named not in dict(known) else []
        field.choices = [("", f"by vendor, model and firmware: {fitting.title}"), *known, *gone]
        field.help_text = fitting.facts

    def clean_identity(self) -> str:
        """The identity as it stands in the charger's URL, decoded."""
        identity: str = self.cleaned_data["identity"]
        # What the edge takes for one (OCPP-J 1.6, 3.1.1, and what chargers really send).
        if not is_identity(identity):
            raise forms.ValidationError(
                f"Letters, digits, spaces inside and {' '.join(SIGNS)} only, at most {LONGEST} "
                "characters."
            )
        return identity

    def clean_certificate_name(self) -> str:
        """The common name of its certificate; never the name of another charge point."""
        name: str = self.cleaned_data["certificate_name"].strip()
        others = ChargePoint.objects.exclude(pk=self.instance.pk)
        taken = Q(identity__iexact=name) | Q(certificate_name__iexact=name)
        if name and others.filter(taken).exists():
            raise forms.ValidationError(
                "Another charge point has this name: its certificate would be valid for both."
            )
        return name

    def clean_quirk_overrides(self) -> dict[str, Any]:
        """Fields of the quirk profile with other values; an empty field is none."""
        overrides = self.cleaned_data["quirk_overrides"] or {}
        try:
            overridden(_fitting(self.instance), overrides)
        except BadQuirk as error:
            raise forms.ValidationError(str(error)) from None
        return dict(overrides)


def _fitting(charge_point: ChargePoint) -> QuirkProfile:
    return profile_for(charge_point.vendor, charge_point.model, charge_point.firmware_version)


def _rule(charge_point: ChargePoint) -> str:
    """Who may charge here now, and who says so."""
    site = charge_point.site
    if charge_point.authorization:
        rule, origin = charge_point.authorization, "set on this charge point"
    elif site is not None and site.authorization:
        rule, origin = site.authorization, f"set on its site {site}"
    else:
        rule, origin = setting("OCPP_AUTHORIZATION"), "from the setting OCPP_AUTHORIZATION"
    return f"Now: {Authorization(rule).label}; {origin}. Empty: the site's rule."
