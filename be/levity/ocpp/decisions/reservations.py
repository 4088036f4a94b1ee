"""Connectors kept for somebody: reserved, cancelled, over.

What the charger says to it comes through the pipeline (`store/reservations.py`).
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from levity.db.prepared import Prepared
from levity.ocpp.audit import Who, note, person
from levity.ocpp.commands import KeyTaken, lifecycle
from levity.ocpp.commands.sending import SEND, send
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.models import ChargePoint, Command, IdTag, Reservation
from levity.ocpp.rules.asking import Booking
from levity.ocpp.versions import version_of
from levity.ocpp.visibility import is_limited, visible

__all__ = [
    "MAY_HOLD",
    "Conflict",
    "advice",
    "cancel",
    "doubts_about",
    "end_reservations",
    "open_reservations",
    "reserve",
]

State = Reservation.State
MAY_HOLD = (State.REQUESTED, State.ACTIVE, State.UNANSWERED)
OPEN_COMMAND = (Command.State.QUEUED, Command.State.SENT)
WAIT = timedelta(hours=1)
"""For so long an order waits for a charger that is away."""
LONGEST_TAG = 20
"""OCPP 1.6, 7.28: CiString20Type."""
ADVICE = {
    "Faulted": "The connector has a fault. Clear it, or reserve another connector.",
    "Occupied": "The connector is in use or already reserved. Try again when it is free, or "
    "reserve another one.",
    "Rejected": "The charger does not take reservations now. Some take none for the whole "
    "charger (connector 0), and some have reservations switched off in their settings: reserve a "
    "single connector, or read the configuration key SupportedFeatureProfiles.",
    "Unavailable": "The connector is out of service. Make it available first (ChangeAvailability).",
    "NotSupported": "This charger has no reservations (the OCPP profile Reservation). Restrict "
    "the charger to “known tags only” instead.",
    "NotImplemented": "This charger has no reservations (the OCPP profile Reservation). Restrict "
    "the charger to “known tags only” instead.",
}


class Conflict(NotPossible):
    """Another reservation is in the way."""


def advice(said: str) -> str:
    """What to do where the charger has answered this; empty if it needs no advice."""
    if said in ("", "Accepted"):
        return ""
    return ADVICE.get(said, "See the answer on the page of the command.")


def doubts_about(reservation: Reservation) -> str:
    """Why it is not sure that the charger still holds it; empty if nothing is known against it."""
    booted, answered = reservation.charge_point.booted_at, reservation.answered_at
    if reservation.state == State.UNANSWERED:
        return "The charger did not answer: it may hold the connector or not. Cancel to be sure."
    if reservation.state != State.ACTIVE or booted is None or answered is None or booted < answered:
        return ""
    shown = reservation.charge_point.connectors.filter(number=reservation.connector).first()
    kept = shown is not None and shown.status == "Reserved"
    if kept and reservation.connector:
        return "The charger has rebooted since, and its connector is reserved again: it kept it."
    now = f", and its connector is {shown.status}" if shown and shown.status else ""
    return (
        f"The charger has rebooted since{now}: it may have forgotten the reservation. Cancel it "
        "and reserve again to be sure."
    )


def open_reservations(charge_point: ChargePoint, now: datetime) -> list[Reservation]:
    """Those that hold a connector of this charger now, or may, the first to end first."""
    rows = charge_point.reservations.filter(state__in=MAY_HOLD).filter(
        Q(ends_at=None) | Q(ends_at__gt=now)
    )
    return list(rows.order_by("ends_at", "pk")[:100])


def reserve(
    charge_point: ChargePoint,
    connector: int,
    id_tag: str,
    until: datetime,
    who: Who,
    *,
    source: str,
    idempotency_key: str | None = None,
    wait: timedelta = WAIT,
    now: datetime | None = None,
) -> Reservation:
    """Ask the charger to keep this connector (0: any) for this tag until then.

    The order waits for a charger that is away for so long, and not beyond that end. Tags of the
    same group may use it, too. Raises `NotAllowed`, `NotPossible`, `Conflict` or
    `KeyTaken`, whose text says what to do.
    """
    now = now or timezone.now()
    check(charge_point, who, SEND)
    tag = _tag(id_tag, who)
    _check_time(until, now)
    with transaction.atomic():
        # Two at once get two numbers, and the second sees the first.
        row = ChargePoint.objects.select_for_update(no_key=True).get(pk=charge_point.pk)
        if idempotency_key is not None and (same := _made_with(row, idempotency_key)):
            known = tag.id_tag if tag else id_tag.strip()
            _check_same(same, connector, known, until.replace(microsecond=0))
            return same
        _check_charger(row, connector)
        _check_conflicts(row, connector, now)
        parent = tag.parent.id_tag if tag and tag.parent else ""
        booking = Booking(
            number=_next_number(row),
            connector=connector,
            id_tag=tag.id_tag if tag else id_tag.strip(),
            until=until.replace(microsecond=0),
            parent=parent if len(parent) <= LONGEST_TAG else "",
        )
        asked = version_of(row.subprotocol).asks.reserve(booking)
        command = send(
            row,
            *asked,
            who,
            source=source,
            idempotency_key=idempotency_key,
            # What comes after its end would be refused, or kept for nobody.
            expires_after=min(wait, until - now),
        ).command
        made = Reservation.objects.create(
            charge_point=row,
            number=booking.number,
            connector=connector,
            id_tag=booking.id_tag,
            parent_id_tag=booking.parent,
            ends_at=booking.until,
            requested_at=now,
            requested_by=person(who),
            command=command,
        )
        note(who, [made], f"reserved until {booking.until:%Y-%m-%d %H:%M} UTC")
    return made


def cancel(reservation: Reservation, who: Who, *, source: str) -> Reservation:
    """Free the connector again: at once if the charger was not asked yet, or when it answers."""
    check(reservation, who, SEND)
    with transaction.atomic():
        row = (
            Reservation.objects.select_for_update(of=("self",), no_key=True)
            .select_related("charge_point", "command", "cancel_command")
            .get(pk=reservation.pk)
        )
        if row.state not in MAY_HOLD:
            raise NotPossible(
                f"this reservation has ended already ({row.get_state_display()}): nothing to cancel"
            )
        if row.command is not None and lifecycle.cancel(Command.objects.filter(pk=row.command.pk)):
            row.state, row.ended_at = State.CANCELLED, timezone.now()
            row.detail = "cancelled before the charger was asked"
            row.save(update_fields=["state", "ended_at", "detail"])
        elif row.cancel_command is None or row.cancel_command.state not in OPEN_COMMAND:
            asked = version_of(row.charge_point.subprotocol).asks.cancel_reservation(row.number)
            row.cancel_command = send(row.charge_point, *asked, who, source=source).command
            row.save(update_fields=["cancel_command"])
        else:
            return row
        note(who, [row], "cancellation requested")
    return row


def end_reservations(now: datetime) -> int:
    """Close those that are over by time, and those whose command never came to an answer."""
    if not (_OVER.rows(now) or _UNANSWERED.rows()):
        return 0
    over = Reservation.objects.filter(
        state__in=(State.ACTIVE, State.UNANSWERED), ends_at__lt=now
    ).update(state=State.EXPIRED, ended_at=now)
    waiting = Reservation.objects.filter(state=State.REQUESTED)
    lost = waiting.filter(command__state=Command.State.TIMED_OUT)
    over += lost.update(
        state=State.UNANSWERED,
        detail="The charger did not answer: it may have taken the reservation or not.",
    )
    # Shown by the session that used it, or by the connector, where the answer was lost.
    over += waiting.filter(command__state=Command.State.ANSWERED).update(
        state=State.ACTIVE, detail="No answer came, but what the charger did shows that it has it."
    )
    over += waiting.filter(command__state=Command.State.REFUSED).update(
        state=State.REFUSED, ended_at=now, detail="What the charger answered can't be read."
    )
    unsent = waiting.filter(
        Q(command=None)
        | Q(command__state__in=(Command.State.EXPIRED, Command.State.FAILED))
        | Q(command__state=Command.State.CANCELLED)
    )
    over += unsent.update(
        state=State.FAILED,
        ended_at=now,
        detail="It never reached the charger, which was not connected in time.",
    )
    return over


def _tag(id_tag: str, who: Who) -> IdTag | None:
    """The tag, if it is known here."""
    bare = id_tag.strip()
    if not bare:
        raise NotPossible("for whom? Name the id tag that may charge here")
    if len(bare) > LONGEST_TAG:
        raise NotPossible(
            f"a charger takes id tags of at most {LONGEST_TAG} characters; this one has {len(bare)}"
        )
    tags = IdTag.objects.select_related("parent")
    found = tags.filter(id_tag__iexact=bare).first()
    if found is None:
        return None
    if who is not None and is_limited(who) and not visible(tags, who).filter(pk=found.pk).exists():
        # Not a word about a tag of other sites; it is reserved as one that nobody knows.
        return None
    blocked = IdTag.Status.BLOCKED
    if found.status == blocked or (found.parent and found.parent.status == blocked):
        raise NotPossible("this id tag is blocked: unblock it first, or reserve for another one")
    return found


def _check_time(until: datetime, now: datetime) -> None:
    if until <= now:
        raise NotPossible("the end of the reservation has passed: choose a later time")
    if until - now < timedelta(minutes=1):
        raise NotPossible("the reservation ends in less than a minute: choose a later time")


def _check_charger(charge_point: ChargePoint, connector: int) -> None:
    if charge_point.retired_at is not None:
        raise NotPossible(f"{charge_point} is retired: put it back in use first")
    known = sorted(
        charge_point.connectors.filter(number__gt=0).values_list("number", flat=True)[:100]
    )
    if connector and known and connector not in known:
        listed = ", ".join(map(str, known))
        raise NotPossible(
            f"{charge_point} has no connector {connector}; it has reported {listed}. 0 stands for "
            "any of them"
        )


def _check_conflicts(charge_point: ChargePoint, connector: int, now: datetime) -> None:
    held = open_reservations(charge_point, now)
    same = [row for row in held if row.connector == connector]
    if same:
        until = f" until {same[0].ends_at:%Y-%m-%d %H:%M} UTC" if same[0].ends_at else ""
        where = f"connector {connector}" if connector else "any connector of this charger"
        raise Conflict(
            f"there is a reservation of {where}{until} already: cancel it first, or choose another "
            "connector"
        )
    # One that has reported none has at least those that are named.
    named = max(connector, *(row.connector for row in held), 1)
    outlets = charge_point.connectors.filter(number__gt=0).count() or named
    if len(held) >= outlets:
        raise Conflict(
            f"all {outlets} connectors of this charger are reserved already: cancel one of the "
            "reservations first"
            if outlets > 1
            else "the only connector of this charger is reserved already: cancel that first"
        )


def _made_with(charge_point: ChargePoint, key: str) -> Reservation | None:
    return Reservation.objects.filter(
        charge_point=charge_point, command__idempotency_key=key
    ).first()


def _check_same(made: Reservation, connector: int, id_tag: str, until: datetime) -> None:
    if (made.connector, made.id_tag, made.ends_at) != (connector, id_tag, until):
        raise KeyTaken(
            f"this idempotency key was used before, for reservation {made.pk}, which is another "
            "one: take a new key for a new reservation"
        )


def _next_number(charge_point: ChargePoint) -> int:
    newest = charge_point.reservations.filter(number__lt=2**31 - 1).aggregate(it=Max("number"))
    return max(newest["it"] or 0, 0) + 1


_OVER = Prepared(
    lambda now: (
        Reservation.objects.filter(
            state__in=(State.ACTIVE, State.UNANSWERED), ends_at__earlier_than=now
        )
        .order_by()
        .values_list("pk")[:1]
    )
)
_UNANSWERED = Prepared(
    lambda: (
        Reservation.objects.filter(state=State.REQUESTED)
        .exclude(command__state__in=("queued", "sent"))
        .order_by()
        .values_list("pk")[:1]
    ),
    parameters=0,
)
