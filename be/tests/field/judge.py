"""What the database says of a charge point, in the words in which the cases judge it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from levity.ocpp.decisions.proposals import find
from levity.ocpp.models import (
    ChargePoint,
    Command,
    Connector,
    FailedMessage,
    Message,
    QuarantinedMessage,
    Transaction,
)
from tests.field.charger import Charger, Ground
from tests.kept import Samples

__all__ = [
    "charge_point",
    "commands",
    "corrections",
    "kept",
    "nothing_failed",
    "nothing_to_correct",
    "one_charge_point_named",
    "quarantined",
    "refusals",
    "session",
    "sessions",
    "status",
    "undecided",
    "wh",
]

NOTHING = datetime(2026, 1, 1, tzinfo=UTC)


def charge_point(charger: Charger) -> ChargePoint:
    """Its row."""
    return ChargePoint.objects.get(identity__iexact=charger.identity)


def sessions(charger: Charger) -> list[Transaction]:
    """All of its sessions, the first one first."""
    of = Transaction.objects.filter(charge_point__identity__iexact=charger.identity)
    return list(of.order_by("id"))


def session(charger: Charger) -> Transaction:
    """The only one."""
    (only,) = sessions(charger)
    return only


def wh(item: Transaction) -> float | None:
    """Its energy."""
    return None if item.energy is None else float(item.energy)


def kept(charger: Charger, **filters: Any) -> int:
    """How many of its samples are in the database."""
    of = Samples.objects.filter(charge_point__identity__iexact=charger.identity)
    return of.filter(**filters).count()


def status(charger: Charger, connector: int = 1) -> str:
    """What the connector shows."""
    of = Connector.objects.filter(charge_point__identity__iexact=charger.identity)
    return str(of.values_list("status", flat=True).get(number=connector))


def quarantined(charger: Charger) -> list[str]:
    """Why each of its messages waits for a person."""
    of = QuarantinedMessage.objects.filter(charge_point__identity__iexact=charger.identity)
    return list(of.order_by("id").values_list("reason", flat=True))


def undecided(charger: Charger) -> list[str]:
    """Those of them that are still to be decided."""
    of = QuarantinedMessage.objects.filter(charge_point__identity__iexact=charger.identity)
    open_ones = of.filter(resolved_at__isnull=True)
    return list(open_ones.order_by("id").values_list("reason", flat=True))


def commands(charger: Charger, action: str) -> list[Command]:
    """What it was asked, the first one first."""
    of = Command.objects.filter(charge_point__identity__iexact=charger.identity)
    return list(of.filter(action=action).order_by("id"))


def refusals(charger: Charger) -> list[tuple[str, str]]:
    """Action and code of each of its Calls that got a CALLERROR."""
    of = Message.objects.filter(charge_point__identity__iexact=charger.identity)
    refused = of.filter(sender="cp").exclude(error_code="")
    return list(refused.order_by("id").values_list("action", "error_code"))


def nothing_to_correct() -> None:
    """The dry run of correct_meter_values over all of it proposes nothing."""
    moments = {*Samples.objects.values_list("sampled_at", flat=True)}
    moments |= {*Transaction.objects.values_list("started_at", flat=True)}
    # Not from 1970 on: what is of no session is read a week at a time.
    day = timedelta(days=1)
    first, last = min(moments, default=NOTHING) - day, max(moments, default=NOTHING) + day
    found = [change for portion in find(first, last, None, None) for change in portion]
    assert found == []


def nothing_failed(charger: Charger) -> None:
    """No message of it is parked."""
    of = FailedMessage.objects.filter(charge_point__identity__iexact=charger.identity)
    assert not of.exists(), of.values_list("action", "traceback").first()


def corrections(ground: Ground, charger: Charger) -> list[str]:
    """The lines of `correct_meter_values --dry-run` about it and all of its sessions."""
    today = ground.now.date()
    first = min((item.started_at.date() for item in sessions(charger)), default=today)
    days = [str(min(first, today - timedelta(days=1))), str(today)]
    said = ground.levity(
        "correct_meter_values", *days, "--dry-run", "--csv", "-", "--charge-point", charger.identity
    )
    return [line for line in said.splitlines() if charger.identity in line]


def one_charge_point_named(identity: str) -> bool:
    """True if there is one, and it is one only."""
    return ChargePoint.objects.filter(identity__iexact=identity).count() == 1
