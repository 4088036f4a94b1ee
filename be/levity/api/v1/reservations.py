"""Reservations: connectors kept for somebody."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once, own_key
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, charge_point_at, one, seen, tag
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.problems import Problem
from levity.ocpp.commands import KeyTaken
from levity.ocpp.decisions import reservations as decisions
from levity.ocpp.models import ChargePoint, Reservation

__all__ = ["router"]

router = Router(tags=["reservations"])
SOURCE = "api"
VERSION = ("state", "cancel_command_id")


class ReservationRow(Row):
    """A connector kept for an id tag."""

    id: int
    charge_point: str = Field(description="Its identity.")
    number: int = Field(description="OCPP 1.6's reservationId.")
    connector: int = Field(description="0: any connector of the charger.")
    id_tag: str
    parent_id_tag: str = Field(description="Tags of this group may use it as well.")
    ends_at: Time | None
    state: str = Field(
        description="requested, active, unanswered, refused, failed, used, expired, cancelled, "
        "cancel_refused."
    )
    answer: str = Field(alias="said", description="The charger's: a status or an error code.")
    advice: str = Field(description="What to do where it refused.")
    doubt: str = Field(description="Why it is not sure that the charger still holds it.")
    requested_at: Time
    answered_at: Time | None
    ended_at: Time | None
    command: int | None = Field(alias="command_id")
    transaction: int | None = Field(alias="transaction_id", description="The session that used it.")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)

    @staticmethod
    def resolve_advice(row: Any) -> str:
        """As the page has it."""
        return decisions.advice(row.said) if row.state == Reservation.State.REFUSED else ""

    @staticmethod
    def resolve_doubt(row: Any) -> str:
        """As the page has it."""
        return decisions.doubts_about(row)


class ReservationGiven(Body):
    """A connector to keep."""

    charge_point: Text = Field(max_length=48, description="Its identity.")
    connector: int = Field(ge=0, le=2**31 - 1, description="0: any connector of the charger.")
    id_tag: Text = Field(min_length=1, max_length=20)
    ends_at: TimeGiven


class Reservations(Paged):
    """Which reservations."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    state: Reservation.State | None = None
    id_tag: Text | None = Field(None, max_length=255, description="The whole tag.")


def _rows(request: HttpRequest) -> Any:
    return seen(request, Reservation).select_related("charge_point")


@router.get("/reservations", response=Page[ReservationRow])
def list_reservations(request: HttpRequest, asked: Query[Reservations]) -> Any:
    """Reservations, the newest first."""
    rows = _rows(request)
    if asked.charge_point is not None:
        found = charge_point_at(seen(request, ChargePoint), asked.charge_point)
        rows = rows.filter(charge_point=found)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    if asked.id_tag is not None:
        rows = rows.filter(id_tag__iexact=asked.id_tag)
    return page(rows, asked, newest_first=True)


@router.post("/reservations", response={201: ReservationRow})
def create_reservation(
    request: HttpRequest,
    response: HttpResponse,
    body: ReservationGiven,
    idempotency_key: Key = None,
) -> Any:
    """Ask a charger to keep a connector. The row shows what it answers."""
    charge_point = charge_point_at(seen(request, ChargePoint), body.charge_point)
    try:
        made = decisions.reserve(
            charge_point,
            body.connector,
            body.id_tag,
            body.ends_at,
            principal(request),
            source=SOURCE,
            idempotency_key=own_key(request, "api reserve", idempotency_key),
        )
    except KeyTaken as error:
        raise Problem(422, error.sentence, code="idempotency-key-used") from error
    response["Location"] = f"/api/v1/reservations/{made.pk}"
    return Status(201, one(_rows(request), pk=made.pk))


@router.get("/reservations/{reservation_id}", response=ReservationRow)
def get_reservation(request: HttpRequest, response: HttpResponse, reservation_id: Id) -> Any:
    """One reservation."""
    row = one(_rows(request), pk=reservation_id)
    tag(response, row, VERSION)
    return row


@router.post("/reservations/{reservation_id}/cancel", response=ReservationRow)
def cancel_reservation(
    request: HttpRequest, reservation_id: Id, idempotency_key: Key = None
) -> Any:
    """Free the connector: at once, or when the charger confirms it."""

    def cancel() -> Reservation:
        with changing(request, seen(request, Reservation), VERSION, pk=reservation_id) as row:
            return decisions.cancel(row, principal(request), source=SOURCE)

    once(request, idempotency_key, None, Reservation, cancel)
    return one(_rows(request), pk=reservation_id)
