"""The same for many charge points: site, who may charge, quirk profile, time zone."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from levity.ocpp.chargers.quirks.matching import all_profiles
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import together
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity.ocpp.visibility import is_limited, visible
from levity.pages.kit.going_on import KEYS, keys_in
from levity.pages.site import site

__all__ = ["SettingMany"]

PAGE = "ocpp_chargepoint_set_many"
LIST = "levity:ocpp_chargepoint_changelist"
STAYS, EMPTY = "", "-"
LEAVE = (STAYS, "leave as it is")
NAMED = 50
MOST = 5_000


class ValuesForm(forms.Form):
    """What is chosen is set; the rest stays."""

    site = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    authorization = forms.ChoiceField(
        label="Who may charge",
        required=False,
        widget=UnfoldAdminSelectWidget,
        choices=[LEAVE, (EMPTY, "the rule of the site"), *Authorization.choices],
    )
    quirk_profile = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of their clocks, such as Europe/Berlin. Empty: leave as it is.",
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sites = {str(row.pk): row for row in visible(Site.objects.order_by("name"), user)}
        found: Any = self.fields
        places = [(key, row.name) for key, row in self._sites.items()]
        # Who sees some sites only would not see them any more.
        none = [] if is_limited(user) else [(EMPTY, "none")]
        found["site"].choices = [LEAVE, *none, *places]
        profiles = [(item.name, item.title) for item in all_profiles()]
        by_make = (EMPTY, "chosen by vendor, model and firmware")
        found["quirk_profile"].choices = [LEAVE, by_make, *profiles]

    @property
    def values(self) -> dict[str, Any]:
        """What is to be set."""
        found: dict[str, Any] = {
            name: "" if value == EMPTY else value
            for name, value in self.cleaned_data.items()
            if value != STAYS
        }
        if "site" in found:
            found["site"] = self._sites.get(found["site"])
        return found


class SettingMany:
    """For the admin of charge points."""

    actions: tuple[str, ...] = ("set_many",)

    def get_urls(self) -> list[URLPattern]:
        """Where the form goes."""
        page = path("set/", site.admin_view(require_POST(set_many_view)), name=PAGE)
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    @action(description="Set site, rules…", permissions=["change"])
    def set_many(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """The page that asks what."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(keys) > MOST:
            messages.warning(request, f"Select at most {MOST:,} charge points for this.")
            return None
        return _page(request, ValuesForm(user=request.user), keys)


def set_many_view(request: HttpRequest) -> HttpResponse:
    """Set what was chosen."""
    user: Any = request.user
    if not user.has_perm("ocpp.change_chargepoint"):
        raise PermissionDenied
    keys = (keys_in(request.POST.get(KEYS, "")) or [])[:MOST]
    if not keys:
        messages.error(request, "No charge point was selected: select again.")
        return redirect(LIST)
    form = ValuesForm(request.POST, user=user)
    if form.is_valid():
        rows = ChargePoint.objects.filter(pk__in=keys)
        try:
            decided = together.change_all(rows, form.values, user)
        except Refused as error:
            form.add_error(None, error.sentence)
        except ValidationError as error:
            for name, said in error.message_dict.items():
                form.add_error(name if name in form.fields else None, said)
        else:
            same = "".join(f" {left.count:,} {left.why}." for left in decided.left)
            messages.success(request, f"Changed: {decided.count:,}.{same}")
            return redirect(LIST)
    return _page(request, form, keys)


def _page(request: HttpRequest, form: ValuesForm, keys: list[int]) -> HttpResponse:
    rows = visible(ChargePoint.objects.filter(pk__in=keys), request.user)
    count = rows.count()
    many = f"{count:,} charge point{'' if count == 1 else 's'}"
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"Set for {many}",
        "form": form,
        "many": many,
        "rows": [str(row) for row in rows.order_by("identity")[:NAMED]],
        "more": max(0, count - NAMED),
        "ids": ",".join(map(str, keys)),
        "yes": f"set it for {many}",
        "address": reverse(f"levity:{PAGE}"),
        "back": reverse(LIST),
    }
    return TemplateResponse(request, "levity/set_many.html", context)
