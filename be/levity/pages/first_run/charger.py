"""The address for the first charger, where to enter it, and what has connected or was refused."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from levity.ocpp.chargers.security.reasons import reason
from levity.ocpp.decisions.together import change_all
from levity.ocpp.models import ChargePoint, RefusedHandshake, Site
from levity.ocpp.visibility import visible
from levity.pages.chargers.connecting import MAKES, connect_to
from levity.pages.kit.formats import ago, change_link, excerpt

__all__ = ["answer", "seen", "shown"]

MOST = 5


def shown(request: HttpRequest) -> dict[str, Any]:
    """All of it."""
    return {"connect_to": connect_to(request), "makes": MAKES, **seen(request)}


def seen(request: HttpRequest) -> dict[str, Any]:
    """What changes while somebody is looking."""
    user: Any = request.user
    now = timezone.now()
    rows = visible(ChargePoint.objects.filter(retired_at=None), user)
    sites = list(visible(Site.objects.order_by("pk"), user)[:2])
    context: dict[str, Any] = {
        "arrived": [
            {"link": change_link(ChargePoint, row.pk, str(row)), "online": row.connection}
            for row in rows.order_by("-pk")[:MOST]
        ],
        "refused": None,
    }
    if len(sites) == 1 and user.has_perm("ocpp.change_chargepoint"):
        context |= {"place": sites[0], "nowhere": rows.filter(site=None).count()}
    if user.has_perm("ocpp.view_refusedhandshake"):
        refused = visible(RefusedHandshake.objects.all(), user).order_by("-last_at")
        context["refused"] = [_refusal(row, now) for row in refused[:MOST]]
    return context


def answer(request: HttpRequest) -> dict[str, Any] | None:
    """Put the chargers that stand nowhere into the only site."""
    found = seen(request)
    if found.get("nowhere"):
        rows = ChargePoint.objects.filter(site=None, retired_at=None)
        change_all(rows, {"site": found["place"]}, request.user)
    return None


def _refusal(row: RefusedHandshake, now: Any) -> dict[str, Any]:
    found = reason(row.reason)
    return {
        "pk": row.pk,
        "title": found.title,
        "hint": found.hint,
        "who": excerpt(" ".join(part for part in (row.identity, row.address) if part), 80),
        "when": ago(row.last_at, now),
    }
