"""What must be known to reserve a connector."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from levity.ocpp.models import ChargePoint
from levity.pages.calls.fields import TAGS, MomentField
from levity.pages.kit.formats import site_zone

__all__ = ["ReserveForm"]

LISTED = 100
ANY = (0, "any of them")


class ReserveForm(forms.Form):
    """Where, for whom, until when."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    charge_point: Any = forms.ModelChoiceField(
        ChargePoint.objects.none(), label="Charge point", widget=UnfoldAdminSelectWidget
    )
    connector = forms.TypedChoiceField(coerce=int, widget=UnfoldAdminSelectWidget)
    id_tag = forms.CharField(
        label="Id tag",
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": TAGS, "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="Who may charge there. Tags of the same group may, too.",
    )

    def __init__(
        self,
        *args: Any,
        charge_point: ChargePoint | None,
        charge_points: QuerySet[ChargePoint],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        zone = site_zone(charge_point) if charge_point else None
        self.fields["until"] = MomentField(
            zone=zone or timezone.get_current_timezone(),
            label="Until",
            help_text=f"Time in {zone or timezone.get_current_timezone_name()}.",
        )
        if charge_point is None:
            self.fields["charge_point"].queryset = charge_points  # type: ignore[attr-defined]
            self.fields["connector"].choices = [  # type: ignore[attr-defined]
                *((number, str(number)) for number in range(1, 5)),
                ANY,
            ]
        else:
            self.chosen = charge_point
            del self.fields["charge_point"]
            found = list(
                charge_point.connectors.filter(number__gt=0)
                .order_by("number")
                .values_list("number", "status")[:LISTED]
            )
            known = [(number, f"{number}: {status or 'unknown'}") for number, status in found]
            self.fields["connector"].choices = [*(known or [(1, "1")]), ANY]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """With the charge point that the page is about."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "charge_point" not in self.fields:
            cleaned["charge_point"] = self.chosen
        return cleaned
