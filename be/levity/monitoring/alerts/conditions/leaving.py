"""What does not leave the house, or stopped by itself: webhooks, delayed events, campaigns.

Only where the apps are installed that have them.
"""

from datetime import datetime, timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from levity.monitoring.alerts.conditions.finding import Finding, plain
from levity.monitoring.conf import setting

__all__ = ["campaigns_stopped", "events_behind", "events_delayed", "webhooks_failing"]

AT_MOST = 100
FAILING_FOR = timedelta(hours=1)
# It is noted once an hour that somebody reads.
READ_LATELY = timedelta(hours=2)
# A running transaction of any database of the cluster holds the horizon back. What others do is
# hidden from a role without pg_read_all_stats: then nothing is named.
OLDEST = """
    SELECT datname, extract(epoch FROM now() - xact_start)::bigint FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
    ORDER BY xact_start LIMIT 1
"""


def webhooks_failing(now: datetime) -> list[Finding]:
    """Webhooks that their receiver has switched off, and those that have failed for an hour."""
    if not apps.is_installed("levity.integrations"):
        return []
    from levity.integrations.deliveries import SWITCHED_OFF
    from levity.integrations.models import Delivery, Webhook

    tried = Delivery.objects.filter(
        webhook=OuterRef("pk"),
        state=Delivery.State.WAITING,
        first_tried_at__lt=now - FAILING_FOR,
    )
    off = Q(enabled=False, error__endswith=SWITCHED_OFF)
    failing = Q(Exists(tried), enabled=True, failures__gt=0)
    found = []
    for row in Webhook.objects.filter(off | failing).order_by("pk")[:AT_MOST]:
        what = "has failed for more than an hour" if row.enabled else "was switched off"
        summary = f"the webhook {plain(row.name, 80)} {what}"
        found.append(Finding("webhook-failing", str(row.pk), summary, plain(row.error)))
    return found


def campaigns_stopped() -> list[Finding]:
    """Firmware campaigns that stopped by themselves, until somebody resumes or cancels them."""
    if not apps.is_installed("levity.files"):
        return []
    from levity.files.models import Campaign

    rows = Campaign.objects.filter(state=Campaign.State.STOPPED).order_by("-pk")[:AT_MOST]
    return [
        Finding(
            "campaign-stopped",
            str(row.pk),
            f"the firmware campaign {plain(row.name, 100)} stopped by itself",
            plain(row.why),
        )
        for row in rows
    ]


def events_behind(now: datetime) -> float:
    """Seconds since the oldest event that may not be delivered yet; 0 if there is none.

    Also 0 where nobody delivers: the feed looks for itself, whenever it is read. One statement.
    """
    if not apps.is_installed("levity.integrations"):
        return 0.0
    from levity.integrations.models import Event, Horizon, Reader, Webhook

    wanted = Exists(Webhook.objects.filter(enabled=True)) | Exists(
        Reader.objects.filter(pk="mqtt", read_at__gte=now - READ_LATELY)
    )
    read_to = Coalesce(Subquery(Horizon.objects.values("event")[:1]), 0)
    waiting = Event.objects.filter(wanted, id__gt=read_to).order_by("id")
    oldest = waiting.values_list("at", flat=True).first()
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def events_delayed(now: datetime) -> list[Finding]:
    """Events that were not delivered within `OPERATION_EVENT_DELAY_SECONDS`."""
    behind = events_behind(now)
    if behind <= setting("OPERATION_EVENT_DELAY_SECONDS"):
        return []
    summary = f"events wait for {behind:,.0f} s before they are delivered"
    return [Finding("events-delayed", "", summary, _oldest_transaction())]


def _oldest_transaction() -> str:
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return ""
    with database.cursor() as cursor:
        cursor.execute(OLDEST)
        row = cursor.fetchone()
    if row is None:
        return "No long transaction can be seen."
    name, seconds = row
    return f"The oldest writing transaction: database {plain(name, 80)}, for {seconds:,} s."
