"""Alerts: what went wrong, and who takes care of it."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import one, seen
from levity.api.kit.schemas import Id, Page, Paged, Row, Text, Time
from levity.monitoring.alerts import acknowledging
from levity.monitoring.kinds import KINDS, Severity
from levity.monitoring.models import Alert

__all__ = ["router"]

router = Router(tags=["alerts"])


class AlertRow(Row):
    """Something went wrong."""

    id: int
    kind: str
    severity: str
    charge_point: str | None = Field(description="Its identity.")
    site: str | None
    summary: str
    detail: str
    what_to_do: str
    raised_at: Time
    last_at: Time = Field(description="When it was last seen.")
    ended_at: Time | None = Field(description="Null: it is open.")
    acknowledged_at: Time | None
    acknowledged_by: str

    @staticmethod
    def resolve_charge_point(row: Any) -> str | None:
        """The identity of its charge point."""
        return row.charge_point.identity if row.charge_point else None

    @staticmethod
    def resolve_site(row: Any) -> str | None:
        """Where its charge point is now, as on the page of the alert."""
        site = row.site if row.charge_point is None else row.charge_point.site
        return site.name if site else None

    @staticmethod
    def resolve_what_to_do(row: Any) -> str:
        """The first thing to try."""
        kind = KINDS.get(row.kind)
        return str(kind.what_to_do) if kind else ""


class Chosen(Paged):
    """Which alerts."""

    open: bool | None = None
    acknowledged: bool | None = None
    kind: Text | None = Field(None, max_length=32)
    severity: Severity | None = None
    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")


def _rows(request: HttpRequest) -> Any:
    return seen(request, Alert).select_related("charge_point__site", "site")


@router.get("/alerts", response=Page[AlertRow])
def list_alerts(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """Alerts, the newest first."""
    rows = _rows(request)
    if asked.open is not None:
        rows = rows.filter(ended_at__isnull=asked.open)
    if asked.acknowledged is not None:
        rows = rows.filter(acknowledged_at__isnull=not asked.acknowledged)
    for name in ("kind", "severity"):
        if getattr(asked, name) is not None:
            rows = rows.filter(**{name: getattr(asked, name)})
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    return page(rows, asked, newest_first=True)


@router.get("/alerts/{alert_id}", response=AlertRow)
def get_alert(request: HttpRequest, alert_id: Id) -> Any:
    """One alert."""
    return one(_rows(request), pk=alert_id)


@router.post("/alerts/{alert_id}/acknowledge", response=AlertRow)
def acknowledge_alert(request: HttpRequest, alert_id: Id) -> Any:
    """Acknowledge it; an earlier acknowledgement stays."""
    row = one(_rows(request), pk=alert_id)
    acknowledging.acknowledge(Alert.objects.filter(pk=row.pk), principal(request))
    return one(_rows(request), pk=alert_id)


@router.post("/alerts/{alert_id}/withdraw-acknowledgement", response=AlertRow)
def withdraw_acknowledgement_of_alert(request: HttpRequest, alert_id: Id) -> Any:
    """Withdraw its acknowledgement."""
    row = one(_rows(request), pk=alert_id)
    acknowledging.withdraw_acknowledgement(Alert.objects.filter(pk=row.pk), principal(request))
    return one(_rows(request), pk=alert_id)
