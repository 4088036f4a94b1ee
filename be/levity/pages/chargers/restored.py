"""After a restore: the sessions that may be uncertain, with the reason for each kind."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from levity.ocpp.decisions import restored as decisions
from levity.ocpp.models import ChargePoint, Installation, QuarantinedMessage, Transaction
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import (
    badge,
    change_link,
    kwh,
    list_url,
    local_time,
    payer,
    shown_time,
    site_zone,
)
from levity.pages.kit.hooks import Tile

__all__ = ["NAME", "restored_tile", "restored_view"]

NAME = "ocpp_transaction_restored"
# Sessions of a kind that the page shows, and messages that it counts.
SHOWN, COUNTED = 200, 999


def restored_tile(now: datetime, row: Installation) -> list[Tile]:
    """For the overview: that there was a restore, with the way to what it means."""
    found = decisions.restored_lately(row, now)
    if found is None:
        return []
    title = gettext("to %(when)s: some sessions may be uncertain") % {"when": local_time(found.to)}
    return [
        {"title": title, "value": gettext("Restored"), "url": reverse(f"levity:{NAME}"), "count": 1}
    ]


def restored_view(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """Which sessions they are, and why."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_transaction"):
        raise PermissionDenied
    context = {
        **admin_site.each_context(request),
        "opts": Transaction._meta,
        "title": "After the restore",
        "found": None,
    }
    found = decisions.last_restore(timezone.now())
    if found is not None:
        context |= {
            "found": found,
            "to": shown_time(found.to),
            "at": shown_time(found.at),
            "ran": _rows(decisions.ran_then(found), user),
            "begun": _rows(decisions.begun_since(found), user),
            "most": SHOWN,
        }
        if user.has_perm("ocpp.view_quarantinedmessage"):
            waiting = visible(decisions.quarantined_since(found), user).filter(resolved_at=None)
            context["quarantined"] = waiting.order_by()[: COUNTED + 1].count()
            context["quarantine_url"] = list_url(QuarantinedMessage, open="yes")
    return TemplateResponse(request, "levity/restored.html", context)


def _rows(sessions: QuerySet[Transaction], user: Any) -> list[dict[str, Any]]:
    rows = visible(sessions, user).select_related("charge_point__site")
    return [
        {
            "number": change_link(Transaction, item.pk, f"#{item.pk}"),
            "where": change_link(ChargePoint, item.charge_point_id, item.charge_point),
            "connector": item.connector or item.evse or "",
            "id_tag": payer(item.id_tag, 40),
            "started": shown_time(item.started_at, site_zone(item)),
            "stopped": shown_time(item.stopped_at, site_zone(item)),
            "energy": kwh(item.energy),
            "state": badge(item.state, "busy" if item.state == "active" else ""),
        }
        for item in rows[:SHOWN]
    ]
