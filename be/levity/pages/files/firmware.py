"""Firmware: uploaded once, for any number of chargers."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from levity.files import kept
from levity.files.campaigns import MANAGE
from levity.files.models import Firmware
from levity.ocpp.deciding import Refused
from levity.pages.files.jobs import file_size
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import excerpt, link, shown_time
from levity.pages.site import site

__all__ = ["FirmwareAdmin"]


class FirmwareForm(forms.ModelForm):
    """The file, and what is known about it."""

    file = forms.FileField(widget=UnfoldAdminFileFieldWidget)

    class Meta:
        model = Firmware
        fields = ("version", "vendor", "model", "note", "signing_certificate", "signature")
        widgets = {
            **dict.fromkeys(("version", "vendor", "model"), UnfoldAdminTextInputWidget),
            **{
                name: UnfoldAdminTextareaWidget({"rows": 3})
                for name in ("note", "signing_certificate", "signature")
            },
        }

    who: Any = None

    def clean(self) -> dict[str, Any]:
        """Store it: what is wrong with it is found there."""
        values = dict(super().clean() or {})
        file = values.pop("file", None)
        if file is None or self.errors:
            return values
        try:
            self.instance = kept.add_firmware(file.chunks(), file.name, values, self.who)
        except Refused as refused:
            raise ValidationError(refused.sentence) from refused
        return values


def waves_url(row: Firmware) -> str:
    """Where charge points are chosen for it."""
    return f"{reverse('levity:files_campaign_begin')}?firmware={row.pk}"


@admin.register(Firmware, site=site)
class FirmwareAdmin(LevityAdmin):
    """Added by an upload, never edited."""

    by_decisions = True
    add_form = FirmwareForm
    list_display = ("title", "meant_for", "size_shown", "uploaded", "send")
    search_fields = ("version", "vendor", "model")
    search_help_text = "Version, vendor or model"
    shown = ("title", "meant_for", "name", "size_shown", "sha256", "note", "uploaded")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """For a new one, with the file."""
        if obj is not None:
            return super().get_form(request, obj, **kwargs)
        return type("Form", (FirmwareForm,), {"who": request.user})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The file comes first."""
        return self.shown if obj else ("file", *FirmwareForm.Meta.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of it, once it is here."""
        return self.shown if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: upload it again."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has stored it."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """With its file."""
        kept.delete_firmware(obj, request.user)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One that was sent is kept."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refused:
            messages.error(request, refused.sentence)
            return redirect("levity:files_firmware_change", object_id)

    change_form_outer_before_template = "levity/files/firmware_now.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the way to charge points, for who may go it."""
        row = kwargs.get("obj")
        if row is not None and request.user.has_perm(MANAGE):
            context["waves"] = waves_url(row)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The way to charge points only for who may go it."""
        names = super().get_list_display(request)
        return names if request.user.has_perm(MANAGE) else names[:-1]

    @display(description="charge points")
    def send(self, firmware: Firmware) -> str:
        """The way to them."""
        return link(waves_url(firmware), "Send in waves…")

    @display(description="firmware", ordering="id")
    def title(self, firmware: Firmware) -> str:
        """Version."""
        return excerpt(firmware.version, 60)

    @display(description="meant for")
    def meant_for(self, firmware: Firmware) -> str:
        """Vendor and model."""
        return excerpt(f"{firmware.vendor} {firmware.model}".strip(), 80) or "any"

    @display(description="size", ordering="size")
    def size_shown(self, firmware: Firmware) -> str:
        """For people."""
        return file_size(firmware.size)

    @display(description="uploaded", ordering="id")
    def uploaded(self, firmware: Firmware) -> str:
        """When and by whom."""
        who = f" by {firmware.uploaded_by}" if firmware.uploaded_by else ""
        when = timezone.localtime(firmware.uploaded_at)
        return format_html("{}{}", shown_time(when), who)
