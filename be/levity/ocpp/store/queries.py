"""The queries of `load`, built once: a list of values each, rows in the order named here."""

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Exists, FilteredRelation, Func, OuterRef, Q
from django.db.models.functions import Lower, Substr

from levity.db.plans import array_text
from levity.db.prepared import ArrayParameter, Prepared
from levity.db.round_trips import ahead
from levity.ocpp.effects import NO_SUCH_TRANSACTION
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    IdTag,
    Message,
    QuarantinedMessage,
    Transaction,
    TransactionAlias,
)
from levity.ocpp.request import TransactionState
from levity.ocpp.versions import V16

__all__ = [
    "ALIASES",
    "ALLOWED_PLACES",
    "CHARGE_POINTS",
    "CHARGE_POINTS_AND_CONNECTORS",
    "COMMANDS",
    "CONNECTION_EVENTS",
    "FIRST_OF_CONNECTOR",
    "FRAMES_OF_ARRAYS",
    "ID_TAGS",
    "KNOWN_FRAMES",
    "MEMBERS",
    "QUARANTINED",
    "RUNNING_OF_TAG",
    "STARTS",
    "TRANSACTIONS",
    "is_only_mover",
    "take_turns",
    "take_turns_of_limits",
]

# The columns have the names of the fields, so a row is a state.
TRANSACTION = tuple(field.name for field in fields(TransactionState))


