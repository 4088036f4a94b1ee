"""The queries of `load`, built once: a list of values each, rows in the order named here."""

from dataclasses import fields

from django.db.models.functions import Lower

from levity.ocpp.effects import NO_SUCH_TRANSACTION
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    Connector,
    IdTag,
    QuarantinedMessage,
    Transaction,
    TransactionAlias,
)
from levity.ocpp.request import TransactionState
from levity.ocpp.store.prepared import Prepared

__all__ = [
    "ALIASES",
    "ALLOWED_PLACES",
    "CHARGE_POINTS",
    "COMMANDS",
    "CONNECTION_EVENTS",
    "CONNECTORS",
    "EARLY_STOPS",
    "ID_TAGS",
    "MEMBERS",
    "QUARANTINED_STARTS",
    "RUNNING_OF_TAG",
    "STARTS",
    "TRANSACTIONS",
]

# The columns have the names of the fields, so a row is a state.
TRANSACTION = tuple(field.name for field in fields(TransactionState))

CHARGE_POINTS = Prepared(
    lambda keys: (
        ChargePoint.objects.annotate(key=Lower("identity"))
        .filter(key__any_of=keys)
        .values_list(
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
        )
    )
)
CONNECTORS = Prepared(
    lambda charge_points: (
        Connector.objects.filter(charge_point__any_of=charge_points, evse=0)
        .order_by()
        .values_list(
            "charge_point_id",
            "number",
            "status",
            "status_since",
            "transaction_id",
            "error_code",
            "status_at",
            *(f"transaction__{name}" for name in TRANSACTION),
        )
    )
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
QUARANTINED_STARTS = Prepared(
    lambda charge_points, hashes: (
        QuarantinedMessage.objects.filter(
            action="StartTransaction",
            charge_point__any_of=charge_points,
            payload_hash__any_of=hashes,
        )
        .order_by()
        .values_list("charge_point_id", "payload_hash", "transaction")
    ),
    parameters=2,
)
# Looked through for the end of a session that is told in the wrong order; older ones are a
# person's business.
EARLY_STOPS = Prepared(
    lambda charge_points: (
        QuarantinedMessage.objects.filter(
            charge_point__any_of=charge_points,
            action="StopTransaction",
            reason=NO_SUCH_TRANSACTION,
            resolved_at=None,
        )
        .order_by("-id")
        .values_list("id", "charge_point_id", "payload", "received_at")[:200]
    )
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
        .order_by()
        .values_list("unique_id", "id", "charge_point_id", "state", "action", "connection")
    )
)
CONNECTION_EVENTS = Prepared(
    lambda connections: (
        ConnectionEvent.objects.filter(connection__any_of=connections)
        .order_by()
        .values_list("connection", "kind")
    )
)
