import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from levity.db.kept_ids import ids_kept


def _wh() -> models.DecimalField:
    return models.DecimalField(
        blank=True, decimal_places=3, help_text="In Wh.", max_digits=18, null=True
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0006_wire_ids_and_tag_types"),
    ]

    operations = ids_kept(
        "ocpp_transaction",
        [
            migrations.AddField(
                model_name="transaction",
                name="checks",
                field=models.TextField(
                    blank=True,
                    db_default="",
                    default="",
                    editable=False,
                    help_text="What the energy was held against (levity.ocpp.rules.chain.books).",
                ),
            ),
            migrations.AddIndex(
                model_name="transaction",
                index=models.Index(
                    fields=["charge_point", "evse", "connector", "started_at"],
                    name="transaction_chain",
                ),
            ),
            migrations.CreateModel(
                name="SessionRepair",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("reason", models.CharField(max_length=255)),
                    ("old_energy", _wh()),
                    ("new_energy", _wh()),
                    ("old_confidence", models.CharField(blank=True, max_length=8)),
                    ("new_confidence", models.CharField(blank=True, max_length=8)),
                    (
                        "transaction",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="repairs",
                            to="ocpp.transaction",
                        ),
                    ),
                ],
                options={"ordering": ["-id"]},
            ),
        ],
    )
