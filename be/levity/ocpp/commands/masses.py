"""One command to many charge points: how far it has come, and once more to those that said no."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from levity.ocpp.audit import Who, name_of, person
from levity.ocpp.commands.sending import (
    SEND,
    SentToMany,
    cancel_commands,
    check_sending,
    send_to_many,
)
from levity.ocpp.deciding import Decided, NotPossible, allowed
from levity.ocpp.models import ChargePoint, Command, MassCommand
from levity.ocpp.versions import DONE, VERSIONS
from levity.ocpp.visibility import visible
from levity_ws.frozen import frozen

__all__ = [
    "Tally",
    "begin_mass",
    "cancel_rest",
    "commands_of",
    "forget_empty",
    "not_done",
    "reason",
    "retry",
    "send_mass",
    "sent_again_as",
    "tally",
    "to_retry",
    "waiting_of",
]

State = Command.State
OPEN = (State.QUEUED, State.SENT)
NOT_DONE = Q(state__in=(State.REFUSED, State.TIMED_OUT, State.EXPIRED, State.FAILED)) | Q(
    state=State.ANSWERED
) & ~Q(result_status__in=DONE)


@frozen
class Tally:
    """How many of the commands of one mass command are where."""

    accepted: int = 0
    """The charger did, or will do it."""
    refused: int = 0
    """The charger said no, or answered with an error."""
    away: int = 0
    """They wait, and their chargers are not connected."""
    waiting: int = 0
    """They wait for their turn or for the answer."""
    silent: int = 0
    """No answer came in time."""
    not_sent: int = 0
    """Expired, failed or cancelled."""

    @property
    def total(self) -> int:
        """All of them."""
        return sum((self.accepted, self.refused, self.silent, self.not_sent)) + self.open

    @property
    def open(self) -> int:
        """Those that have not ended."""
        return self.away + self.waiting

    @property
    def sentence(self) -> str:
        """`97 accepted, 3 away, 1 refused`."""
        parts = (
            (self.accepted, "accepted"),
            (self.waiting, "waiting for the answer"),
            (self.away, "away"),
            (self.refused, "refused"),
            (self.silent, "without an answer"),
            (self.not_sent, "not sent"),
        )
        return ", ".join(f"{count:,} {word}" for count, word in parts if count) or "none"


def begin_mass(
    action: str,
    payload: Mapping[str, Any],
    who: Who,
    *,
    source: str,
    queue_offline: bool = True,
    retry_of: MassCommand | None = None,
) -> MassCommand:
    """The row for a command to many; `send_to_many` with it makes the commands."""
    # What is masked is the same in all versions, or masked in the one that knows it.
    found = [version.calls.conceal(action, payload) for version in VERSIONS.values()]
    shown, secret = next((each for each in found if each[1]), found[0])
    return MassCommand.objects.create(
        action=action,
        payload=shown,
        is_masked=bool(secret),
        queue_offline=queue_offline,
        source=source,
        requested_by=person(who),
        requested_name=name_of(who),
        retry_of=retry_of,
    )


def send_mass(
    charge_points: QuerySet[ChargePoint],
    action: str,
    payload: Mapping[str, Any],
    who: Who,
    *,
    source: str,
    queue_offline: bool = True,
    expires_after: timedelta | None = timedelta(hours=1),
    retry_of: MassCommand | None = None,
) -> tuple[MassCommand, SentToMany]:
    """Queue this Call for all of these; for none if it may not be sent to one of them."""
    check_sending(charge_points, action, payload, who)
    mass = begin_mass(
        action, payload, who, source=source, queue_offline=queue_offline, retry_of=retry_of
    )
    sent = send_to_many(
        charge_points,
        action,
        payload,
        who,
        source=source,
        queue_offline=queue_offline,
        expires_after=expires_after,
        idempotency_key=f"mass:{mass.pk}",
        mass=mass,
    )
    return mass, sent


def forget_empty(mass: MassCommand) -> None:
    """A second click on the same page made no command: no row is left of it."""
    MassCommand.objects.filter(pk=mass.pk, commands=None).delete()


def commands_of(mass: MassCommand, who: Who) -> QuerySet[Command]:
    """Its commands, as far as this person may see them."""
    rows = Command.objects.filter(mass=mass)
    return rows if who is None else visible(rows, who)


def tally(mass: MassCommand, who: Who) -> Tally:
    """How far it has come, in one query."""
    is_away = Q(charge_point__connection__isnull=True)
    waits = Q(state=State.QUEUED)
    is_done = Q(state=State.ANSWERED, result_status__in=DONE)
    found = commands_of(mass, who).aggregate(
        accepted=Count("pk", filter=is_done),
        refused=Count(
            "pk",
            filter=Q(state=State.REFUSED) | Q(state=State.ANSWERED) & ~Q(result_status__in=DONE),
        ),
        away=Count("pk", filter=waits & is_away),
        waiting=Count("pk", filter=(waits & ~is_away) | Q(state=State.SENT)),
        silent=Count("pk", filter=Q(state=State.TIMED_OUT)),
        not_sent=Count("pk", filter=Q(state__in=(State.EXPIRED, State.FAILED, State.CANCELLED))),
    )
    return Tally(**found)


def not_done(mass: MassCommand, who: Who) -> QuerySet[Command]:
    """Those that ended without the charger doing it; not those that somebody cancelled."""
    return commands_of(mass, who).filter(NOT_DONE)


def waiting_of(mass: MassCommand, who: Who) -> QuerySet[Command]:
    """Those that are not sent yet: what `cancel_rest` would call off."""
    return commands_of(mass, who).filter(state=State.QUEUED)


def sent_again_as(mass: MassCommand) -> list[int]:
    """The ids of the later repetitions: its own, and others of what it repeats itself."""
    root = mass
    while root.retry_of is not None:
        root = root.retry_of
    found: list[int] = []
    newest = [root.pk]
    while newest:
        again = MassCommand.objects.filter(retry_of__in=newest)
        newest = list(again.order_by("pk").values_list("pk", flat=True))
        found += newest
    return sorted(pk for pk in found if pk > mass.pk)


def to_retry(mass: MassCommand, who: Who) -> QuerySet[Command]:
    """Those that have not done it, nor done or still waiting for it in a repetition."""
    again = Command.objects.filter(mass__in=sent_again_as(mass))
    settled = again.filter(Q(state__in=OPEN) | Q(state=State.ANSWERED, result_status__in=DONE))
    return not_done(mass, who).exclude(charge_point__in=settled.values("charge_point"))


def retry(mass: MassCommand, who: Who, *, source: str) -> tuple[MassCommand, SentToMany]:
    """The same again, to those that have not done it, here or in an earlier repetition.

    Raises `NotAllowed`, `NotPossible`.
    """
    if mass.is_masked:
        raise NotPossible(
            "its payload held a secret that is no longer kept: select these charge points in the "
            "list and send it again"
        )
    rows = to_retry(mass, who)
    charge_points = allowed(
        ChargePoint.objects.filter(pk__in=rows.values("charge_point")), who, SEND
    )
    if not charge_points.exists():
        if not_done(mass, who).exists():
            raise NotPossible("it was sent again already to all that had not done it")
        raise NotPossible("none of its commands has failed or was refused")
    return send_mass(
        charge_points,
        mass.action,
        mass.payload,
        who,
        source=source,
        queue_offline=mass.queue_offline,
        retry_of=mass,
    )


def cancel_rest(mass: MassCommand, who: Who) -> Decided:
    """Call off those of its commands that are not sent yet, as far as this person may see them.

    Raises `NotAllowed`, and `NotPossible` where none waits.
    """
    decided = cancel_commands(commands_of(mass, who), who)
    if not decided.count:
        raise NotPossible("all of its commands were sent already, or have ended")
    return decided


def reason(command: Command) -> str:
    """Why it was not done, for people."""
    said = (command.result_status, command.error_code, command.error_description)
    return " ".join(part for part in said if part) or command.get_state_display()
