"""Reservations: what chargers made of them, and which sessions used them.

No statement in a batch that has nothing about a reservation.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from levity.db.prepared import Prepared
from levity.db.rows import insert_rows, update_rows
from levity.ocpp.effects import ReservationAnswered, ReservationCancelled, ReservationUsed
from levity.ocpp.models import Reservation
from levity.ocpp.store.values import Outcome, each

__all__ = ["write_reservations"]

State = Reservation.State
MAY_HOLD = (State.REQUESTED, State.ACTIVE, State.UNANSWERED)
# A charger that was offline tells of the session that used a reservation when it is back.
TOLD_WITHIN = timedelta(days=7)
_Key = tuple[int, int]


def write_reservations(outcomes: Sequence[Outcome]) -> None:
    """Write the answers first: a session may use what was accepted in the same batch."""
    _write_answers(outcomes)
    _write_ends(outcomes)


def _write_answers(outcomes: Sequence[Outcome]) -> None:
    rows: list[tuple[Any, ...]] = []
    for outcome, charge_point, effect in each(outcomes, ReservationAnswered):
        state = State.ACTIVE if effect.is_accepted else State.REFUSED
        at = outcome.arrival.at
        rows.append(
            (
                *(charge_point.id, effect.command_id, effect.number, effect.connector),
                *(effect.id_tag, effect.parent, effect.until, state.value, effect.said),
                *("", at, at, None if effect.is_accepted else at),
            )
        )
    if not rows:
        return
    # Without a row of its own: sent as any other command.
    insert_rows(
        Reservation,
        (
            *("charge_point_id", "command_id", "number", "connector", "id_tag", "parent_id_tag"),
            *("ends_at", "state", "said", "detail", "requested_at", "answered_at", "ended_at"),
        ),
        rows,
        new_only=True,
    )
    # A late answer revives nothing.
    over = {pk for (pk,) in _OVER.rows([row[1] for row in rows])}
    update_rows(
        Reservation,
        ("command_id", "state", "said", "answered_at", "ended_at"),
        [(row[1], row[7], row[8], row[11], row[12]) for row in rows if row[1] not in over],
    )


def _write_ends(outcomes: Sequence[Outcome]) -> None:
    ended: dict[_Key, tuple[str, str, int | None, datetime]] = {}
    for outcome, charge_point, cancelled in each(outcomes, ReservationCancelled):
        if cancelled.said in ("Accepted", "Rejected"):
            state = State.CANCELLED if cancelled.is_accepted else State.CANCEL_REFUSED
            key = charge_point.id, cancelled.number
            ended[key] = state.value, cancelled.said, None, outcome.arrival.at
    for outcome, charge_point, used in each(outcomes, ReservationUsed):
        key = charge_point.id, used.number
        ended[key] = State.USED.value, "", used.transaction_id, outcome.arrival.at
    if not ended:
        return
    since = min(end[3] for end in ended.values()) - TOLD_WITHIN
    newest = {
        (charge_point_id, number): (pk, state)
        for pk, charge_point_id, number, state in _NEWEST.rows([pk for pk, _ in ended], since)
    }
    rows = []
    for key, (what, said, transaction_id, at) in ended.items():
        pk, state = newest.get(key, (None, ""))
        if pk is None or (state not in MAY_HOLD and what != State.USED):
            continue
        detail = f"cancellation answered with {said}" if said else ""
        rows.append((pk, what, detail, transaction_id, at))
    update_rows(Reservation, ("id", "state", "detail", "transaction_id", "ended_at"), rows)


_NEWEST = Prepared(
    lambda charge_points, since: (
        Reservation.objects.filter(
            Q(state__in=MAY_HOLD)
            | Q(
                state__in=(State.CANCEL_REFUSED, State.EXPIRED),
                ended_at__no_earlier_than=since,
                transaction=None,
            ),
            charge_point__any_of=charge_points,
        )
        .order_by("id")
        .values_list("id", "charge_point_id", "number", "state")
    ),
    parameters=2,
)
_OVER = Prepared(
    lambda commands: (
        Reservation.objects.filter(command__any_of=commands)
        .exclude(transaction=None)
        .values_list("command_id")
    )
)
