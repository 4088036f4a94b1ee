"""The command queue as the worker reads it: what is due, locked, in one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery

from levity.db.prepared import Prepared
from levity.ocpp.models import Command, Connector
from levity_ws.frozen import frozen

__all__ = [
    "AT_ONCE",
    "DueCommand",
    "Shown",
    "anything_due",
    "anything_over",
    "due_commands",
    "statuses_of",
]

# At most so many Calls in one go, so that a mass command doesn't keep frames waiting.
AT_ONCE = 200


@dataclass(slots=True)
class DueCommand:
    """A queued Call whose time has come, and what must be known of its charge point."""

    id: int
    charge_point_id: int
    action: str
    payload: Any
    unique_id: str
    timeout: int | None
    wanted_connection: str | None
    """Send on this websocket or not at all."""
    only_connector: int | None
    only_status: str
    idempotency_key: str | None
    source: str
    identity: str
    connection: str | None
    """The one that is open now."""
    connected_at: datetime | None
    booted_at: datetime | None
    call_timeout: int | None
    edge: str | None
    reply_to: str | None
    vendor: str
    model: str
    firmware_version: str
    quirk_profile: str
    quirk_overrides: Any
    secret: str
    """The whole payload, encrypted; empty where nothing in it is masked."""
    security_profile: int
    only_since: datetime | None
    holds: str
    """Who is about to charge there, as `holds.Holds` reads it."""
    connection_timeout: int | None
    subprotocol: str
    """What is spoken on the charge point's newest connection."""
    tries: int
    """How often it was sent already."""
    first: int | None
    """The command whose turn it is at this charge point. Another worker may have had it locked, and
    let go of the charge point before the next row was looked at: then that one is not taken."""


@frozen
class Shown:
    """What a connector shows, and the session that runs there."""

    status: str
    since: datetime | None
    running: str | None
    """The id tag of that session."""
    began: datetime | None
    """When we heard of it."""


def anything_due(now: datetime) -> bool:
    """True if a Call waits whose time has come; it need not be possible to send it."""
    return bool(_ANY.rows(now))


def anything_over(now: datetime, waits_since: datetime) -> bool:
    """True if an answer never came or has been waited for since then, or a Call could not be sent
    in time."""
    return bool(_OVER.rows(now, waits_since, now))


def due_commands(now: datetime) -> list[DueCommand]:
    """Calls that can be sent or ended now, in the order in which they go out, locked for this
    transaction.

    Not those whose charge point waits for an answer (OCPP-J 1.6, 4.1.1), nor those that another
    worker has in hand.
    """
    found = []
    for row in _DUE.rows(now, now):
        due = DueCommand(*row)
        due.unique_id = str(due.unique_id)
        due.wanted_connection = str(due.wanted_connection) if due.wanted_connection else None
        due.connection = str(due.connection) if due.connection else None
        found.append(due)
    return found


def statuses_of(charge_points: set[int]) -> dict[tuple[int, int], Shown]:
    """(charge point id, connector number) -> what it shows."""
    if not charge_points:
        return {}
    return {
        (pk, number): Shown(
            status,
            since,
            id_tag if state == "active" else None,
            began if state == "active" else None,
        )
        for pk, number, status, since, state, id_tag, began in _STATUSES.rows(charge_points)
    }


_ANY = Prepared(
    lambda now: (
        Command.objects.filter(state="queued", not_before__no_later_than=now)
        .order_by()
        .values_list("id")[:1]
    )
)
_OVER = Prepared(
    lambda deadline, sent, end: (
        Command.objects.filter(
            Q(state="sent", deadline__earlier_than=deadline)
            | Q(state="sent", sent_at__no_later_than=sent)
            | Q(state="queued", expires_at__earlier_than=end)
        )
        .order_by()
        .values_list("id")[:1]
    ),
    parameters=3,
)
_DUE = Prepared(
    lambda due, now: (
        Command.objects.filter(
            Q(charge_point__connection__isnull=False) | Q(queue_offline=False),
            Q(expires_at=None) | Q(expires_at__no_earlier_than=now),
            ~Exists(Command.objects.filter(charge_point=OuterRef("charge_point"), state="sent")),
            state="queued",
            not_before__no_later_than=due,
        )
        .annotate(
            first=Subquery(
                Command.objects.filter(
                    Q(expires_at=None) | Q(expires_at__no_earlier_than=now),
                    charge_point=OuterRef("charge_point"),
                    state="queued",
                    not_before__no_later_than=due,
                )
                .order_by("priority", "id")
                .values("id")[:1]
            )
        )
        .order_by("priority", "id")
        .values_list(
            "id",
            "charge_point_id",
            "action",
            "payload",
            "unique_id",
            "timeout",
            "connection",
            "only_connector",
            "only_status",
            "idempotency_key",
            "source",
            "charge_point__identity",
            "charge_point__connection",
            "charge_point__connected_at",
            "charge_point__booted_at",
            "charge_point__call_timeout",
            "charge_point__edge_id",
            "charge_point__edge__reply_to",
            "charge_point__vendor",
            "charge_point__model",
            "charge_point__firmware_version",
            "charge_point__quirk_profile",
            "charge_point__quirk_overrides",
            "secret",
            "charge_point__security_profile",
            "only_since",
            "charge_point__holds",
            "charge_point__connection_timeout",
            "charge_point__subprotocol",
            "tries",
            "first",
        )[:AT_ONCE]
    ),
    parameters=2,
    locking="FOR NO KEY UPDATE OF ocpp_command, ocpp_chargepoint SKIP LOCKED",
)
_STATUSES = Prepared(
    lambda charge_points: (
        Connector.objects.filter(charge_point__any_of=charge_points, evse=0)
        .order_by()
        .values_list(
            "charge_point_id",
            "number",
            "status",
            "status_since",
            "transaction__state",
            "transaction__id_tag",
            "transaction__start_received_at",
        )
    )
)
