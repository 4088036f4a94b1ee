"""The first household, as a step of a new installation."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from levity.billing.households import add_household, assign
from levity.billing.models import Assignment, Household
from levity.ocpp.models import IdTag
from levity.ocpp.visibility import is_limited, visible
from levity.pages.first_run.place import the_site
from levity.pages.first_run.steps import Step

__all__ = ["steps"]

SUGGESTED = 50


class HouseholdForm(forms.Form):
    """Who pays, and with what it charges."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        help_text=_("Who pays, as the statement names them."),
        widget=UnfoldAdminTextInputWidget,
    )
    flat = forms.CharField(
        label=_("Flat"), max_length=100, required=False, widget=UnfoldAdminTextInputWidget
    )
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("Empty: statements are printed."),
        widget=UnfoldAdminTextInputWidget,
    )
    language = forms.ChoiceField(
        label=_("Language of statements and mails"),
        choices=settings.LANGUAGES,
        widget=UnfoldAdminSelectWidget,
    )
    id_tag = forms.CharField(
        label=_("Card"),
        required=False,
        max_length=255,
        help_text=_(
            "Its number, from today on. Hold it to a charger, and it is suggested here if cards "
            "are recorded. Empty: later."
        ),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "lv-zones"}),
    )


def steps() -> list[Step]:
    """For `levity_first_steps`."""
    return [
        Step(
            name="household",
            title=_("First household"),
            template="levity/first_household.html",
            may=_may,
            is_done=lambda request: visible(Household.objects.all(), request.user).exists(),
            shown=_shown,
            answer=_answer,
        )
    ]


def _may(user: Any) -> bool:
    return bool(
        user.has_perm("billing.add_household")
        and user.has_perm("billing.change_household")
        and not is_limited(user)
    )


def _shown(request: HttpRequest) -> dict[str, Any]:
    language = settings.LANGUAGE_CODE
    return _with(request, HouseholdForm(initial={"language": language}))


def _answer(request: HttpRequest) -> dict[str, Any] | None:
    form = HouseholdForm(request.POST)
    if not form.is_valid():
        return _with(request, form)
    given = dict(form.cleaned_data)
    card = given.pop("id_tag").strip()
    try:
        with transaction.atomic():
            home = add_household(Household(site=the_site(request.user), **given), request.user)
            if card:
                assign(Assignment(household=home, id_tag=card), request.user)
    except ValidationError as error:
        for name, errors in getattr(error, "error_dict", {None: [error]}).items():
            form.add_error(name if name in form.fields else None, errors)
        return _with(request, form)
    return None


def _with(request: HttpRequest, form: HouseholdForm) -> dict[str, Any]:
    taken = Assignment.objects.exclude(id_tag="").values("id_tag")
    tags: Any = []
    if request.user.has_perm("ocpp.view_idtag"):
        free = visible(IdTag.objects.exclude(id_tag__in=taken), request.user)
        tags = free.order_by("-pk").values_list("id_tag", flat=True)[:SUGGESTED]
    return {
        "form": form,
        "zones": list(tags),
        "households": visible(Household.objects.all(), request.user)[:SUGGESTED],
    }
