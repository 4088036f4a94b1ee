"""Indexes that nobody needs, gone from the tables that are written with every message; and more
room for updates in the pages of sessions.

Most of them said what the beginning of another one says, or were the one for LIKE that Django makes
beside a unique text (Postgres only). That of the connectors' sessions kept each start and stop from
changing the connector's row in its page. A worker of the release before goes on: where it takes a
session from its connector, it reads all connectors meanwhile. As SQL, for Django would make each of
SQLite's tables anew.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from levity.db.together import together

# (name, table, columns), as Django has made them.
GONE = (
    ("ocpp_chargepoint_edge_id_7712c1e1", "ocpp_chargepoint", "edge_id"),
    ("ocpp_command_charge_point_id_a51262bb", "ocpp_command", "charge_point_id"),
    ("ocpp_command_requested_by_id_9821dcae", "ocpp_command", "requested_by_id"),
    ("ocpp_connectionevent_charge_point_id_c53d23fa", "ocpp_connectionevent", "charge_point_id"),
    ("ocpp_connector_charge_point_id_bd46bf9c", "ocpp_connector", "charge_point_id"),
    ("ocpp_connector_transaction_id_e6161b22", "ocpp_connector", "transaction_id"),
    ("ocpp_transaction_charge_point_id_face2953", "ocpp_transaction", "charge_point_id"),
)
GONE_ON_POSTGRES = (
    ("ocpp_chargepoint_edge_id_7712c1e1_like", "ocpp_chargepoint", "edge_id"),
    ("ocpp_command_unique_id_987c1f29_like", "ocpp_command", "unique_id"),
)
# Per cent of a page of sessions that new ones fill. A session's row grows threefold until its end.
ROOM, ROOM_BEFORE = 40, 70


def thin_out(apps: Any, editor: Any) -> None:
    """Drop them. The room is for pages that are filled from now on."""
    for name, _, _ in GONE:
        editor.execute(f"DROP INDEX IF EXISTS {name}")
    if editor.connection.vendor == "postgresql":
        for name, _, _ in GONE_ON_POSTGRES:
            editor.execute(f"DROP INDEX IF EXISTS {name}")
        editor.execute(f"ALTER TABLE ocpp_transaction SET (fillfactor = {ROOM})")


def put_back(apps: Any, editor: Any) -> None:
    """As it was."""
    for name, table, column in GONE:
        editor.execute(f"CREATE INDEX {name} ON {table} ({column})")
    if editor.connection.vendor == "postgresql":
        for name, table, column in GONE_ON_POSTGRES:
            editor.execute(f"CREATE INDEX {name} ON {table} ({column} varchar_pattern_ops)")
        editor.execute(f"ALTER TABLE ocpp_transaction SET (fillfactor = {ROOM_BEFORE})")


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ocpp", "0012_session_hours"),
    ]

    operations = [
        *together(
            migrations.SeparateDatabaseAndState(
                state_operations=[
                    migrations.AlterField(
                        model_name="chargepoint",
                        name="edge",
                        field=models.ForeignKey(
                            blank=True,
                            db_index=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.edge",
                        ),
                    ),
                    migrations.AlterField(
                        model_name="command",
                        name="charge_point",
                        field=models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="commands",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    migrations.AlterField(
                        model_name="command",
                        name="requested_by",
                        field=models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    migrations.AlterField(
                        model_name="connectionevent",
                        name="charge_point",
                        field=models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="connection_events",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    migrations.AlterField(
                        model_name="connector",
                        name="charge_point",
                        field=models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="connectors",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    migrations.AlterField(
                        model_name="connector",
                        name="transaction",
                        field=models.ForeignKey(
                            blank=True,
                            db_index=False,
                            editable=False,
                            help_text=(
                                "The running transaction, or the one interrupted by a boot (then orphaned)."
                            ),
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.transaction",
                        ),
                    ),
                    migrations.AlterField(
                        model_name="transaction",
                        name="charge_point",
                        field=models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="transactions",
                            to="ocpp.chargepoint",
                        ),
                    ),
                ],
            ),
            migrations.AddIndex(
                model_name="command",
                index=models.Index(
                    condition=models.Q(("requested_by__isnull", False)),
                    fields=["requested_by"],
                    name="command_of_user",
                ),
            ),
        ),
        migrations.RunPython(thin_out, put_back),
    ]
