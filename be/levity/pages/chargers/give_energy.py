"""“Give it to…”: whose a stretch of unassigned energy is; and the way back.

GET shows what would happen and asks; POST (with CSRF token and permission) does it.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import lazy
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import unassigned
from levity.ocpp.models import IdTag, Transaction, UnassignedEnergy
from levity.ocpp.rules.chain.unassigned import Unassigned
from levity.ocpp.store.loose import is_month, month_of, zone_of_site
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import kwh, link, payer, shown_time, site_zone
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["GiveEnergy", "key_of", "take_back_url"]

NAME = "ocpp_unassignedenergy"


def _known_only() -> str:
    """A charger that lets everyone charge has many cards that nobody has entered yet."""
    add = link(reverse("levity:ocpp_idtag_add"), "new id tag")
    return format_html(
        "Search by tag or owner. Only tags of the list Id tags are found; if one is missing: {}.",
        add,
    )


_only_known = lazy(_known_only, str)()


class _IdTagSelect(AutocompleteSelect):
    """Django's asks the database for whatever was sent, and fails where that is no key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The one that is chosen."""
        keys = [key for key in value if str(key).isascii() and str(key).isdigit()]
        return super().optgroups(name, [key for key in keys if len(key) <= 18], attr)


class GiveForm(forms.Form):
    """Whose it is, or that it is nobody's."""

    id_tag = forms.ModelChoiceField(
        IdTag.objects.none(),
        label="Id tag",
        required=False,
        widget=_IdTagSelect(IdTag._meta.get_field("parent"), site),
        help_text=_only_known,
    )
    nobody = forms.BooleanField(
        label="Nobody pays for it",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Such as a test, or the supply of the charger itself. Enter below what it was.",
    )
    note = forms.CharField(
        label="Why",
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with the session. Required if nobody pays for it.",
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["id_tag"]
        choice.queryset = visible(IdTag.objects.all(), user)

    def clean(self) -> dict[str, Any]:
        """One of both, and why."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if bool(cleaned.get("id_tag")) == bool(cleaned.get("nobody")):
            raise forms.ValidationError("Choose an id tag, or tick that nobody pays for it.")
        if cleaned["nobody"] and not cleaned["note"].strip():
            self.add_error("note", "Enter what it was.")
        return cleaned


def key_of(stretch: Unassigned) -> str:
    """How an address names this stretch."""
    return f"{int(stretch.since.timestamp() * 1_000_000)}-{int(stretch.wh_from * 1000)}"


def take_back_url(request: HttpRequest, row: Transaction) -> str:
    """Where a session is undone that was made of unassigned energy; empty for all others, and if
    it is not this person's to decide."""
    if unassigned.FLAG not in row.flags.split() or not _may(request):
        return ""
    return reverse(f"levity:{NAME}_undo", args=[row.pk])


class GiveEnergy:
    """For the admin of unassigned energy: the pages behind its buttons."""

    def get_urls(self) -> list[URLPattern]:
        """A page to give a stretch away, and one to take it back."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # a mixin
        give = path("<int:pk>/give/<slug:stretch>/", view(self.give_view), name=f"{NAME}_give")
        undo = path("undo/<int:session>/", view(self.undo_view), name=f"{NAME}_undo")
        return [give, undo, *super().get_urls()]  # type: ignore[misc]  # a mixin

    def may_give(self, request: HttpRequest) -> bool:
        """Whether this person may decide whose it is."""
        return _may(request)

    @method_decorator(sent_once)
    def give_view(self, request: HttpRequest, pk: int, stretch: str) -> HttpResponse:
        """The question, and its answer."""
        if not self.may_give(request):
            raise PermissionDenied
        rows = visible(UnassignedEnergy.objects.all(), request.user)
        item = get_object_or_404(rows.select_related("charge_point__site"), pk=pk)
        place = item.evse, item.connector
        there: tuple[Unassigned, ...] = ()
        if is_month(item.month):
            there = unassigned.stretches_of(item.charge_point, place, item.month)
        found = next((each for each in there if key_of(each) == stretch), None)
        if found is None:
            raise Http404("it is no longer unassigned")
        form = GiveForm(request.user, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            ends = (found.since, found.wh_from, found.until, found.wh_until)
            try:
                made = unassigned.give(
                    item.charge_point, place, ends, values["id_tag"], request.user, values["note"]
                )
            except Refused as error:
                form.add_error(None, error.sentence)
            else:
                messages.success(request, f"{kwh(made.energy)} given to {made.id_tag}.")
                return redirect("levity:ocpp_transaction_change", made.pk)
        zone = site_zone(item)
        return self._page(
            request,
            "levity/unassigned_give.html",
            title="Give it to…",
            item=item,
            form=form,
            media=form.media,
            energy=kwh(found.wh),
            since=shown_time(found.since, zone),
            until=shown_time(found.until, zone),
            register=f"{kwh(found.wh_from)} to {kwh(found.wh_until)}",
            shown_by=found.words,
            back=reverse(f"levity:{NAME}_change", args=[item.pk]),
        )

    @method_decorator(sent_once)
    def undo_view(self, request: HttpRequest, session: int) -> HttpResponse:
        """The question, and its answer."""
        if not self.may_give(request):
            raise PermissionDenied
        rows = visible(Transaction.objects.filter(flags__contains=unassigned.FLAG), request.user)
        row = get_object_or_404(rows.select_related("charge_point__site"), pk=session)
        form = forms.Form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            shown = _list_of(row)
            try:
                unassigned.take_back(row, request.user)
            except Refused as error:
                form.add_error(None, error.sentence)
            else:
                messages.success(request, f"{kwh(row.energy)} unassigned again.")
                return redirect(shown)
        zone = site_zone(row)
        return self._page(
            request,
            "levity/unassigned_undo.html",
            title="Undo: unassigned again",
            item=row,
            form=form,
            energy=kwh(row.energy),
            id_tag=payer(row.id_tag, 40),
            since=shown_time(row.started_at, zone),
            until=shown_time(row.stopped_at, zone),
            back=reverse("levity:ocpp_transaction_change", args=[row.pk]),
        )

    def _page(self, request: HttpRequest, template: str, **more: Any) -> HttpResponse:
        base = self.admin_site.each_context(request)  # type: ignore[attr-defined]  # a mixin
        context = {**base, "opts": UnassignedEnergy._meta, **more}
        return TemplateResponse(request, template, context)


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm(unassigned.CHANGE))


def _list_of(row: Transaction) -> str:
    """The list with this charger and month."""
    address = reverse(f"levity:{NAME}_changelist")
    if row.stopped_at is None:
        return address
    month = month_of(row.stopped_at, zone_of_site(row.charge_point))
    return f"{address}?month={month}&charge_point__id__exact={row.charge_point_id}"
