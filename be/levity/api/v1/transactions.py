"""Transactions: the ledger, with samples as series and as CSV."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import given, one, seen
from levity.api.kit.schemas import Amount, Body, Id, Number, Page, Paged, Row, Text, Time, TimeGiven
from levity.ocpp.decisions.ending import end_session
from levity.ocpp.models import ChargePoint, Site, Transaction
from levity.ocpp.rules.flags import class_of
from levity.ocpp.store.samples.elements import KeptSample, samples_of
from levity.ocpp.store.samples.reading import of_transaction
from levity.pages.chargers.csv_export import csv_response

__all__ = ["router"]

router = Router(tags=["transactions"])
CSV: dict[str, Any] = {
    "responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
}


class TransactionRow(Row):
    """One charging session. Times are the charger's."""

    id: int = Field(description="OCPP 1.6's transactionId.")
    charge_point: str = Field(description="Its identity.")
    evse: int
    connector: int | None = Field(description="Null: not known (yet).")
    state: str = Field(description="active, stopped, or orphaned (closed by Levity).")
    id_tag: str
    started_at: Time
    start_received_at: Time
    stopped_at: Time | None
    stop_received_at: Time | None
    stop_reason: str
    stop_id_tag: str
    reservation_id: int | None
    meter_start_wh: Amount | None = Field(alias="meter_start")
    meter_stop_wh: Amount | None = Field(alias="meter_stop")
    meter_last_wh: Amount | None = Field(alias="meter_last")
    meter_last_at: Time | None
    energy_wh: Amount | None = Field(alias="energy", description="So far, or in total.")
    power_w: Amount | None = Field(description="In the last meter values; null if it is over.")
    energy_source: str = Field(description="registers, session-register, samples, ...")
    confidence: str = Field(description="In the energy: high, medium or low; empty: unknown yet.")
    flags: list[str] = Field(description="What was odd about it (docs/evidence).")
    before_billing: str = Field(description="What the flags ask for: harmless, look, do not bill.")
    wire_id: str = Field(description="The charger's own id of the session (OCPP 2.0.1).")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)

    @staticmethod
    def resolve_power_w(row: Any) -> Any:
        """Only while it runs."""
        return row.power if row.state == Transaction.State.ACTIVE else None

    @staticmethod
    def resolve_flags(row: Any) -> list[str]:
        """One by one."""
        return str(row.flags).split()

    @staticmethod
    def resolve_before_billing(row: Any) -> str:
        """As in the CSV."""
        return class_of(row.flags, row.confidence)


class Chosen(Paged):
    """Which transactions."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    connector: int | None = Field(None, ge=0, le=2**31 - 1)
    site_id: Id | None = None
    state: Transaction.State | None = None
    id_tag: Text | None = Field(None, max_length=255, description="The whole tag.")
    confidence: Text | None = Field(None, max_length=8)
    since: TimeGiven | None = Field(None, description="Started then, or later.")
    until: TimeGiven | None = Field(None, description="Started before then.")


class Ending(Body):
    """Why a session is ended in the records."""

    why: Text = Field("", max_length=200)


class Series(Row):
    """What was sampled of one measurand, in the order in which it arrived."""

    measurand: str
    phase: str
    location: str
    context: str
    unit: str = Field(description="Of `values`: Wh, W, A, V, ... without kilo.")
    sampled_at: list[Time] = Field(description="By the charger's clock.")
    values: list[Number | None] = Field(description="Null: not a number.")


class SamplesOf(Row):
    """All samples of a transaction."""

    transaction: int
    series: list[Series]


class Measurand(Row):
    """Which samples."""

    measurand: Text | None = Field(
        None, max_length=64, description="Such as Energy.Active.Import.Register. Left out: all."
    )


def _chosen(request: HttpRequest, asked: Chosen) -> Any:
    rows = seen(request, Transaction).select_related("charge_point__site")
    if asked.charge_point is not None:
        chargers = ChargePoint.objects.filter(identity__iexact=asked.charge_point)
        rows = rows.filter(charge_point__in=list(chargers.values_list("pk", flat=True)))
    if asked.site_id is not None:
        given(request, Site, asked.site_id, "query.site_id")
        rows = rows.filter(charge_point__site=asked.site_id)
    for name in ("connector", "state", "confidence"):
        if getattr(asked, name) is not None:
            rows = rows.filter(**{name: getattr(asked, name)})
    if asked.id_tag is not None:
        rows = rows.filter(id_tag__iexact=asked.id_tag)
    return _started(rows, asked.since, asked.until)


def _started(rows: Any, since: datetime | None, until: datetime | None) -> Any:
    if since is not None:
        rows = rows.filter(started_at__gte=since)
    return rows if until is None else rows.filter(started_at__lt=until)


@router.get("/transactions", response=Page[TransactionRow])
def list_transactions(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """Transactions, the newest first."""
    return page(_chosen(request, asked), asked, newest_first=True)


@router.get("/transactions.csv", openapi_extra=CSV)
def export_transactions(request: HttpRequest, asked: Query[Chosen]) -> HttpResponseBase:
    """The same as the CSV of the pages, all of them: `limit` and `cursor` mean nothing here."""
    return csv_response(_chosen(request, asked).order_by("-id"), principal(request))


@router.get("/transactions/{transaction_id}", response=TransactionRow)
def get_transaction(request: HttpRequest, transaction_id: Id) -> Any:
    """One transaction."""
    return one(seen(request, Transaction).select_related("charge_point"), pk=transaction_id)


@router.post("/transactions/{transaction_id}/end", response=TransactionRow)
def end_transaction(request: HttpRequest, transaction_id: Id, body: Ending) -> Any:
    """End it in the records, at its last sample. **The car goes on charging**: to stop it, send
    RemoteStopTransaction. A StopTransaction that the charger sends later replaces this end."""
    row = one(seen(request, Transaction).select_related("charge_point"), pk=transaction_id)
    return end_session(row, principal(request), body.why)


@router.get("/transactions/{transaction_id}/samples", response=SamplesOf)
def get_samples_of_transaction(
    request: HttpRequest, transaction_id: Id, asked: Query[Measurand]
) -> Any:
    """What was sampled, as a series for each measurand and phase."""
    row = one(seen(request, Transaction), pk=transaction_id)
    series: dict[tuple[str, ...], dict[str, Any]] = {}
    for sample in samples_of(of_transaction(row.pk)):
        if asked.measurand is None or sample.measurand == asked.measurand:
            found = series.setdefault(_key(sample), {"sampled_at": [], "values": []})
            found["sampled_at"].append(sample.sampled_at)
            found["values"].append(sample.value)
    names = ("measurand", "phase", "location", "context", "unit")
    shown = [{**dict(zip(names, key, strict=True)), **found} for key, found in series.items()]
    return {"transaction": row.pk, "series": shown}


def _key(sample: KeptSample) -> tuple[str, ...]:
    unit = sample.unit or ("Wh" if sample.measurand.startswith("Energy.") else "")
    bare = unit if unit == "k" else unit.removeprefix("k")
    return sample.measurand, sample.phase, sample.location, sample.context, bare
