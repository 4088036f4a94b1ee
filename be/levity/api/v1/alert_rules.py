"""Alert rules: who is notified of which alerts."""

from datetime import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, given, one, seen, tag
from levity.api.kit.schemas import LEFT_OUT, Body, Id, Page, Paged, Row, Text
from levity.monitoring.alerts import rules as decisions
from levity.monitoring.kinds import Severity
from levity.monitoring.models import AlertRule
from levity.ocpp.models import Site
from levity.posting import shown_host

__all__ = ["router"]

router = Router(tags=["alerts"])
VERSION = (
    *("name", "enabled", "site_id", "kinds", "least_severity", "emails", "webhook_url"),
    *("quiet_from", "quiet_until", "send_recovered"),
)
IN_ZONE = "In the site's time zone."


class AlertRuleRow(Row):
    """Who is notified. Of a webhook only the host is shown, because the rest may be a secret."""

    id: int
    name: str
    enabled: bool
    site_id: int | None = Field(description="Only alerts about this site's chargers. Null: all.")
    kinds: list[str] = Field(description="Empty: all.")
    least_severity: str
    emails: list[str]
    webhook_host: str
    quiet_from: time | None = Field(description=IN_ZONE)
    quiet_until: time | None
    send_recovered: bool

    @staticmethod
    def resolve_emails(row: AlertRule) -> list[str]:
        """One by one."""
        return row.emails.split()

    @staticmethod
    def resolve_webhook_host(row: AlertRule) -> str:
        """Without what may be a token."""
        return shown_host(row.webhook_url) if row.webhook_url else ""


class AlertRuleChange(Body):
    """What can be changed; what is left out stays."""

    name: Text = Field(LEFT_OUT, min_length=1, max_length=100)
    enabled: bool = Field(LEFT_OUT)
    site_id: Id | None = Field(None, description="Null: all sites.")
    kinds: list[Text] = Field(LEFT_OUT, max_length=50, description="Empty: all.")
    least_severity: Severity = Field(LEFT_OUT)
    emails: list[Text] = Field(LEFT_OUT, max_length=50)
    webhook_url: Text = Field(LEFT_OUT, max_length=500)
    webhook_secret: Text = Field(
        LEFT_OUT, max_length=200, serialization_alias="new_secret", description="Never shown."
    )
    quiet_from: time | None = Field(None, description=IN_ZONE)
    quiet_until: time | None = None
    send_recovered: bool = Field(LEFT_OUT)


class AlertRuleGiven(AlertRuleChange):
    """A new rule: it needs an e-mail address or a webhook."""

    name: Text = Field(min_length=1, max_length=100)


def _values(request: HttpRequest, body: AlertRuleChange) -> dict[str, Any]:
    values = body.values()
    if "site_id" in values:
        values["site"] = given(request, Site, values.pop("site_id"), "body.site_id")
    if "emails" in values:
        values["emails"] = "\n".join(values["emails"])
    return values


@router.get("/alert-rules", response=Page[AlertRuleRow])
def list_alert_rules(request: HttpRequest, asked: Query[Paged]) -> Any:
    """The rules that were made here; one more may come from the environment."""
    return page(seen(request, AlertRule), asked)


@router.post("/alert-rules", response={201: AlertRuleRow})
def create_alert_rule(request: HttpRequest, response: HttpResponse, body: AlertRuleGiven) -> Any:
    """Add a rule."""
    row = decisions.add_rule(_values(request, body), principal(request))
    response["Location"] = f"/api/v1/alert-rules/{row.pk}"
    return Status(201, row)


@router.get("/alert-rules/{rule_id}", response=AlertRuleRow)
def get_alert_rule(request: HttpRequest, response: HttpResponse, rule_id: Id) -> Any:
    """One rule."""
    row = one(seen(request, AlertRule), pk=rule_id)
    tag(response, row, VERSION)
    return row


@router.patch("/alert-rules/{rule_id}", response=AlertRuleRow)
def change_alert_rule(request: HttpRequest, rule_id: Id, body: AlertRuleChange) -> Any:
    """Change a rule."""
    values = _values(request, body)
    with changing(request, seen(request, AlertRule), VERSION, pk=rule_id) as row:
        return decisions.change_rule(row, values, principal(request))


@router.delete("/alert-rules/{rule_id}", response={204: None})
def delete_alert_rule(request: HttpRequest, rule_id: Id) -> Any:
    """Delete a rule."""
    with changing(request, seen(request, AlertRule), VERSION, pk=rule_id) as row:
        decisions.delete_rule(row, principal(request))
    return Status(204, None)
