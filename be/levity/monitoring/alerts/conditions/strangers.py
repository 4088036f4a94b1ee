"""Whether strangers can add charge points, and whether they do."""

from datetime import datetime, timedelta

from levity.monitoring.alerts.conditions.finding import Finding
from levity.ocpp.conf import setting
from levity.ocpp.decisions import onboarding
from levity.ocpp.models import ChargePoint

__all__ = ["open_onboarding", "too_many_new"]

HOUR = timedelta(hours=1)
COUNTED = 5_000


def open_onboarding() -> list[Finding]:
    """Strangers can reach us, chargers need no key, and new charge points are admitted."""
    seen = onboarding.state()
    if not onboarding.is_open_to_all(seen) or not (why := onboarding.why_outside(seen)):
        return []
    summary = "anyone who finds this installation can add charge points: no key is required"
    return [Finding("open-onboarding", "", summary, why)]


def too_many_new(now: datetime) -> list[Finding]:
    """Charge points that are pending although new ones are accepted automatically."""
    if setting("OCPP_UNKNOWN_CHARGE_POINTS") != "accept":
        return []
    waiting = ChargePoint.objects.filter(registration="Pending", created_at__gte=now - HOUR)
    count = waiting[:COUNTED].count()
    if not count:
        return []
    more = "at least " if count == COUNTED else ""
    return [Finding("new-charge-points", "", f"{more}{count} new charge points are pending")]
