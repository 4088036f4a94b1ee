"""What went wrong, first on the overview: the alerts that are not acknowledged yet."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest

from levity.monitoring.kinds import Severity
from levity.monitoring.models import Alert
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import list_url

__all__ = ["open_alerts"]


def open_alerts(request: HttpRequest) -> list[dict[str, Any]]:
    """A tile that counts the open alerts of the user's sites; none if there are none."""
    if not request.user.has_perm("operation.view_alert"):
        return []
    waiting = visible(
        Alert.objects.filter(ended_at__isnull=True, acknowledged_at__isnull=True), request.user
    )
    counts = waiting.aggregate(
        every=Count("pk"), critical=Count("pk", filter=Q(severity=Severity.CRITICAL))
    )
    if not counts["every"]:
        return []
    critical = f", {counts['critical']} of them critical" if counts["critical"] else ""
    plural = "" if counts["every"] == 1 else "s"
    return [
        {
            "title": f"open alert{plural} not acknowledged{critical}",
            "value": str(counts["every"]),
            "url": list_url(Alert, open="yes", acknowledged="no"),
        }
    ]
