"""The place where the chargers stand, and who may charge there."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from levity.ocpp.conf import setting
from levity.ocpp.decisions import sites
from levity.ocpp.models import Authorization, Site
from levity.ocpp.visibility import is_limited, visible
from levity.pages.first_run.local import zones

__all__ = ["answer", "is_ruled", "may", "rule_answer", "rule_shown", "shown", "the_site"]


class PlaceForm(forms.Form):
    """Its name and its clock."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("Such as the street and number of the house."),
        widget=UnfoldAdminTextInputWidget,
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "lv-zones"}),
    )


class RuleForm(forms.Form):
    """Who may charge there."""

    authorization = forms.ChoiceField(
        label=_("Who may charge"),
        choices=[
            (Authorization.KNOWN, _("Known cards only: those that you enter or approve")),
            (Authorization.RECORD, _("Everybody; unknown cards are recorded for your approval")),
            (Authorization.ANONYMOUS, _("Everybody, with any card or none")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )


def may(user: Any) -> bool:
    """Who may add sites and change them."""
    return bool(
        user.has_perm("ocpp.add_site")
        and user.has_perm("ocpp.change_site")
        and not is_limited(user)
    )


def the_site(user: Any) -> Site | None:
    """The first one there is."""
    return visible(Site.objects.order_by("pk"), user).first()


def is_ruled(user: Any) -> bool:
    """Somebody has said who may charge at it."""
    site = the_site(user)
    return bool(site and site.authorization)


def shown(request: HttpRequest) -> dict[str, Any]:
    """The form; or, where there are sites, which."""
    form = PlaceForm(initial={"time_zone": settings.TIME_ZONE})
    return {"form": form, "zones": zones(), "site": the_site(request.user)}


def answer(request: HttpRequest) -> dict[str, Any] | None:
    """Add it."""
    form = PlaceForm(request.POST)
    if form.is_valid():
        try:
            sites.add_site(Site(**form.cleaned_data), request.user)
        except ValidationError as error:
            form.add_error(None, error) if not hasattr(error, "error_dict") else _add(form, error)
        else:
            return None
    return {"form": form, "zones": zones(), "site": None}


def rule_shown(request: HttpRequest) -> dict[str, Any]:
    """What holds now."""
    site = the_site(request.user)
    now = (site.authorization if site else "") or setting("OCPP_AUTHORIZATION")
    return {"form": RuleForm(initial={"authorization": now}), "site": site}


def rule_answer(request: HttpRequest) -> dict[str, Any] | None:
    """Change it."""
    form, site = RuleForm(request.POST), the_site(request.user)
    if site is None or not form.is_valid():
        return {"form": form, "site": site}
    sites.change_site(site, form.cleaned_data, request.user)
    return None


def _add(form: PlaceForm, error: ValidationError) -> None:
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)
