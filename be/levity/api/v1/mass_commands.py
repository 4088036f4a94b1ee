"""Commands to many charge points at once, and how far they have come."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field, model_validator

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.orders import CONFIRM, SOURCE, Order, check_confirmed, refusals, waited_for_all
from levity.api.kit.pages import page
from levity.api.kit.rows import may, one, seen
from levity.api.kit.schemas import Id, Page, Paged, Row, Text, Time
from levity.api.problems import Problem
from levity.api.v1.commands import who_asked
from levity.ocpp.commands.masses import (
    cancel_rest,
    commands_of,
    not_done,
    reason,
    retry,
    send_mass,
    tally,
)
from levity.ocpp.commands.sending import SEND
from levity.ocpp.models import ChargePoint, MassCommand, Site

__all__ = ["router"]

router = Router(tags=["commands"])

MOST = 5_000
LISTED = 500


class NotDone(Row):
    """A charge point that has not done it."""

    command_id: int
    charge_point: str
    status: str
    reason: str


class MassCommandRow(Row):
    """A command to many."""

    id: int
    action: str
    payload: Any = Field(description="Without secrets.")
    requested_by: str | None = Field(description="A user, or `token NAME (its owner)`.")
    source: str
    created_at: Time
    retry_of: int | None = Field(alias="retry_of_id")

    @staticmethod
    def resolve_requested_by(row: Any) -> str | None:
        """As the audit names them."""
        return row["requested_by"] if isinstance(row, dict) else who_asked(row)


class Progress(MassCommandRow):
    """How far it has come, of the charge points that you may see."""

    total: int
    accepted: int = Field(description="The charger did it, or will.")
    refused: int = Field(description="The charger said no.")
    away: int = Field(description="Waiting; the charger is not connected.")
    waiting: int = Field(description="Waiting for its turn or for the answer.")
    silent: int = Field(description="No answer in time.")
    not_sent: int = Field(description="Expired, failed or cancelled.")
    not_done: list[NotDone] = Field(description=f"The first {LISTED} that have not done it.")


class NewMassCommand(Order):
    """What, and to whom: to these charge points, or to all of a site."""

    action: Text = Field(max_length=64)
    payload: dict[str, Any] = {}
    charge_points: list[Text] | None = Field(
        None, min_length=1, max_length=MOST, description="Their identities."
    )
    site: Id | None = Field(None, description="All charge points of this site in use.")
    queue_offline: bool = True
    confirm: bool = Field(False, description=CONFIRM)

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewMassCommand":
        if (self.charge_points is None) == (self.site is None):
            raise ValueError("name either charge_points or a site")
        return self


@router.post("/mass-commands", response={200: Progress, 202: Progress})
def create_mass_command(
    request: HttpRequest,
    response: HttpResponse,
    command: NewMassCommand,
    idempotency_key: Key = None,
) -> Any:
    """Send a command to many charge points: to all of them, or to none if one is not meant for it.

    200: all have ended. 202: some have not; `Location` is where to see how far it has come.
    """
    may(request, SEND)
    targets = _targets(request, command)
    check_confirmed(command.action, command.payload, is_confirmed=command.confirm)

    def send() -> MassCommand:
        return send_mass(
            targets,
            command.action,
            command.payload,
            principal(request),
            source=SOURCE,
            queue_offline=command.queue_offline,
            expires_after=command.life,
        )[0]

    with refusals():
        mass = once(request, idempotency_key, command, MassCommand, send)
    is_over = waited_for_all(commands_of(mass, principal(request)), command.wait)
    return _made(request, response, mass, is_over=is_over)


@router.get("/mass-commands", response=Page[MassCommandRow])
def list_mass_commands(request: HttpRequest, asked: Query[Paged]) -> Any:
    """Commands to many, the newest first."""
    return page(_rows(request), asked, newest_first=True)


@router.get("/mass-commands/{mass_command_id}", response=Progress)
def get_mass_command(request: HttpRequest, mass_command_id: Id) -> Any:
    """How far it has come."""
    return _progress(request, one(_rows(request), pk=mass_command_id))


@router.post("/mass-commands/{mass_command_id}/retry", response={202: Progress})
def retry_mass_command(
    request: HttpRequest,
    response: HttpResponse,
    mass_command_id: Id,
    idempotency_key: Key = None,
) -> Any:
    """The same again, to those that have not done it; 409 if there are none."""
    may(request, SEND)
    earlier = one(_rows(request), pk=mass_command_id)

    def again() -> MassCommand:
        return retry(earlier, principal(request), source=SOURCE)[0]

    return _made(request, response, once(request, idempotency_key, None, MassCommand, again))


@router.post("/mass-commands/{mass_command_id}/cancel", response=Progress)
def cancel_mass_command(
    request: HttpRequest, mass_command_id: Id, idempotency_key: Key = None
) -> Any:
    """Cancel its commands that are not sent yet; 409 if all were sent, or have ended."""
    may(request, SEND)
    mass = one(_rows(request), pk=mass_command_id)

    def cancel() -> MassCommand:
        cancel_rest(mass, principal(request))
        return mass

    once(request, idempotency_key, None, MassCommand, cancel)
    return _progress(request, mass)


def _rows(request: HttpRequest) -> QuerySet[MassCommand]:
    return seen(request, MassCommand).select_related("requested_by")


def _targets(request: HttpRequest, command: NewMassCommand) -> QuerySet[ChargePoint]:
    rows = seen(request, ChargePoint)
    if command.site is not None:
        found = rows.filter(site=one(seen(request, Site), pk=command.site), retired_at=None)
        if not found.exists():
            raise Problem(422, "This site has no charge points.", code="nobody")
        return found
    wanted = {name.lower(): name for name in command.charge_points or ()}
    known = dict(rows.values_list("pk", "identity"))
    keys = {name.lower(): pk for pk, name in known.items() if name.lower() in wanted}
    if missing := [name for low, name in wanted.items() if low not in keys]:
        raise Problem(
            422,
            f"There is no charge point {missing[0]!r}, or you may not see it.",
            code="unknown-charge-point",
            errors=[
                {"where": "body.charge_points", "message": f"unknown: {name}"}
                for name in missing[:50]
            ],
        )
    return rows.filter(pk__in=list(keys.values()))


def _made(
    request: HttpRequest, response: HttpResponse, mass: MassCommand, *, is_over: bool = False
) -> Any:
    response["Location"] = f"/api/v1/mass-commands/{mass.pk}"
    return Status(200 if is_over else 202, _progress(request, mass))


def _progress(request: HttpRequest, mass: MassCommand) -> dict[str, Any]:
    who = principal(request)
    counts = tally(mass, who)
    rows = not_done(mass, who).select_related("charge_point").order_by("pk")[:LISTED]
    return {
        "id": mass.pk,
        "action": mass.action,
        "payload": mass.payload,
        "requested_by": who_asked(mass),
        "source": mass.source,
        "created_at": mass.created_at,
        "retry_of_id": mass.retry_of_id,
        "total": counts.total,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "away": counts.away,
        "waiting": counts.waiting,
        "silent": counts.silent,
        "not_sent": counts.not_sent,
        "not_done": [
            {
                "command_id": row.pk,
                "charge_point": row.charge_point.identity,
                "status": row.state,
                "reason": reason(row),
            }
            for row in rows
        ],
    }
