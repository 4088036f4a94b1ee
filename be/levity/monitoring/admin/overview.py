"""The first page, with what went wrong: the alerts that nobody looks after yet."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest

from levity.monitoring.kinds import Severity
from levity.monitoring.models import Alert
from levity.ocpp.visibility import visible
from levity.pages.chargers import dashboard
from levity.pages.kit.formats import list_url

__all__ = ["summary"]


def summary(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the chargers' part says, and first of the trouble the open alerts of one's sites."""
    context = dashboard.summary(request, context)
    if not request.user.has_perm("operation.view_alert"):
        return context
    waiting = visible(
        Alert.objects.filter(ended_at__isnull=True, acknowledged_at__isnull=True), request.user
    )
    counts = waiting.aggregate(
        every=Count("pk"), critical=Count("pk", filter=Q(severity=Severity.CRITICAL))
    )
    if counts["every"]:
        critical = f", {counts['critical']} of them critical" if counts["critical"] else ""
        plural = "" if counts["every"] == 1 else "s"
        tile = {
            "title": f"open alert{plural} not acknowledged{critical}",
            "value": str(counts["every"]),
            "url": list_url(Alert, open="yes", acknowledged="no"),
            "count": counts["every"],
        }
        context["trouble"] = [tile, *context["trouble"]]
    return context
