import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0008_unknown_payer"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="restored_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the database was last restored from a backup.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="restored_to",
            field=models.DateTimeField(
                blank=True,
                help_text="The newest entry of that backup: what came after it is missing.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="UnassignedEnergy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evse", models.PositiveIntegerField(default=0)),
                ("connector", models.PositiveIntegerField()),
                (
                    "month",
                    models.CharField(
                        help_text="In the time zone of the site, such as 2026-11.", max_length=7
                    ),
                ),
                (
                    "wh",
                    models.DecimalField(
                        decimal_places=3, help_text="In Wh.", max_digits=18, verbose_name="energy"
                    ),
                ),
                (
                    "stretches",
                    models.PositiveIntegerField(
                        help_text="How many stretches of the register this is the sum of."
                    ),
                ),
                (
                    "last_at",
                    models.DateTimeField(
                        help_text="When the register had moved, by the charger's clock."
                    ),
                ),
                ("renewed_at", models.DateTimeField(help_text="When it was summed up.")),
                (
                    "charge_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unassigned_energy",
                        to="ocpp.chargepoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "unassigned energy",
                "verbose_name_plural": "unassigned energy",
                "ordering": ["-month", "charge_point", "connector"],
                "default_permissions": ("view", "change"),
                "indexes": [models.Index(fields=["month"], name="unassigned_in_month")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("charge_point", "evse", "connector", "month"),
                        name="unassigned_once",
                    )
                ],
            },
        ),
    ]
