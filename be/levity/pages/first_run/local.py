"""Which clock and which language: the computer's, unless somebody says otherwise."""

import os
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from levity import chosen
from levity.installation import data_dir
from levity.ocpp.decisions.charge_point_values import time_zone
from levity.ocpp.decisions.installation import choose

__all__ = ["answer", "is_done", "shown", "zones"]

ENVIRONMENT = {"time_zone": "TIME_ZONE", "language": "LEVITY_LANGUAGE"}


class LocalForm(forms.Form):
    """What the environment does not say."""

    time_zone = forms.CharField(
        label=_("Time zone"),
        help_text=_("Such as Europe/Berlin. Days and months begin by this clock."),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "lv-zones"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=chosen.LANGUAGES,
        help_text=_(
            "Of new households, and of pages where a browser wants none that Levity speaks. "
            "Statements and mails are in the language of each household."
        ),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, variable in ENVIRONMENT.items():
            if os.environ.get(variable, "").strip():
                del self.fields[name]

    def clean_time_zone(self) -> str:
        """A zone that there is."""
        return time_zone(self.cleaned_data["time_zone"])


def zones() -> list[str]:
    """To choose from."""
    return sorted(available_timezones())


def is_done() -> bool:
    """Somebody has said it, here or in the environment."""
    return bool(chosen.chosen(data_dir())) or not LocalForm().fields


def shown(request: HttpRequest) -> dict[str, Any]:
    """With what holds now."""
    usual = {"time_zone": settings.TIME_ZONE, "language": settings.LANGUAGE_CODE}
    return _with(LocalForm(initial=usual))


def answer(request: HttpRequest) -> dict[str, Any] | None:
    """Choose them."""
    form = LocalForm(request.POST)
    if not form.is_valid():
        return _with(form)
    given = form.cleaned_data
    try:
        choose(given.get("time_zone", ""), given.get("language", ""), request.user)
    except ValidationError as error:
        form.add_error(None, error)
        return _with(form)
    return None


def _with(form: LocalForm) -> dict[str, Any]:
    return {
        "form": form,
        "zones": zones(),
        "now": timezone.localtime(),
        "set_outside": [name for name in ENVIRONMENT.values() if os.environ.get(name, "").strip()],
    }
