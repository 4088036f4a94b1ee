"""The form of an id tag: what people mean by a date, and blanks around a tag."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from levity.ocpp.decisions.expiry import FIRST_YEAR, LAST_YEAR, end_of, last_day

__all__ = ["TagForm"]


class ValidToWidget(UnfoldAdminSplitDateTimeWidget):
    """A moment in the two boxes for date and time: a midnight is the end of the day before it."""

    def decompress(self, value: datetime | None) -> list[Any]:
        """Date and time; no time where the card is good to the end of the day."""
        if value is not None and (day := last_day(value)):
            return [day, None]
        shown: list[Any] = super().decompress(value)
        return shown


class ValidToField(forms.SplitDateTimeField):
    """Date and, if it matters, time; the value is the moment from which on a card is refused."""

    widget = ValidToWidget

    def compress(self, data_list: Any) -> datetime | None:
        """A date alone is good to its last moment."""
        day, clock = data_list or (None, None)
        if day is not None and not FIRST_YEAR <= day.year < LAST_YEAR:
            raise forms.ValidationError("Enter a valid date.", code="invalid_date")
        if day is not None and clock is None:
            return end_of(day)
        moment: datetime | None = super().compress(data_list)
        return moment


class TagForm(forms.ModelForm):
    """Blanks around a tag are a slip of a person's, but part of it where a charger sent them."""

    expires_at = ValidToField(label="Valid to", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "parent" in self.fields:
            self.fields["parent"].label = "Group"
        if "expires_at" in self.fields:
            self.fields["expires_at"].help_text = (
                "The last day on which the tag may charge; with a time, it is valid until then. "
                f"Time zone: {timezone.get_current_timezone_name()}. Empty: it never expires."
            )
        # Not there for who may only look.
        if "id_tag" in self.fields:
            field: Any = self.fields["id_tag"]
            field.strip = False

    def clean_id_tag(self) -> str:
        """As it is recorded if it is the same but for blanks; else without them."""
        typed = str(self.cleaned_data["id_tag"]).strip()
        if not typed:
            raise forms.ValidationError("This field is required.", code="required")
        return self.instance.id_tag if typed == self.instance.id_tag.strip() else typed
