"""Reports: sums of sessions, and availability, of a span of days."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.rows import given, unfit
from levity.api.kit.schemas import Id, Row, Text
from levity.billing.reports.making import Name, make_report
from levity.billing.reports.span import BadSpan, span_of, zone_named
from levity.billing.reports.table import Report, csv_of
from levity.ocpp.models import Site
from levity.pages.chargers.csv_export import streamed_csv

__all__ = ["router"]

router = Router(tags=["reports"])
CSV: dict[str, Any] = {
    "responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
}


class Asked(Schema):
    """Which report, of which days."""

    report: Name = Field(Name.CHARGER, description="What its rows are.")
    first_day: date | None = Field(None, description="Without both days, this month.")
    last_day: date | None = Field(None, description="Included.")
    time_zone: Text | None = Field(
        None, max_length=100, description="Whose days; such as Europe/Berlin. The server's."
    )
    site_id: Id | None = Field(None, description="Of this site only.")


class ReportRow(Row):
    """A report as a table of texts; the unit of numbers is in the name of their column."""

    name: str
    first_day: date
    last_day: date
    columns: list[str]
    rows: list[list[str]]


def _made(request: HttpRequest, asked: Asked) -> tuple[Any, Report]:
    site = given(request, Site, asked.site_id, "query.site_id")
    try:
        named = asked.time_zone
        zone = zone_named(named) if named else timezone.get_default_timezone()
        span = span_of(asked.first_day, asked.last_day, zone, timezone.localdate(timezone=zone))
        return span, make_report(asked.report.value, span, principal(request), site)
    except BadSpan as error:
        raise unfit("query", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


@router.get("/reports", response=ReportRow)
def get_report(request: HttpRequest, asked: Query[Asked]) -> Any:
    """Sessions that began on these days, added up; or how long chargers were available."""
    span, report = _made(request, asked)
    return {
        "name": report.name,
        "first_day": span.first,
        "last_day": span.last,
        "columns": report.head,
        "rows": report.rows,
    }


@router.get("/reports.csv", openapi_extra=CSV)
def export_report(request: HttpRequest, asked: Query[Asked]) -> HttpResponseBase:
    """The same as CSV."""
    span, report = _made(request, asked)
    return streamed_csv(csv_of(report), f"{report.name}-{span.first}-to-{span.last}")
