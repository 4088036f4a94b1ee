"""On the page of a charge point: its conversation as a file, and the quirk profile that fits it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext

from levity.ocpp.chargers.quirks.matching import match_of, quirks_of
from levity.ocpp.chargers.quirks.tables import settings_of
from levity.ocpp.conversation.export import export
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible
from levity.ocpp.wire.masking import Anonymiser

__all__ = ["NAME", "conversation_links", "conversation_view", "fitting_quirks"]

NAME = "ocpp_chargepoint_conversation"


def conversation_view(request: HttpRequest, charge_point_id: int) -> StreamingHttpResponse:
    """The whole conversation as JSON Lines, a chunk in memory at a time; secrets are masked."""
    user: Any = request.user
    if not user.has_perms(["ocpp.view_chargepoint", "ocpp.view_message"]):
        raise PermissionDenied
    charge_point = get_object_or_404(visible(ChargePoint.objects.all(), user), pk=charge_point_id)
    anonymise = bool(request.GET.get("anonymise"))
    # The identity may have spaces, colons and bars; it is itself a name.
    name = "conversation" if anonymise else _file_name(charge_point.identity)
    return StreamingHttpResponse(
        export(charge_point, anonymiser=Anonymiser() if anonymise else None),
        content_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.jsonl"'},
    )


def _file_name(identity: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "_.-" else "_" for sign in identity)


def conversation_links(request: HttpRequest, charge_point: ChargePoint) -> list[tuple[str, str]]:
    """(title, address) of the downloads; none for somebody who may not see messages."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_message"):
        return []
    url = reverse(f"levity:{NAME}", args=[charge_point.pk])
    return [
        (gettext("Conversation"), url),
        (gettext("Conversation, anonymised"), f"{url}?anonymise=1"),
    ]


def fitting_quirks(charge_point: ChargePoint) -> str:
    """The profile in use, why it is this one, and what it changes here, overrides included."""
    match = match_of(
        charge_point.vendor,
        charge_point.model,
        charge_point.firmware_version,
        named=charge_point.quirk_profile,
    )
    in_use = quirks_of(charge_point)
    own = charge_point.quirk_overrides or {}
    changes = [
        (name, repr(value), meaning, " (set here)" if name in own else "")
        for name, value, meaning in settings_of(in_use)
    ]
    return format_html(
        "<b>{}</b> ({}, grade: {})<br>Why: {}.<br>{}{}",
        match.profile.title,
        match.profile.name,
        match.profile.grade,
        match.why,
        match.profile.facts,
        format_html_join("", "<br><code>{} = {}</code>: {}{}", changes),
    )