class _AnyKnown(Func):
    """True if one of these frames is recorded; NULL on SQLite, where asking costs nothing.

    Three place holders for lists of the same length: connection, unique id, seq.
    """

    output_field = BooleanField(null=True)

    def __init__(self, *places: Any) -> None:
        super().__init__()
        self.places = places

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """One look for all charge points."""
        sql = KNOWN_FRAMES.format(wanted=FRAMES_OF_ARRAYS, columns="1")
        return f"EXISTS ({sql})", tuple(ArrayParameter(place) for place in self.places)

    def as_sqlite(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """Nothing."""
        return "NULL", ()


SENT_AGAIN_WITHIN = 200
FRAMES_OF_ARRAYS = "unnest(%s::uuid[], %s::varchar[], %s::bigint[])"
# Of frames whose id can't be read there may be thousands; their number tells them apart. Of one
# id, too, where a charger counts to 99 and begins anew: a message that comes again does so soon.
KNOWN_FRAMES = (
    "WITH v(connection, unique_id, seq) AS (SELECT * FROM {wanted} AS w)"
    " SELECT {columns}"
    f" FROM v JOIN {Message._meta.db_table} m"
    " ON m.connection = v.connection AND m.unique_id = v.unique_id"
    f" AND m.seq BETWEEN v.seq - {SENT_AGAIN_WITHIN} AND v.seq"
    " WHERE m.seq = v.seq OR m.unique_id <> ''"
)


def take_turns(keys: Collection[str]) -> None:
    """Wait until no other transaction has one of these charge points' turns, and keep them.

    `keys` are identities in lower case. For batches that may write sessions, samples or connectors:
    two workers have the frames of one charge point at once when it sends them again on a new
    connection, and the second must see what the first one did. So whatever is read of these
    charge points is read after this. Advisory locks write nothing, and leave the rows to others;
    in the order of their numbers, so that nobody waits in a circle. SQLite has one writer, whose
    turn it always is.
    """
    if connection.vendor == "postgresql":
        ahead(_TURNS.format(16001), [array_text(keys)])


def take_turns_of_limits(id_tags: Collection[int]) -> None:
    """The same for these id tags with a limit: what runs with them is counted after this.

    For batches that may start sessions. Two cards of a household are at two charge points, so
    nothing else makes the second worker see what the first one did. Only after `take_turns`, or
    two might wait in a circle.
    """
    if connection.vendor == "postgresql":
        ahead(_TURNS.format(16002), [array_text([str(pk) for pk in id_tags])])


def is_only_mover() -> bool:
    """True if no other transaction moves rows into what is kept for long; none will until the end
    of this one."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(16003, 0)")
        (is_mine,) = cursor.fetchone()
    return bool(is_mine)


# The first number only tells the kinds of locks from each other.
_TURNS = (
    "SELECT pg_advisory_xact_lock({}, turn) FROM (SELECT DISTINCT hashtext(key) AS turn"
    " FROM unnest(%s::text[]) AS key ORDER BY turn) AS turns"
)

CHARGE_POINT = (
    "key",
    "id",
    "identity",
    "registration",
    "heartbeat_interval",
    "vendor",
    "model",
    "firmware_version",
    "connection",
    "edge_id",
    "last_seen_at",
    "authorization",
    "site__authorization",
    "time_zone",
    "site__time_zone",
    "max_power",
    "quirk_profile",
    "quirk_overrides",
    "holds",
    "connection_timeout",
    "clock_lag",
    "clock_lag_seen",
    "ping_interval",
    "learned_silence",
    "learned_at",
    "booted_at",
    "evidence_until",
    "certificate_name",
    "learned_power",
    "site_id",
    "connected_at",
    "created_at",
)
# After these columns, and `known`.
FIRST_OF_CONNECTOR = len(CHARGE_POINT) + 1
CONNECTOR = (
    *("number", "status", "status_since", "transaction_id", "error_code", "status_at", "evse"),
)


def _charge_points(*places: Any) -> Any:
    *frame, keys = places
    return (
        ChargePoint.objects.annotate(key=Lower("identity"), known=_AnyKnown(*frame))
        .filter(key__any_of=keys)
        .order_by()
    )


CHARGE_POINTS = Prepared(
    lambda *places: _charge_points(*places).values_list(*CHARGE_POINT, "known"), parameters=4
)
# A row for each connector, or one without. One round trip, and not two: for one frame, the trip
# costs as much as the query.
CHARGE_POINTS_AND_CONNECTORS = Prepared(
    lambda *places: (
        _charge_points(*places)
        .annotate(connector=FilteredRelation("connectors"))
        .values_list(
            *CHARGE_POINT,
            "known",
            *(f"connector__{name}" for name in CONNECTOR),
            *(f"connector__transaction__{name}" for name in TRANSACTION),
        )
    ),
    parameters=4,
)
TRANSACTIONS = Prepared(
    lambda ids: Transaction.objects.filter(id__any_of=ids).order_by().values_list(*TRANSACTION)
)
ALIASES = Prepared(
    lambda ids: (
        TransactionAlias.objects.filter(id__any_of=ids)
        .order_by()
        .values_list("id", *(f"transaction__{name}" for name in TRANSACTION))
    )
)
STARTS = Prepared(
    lambda charge_points, times: (
        Transaction.objects.filter(charge_point__any_of=charge_points, started_at__any_of=times)
        .order_by()
        .values_list(*TRANSACTION)
    ),
    parameters=2,
)
# The starts with these payloads, each with the id that it was answered; and the stops that are
# looked through for the end of a session that is told in the wrong order. Starts come first, and of
# the stops the newest: older ones are a person's business.
QUARANTINED = Prepared(
    lambda starting, hashes, ended: (
        QuarantinedMessage.objects.annotate(
            # (It may name candidates behind it.)
            why=Substr("reason", 1, len(NO_SUCH_TRANSACTION))
        )
        .filter(
            Q(
                action=V16.begins,
                charge_point__any_of=starting,
                payload_hash__any_of=hashes,
            )
            | Q(
                action=V16.ends,
                charge_point__any_of=ended,
                why=NO_SUCH_TRANSACTION,
                resolved_at=None,
            )
        )
        .order_by("action", "-id")
        .values_list(
            *("action", "charge_point_id", "payload_hash", "transaction"),
            *("id", "payload", "received_at"),
        )[:300]
    ),
    parameters=3,
)
ID_TAGS = Prepared(
    lambda keys: (
        IdTag.objects.annotate(key=Lower("id_tag"))
        .filter(key__any_of=keys)
        .order_by()
        .values_list(
            "key",
            "id",
            "id_tag",
            "status",
            "expires_at",
            "max_transactions",
            "parent_id",
            "parent__id_tag",
            "parent__status",
            "parent__expires_at",
            "parent__max_transactions",
        )
    )
)
MEMBERS = Prepared(
    lambda groups: (
        IdTag.objects.filter(parent__any_of=groups)
        .annotate(key=Lower("id_tag"))
        .order_by()
        .values_list("parent_id", "key")
    )
)
ALLOWED_PLACES = Prepared(
    lambda id_tags: IdTag.charge_points.through.objects.filter(idtag__any_of=id_tags).values_list(
        "idtag_id", "chargepoint_id"
    )
)
RUNNING_OF_TAG = Prepared(
    lambda keys: (
        Transaction.objects.filter(state="active")
        .annotate(key=Lower("id_tag"))
        .filter(key__any_of=keys)
        .order_by()
        .values_list("key", "id")
    )
)
COMMANDS = Prepared(
    lambda unique_ids: (
        Command.objects.filter(unique_id__any_of=unique_ids)
        .annotate(
            followed=Exists(
                Command.objects.filter(
                    charge_point=OuterRef("charge_point"), id__gt=OuterRef("id"), state="queued"
                )
            )
        )
        .order_by()
        .values_list(
            "unique_id",
            "id",
            "charge_point_id",
            "state",
            "action",
            "connection",
            "followed",
            "payload",
            "source",
            "confirmed_by",
        )
    )
)
CONNECTION_EVENTS = Prepared(
    lambda connections: (
        ConnectionEvent.objects.filter(connection__any_of=connections)
        .order_by()
        .values_list("connection", "kind")
    )
)
