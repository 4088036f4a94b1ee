"""Commands: Calls to chargers, asked for, waited for, cancelled."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once, own_key
from levity.api.kit.orders import CONFIRM, SOURCE, Order, check_confirmed, refusals, waited
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, may, one, seen
from levity.api.kit.schemas import Id, Page, Paged, Row, Text, Time
from levity.api.problems import Problem
from levity.ocpp.commands.sending import SEND, cancel_commands, send
from levity.ocpp.commands.waiting import OPEN
from levity.ocpp.models import ChargePoint, Command, MassCommand
from levity.ocpp.versions import is_done

__all__ = ["router", "who_asked"]

router = Router(tags=["commands"])

EndedOrNot = Literal["answered", "refused", "timed_out", "queued", "failed", "expired", "cancelled"]


class CommandError(Row):
    """Why a command has no result."""

    code: str = Field(description="OCPP's error code, where the charger sent one.")
    description: str


class CommandRow(Row):
    """A Call to a charger, from the wish to its end."""

    id: int
    charge_point: str = Field(description="Its identity.")
    action: str
    payload: Any = Field(description="Without secrets.")
    status: EndedOrNot = Field(
        description=(
            "queued: not ended yet (`sent_at` tells whether it was sent); answered: the charger's "
            "result; refused: its error; timed_out: no answer, it may have been carried out; "
            "expired: not sent in time; failed: could not be sent; cancelled."
        )
    )
    result: Any = Field(description="The payload of the charger's answer.")
    is_done: bool | None = Field(
        description="Whether the answer says that the charger did, or will do, what was asked."
    )
    error: CommandError | None
    confirmed_by: str = Field(
        description="What shows that it was carried out although its own answer did not come."
    )
    requested_by: str | None = Field(description="A user, or `token NAME (its owner)`.")
    source: str
    created_at: Time
    not_before: Time
    expires_at: Time | None
    sent_at: Time | None
    finished_at: Time | None
    tries: int = Field(description="How often it was sent: only what reads is sent twice.")

    @staticmethod
    def resolve_charge_point(row: Command) -> str:
        """Its identity."""
        return row.charge_point.identity

    @staticmethod
    def resolve_status(row: Command) -> str:
        """The state; one that was sent has not ended yet."""
        return str(Command.State.QUEUED if row.state in OPEN else row.state)

    @staticmethod
    def resolve_is_done(row: Command) -> bool | None:
        """None while nobody knows."""
        if row.state != Command.State.ANSWERED:
            return None
        return bool(row.confirmed_by) if row.result is None else is_done(row.result_status)

    @staticmethod
    def resolve_error(row: Command) -> dict[str, str] | None:
        """None where there is a result, or none yet."""
        if row.state in OPEN or row.state == Command.State.ANSWERED:
            return None
        return {"code": row.error_code, "description": row.error_description}

    @staticmethod
    def resolve_requested_by(row: Command) -> str | None:
        """As the audit names them."""
        return who_asked(row)


def who_asked(row: Command | MassCommand) -> str | None:
    """A user, or a token beside its owner; None: the command line, or Levity itself."""
    owner = row.requested_by.get_username() if row.requested_by else None
    return row.requested_name or owner


class NewCommand(Order):
    """What the charger is to do."""

    action: Text = Field(max_length=64)
    payload: dict[str, Any] = {}
    queue_offline: bool = Field(
        True, description="Wait while the charger is offline; false: fail at once."
    )
    confirm: bool = Field(False, description=CONFIRM)


class CommandsAsked(Paged):
    """Filters."""

    charge_point: Text | None = Field(None, max_length=255, description="Its identity.")
    action: Text | None = Field(None, max_length=64)
    status: EndedOrNot | None = None


@router.post("/charge-points/{identity}/commands", response={200: CommandRow, 202: CommandRow})
def create_command(
    request: HttpRequest,
    response: HttpResponse,
    identity: str,
    command: NewCommand,
    idempotency_key: Key = None,
) -> Any:
    """Send a command to a charger.

    200: it has ended, see `status`. 202: it has not; `Location` is where to look. With `wait`, the
    answer comes as soon as the charger's; when too many requests wait already, it is 202 at once.
    """
    may(request, SEND)
    charge_point = charge_point_at(seen(request, ChargePoint), identity)
    check_confirmed(command.action, command.payload, is_confirmed=command.confirm)
    with refusals():
        queued = send(
            charge_point,
            command.action,
            command.payload,
            principal(request),
            source=SOURCE,
            idempotency_key=own_key(request, SOURCE, idempotency_key),
            expires_after=command.life,
            queue_offline=command.queue_offline,
        ).command
    if waited(queued, command.wait):
        return Status(200, queued)
    response["Location"] = f"/api/v1/commands/{queued.pk}"
    return Status(202, queued)


@router.get("/commands", response=Page[CommandRow])
def list_commands(request: HttpRequest, asked: Query[CommandsAsked]) -> Any:
    """Commands, the newest first."""
    rows = _rows(request)
    if asked.charge_point is not None:
        found = charge_point_at(seen(request, ChargePoint), asked.charge_point)
        rows = rows.filter(charge_point=found)
    if asked.action is not None:
        rows = rows.filter(action=asked.action)
    if asked.status is not None:
        states = OPEN if asked.status == "queued" else (asked.status,)
        rows = rows.filter(state__in=states)
    return page(rows, asked, newest_first=True)


@router.get("/commands/{command_id}", response=CommandRow)
def get_command(request: HttpRequest, command_id: Id) -> Any:
    """One command."""
    return one(_rows(request), pk=command_id)


@router.post("/commands/{command_id}/cancel", response=CommandRow)
def cancel_command(request: HttpRequest, command_id: Id, idempotency_key: Key = None) -> Any:
    """Cancel a command that is not sent yet; 409 if it is, or has ended."""
    may(request, SEND)
    row = one(_rows(request), pk=command_id)

    def cancel() -> Command:
        decided = cancel_commands(Command.objects.filter(pk=row.pk), principal(request))
        if not decided.count:
            raise Problem(409, "It was sent already, or has ended.", code="too-late")
        return row

    once(request, idempotency_key, None, Command, cancel)
    return one(_rows(request), pk=command_id)


def _rows(request: HttpRequest) -> Any:
    return seen(request, Command).select_related("charge_point", "requested_by")
