import django.db.models.deletion
from django.db import migrations, models

from levity.db.together import together


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0011_operators_side"),
    ]

    operations = [
        *together(
            migrations.CreateModel(
                name="ChangedSession",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("session", models.BigIntegerField()),
                ],
            ),
            migrations.CreateModel(
                name="SessionHour",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("evse", models.PositiveIntegerField(default=0)),
                    ("connector", models.PositiveIntegerField(null=True)),
                    ("hour", models.DateTimeField(help_text="When it began, a full hour of UTC.")),
                    (
                        "wh",
                        models.DecimalField(
                            decimal_places=3,
                            help_text="In Wh.",
                            max_digits=18,
                            verbose_name="energy",
                        ),
                    ),
                    (
                        "seconds",
                        models.PositiveIntegerField(
                            help_text="For which the session lasted in it."
                        ),
                    ),
                    (
                        "power",
                        models.PositiveIntegerField(
                            help_text="The greatest, in W. Empty: unknown.", null=True
                        ),
                    ),
                    ("counted_at", models.DateTimeField()),
                    (
                        "charge_point",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "transaction",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="hours",
                            to="ocpp.transaction",
                        ),
                    ),
                ],
                options={
                    "indexes": [
                        models.Index(fields=["hour"], name="session_hour_at"),
                        models.Index(
                            fields=["charge_point", "hour"], name="session_hour_of_charge_point"
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("transaction", "hour"), name="session_hour_once"
                        )
                    ],
                },
            ),
        ),
        # All sessions of before are counted by a worker, a few at a time.
        migrations.RunSQL(
            "INSERT INTO ocpp_changedsession (session) SELECT id FROM ocpp_transaction ORDER BY id",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("flags__contains", "implausible-energy")),
                fields=["started_at"],
                name="transaction_implausible",
            ),
        ),
    ]
