"""The maximum current of a charge point: set it, see whether it holds, remove it."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Router, Status
from pydantic import Field, StringConstraints

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.rows import charge_point_at, may, seen
from levity.api.kit.schemas import Amount, Body, Row, Time
from levity.ocpp.commands import limits
from levity.ocpp.models import ChargePoint

__all__ = ["router"]

router = Router(tags=["charging limits"])

SOURCE = "api"
Identity = Annotated[str, StringConstraints(min_length=1, max_length=255), Path()]


class LimitRow(Row):
    """The maximum current, as far as it is known."""

    amperes_a: Amount | None = Field(
        description="The limit of each phase that was asked for; null: none.", alias="amperes"
    )
    allowed_a: Amount | None = Field(
        description="What the charger says that it allows; null: it does not tell.", alias="said"
    )
    verdict: Literal[
        "none",
        "waiting",
        "checking",
        "proved",
        "accepted",
        "doubted",
        "refused",
        "failed",
        "removed",
    ]
    sentence: str = Field(description="The same for people.")
    way: str = Field(description="`charger`: the whole charger; `session`: each session.")
    set_at: Time | None = None
    command_id: int | None = Field(None, description="The command that set or removed it.")
    check_id: int | None = Field(None, description="The command that asked the charger.")


class LimitGiven(Body):
    """What is to hold."""

    amperes_a: Decimal = Field(
        ge=limits.LEAST,
        le=limits.LARGEST,
        description="On each phase; rounded down to steps of 0.5 A. At most 32 A, or what the "
        "charger's `max_power` allows.",
    )
    way: Literal["", "charger", "session"] = Field(
        "", description="Empty: the way that was last used for this charger."
    )
    phases: Literal[1, 2, 3] = Field(3, description="Of the charger, where it knows W only.")
    queue_offline: bool = Field(True, description="Wait up to an hour for a charger that is away.")


def _shown(limit: limits.Limit) -> dict[str, Any]:
    command, check = limit.command, limit.check
    return {
        "amperes": limit.amperes,
        "said": limit.said,
        "verdict": limit.verdict.value,
        "sentence": limit.sentence,
        "way": limit.way,
        "set_at": command.created_at if command else None,
        "command_id": command.pk if command else None,
        "check_id": check.pk if check else None,
    }


@router.get("/charge-points/{identity}/limit", response=LimitRow)
def get_limit(request: HttpRequest, identity: Identity) -> Any:
    """The maximum current of this charge point, and whether it holds."""
    may(request, "ocpp.view_command")
    return _shown(limits.limit_of(charge_point_at(seen(request, ChargePoint), identity)))


@router.put("/charge-points/{identity}/limit", response={202: LimitRow})
def set_limit(
    request: HttpRequest, identity: Identity, body: LimitGiven, idempotency_key: Key = None
) -> Any:
    """Set the maximum current, and ask the charger whether it holds: look again with GET."""
    row = charge_point_at(seen(request, ChargePoint), identity)

    def set_it() -> ChargePoint:
        limits.set_limit(
            row,
            body.amperes_a,
            principal(request),
            source=SOURCE,
            way=body.way,
            phases=body.phases,
            queue_offline=body.queue_offline,
        )
        return row

    return Status(
        202, _shown(limits.limit_of(once(request, idempotency_key, body, ChargePoint, set_it)))
    )


@router.delete("/charge-points/{identity}/limit", response={202: LimitRow})
def remove_limit(request: HttpRequest, identity: Identity, idempotency_key: Key = None) -> Any:
    """Remove this limit, and no other profile."""
    row = charge_point_at(seen(request, ChargePoint), identity)

    def remove() -> ChargePoint:
        limits.remove_limit(row, principal(request), source=SOURCE)
        return row

    return Status(
        202, _shown(limits.limit_of(once(request, idempotency_key, None, ChargePoint, remove)))
    )
