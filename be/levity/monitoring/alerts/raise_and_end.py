"""Compare what is wrong with what is known: raise alerts, end them, and queue notices.

One round is one transaction of its own, a fixed number of statements and at most some thousands of
rows. Doing it again does nothing, so a process may end at any point.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone

from levity.monitoring.alerts import conditions, notices
from levity.monitoring.alerts.conditions import broken, leaving, strangers, without_session
from levity.monitoring.alerts.conditions.finding import Finding
from levity.monitoring.alerts.conditions.too_large import frames_too_large
from levity.monitoring.alerts.quiet_hours import awake_at
from levity.monitoring.alerts.recipients import Route
from levity.monitoring.conf import setting
from levity.monitoring.kinds import KINDS, Severity, rank
from levity.monitoring.models import Alert, AlertDelivery, Worker
from levity.ocpp import events
from levity.ocpp.models import ChargePoint, Site

__all__ = ["Look", "forget_old", "look", "record"]

log = logging.getLogger(__name__)

ALIVE = timedelta(seconds=60)
PRUNED_AT_ONCE = 1000
# Lines in the log per round: a failed edge affects thousands of chargers.
LOGGED = 20
Notice, State = AlertDelivery.Notice, AlertDelivery.State


@dataclass(slots=True)
class Look:
    """The result of one check of everything. `unknown` are kinds whose check itself failed."""

    findings: list[Finding] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    report: dict[str, Any] = field(default_factory=dict)


def look(
    now: datetime,
    certificate_names: Sequence[str] = (),
    breathe: Callable[[], object] = lambda: None,
) -> Look:
    """Run every check. A failing one hides no other, and ends no alert of its kind. `breathe` is
    called between two of them, because a worker processes frames in the same process.
    """
    seen = Look()

    def disks() -> list[Finding]:
        findings, seen.report["disk_free"] = conditions.disks()
        return findings

    def certificates() -> list[Finding]:
        findings, seen.report["certificates"] = conditions.certificates(certificate_names, now)
        return [*findings, *conditions.charge_point_certificates(now)]

    def dead_letters() -> list[Finding]:
        alive = Worker.objects.filter(last_seen_at__gte=now - ALIVE)
        return conditions.dead_letters(alive.values_list("report", flat=True))

    def damage() -> list[Finding]:
        alive = Worker.objects.filter(last_seen_at__gte=now - ALIVE)
        return broken.damaged_database(alive.values_list("report", flat=True))

    checks: Mapping[str, Callable[[], Iterable[Finding]]] = {
        "charger-fault": conditions.charger_faults,
        "charger-notice": lambda: notices.charger_notices(now),
        "charger-offline": lambda: conditions.chargers_offline(now),
        without_session.KIND: lambda: without_session.charging_without_session(now),
        "line-closed": lambda: conditions.lines_closed(now),
        "frame-too-large": lambda: frames_too_large(now),
        "quarantine": conditions.quarantine,
        "failed-message": lambda: [*conditions.failed_messages(), *conditions.missed_changes()],
        "dead-letter": dead_letters,
        "webhook-failing": lambda: leaving.webhooks_failing(now),
        "events-delayed": lambda: leaving.events_delayed(now),
        "campaign-stopped": leaving.campaigns_stopped,
        "transaction-ids": conditions.transaction_ids,
        "open-onboarding": strangers.open_onboarding,
        "new-charge-points": lambda: strangers.too_many_new(now),
        "disk": disks,
        "database": damage,
        "certificate": certificates,
        "command-failed": lambda: conditions.failed_commands(now),
        "command-refused": lambda: conditions.refused_commands(now),
        "security-event": lambda: conditions.security_events(now),
        "failed-logins": lambda: conditions.failed_logins(now),
    }
    for kind, check in checks.items():
        try:
            seen.findings += check()
        except DatabaseError:
            raise
        except Exception:
            log.exception("the check for %s failed", kind)
            seen.unknown.add(kind)
        breathe()
    return seen


def record(seen: Look, routes: Sequence[Route], now: datetime) -> None:
    """Update the alerts to what was found, and queue the notices."""
    with transaction.atomic():
        by_key = {finding.key: finding for finding in seen.findings}
        states = [name for name, kind in KINDS.items() if kind.recovers_after is not None]
        known = Alert.objects.filter(key__in=list(by_key)) | Alert.objects.filter(
            ended_at__isnull=True, kind__in=states
        )
        alerts = {str(alert.key): alert for alert in known.select_related("site")}
        new = [_alert(by_key[key], now) for key in by_key.keys() - alerts.keys()]
        new.sort(key=lambda alert: alert.raised_at)
        renewed = {
            alert: _renew(alert, by_key[key], now)
            for key, alert in alerts.items()
            if key in by_key and alert.ended_at is None
        }
        worse = [alert for alert, change in renewed.items() if change is Change.WORSE]
        over = [
            alert
            for key, alert in alerts.items()
            if key not in by_key and alert.kind not in seen.unknown and _is_over(alert, now)
        ]
        Alert.objects.bulk_create(new)
        Alert.objects.filter(pk__in=[alert.pk for alert in renewed]).update(last_at=now)
        changed = [alert for alert, change in renewed.items() if change is not Change.NONE]
        Alert.objects.bulk_update(changed, ["summary", "detail", "severity"], batch_size=500)
        for alert in over:
            alert.key, alert.ended_at = None, now
        Alert.objects.bulk_update(over, ["key", "ended_at"], batch_size=500)
        zones = _zones(routes)
        _tell("alert.raised", [*new, *worse], now)
        _tell("alert.ended", over, now)
        _queue(new, Notice.RAISED, routes, zones, now)
        _queue(worse, Notice.WORSE, routes, zones, now)
        _queue_recovered(over, routes, zones, now)
    _say(logging.WARNING, "alert", [*new, *worse])
    _say(logging.INFO, "resolved", over)


def _tell(kind: str, alerts: Sequence[Alert], now: datetime) -> None:
    """Events, for those who read them. Without the summary: it may name an id tag."""
    if not alerts or kind not in events.wanted():
        return
    pks = {alert.charge_point_id for alert in alerts if alert.charge_point_id}
    names = dict(ChargePoint.objects.filter(pk__in=pks).values_list("pk", "identity"))
    events.tell(
        events.Happened(
            kind,
            now,
            alert.charge_point_id,
            names.get(alert.charge_point_id or 0, ""),
            {
                "alert": alert.pk,
                "kind": alert.kind,
                "severity": str(alert.severity),
                "title": KINDS[alert.kind].title,
            },
            site_id=alert.site_id,
        )
        for alert in alerts
        if alert.kind in KINDS
    )


def _say(level: int, word: str, alerts: Sequence[Alert]) -> None:
    for alert in alerts[:LOGGED]:
        log.log(level, "%s: %s", word, alert.summary, extra={"alert": alert.kind})
    if len(alerts) > LOGGED:
        log.log(level, "%s: and %d more", word, len(alerts) - LOGGED)


def _alert(finding: Finding, now: datetime) -> Alert:
    kind = KINDS[finding.kind]
    happened = kind.recovers_after is None
    return Alert(
        kind=finding.kind,
        key=finding.key,
        severity=finding.severity or kind.severity,
        charge_point_id=finding.charge_point,
        site_id=finding.site,
        summary=finding.summary[:255],
        detail=finding.detail,
        raised_at=finding.at if happened and finding.at else now,
        last_at=now,
        ended_at=now if happened else None,
    )


class Change(Enum):
    """How an alert has changed since the last check."""

    NONE = "none"
    WORDS = "words"
    WORSE = "worse"


def _renew(alert: Alert, finding: Finding, now: datetime) -> Change:
    """Take over the current text."""
    severity = finding.severity or KINDS[finding.kind].severity
    said = (finding.summary[:255], finding.detail, severity)
    change = Change.NONE
    if said != (alert.summary, alert.detail, alert.severity):
        change = Change.WORSE if rank(severity) > rank(alert.severity) else Change.WORDS
    alert.summary, alert.detail, alert.severity = said
    alert.last_at = now
    return change


def _is_over(alert: Alert, now: datetime) -> bool:
    patience = KINDS[alert.kind].recovers_after
    return patience is not None and (now - alert.last_at).total_seconds() >= patience


def _zones(routes: Iterable[Route]) -> dict[int | None, ZoneInfo]:
    """The time zone of each site; under None the server's."""
    default = timezone.get_default_timezone()
    assert isinstance(default, ZoneInfo)
    zones: dict[int | None, ZoneInfo] = {None: default}
    if any(route.quiet_from for route in routes):
        for site, name in Site.objects.exclude(time_zone="").values_list("pk", "time_zone"):
            try:
                zones[site] = ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                continue  # a saved value that no longer exists
    return zones


