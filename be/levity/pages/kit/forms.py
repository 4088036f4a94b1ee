"""Forms whose errors are in the language of the page: models and decisions say them in English."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from levity.pages.kit.formats import said
from levity.writing import words_in

__all__ = ["LevityForm", "errors_said"]


def errors_said(error: Any) -> Any:
    """The same errors, each in the language of the page if a catalog knows it."""
    if not isinstance(error, ValidationError):
        return said(error)
    if hasattr(error, "error_dict"):
        by_field = error.error_dict.items()
        return ValidationError({name: [*map(errors_said, found)] for name, found in by_field})
    if not hasattr(error, "message"):
        return ValidationError([*map(errors_said, error.error_list)])
    params = words_in(error.params, gettext) if error.params else error.params
    return ValidationError(said(error.message), code=error.code, params=params)


class LevityForm(forms.ModelForm):
    """Of a row."""

    def add_error(self, field: str | None, error: Any) -> None:
        """With what the row's own checks say."""
        super().add_error(field, errors_said(error))
