"""Chargers that are faulted or offline, or whose idle connections close."""

from datetime import datetime, timedelta

from django.db.models import Q

from levity.monitoring.alerts.conditions.events import LOOK_BACK
from levity.monitoring.alerts.conditions.finding import AT_MOST, Finding, called, plain
from levity.monitoring.conf import setting
from levity.ocpp.chargers.faults import FAULT
from levity.ocpp.models import (
    ChargePoint,
    Connector,
)
from levity.ocpp.rules.intervals import learned_interval

__all__ = ["charger_faults", "chargers_offline", "lines_closed"]


def charger_faults() -> list[Finding]:
    """Connectors that are Faulted, or report an error that keeps them from being Available."""
    rows = (
        Connector.objects.filter(FAULT, charge_point__retired_at__isnull=True)
        .order_by("pk")
        .values_list(
            "pk",
            "number",
            "status",
            "error_code",
            "vendor_error_code",
            "info",
            "status_since",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )[:AT_MOST]
    )
    findings = []
    for pk, number, status, error, vendor_error, info, since, charger, site, *names in rows:
        said = error if error not in ("", "NoError") else status
        where = f"connector {number} of {called(*names)}" if number else called(*names)
        more = [plain(part) for part in (vendor_error, info) if part]
        findings.append(
            Finding(
                "charger-fault",
                str(pk),
                f"{where} reports {plain(said, 64)}",
                "; ".join(more),
                charge_point=charger,
                site=site,
                at=since,
            )
        )
    return findings


def chargers_offline(now: datetime) -> list[Finding]:
    """Chargers that were connected before and have been offline, or silent, for longer than
    OPERATION_OFFLINE_MINUTES."""
    minutes = setting("OPERATION_OFFLINE_MINUTES")
    gone = now - timedelta(minutes=minutes)
    closed = Q(disconnected_at__isnull=True) | Q(disconnected_at__lt=gone)
    rows = (
        ChargePoint.objects.filter(
            (Q(connection__isnull=True) & closed)
            | Q(connection__isnull=False, silent_since__isnull=False),
            last_seen_at__lt=gone,
            retired_at__isnull=True,
        )
        .order_by("pk")
        .values_list(
            "pk", "site", "identity", "name", "last_seen_at", "disconnected_at", "connection"
        )[:AT_MOST]
    )
    return [
        Finding(
            "charger-offline",
            str(pk),
            f"{called(identity, name)} is {'silent' if connection else 'offline'}"
            f" for more than {minutes} minutes",
            "Its connection is open: send a command to see whether it responds."
            if connection
            else "",
            charge_point=pk,
            site=site,
            at=seen if connection else disconnected or seen,
        )
        for pk, site, identity, name, seen, disconnected, connection in rows
    ]


def lines_closed(now: datetime) -> list[Finding]:
    """Chargers whose connections were just found to close after silence."""
    rows = (
        ChargePoint.objects.filter(learned_at__gte=now - LOOK_BACK)
        .order_by("pk")
        .values_list(
            "pk",
            "site",
            "identity",
            "name",
            "learned_silence",
            "learned_evidence",
            "learned_at",
            "heartbeat_interval",
        )[:AT_MOST]
    )
    return [
        Finding(
            "line-closed",
            f"{pk}:{silence}",
            f"the connection of {called(identity, name)} keeps closing after {silence} s of "
            "silence; "
            + (
                f"its own heartbeat interval is {own} s"
                if own
                else f"it was given a heartbeat interval of {learned_interval(silence or 0)} s"
            ),
            plain(evidence, 255),
            charge_point=pk,
            site=site,
            at=at,
        )
        for pk, site, identity, name, silence, evidence, at, own in rows
    ]