def _queue(
    alerts: Sequence[Alert],
    notice: str,
    routes: Sequence[Route],
    zones: Mapping[int | None, ZoneInfo],
    now: datetime,
) -> None:
    AlertDelivery.objects.bulk_create(
        [
            _delivery(alert, route, notice, target, zones, now)
            for alert in alerts
            for route in routes
            if route.wants(alert)
            for target in route.targets()
        ],
        # Two rules may name one address.
        ignore_conflicts=True,
        batch_size=500,
    )


def _queue_recovered(
    alerts: Sequence[Alert],
    routes: Sequence[Route],
    zones: Mapping[int | None, ZoneInfo],
    now: datetime,
) -> None:
    """Those who were notified of the problem are notified of its end."""
    if not alerts:
        return
    told = AlertDelivery.objects.filter(alert__in=alerts, notice=Notice.RAISED)
    # Nobody was notified yet (it was in quiet hours), so nobody needs to be told that it is over.
    unheard = told.filter(state=State.QUEUED, attempts=0)
    unheard.update(state=State.SKIPPED)
    by_rule = {route.rule: route for route in routes}
    by_alert = {alert.pk: alert for alert in alerts}
    heard = told.filter(state__in=[State.SENT, State.QUEUED])
    AlertDelivery.objects.bulk_create(
        [
            _delivery(
                by_alert[alert], by_rule[rule], Notice.RECOVERED, (channel, target), zones, now
            )
            for alert, rule, channel, target in heard.values_list(
                "alert", "rule", "channel", "target"
            )
            if rule in by_rule and by_rule[rule].send_recovered
        ],
        ignore_conflicts=True,
        batch_size=500,
    )


def _delivery(
    alert: Alert,
    route: Route,
    notice: str,
    target: tuple[str, str],
    zones: Mapping[int | None, ZoneInfo],
    now: datetime,
) -> AlertDelivery:
    not_before = now
    if rank(alert.severity) < rank(Severity.CRITICAL):
        zone = zones.get(alert.site_id or route.site, zones[None])
        not_before = awake_at(now, route.quiet_from, route.quiet_until, zone)
    channel, address = target
    return AlertDelivery(
        alert=alert,
        rule_id=route.rule,
        notice=notice,
        channel=channel,
        target=address,
        not_before=not_before,
    )


def forget_old(now: datetime) -> int:
    """Delete alerts that ended long ago; returns how many."""
    days = setting("OPERATION_ALERT_RETENTION_DAYS")
    if not days:
        return 0
    old = Alert.objects.filter(ended_at__lt=now - timedelta(days=days)).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE])
    return Alert.objects.filter(pk__in=keys).delete()[0]
