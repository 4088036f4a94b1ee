"""MeterValues as rows and traces. What the release before has written stays where it is, to be
moved while chargers charge."""

import django.db.models.deletion
from django.db import migrations, models

from levity.db.together import together


def _of(model: str, **options: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to=model,
        db_constraint=False,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("ocpp", "0002_failed_message_subprotocol")]

    operations = [
        *together(
            migrations.SeparateDatabaseAndState(
                state_operations=[
                    migrations.RenameModel("MeterValue", "LegacySample"),
                    migrations.AlterModelTable("LegacySample", "ocpp_metervalue"),
                    migrations.AlterField(
                        model_name="legacysample",
                        name="raw_value",
                        field=models.TextField(),
                    ),
                    migrations.AlterField(
                        model_name="legacysample",
                        name="sampled_at",
                        field=models.DateTimeField(),
                    ),
                    migrations.AlterField(
                        model_name="legacysample",
                        name="transaction",
                        field=models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to="ocpp.transaction",
                        ),
                    ),
                    migrations.AlterField(
                        model_name="legacysample",
                        name="unit",
                        field=models.CharField(blank=True, max_length=32),
                    ),
                    migrations.AlterField(
                        model_name="legacysample",
                        name="value",
                        field=models.DecimalField(
                            blank=True, decimal_places=6, max_digits=24, null=True
                        ),
                    ),
                    migrations.AlterField(
                        model_name="metervaluecorrection",
                        name="meter_value",
                        field=models.ForeignKey(
                            blank=True,
                            help_text="Of a release before, while it has not been moved; see `sample`.",
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="corrections",
                            to="ocpp.legacysample",
                        ),
                    ),
                ]
            ),
            migrations.CreateModel(
                name="SampleShape",
                fields=[
                    (
                        "id",
                        models.BigIntegerField(
                            primary_key=True,
                            serialize=False,
                            help_text="The first 63 bits of the SHA-256 of the names.",
                        ),
                    ),
                    (
                        "names",
                        models.TextField(
                            help_text="JSON: of each sample measurand, phase, location, context, format and unit."
                        ),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="MeterValue",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            primary_key=True, serialize=False, auto_created=True, verbose_name="ID"
                        ),
                    ),
                    ("charge_point", _of("ocpp.chargepoint", db_index=False)),
                    ("evse", models.PositiveIntegerField(default=0)),
                    ("connector", models.PositiveIntegerField()),
                    ("transaction", _of("ocpp.transaction", null=True, blank=True)),
                    ("sampled_at", models.DateTimeField(help_text="By the charger's clock.")),
                    ("received_at", models.DateTimeField()),
                    (
                        "shape",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="ocpp.sampleshape",
                            db_constraint=False,
                            db_index=False,
                        ),
                    ),
                    (
                        "raw_values",
                        models.TextField(help_text="As sent, in the order of the shape's names."),
                    ),
                    (
                        "recorded",
                        models.JSONField(
                            null=True,
                            blank=True,
                            help_text="By their position, values that differ from what the raw value comes to.",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "meter value",
                    "db_table": "ocpp_metervalue_recent",
                    "indexes": [
                        models.Index(
                            fields=["charge_point", "sampled_at"],
                            name="meter_value_at_charge_point",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="SampleTrace",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            primary_key=True, serialize=False, auto_created=True, verbose_name="ID"
                        ),
                    ),
                    ("charge_point", _of("ocpp.chargepoint", db_index=False)),
                    ("evse", models.PositiveIntegerField(default=0)),
                    ("connector", models.PositiveIntegerField()),
                    ("transaction", _of("ocpp.transaction", null=True, blank=True)),
                    (
                        "first_at",
                        models.DateTimeField(help_text="The earliest, by the charger's clock."),
                    ),
                    (
                        "last_at",
                        models.DateTimeField(help_text="The latest, by the charger's clock."),
                    ),
                    ("elements", models.PositiveIntegerField(help_text="How many MeterValues.")),
                    (
                        "samples",
                        models.PositiveIntegerField(help_text="How many samples they have."),
                    ),
                    (
                        "data",
                        models.BinaryField(help_text="See levity.ocpp.store.samples.coding."),
                    ),
                ],
                options={
                    "indexes": [
                        models.Index(
                            fields=["charge_point", "last_at"], name="trace_of_charge_point"
                        )
                    ],
                },
            ),
        ),
        migrations.AddField(
            model_name="metervaluecorrection",
            name="charge_point",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="ocpp.chargepoint",
            ),
        ),
        migrations.AddField(
            model_name="metervaluecorrection",
            name="sample",
            field=models.BigIntegerField(
                blank=True,
                help_text="Key of the meter value (levity.ocpp.store.samples). Empty: a value of the transaction itself.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="metervaluecorrection",
            name="sampled_at",
            field=models.DateTimeField(
                blank=True, help_text="Of the meter value, by the charger's clock.", null=True
            ),
        ),
    ]
