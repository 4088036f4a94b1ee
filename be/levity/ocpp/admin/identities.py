"""The form of a charge point; a new one may be written down before it connects."""

import re

from django import forms

from levity.ocpp.models import ChargePoint

__all__ = ["ChargePointForm"]

# What the edge takes for an identity (OCPP-J 1.6, 3.1.1, and what chargers really send).
IDENTITY = re.compile(r"[A-Za-z0-9 _.\-@+=:|]{1,48}", re.ASCII)


class ChargePointForm(forms.ModelForm):
    """Refuses an identity with which no charger could connect."""

    class Meta:
        model = ChargePoint
        fields = "__all__"  # noqa: DJ007  (the admin's fieldsets choose)

    def clean_identity(self) -> str:
        """The identity as it stands in the charger's URL, decoded."""
        identity: str = self.cleaned_data["identity"]
        if not IDENTITY.fullmatch(identity):
            raise forms.ValidationError(
                "Letters, digits, spaces and . _ - @ + = : | only, at most 48 characters."
            )
        return identity
