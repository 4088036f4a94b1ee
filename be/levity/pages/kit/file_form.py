"""The form of an import: a file, and then its text, once somebody has seen what it would do."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

__all__ = ["FileForm"]

LARGEST = 1_000_000


class FileForm(forms.Form):
    """Which file; or its text, once somebody has seen what it would do."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("CSV, as Excel and other spreadsheets save it; at most 1 MB."),
        widget=UnfoldAdminFileFieldWidget,
    )
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        found: dict[str, Any] = super().clean() or {}
        file = found.get("file")
        if file is not None and file.size > LARGEST:
            raise forms.ValidationError(_("The file is larger than 1 MB."))
        if file is None and not found.get("text"):
            raise forms.ValidationError(_("Choose a file."))
        return found
