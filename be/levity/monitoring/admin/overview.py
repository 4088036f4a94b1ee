"""What went wrong, first on the overview: the alerts that are not acknowledged yet."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext

from levity.monitoring.kinds import Severity
from levity.monitoring.models import Alert
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import list_url
from levity.pages.kit.words import OPEN_ALERTS

__all__ = ["open_alerts"]

ONE, MANY, CRITICAL = OPEN_ALERTS


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
    title = gettext(ONE if counts["every"] == 1 else MANY)
    if counts["critical"]:
        title = f"{title}, {gettext(CRITICAL) % {'count': counts['critical']}}"
    return [
        {
            "title": title,
            "value": str(counts["every"]),
            "url": list_url(Alert, open="yes", acknowledged="no"),
        }
    ]
