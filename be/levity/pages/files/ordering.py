"""“Fetch diagnostics” and “Update firmware”: the address is shown, and one button sends it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from levity.files import campaigns, jobs
from levity.files.models import Firmware
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, FileJob
from levity.ocpp.visibility import visible
from levity.pages.calls.fields import MomentField
from levity.pages.files.asking import asked_by
from levity.pages.kit.formats import site_zone
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["fetch_view", "other_way_view", "update_view"]

DIAGNOSTICS = "diagnostics"
WHAT = (
    (DIAGNOSTICS, "Diagnostics"),
    ("DiagnosticsLog", "Diagnostics log (security extension)"),
    ("SecurityLog", "Security log (security extension)"),
)


class Place(forms.Form):
    """To which address of ours the charger is sent."""

    base = forms.ChoiceField(label="Address for the charger", widget=UnfoldAdminSelectWidget)

    moments: tuple[tuple[str, str, str], ...] = ()

    def __init__(self, *args: Any, charge_point: ChargePoint, way: jobs.Way, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = site_zone(charge_point) or timezone.get_current_timezone()
        for name, label, empty in self.moments:
            self.fields[name] = MomentField(
                zone=zone, label=label, required=False, help_text=f"Time in {zone}. Empty: {empty}."
            )
        self.order_fields(self.field_order)
        names = {way.base.url: way.why, **{base.url: base.why for base in way.others}}
        field: Any = self.fields["base"]
        field.choices = [(url, f"{url} ({why})") for url, why in names.items()]
        field.help_text = (
            "Levity's own address, as the charger is told it; the first is the likeliest. If "
            "chargers reach Levity by another one, set LEVITY_FILES_URL."
        )


class FetchForm(Place):
    """What to fetch."""

    what = forms.ChoiceField(choices=WHAT, widget=UnfoldAdminSelectWidget)
    moments = (
        ("since", "Entries from", "the charger decides"),
        ("until", "Entries until", "now"),
    )
    field_order = ("what", "since", "until", "base")


class UpdateForm(Place):
    """Which firmware, from when on."""

    firmware = forms.ModelChoiceField(
        queryset=Firmware.objects.none(), widget=UnfoldAdminSelectWidget
    )
    moments = (("at", "Not before", "at once"),)
    field_order = ("firmware", "at", "base")


def _charge_point(request: HttpRequest, pk: int) -> ChargePoint:
    if not request.user.has_perm("ocpp.add_command"):
        raise PermissionDenied
    return get_object_or_404(visible(ChargePoint.objects.all(), request.user), pk=pk)


@sent_once
def fetch_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the charger for its diagnostics or a log."""
    row = _charge_point(request, pk)
    form = FetchForm(request.POST or None, charge_point=row, way=jobs.ways(row, asked_by(request)))
    if request.method == "POST" and form.is_valid():
        chosen, asking = form.cleaned_data, asked_by(request, form.cleaned_data["base"])
        times = {"since": chosen["since"], "until": chosen["until"]}
        try:
            if chosen["what"] == DIAGNOSTICS:
                job = jobs.fetch_diagnostics(row, request.user, asking, **times)
            else:
                job = jobs.fetch_log(row, chosen["what"], request.user, asking, **times)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            return redirect("levity:ocpp_filejob_change", job.pk)
    return _page(request, row, form, "Fetch diagnostics", "Fetch diagnostics")


@sent_once
def update_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a firmware to one charger."""
    row = _charge_point(request, pk)
    form = UpdateForm(request.POST or None, charge_point=row, way=jobs.ways(row, asked_by(request)))
    known = visible(Firmware.objects.all(), request.user)
    field: Any = form.fields["firmware"]
    field.queryset = known
    fitting = next((item.pk for item in known if not _misfit(item, row)), None)
    form.initial.setdefault("firmware", fitting)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        asking = asked_by(request, chosen["base"])
        try:
            job = jobs.update_firmware(
                row, chosen["firmware"], request.user, asking, at=chosen["at"]
            )
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            for said in campaigns.doubts(chosen["firmware"], [row])[:-1]:
                messages.warning(request, said)
            return redirect("levity:ocpp_filejob_change", job.pk)
    return _page(request, row, form, "Update firmware", "Update firmware", has_any=known.exists())


def _misfit(firmware: Firmware, row: ChargePoint) -> bool:
    return bool(firmware.model and firmware.model.lower() != row.model.lower())


@sent_once
def other_way_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The same once more over the other protocol."""
    job = get_object_or_404(
        visible(FileJob.objects.select_related("charge_point", "command"), request.user), pk=pk
    )
    try:
        again = jobs.try_other_way(job, request.user, asked_by(request))
    except Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("levity:ocpp_filejob_change", pk)
    messages.success(request, f"Ordered again over {again.drop.get_protocol_display()}.")
    return redirect("levity:ocpp_filejob_change", again.pk)


def _page(
    request: HttpRequest,
    row: ChargePoint,
    form: forms.Form,
    title: str,
    button: str,
    *,
    has_any: bool = True,
) -> HttpResponse:
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"{title}: {row}",
        "form": form,
        "charge_point": row,
        "button": button,
        "is_update": isinstance(form, UpdateForm),
        "has_any": has_any,
        "add_firmware": reverse("levity:files_firmware_add"),
        "back": reverse("levity:ocpp_chargepoint_change", args=[row.pk]),
    }
    return TemplateResponse(request, "levity/files/order.html", context)
