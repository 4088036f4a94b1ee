"""Signed meter values on the page of a session: what each signature is worth, and the file."""

from datetime import tzinfo
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from levity.ocpp.models import MeterKey, Transaction
from levity.ocpp.rules.signed.safe_xml import safe_xml
from levity.ocpp.rules.signed.verdict import Judged, Session, Verdict
from levity.ocpp.store.signed import signed_sessions
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import NOTHING, badge, excerpt, kwh, list_url, said, shown_time

__all__ = ["SignedValues", "signed_shown", "xml_response"]

NAME = "ocpp_transaction_signed"
TONES = {
    Verdict.VERIFIED: "good",
    Verdict.SELF_ASSERTED: "warn",
    Verdict.UNCHECKED: "",
    Verdict.FAILS: "bad",
}
MOST = 50
"""Values of a session that are listed; the file has them all."""


class SignedValues(LevityAdmin):
    """For the admin of sessions: the file has an address of its own."""

    def signed_urls(self) -> list[URLPattern]:
        """To be put before the others."""
        view = self.admin_site.admin_view(self.signed_view)
        return [path("<int:pk>/signed-values.xml", view, name=NAME)]

    def signed_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All signed data of a session, byte for byte, for the transparency software."""
        item = self.get_object(request, str(pk))
        if item is None or not self.has_view_permission(request, item):
            raise PermissionDenied
        return xml_response([(pk, signed_sessions([pk])[pk].values)], f"signed-values-{pk}")


def xml_response(sessions: Any, name: str) -> HttpResponse:
    """The XML that S.A.F.E.'s software reads, as a file."""
    return HttpResponse(
        safe_xml(sessions),
        content_type="application/xml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.xml"'},
    )


def signed_shown(item: Transaction, found: Session, zone: tzinfo | None) -> dict[str, Any] | None:
    """What the page says of them; None if the session has none."""
    if found.verdict is None:
        return None
    return {
        "verdict": badge(said(found.verdict.value), TONES[found.verdict]),
        "why": said(found.why),
        "energy": kwh(found.wh),
        "differs": _differs(item, found),
        "meter": excerpt(found.meter, 60) or NOTHING,
        "rows": [_row(value, zone) for value in found.values[:MOST]],
        "more": max(0, len(found.values) - MOST),
        "file": reverse(f"levity:{NAME}", args=[item.pk]),
        "keys": list_url(MeterKey, charge_point__id__exact=item.charge_point_id),
    }


def _differs(item: Transaction, found: Session) -> str:
    """Where the signed energy is another than the session's, by more than a rounded register."""
    if found.wh is None or item.energy is None or item.state == Transaction.State.ACTIVE:
        return ""
    difference = item.energy - found.wh
    return kwh(difference) if abs(difference) >= 1 else ""


def _row(value: Judged, zone: tzinfo | None) -> dict[str, Any]:
    every = value.signed.readings if value.signed else ()
    readings = [each for each in every if each.wh is not None][:4]
    return {
        "at": shown_time(value.sampled_at, zone),
        "context": excerpt(value.context, 40) or NOTHING,
        "format": value.container.format,
        "readings": [f"{excerpt(each.obis, 40)} {kwh(each.wh)}" for each in readings],
        "verdict": badge(said(value.verdict.value), TONES[value.verdict]),
        "why": excerpt(said(value.why), 200),
    }
