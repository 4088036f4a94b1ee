"""What has happened: commands that failed or were refused, security events, failed logins."""

from datetime import UTC, datetime, timedelta

from django.apps import apps
from django.db.models import Sum

from levity.monitoring.alerts.conditions.finding import AT_MOST, Finding, called, plain
from levity.monitoring.conf import setting
from levity.monitoring.kinds import CRITICAL_EVENTS, Severity
from levity.ocpp.commands.refusals import OF_NO_MATTER, hint
from levity.ocpp.models import (
    Command,
    SecurityEvent,
)
from levity.ocpp.versions import DONE, MATTERS

__all__ = [
    "LOOK_BACK",
    "NOTICED_HERE",
    "failed_commands",
    "failed_logins",
    "refused_commands",
    "security_events",
]

# How far back events are searched: longer than any restart takes.
LOOK_BACK = timedelta(hours=1)


NEWEST = 5000


# What this backend notices itself, in addition to what chargers report.
NOTICED_HERE = frozenset({"AuthenticationFailed", "AuthenticationLocked", "ForeignTransaction"})


UNSUCCESSFUL = (
    Command.State.REFUSED,
    Command.State.TIMED_OUT,
    Command.State.EXPIRED,
    Command.State.FAILED,
)


def failed_commands(now: datetime) -> list[Finding]:
    """Commands that failed: one finding an hour for each charger and action."""
    newest = Command.objects.order_by("-pk").values_list("pk", flat=True)[NEWEST : NEWEST + 1]
    rows = (
        Command.objects.filter(
            pk__gt=newest.first() or 0,
            state__in=UNSUCCESSFUL,
            finished_at__gte=now - LOOK_BACK,
        )
        .order_by("pk")
        .values_list(
            "pk",
            "action",
            "state",
            "error_code",
            "error_description",
            "finished_at",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )
    )
    findings: dict[str, Finding] = {}
    for pk, action, state, code, description, at, charger, site, *names in rows:
        subject = f"{charger}:{action}:{_hour(at or now)}"
        said = Command.State(state).label
        findings.setdefault(
            subject,
            Finding(
                "command-failed",
                subject,
                f"{action} to {called(*names)}: {said}",
                plain(f"command {pk} {code} {description}".strip()),
                charge_point=charger,
                site=site,
                at=at,
            ),
        )
    return list(findings.values())


def refused_commands(now: datetime) -> list[Finding]:
    """Refusals of commands that matter: one finding an hour for each charger and action."""
    newest = Command.objects.order_by("-pk").values_list("pk", flat=True)[NEWEST : NEWEST + 1]
    rows = (
        Command.objects.filter(
            pk__gt=newest.first() or 0,
            state=Command.State.ANSWERED,
            action__in=MATTERS,
            finished_at__gte=now - LOOK_BACK,
        )
        .exclude(source__in=OF_NO_MATTER)
        .exclude(result_status__in=DONE)
        .order_by("pk")
        .values_list(
            "pk",
            "action",
            "payload",
            "result_status",
            "finished_at",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )[:AT_MOST]
    )
    findings: dict[str, Finding] = {}
    for pk, action, payload, status, at, charger, site, *names in rows:
        subject = f"{charger}:{action}:{_hour(at or now)}"
        if subject in findings:
            continue
        why = hint(charger, action, payload, status)
        findings[subject] = Finding(
            "command-refused",
            subject,
            f"{called(*names)} answered {action} with {plain(status, 64)}",
            plain(f"command {pk}. {why}".strip(), 500),
            charge_point=charger,
            site=site,
            at=at,
        )
    return list(findings.values())


def security_events(now: datetime) -> list[Finding]:
    """S-12: the seven critical events of the whitepaper, and what Levity notices itself."""
    newest = SecurityEvent.objects.order_by("-pk").values_list("pk", flat=True)
    rows = (
        SecurityEvent.objects.filter(
            pk__gt=newest[NEWEST : NEWEST + 1].first() or 0,
            type__in=[*CRITICAL_EVENTS, *NOTICED_HERE],
            received_at__gte=now - LOOK_BACK,
        )
        .order_by("pk")
        .values_list(
            "type",
            "detail",
            "received_at",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )
    )
    findings: dict[str, Finding] = {}
    for kind, detail, at, charger, site, *names in rows:
        subject = f"{charger or ''}:{kind}:{_hour(at)}"
        findings.setdefault(
            subject,
            Finding(
                "security-event",
                subject,
                f"{called(*names)}: {kind}",
                plain(detail),
                severity=CRITICAL_EVENTS.get(kind, Severity.WARNING),
                charge_point=charger,
                site=site,
                at=at,
            ),
        )
    return list(findings.values())


def failed_logins(now: datetime) -> list[Finding]:
    """Wrong passwords on the web pages, of all users together, as django-axes counts them."""
    if not apps.is_installed("axes"):
        return []
    attempts = apps.get_model("axes", "AccessAttempt").objects
    recent = attempts.filter(attempt_time__gte=now - timedelta(minutes=10))
    count = recent.aggregate(total=Sum("failures_since_start"))["total"] or 0
    if count < setting("OPERATION_FAILED_LOGINS"):
        return []
    return [Finding("failed-logins", _hour(now), f"{count} failed logins within ten minutes")]


def _hour(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H}"
