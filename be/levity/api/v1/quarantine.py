"""Messages that fit nothing that is recorded: look, and decide."""

import json
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import given, one, seen
from levity.api.kit.schemas import (
    LEFT_OUT,
    Amount,
    Body,
    Id,
    Page,
    Paged,
    Row,
    Text,
    Time,
    TimeGiven,
)
from levity.ocpp.decisions import quarantine as decisions
from levity.ocpp.decisions import quarantined_message
from levity.ocpp.decisions.quarantined_message import Session
from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.rules.checks import AGREES, CONTRADICTS

__all__ = ["router"]

router = Router(tags=["quarantine"])


class QuarantinedRow(Row):
    """A message that was answered, and waits for a decision."""

    id: int
    charge_point: str
    action: str
    unique_id: str
    payload: Any = Field(description="Of the Call; a string if it is not JSON.")
    reason: str
    transaction: int | None = Field(description="The transactionId in it, or in its answer.")
    received_at: Time
    last_received_at: Time | None
    repeated: int = Field(description="Number of repetitions.")
    resolved_at: Time | None
    resolution: str
    resolved_to: int | None = Field(alias="resolved_to_id", description="A transaction.")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)

    @staticmethod
    def resolve_payload(row: Any) -> Any:
        """As values, if it can be read."""
        try:
            return json.loads(row.payload, parse_constant=str)
        except (ValueError, RecursionError):
            return row.payload


class Candidate(Row):
    """A transaction that the message may belong to."""

    transaction: int
    connector: int | None
    id_tag: str
    state: str
    started_at: Time
    stopped_at: Time | None
    energy_wh: Amount | None
    fits: bool = Field(description="Something speaks for it, and nothing against it.")


class Chosen(Paged):
    """Which messages."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    open: bool | None = Field(None, description="Only those that wait for a decision, or not.")


class Attach(Body):
    """To which transaction."""

    transaction: Id


class Make(Body):
    """What the messages don't tell of a session; what is left out is read from them."""

    connector: int = Field(LEFT_OUT, ge=1, le=1000)
    id_tag: Text = Field(LEFT_OUT, max_length=255)
    started_at: TimeGiven = Field(LEFT_OUT)
    meter_start_wh: Decimal = Field(
        LEFT_OUT, max_digits=15, decimal_places=3, serialization_alias="meter_start"
    )


class Discard(Body):
    """Why it belongs to no session."""

    why: Text = Field(min_length=1, max_length=240)


def _rows(request: HttpRequest) -> Any:
    return seen(request, QuarantinedMessage).select_related("charge_point")


@router.get("/quarantine", response=Page[QuarantinedRow])
def list_quarantined_messages(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """Quarantined messages, the newest first."""
    rows = _rows(request)
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    if asked.open is not None:
        rows = rows.filter(resolved_at__isnull=asked.open)
    return page(rows, asked, newest_first=True)


@router.get("/quarantine/{message_id}", response=QuarantinedRow)
def get_quarantined_message(request: HttpRequest, message_id: Id) -> Any:
    """One quarantined message."""
    return one(_rows(request), pk=message_id)


@router.get("/quarantine/{message_id}/candidates", response=list[Candidate])
def list_candidates(request: HttpRequest, message_id: Id) -> Any:
    """Transactions that the message may belong to, the likeliest first."""
    found = quarantined_message.candidates(one(_rows(request), pk=message_id))
    return [_candidate(row, {check.verdict for check in checks}) for row, checks in found]


def _candidate(row: Transaction, verdicts: set[str]) -> dict[str, Any]:
    return {
        "transaction": row.pk,
        "energy_wh": row.energy,
        "fits": CONTRADICTS not in verdicts and AGREES in verdicts,
        **{
            name: getattr(row, name)
            for name in ("connector", "id_tag", "state", "started_at", "stopped_at")
        },
    }


@router.post("/quarantine/{message_id}/attach", response=QuarantinedRow)
def attach_quarantined_message(request: HttpRequest, message_id: Id, body: Attach) -> Any:
    """Attach it to a transaction: a StopTransaction ends it, MeterValues are added to it."""
    item = one(_rows(request), pk=message_id)
    row = given(request, Transaction, body.transaction, "body.transaction")
    assert row is not None
    decisions.attach(item, row, principal(request))
    return one(_rows(request), pk=message_id)


@router.post("/quarantine/{message_id}/make-transaction", response=QuarantinedRow)
def make_transaction_of_quarantined_message(
    request: HttpRequest, message_id: Id, body: Make
) -> Any:
    """Create a session from a quarantined StartTransaction or StopTransaction."""
    item = one(_rows(request), pk=message_id)
    known = quarantined_message.proposal(item)
    told = {name: getattr(known, name) for name in ("connector", "id_tag", "started_at")}
    session = Session(**{**told, "meter_start": known.meter_start, **body.values()})
    stop = next(iter(quarantined_message.stops_of(item)), None)
    decisions.make_transaction(item, principal(request), session, stop)
    return one(_rows(request), pk=message_id)


@router.post("/quarantine/{message_id}/discard", response=QuarantinedRow)
def discard_quarantined_message(request: HttpRequest, message_id: Id, body: Discard) -> Any:
    """It belongs to no session; message and reason stay."""
    decisions.discard(one(_rows(request), pk=message_id), principal(request), body.why)
    return one(_rows(request), pk=message_id)


@router.post("/quarantine/{message_id}/undo", response=QuarantinedRow)
def undo_decision_about_quarantined_message(request: HttpRequest, message_id: Id) -> Any:
    """Undo the decision, as long as the transaction has not changed since."""
    decisions.undo(one(_rows(request), pk=message_id), principal(request))
    return one(_rows(request), pk=message_id)
