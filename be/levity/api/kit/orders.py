"""What orders to chargers have in common: how long they are good, waiting for the answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from pydantic import Field

from levity.api.kit.schemas import Body
from levity.api.problems import Problem
from levity.ocpp.commands import BadCall, KeyTaken, NeverSent
from levity.ocpp.commands.waiting import OPEN, place_to_wait, wait_for, wait_for_all
from levity.ocpp.models import Command
from levity.ocpp.versions import VERSIONS

__all__ = [
    "CONFIRM",
    "NOT_THE_SAME",
    "SOURCE",
    "Order",
    "check_confirmed",
    "refusals",
    "waited",
    "waited_for_all",
]

SOURCE = "api"
LONGEST_WAIT = 55.0
"""Seconds: less than proxies wait for an answer."""
LONGEST_LIFE = 30 * 86_400
NOT_THE_SAME = frozenset({"wait", "expires_in"})
"""Fields in which a request that is repeated with its key may differ."""
CONFIRM = "Needed for a ClearChargingProfile without any field, which removes all profiles."


class Order(Body):
    """Something that a charger is to do."""

    wait: float = Field(
        0, ge=0, le=LONGEST_WAIT, description="Seconds to wait for the charger's answer."
    )
    expires_in: int = Field(
        3600,
        ge=1,
        le=LONGEST_LIFE,
        description="Seconds after which it is given up if it could not be sent.",
    )

    @property
    def life(self) -> timedelta:
        """The same."""
        return timedelta(seconds=self.expires_in)


def check_confirmed(action: str, payload: Mapping[str, Any], *, is_confirmed: bool) -> None:
    """Raise a problem (422) where a Call removes everything because it names nothing, as
    ClearChargingProfile without a field does, and nobody said that this is meant.
    """
    if is_confirmed:
        return
    for version in VERSIONS.values():
        if said := version.calls.removes_all(action, payload):
            raise Problem(
                422,
                f"{action}: {said[:1].lower()}{said[1:]} Name a field, or send “confirm”: true.",
                code="not-confirmed",
                errors=[{"where": "body.confirm", "message": said}],
            )


@contextmanager
def refusals() -> Iterator[None]:
    """What is wrong with a Call, as a problem (422) that names it."""
    try:
        yield
    except KeyTaken as error:
        raise Problem(422, error.sentence, code="idempotency-key-used") from error
    except (BadCall, NeverSent) as error:
        code = "not-a-command" if isinstance(error, BadCall) else "never-sent"
        raise Problem(422, error.sentence, code=code) from error


def waited(command: Command | None, seconds: float) -> bool:
    """True if it has ended, after so many seconds at most; at once where too many wait."""
    if command is None:
        return True
    if seconds and command.state in OPEN:
        with place_to_wait() as may_wait:
            if may_wait:
                wait_for(command, seconds)
    return command.state not in OPEN


def waited_for_all(commands: QuerySet[Command], seconds: float) -> bool:
    """The same for many."""
    if seconds:
        with place_to_wait() as may_wait:
            if may_wait:
                return wait_for_all(commands, seconds)
    return not commands.filter(state__in=OPEN).exists()
