from django.db import migrations, models

from levity.db.kept_ids import ids_kept


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0005_message_blocks"),
    ]

    operations = ids_kept(
        "ocpp_transaction",
        [
            migrations.RemoveConstraint(
                model_name="transaction",
                name="transaction_once",
            ),
            migrations.AddField(
                model_name="idtag",
                name="type",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("Central", "Central: from an app or the operator"),
                        ("eMAID", "eMAID: contract of a car (Plug & Charge)"),
                        ("ISO14443", "ISO14443: RFID card or fob"),
                        ("ISO15693", "ISO15693: RFID card or fob, vicinity"),
                        ("KeyCode", "KeyCode: PIN"),
                        ("Local", "Local: made by the charger"),
                        ("MacAddress", "MacAddress: of the car"),
                        ("NoAuthorization", "NoAuthorization: a start button"),
                    ],
                    db_default="",
                    default="",
                    help_text="What kind of token it is, for chargers with OCPP 2.0.1. Empty: any kind.",
                    max_length=16,
                ),
            ),
            migrations.AddField(
                model_name="transaction",
                name="seq_no",
                field=models.BigIntegerField(
                    blank=True,
                    editable=False,
                    help_text="seqNo of the newest event (OCPP 2.0.1). Empty in OCPP 1.6.",
                    null=True,
                ),
            ),
            migrations.AddField(
                model_name="transaction",
                name="wire_id",
                field=models.CharField(
                    blank=True,
                    db_default="",
                    default="",
                    editable=False,
                    help_text="The charger's own id of the session (OCPP 2.0.1). Empty in OCPP 1.6.",
                    max_length=64,
                ),
            ),
            migrations.AlterField(
                model_name="transaction",
                name="connector",
                field=models.PositiveIntegerField(
                    blank=True, help_text="Empty: not known (yet).", null=True
                ),
            ),
            migrations.AlterField(
                model_name="transaction",
                name="meter_start",
                field=models.DecimalField(
                    blank=True,
                    decimal_places=3,
                    help_text="In Wh, as told at the start. Empty: not told.",
                    max_digits=18,
                    null=True,
                ),
            ),
            migrations.AddConstraint(
                model_name="transaction",
                constraint=models.UniqueConstraint(
                    condition=models.Q(("wire_id", "")),
                    fields=(
                        "charge_point",
                        "connector",
                        "id_tag",
                        "started_at",
                        "meter_start",
                        "occurrence",
                    ),
                    name="transaction_once",
                ),
            ),
            migrations.AddConstraint(
                model_name="transaction",
                constraint=models.UniqueConstraint(
                    condition=models.Q(("wire_id", ""), _negated=True),
                    fields=("charge_point", "wire_id", "occurrence"),
                    name="transaction_wire_id",
                ),
            ),
        ],
    )
