import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from levity.db.together import together

# An event's transaction gets its number before the event gets its id: see order.py.
NUMBERED = """
ALTER TABLE integrations_event ALTER COLUMN id DROP IDENTITY;
CREATE SEQUENCE integrations_event_id_seq AS bigint OWNED BY integrations_event.id;
ALTER TABLE integrations_event ALTER COLUMN id SET DEFAULT (
    CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('integrations_event_id_seq') END
);
"""


def number_before_the_id(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(NUMBERED)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ocpp", "0011_operators_side"),
    ]

    operations = [
        *together(
            migrations.CreateModel(
                name="Event",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("type", models.CharField(max_length=32)),
                    ("at", models.DateTimeField(help_text="When it happened, by our clock.")),
                    ("charge_point", models.BigIntegerField(blank=True, null=True)),
                    ("identity", models.CharField(blank=True, max_length=48)),
                    (
                        "site",
                        models.BigIntegerField(
                            blank=True, help_text="Its site at that time.", null=True
                        ),
                    ),
                    (
                        "id_tag",
                        models.CharField(
                            blank=True,
                            help_text="Only for receivers that may see id tags.",
                            max_length=255,
                        ),
                    ),
                    ("data", models.JSONField(default=dict)),
                ],
                options={
                    "ordering": ["-id"],
                },
            ),
            migrations.CreateModel(
                name="Horizon",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("event", models.BigIntegerField(default=0)),
                    ("looked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ],
            ),
            migrations.CreateModel(
                name="Reader",
                fields=[
                    ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                    ("types", models.JSONField(blank=True, default=list, help_text="Empty: all.")),
                    ("read_at", models.DateTimeField(default=django.utils.timezone.now)),
                ],
            ),
            migrations.CreateModel(
                name="Turn",
                fields=[
                    ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                    ("holder", models.CharField(max_length=100)),
                    ("until", models.DateTimeField()),
                    ("report", models.JSONField(default=dict)),
                ],
            ),
            migrations.CreateModel(
                name="Webhook",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=100, unique=True)),
                    ("url", models.CharField(max_length=500, verbose_name="address")),
                    ("enabled", models.BooleanField(default=True)),
                    (
                        "types",
                        models.JSONField(
                            blank=True,
                            default=list,
                            help_text="Only events of these types. None selected: all.",
                        ),
                    ),
                    (
                        "may_see_tags",
                        models.BooleanField(
                            default=False,
                            help_text="Events name the id tag of the driver.",
                            verbose_name="may see id tags",
                        ),
                    ),
                    ("sealed_secret", models.TextField(editable=False)),
                    (
                        "sealed_old_secret",
                        models.TextField(
                            blank=True,
                            default="",
                            editable=False,
                            help_text="Signs as well, for a day.",
                        ),
                    ),
                    (
                        "old_secret_until",
                        models.DateTimeField(blank=True, editable=False, null=True),
                    ),
                    (
                        "position",
                        models.BigIntegerField(
                            default=0,
                            editable=False,
                            help_text="The newest event that has a delivery, or needs none.",
                        ),
                    ),
                    ("paused_until", models.DateTimeField(blank=True, editable=False, null=True)),
                    (
                        "failures",
                        models.PositiveIntegerField(
                            default=0,
                            editable=False,
                            help_text="Attempts that failed since the last that did not.",
                        ),
                    ),
                    ("error", models.CharField(blank=True, editable=False, max_length=255)),
                    ("sent_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    (
                        "created_at",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                    (
                        "sites",
                        models.ManyToManyField(
                            blank=True,
                            help_text="Only events of these sites' chargers. None selected: all.",
                            related_name="+",
                            to="ocpp.site",
                        ),
                    ),
                ],
                options={
                    "ordering": ["name"],
                },
            ),
            migrations.CreateModel(
                name="Delivery",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("event", models.BigIntegerField()),
                    ("type", models.CharField(max_length=32)),
                    ("charge_point", models.BigIntegerField(default=0, help_text="0: about none.")),
                    ("identity", models.CharField(blank=True, max_length=48)),
                    ("at", models.DateTimeField(help_text="When it happened.")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("waiting", "waits"),
                                ("sent", "Sent"),
                                ("dead", "given up"),
                                ("discarded", "Discarded"),
                            ],
                            default="waiting",
                            max_length=10,
                        ),
                    ),
                    ("attempts", models.PositiveIntegerField(default=0)),
                    ("first_tried_at", models.DateTimeField(blank=True, null=True)),
                    ("next_at", models.DateTimeField()),
                    ("done_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "status",
                        models.PositiveIntegerField(
                            blank=True, help_text="Of the last answer.", null=True
                        ),
                    ),
                    ("error", models.CharField(blank=True, max_length=255)),
                    (
                        "webhook",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="deliveries",
                            to="integrations.webhook",
                        ),
                    ),
                ],
                options={
                    "verbose_name_plural": "deliveries",
                    "ordering": ["-event"],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state", "waiting")),
                            fields=["webhook", "charge_point", "event"],
                            name="delivery_waiting",
                        ),
                        models.Index(
                            condition=models.Q(("state", "dead")),
                            fields=["-event"],
                            name="delivery_dead",
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("webhook", "event"), name="delivered_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="MqttDevice",
                fields=[
                    ("charge_point", models.BigIntegerField(primary_key=True, serialize=False)),
                    (
                        "base",
                        models.CharField(
                            help_text="Its topics, without the prefix.", max_length=255
                        ),
                    ),
                    (
                        "counters",
                        models.JSONField(
                            default=dict,
                            help_text="Wh that was told last of each connector: it never falls.",
                        ),
                    ),
                ],
            ),
        ),
        migrations.RunPython(number_before_the_id, migrations.RunPython.noop),
    ]
