"""Charging without a session: a connector says that it charges, or its register rises, and no
session runs there."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from levity.monitoring.alerts.conditions.finding import Finding, called
from levity.monitoring.models import Alert
from levity.ocpp.store.loose import zone_of_site
from levity.ocpp.store.loose_now import WithoutSession, without_session

__all__ = ["KIND", "charging_without_session"]

KIND = "charging-without-session"
# Wh, within some hours: less is what a charger draws for itself, or rounding.
LEAST, WITHIN = Decimal(100), timedelta(hours=6)


def charging_without_session(now: datetime) -> list[Finding]:
    """Connectors that charge with no session now, or did within the last day."""
    raised = Alert.objects.filter(kind=KIND, ended_at=None, charge_point__isnull=False)
    known = set(raised.values_list("charge_point", flat=True))
    return [finding for item in without_session(now, known) for finding in _finding(item, now)]


def _finding(item: WithoutSession, now: datetime) -> Iterator[Finding]:
    charger, number = item.charge_point, item.connector or item.evse
    counted = [each for each in item.stretches if _is_charging(each.wh, each.until - each.since)]
    where = f"connector {number} of {called(charger.identity, charger.name)}"
    if counted:
        since = counted[0].since
        wh = sum((each.wh for each in counted), Decimal(0))
        said = f"{where}: {_shown(wh)} outside sessions since {_time(item, since, now)}"
    elif item.charging_since is not None:
        since = item.charging_since
        said = f"{where} reports Charging without a session since {_time(item, since, now)}"
    else:
        return
    yield Finding(
        KIND,
        f"{charger.pk}:{item.evse}:{item.connector}",
        said,
        "; ".join(each.evidence for each in counted),
        charge_point=charger.pk,
        site=charger.site_id,
        at=since,
    )


def _is_charging(wh: Decimal, lasted: timedelta) -> bool:
    return wh >= LEAST * Decimal(max(1.0, lasted / WITHIN))


def _shown(wh: Decimal) -> str:
    return f"{wh:.0f} Wh" if wh < 1000 else f"{wh / 1000:,.3f} kWh"


def _time(item: WithoutSession, moment: datetime, now: datetime) -> str:
    """In the time zone of the site; without the day if that is today."""
    zone = zone_of_site(item.charge_point)
    there, today = moment.astimezone(zone), now.astimezone(zone)
    return f"{there:%H:%M}" if there.date() == today.date() else f"{there:%Y-%m-%d %H:%M}"
