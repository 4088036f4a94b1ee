"""Send notices: those that are due for one address are sent as one mail, or one POST. An attempt is
recorded before it is made. If the process dies during an attempt, the notice is tried again after a
pause; nothing that was sent is sent again.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from levity.mailing import NotSent, deliver, domain
from levity.monitoring.alerts import webhook
from levity.monitoring.alerts.recipients import Route
from levity.monitoring.kinds import KINDS, rank
from levity.monitoring.models import Alert, AlertDelivery

__all__ = ["NotSent", "Told", "send_due", "send_test"]

log = logging.getLogger(__name__)

Channel, Notice, State = AlertDelivery.Channel, AlertDelivery.Notice, AlertDelivery.State

# Attempts at 0, 1, 3, 7, 15, 31, 61 ... minutes; given up after about a day.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
MAX_TRIES = 30
AT_ONCE = 1000
LISTED = 50

Told = tuple[str, Alert]


def send_due(
    routes: Sequence[Route], now: datetime, still_ours: Callable[[], bool] = lambda: True
) -> int:
    """Send what is due; returns how many notices were delivered. Stops when `still_ours` returns
    False."""
    by_rule = {route.rule: route for route in routes}
    due = (
        AlertDelivery.objects.filter(state=State.QUEUED, not_before__lte=now)
        .select_related("alert__charge_point", "alert__site")
        .order_by("pk")[:AT_ONCE]
    )
    groups: dict[tuple[int | None, str, str], list[AlertDelivery]] = defaultdict(list)
    for item in due:
        groups[item.rule_id, item.channel, item.target].append(item)
    sent = 0
    for (rule, channel, target), items in groups.items():
        if not still_ours():
            break
        route = by_rule.get(rule)
        if route is None or (channel, target) not in set(route.targets()):
            _finish(items, State.SKIPPED, "the rule no longer names this address")
            continue
        sent += _attempt(route, channel, target, items, now)
    return sent


def _attempt(
    route: Route, channel: str, target: str, items: Sequence[AlertDelivery], now: datetime
) -> int:
    for item in items:
        item.attempts += 1
        item.not_before = now + min(FIRST_PAUSE * 2 ** min(item.attempts - 1, 10), LONGEST_PAUSE)
    AlertDelivery.objects.bulk_update(items, ["attempts", "not_before"], batch_size=500)
    told = [(item.notice, item.alert) for item in items]
    try:
        _send(route, channel, target, told, f"{items[0].pk}-{items[-1].pk}")
    except NotSent as error:
        log.warning("could not notify %s: %s", _shown(channel, target), error)
        over = [item for item in items if item.attempts >= MAX_TRIES]
        _finish(over, State.FAILED, str(error))
        _note([item for item in items if item.attempts < MAX_TRIES], str(error))
        return 0
    _finish(items, State.SENT, "")
    return len(items)


def _finish(items: Sequence[AlertDelivery], state: str, error: str) -> None:
    keys = [item.pk for item in items]
    AlertDelivery.objects.filter(pk__in=keys).update(
        state=state, error=error[:255], sent_at=timezone.now() if state == State.SENT else None
    )


def _note(items: Sequence[AlertDelivery], error: str) -> None:
    AlertDelivery.objects.filter(pk__in=[item.pk for item in items]).update(error=error[:255])


def send_test(route: Route) -> list[tuple[str, str, str]]:
    """Send a test alert to all recipients of this route now: (channel, address, error)."""
    now = timezone.now()
    alert = Alert(
        kind="charger-fault",
        severity="warning",
        summary="this is a test: Levity's alerts reach you here",
        detail=f"Sent for the rule “{route.name}”. Nothing is wrong.",
        raised_at=now,
        last_at=now,
    )
    results = []
    for channel, target in route.targets():
        try:
            _send(route, channel, target, [("test", alert)], f"test-{int(now.timestamp())}")
            results.append((channel, target, ""))
        except NotSent as error:
            results.append((channel, target, str(error)))
    return results


def _send(route: Route, channel: str, target: str, told: Sequence[Told], delivery: str) -> None:
    # Worst first: the beginning shows what matters most.
    told = sorted(told, key=lambda item: -rank(item[1].severity))
    if channel == Channel.EMAIL:
        _send_mail(target, told, delivery)
    elif route.is_secret_lost:
        raise NotSent(
            "its secret can't be decrypted because SECRET_KEY has changed: enter it again"
        )
    else:
        try:
            webhook.post(target, route.webhook_secret, delivery, payload(told, delivery))
        except webhook.BadWebhook as error:
            raise NotSent(str(error)) from error


def _send_mail(target: str, told: Sequence[Told], delivery: str) -> None:
    message = EmailMessage(
        subject(told),
        "\n\n".join([*map(_paragraph, told[:LISTED]), *_rest(told)]) + "\n",
        to=[target],
        headers={
            # The same notice sent twice (a crash between sending and recording) is one mail in most
            # mail programs.
            "Message-ID": f"<levity-{delivery}-{told[0][0]}@{domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    deliver(message)


def subject(told: Sequence[Told]) -> str:
    """The subject of a mail."""
    notice, alert = told[0]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"[Levity] {line(notice, alert)}"[:180].strip() + more


def line(notice: str, alert: Alert) -> str:
    """One alert on one line."""
    word = {
        Notice.RECOVERED: "Resolved",
        Notice.WORSE: "Worse now",
        "test": "Test",
    }.get(notice, alert.severity.capitalize())
    return f"{word}: {alert.summary}"


def _paragraph(told: Told) -> str:
    notice, alert = told
    lines = [line(notice, alert)]
    if alert.detail:
        lines.append(f"  {alert.detail}")
    where = alert.site.name if alert.site else ""
    at = timezone.localtime(alert.raised_at)
    lines.append(f"  {where + ', ' if where else ''}{at:%Y-%m-%d %H:%M:%S} {at.tzname()}")
    if notice in (Notice.RAISED, Notice.WORSE):
        lines.append(f"  What to do: {KINDS[alert.kind].what_to_do}")
    if address := page(alert):
        lines.append(f"  {address}")
    return "\n".join(lines)


def _rest(told: Sequence[Told]) -> list[str]:
    return [f"... and {len(told) - LISTED} more."] if len(told) > LISTED else []


def page(alert: Alert) -> str:
    """The address of the alert's page; empty if this installation's address is unknown."""
    names = [
        name for name in settings.ALLOWED_HOSTS if "." in name.strip(".") and name[0].isalpha()
    ]
    public = [name for name in names if not name.endswith(".local")]
    if not (alert.pk and public and getattr(settings, "LEVITY_HTTPS", False)):
        return ""
    try:
        return f"https://{public[0]}{reverse('levity:operation_alert_change', args=[alert.pk])}"
    except NoReverseMatch:
        return ""  # a project without Levity's pages


def payload(told: Sequence[Told], delivery: str) -> Mapping[str, Any]:
    """The body of a webhook, as docs/monitoring.md describes it."""
    lines = [line(*item) for item in told[:LISTED]] + _rest(told)
    return {
        "version": 1,
        "delivery": delivery,
        # What Slack, Mattermost and others show.
        "text": "\n".join(lines),
        "alerts": [_as_json(*item) for item in told],
    }


def _as_json(notice: str, alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "notice": str(notice),
        "kind": alert.kind,
        "severity": str(alert.severity),
        "summary": alert.summary,
        "detail": alert.detail,
        "charge_point": alert.charge_point.identity if alert.charge_point else None,
        "site": alert.site.name if alert.site else None,
        "raised_at": alert.raised_at.isoformat(),
        "ended_at": alert.ended_at.isoformat() if alert.ended_at else None,
        "url": page(alert) or None,
    }


def _shown(channel: str, target: str) -> str:
    return target if channel == Channel.EMAIL else webhook.shown_host(target)
