import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import levity.monitoring.models
from levity.db.together import together


class Migration(migrations.Migration):
    # What a database from before the first release has applied (levity.run.applied_migrations).
    replaces = [
        ("operation", "0001_alerts"),
        ("operation", "0002_sealed_and_acknowledged"),
        ("operation", "0003_database_damaged"),
        ("operation", "0004_kinds"),
        ("operation", "0005_wording"),
    ]

    initial = True

    dependencies = [
        ("ocpp", "0001_initial"),
    ]

    operations = together(
        migrations.CreateModel(
            name="Duty",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=100)),
                ("until", models.DateTimeField()),
                ("report", models.JSONField(default=dict, help_text="What its holder last found.")),
            ],
            options={
                "verbose_name_plural": "duties",
            },
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_seen_at", models.DateTimeField()),
                (
                    "report",
                    models.JSONField(default=dict, help_text="What it knows about the broker."),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=levity.monitoring.models.kind_choices, max_length=32),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("warning", "Warning"), ("critical", "Critical")], max_length=8
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=200, null=True, unique=True)),
                ("summary", models.CharField(max_length=255)),
                ("detail", models.TextField(blank=True)),
                ("raised_at", models.DateTimeField(db_index=True)),
                ("last_at", models.DateTimeField(help_text="When it was last seen.")),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "charge_point",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ocpp.site",
                    ),
                ),
                (
                    "acknowledged_at",
                    models.DateTimeField(
                        blank=True, help_text="When it was acknowledged.", null=True
                    ),
                ),
                (
                    "acknowledged_by",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="User name at that time.",
                        max_length=150,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["kind"],
                        name="alert_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("enabled", models.BooleanField(default=True)),
                (
                    "kinds",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Only alerts of these kinds. None selected: all.",
                    ),
                ),
                (
                    "least_severity",
                    models.CharField(
                        choices=[("warning", "Warning"), ("critical", "Critical")],
                        default="warning",
                        help_text="At least.",
                        max_length=8,
                        verbose_name="severity",
                    ),
                ),
                (
                    "emails",
                    models.TextField(
                        blank=True,
                        help_text="E-mail addresses, separated by commas or line breaks.",
                        verbose_name="e-mail to",
                    ),
                ),
                (
                    "webhook_url",
                    models.CharField(
                        blank=True,
                        help_text="Receives a signed JSON POST (docs/monitoring.md). Slack and Mattermost show its text.",
                        max_length=500,
                        verbose_name="webhook",
                    ),
                ),
                (
                    "webhook_secret",
                    models.CharField(
                        blank=True,
                        help_text="Signs the webhook's body (HMAC-SHA256).",
                        max_length=200,
                    ),
                ),
                (
                    "quiet_from",
                    models.TimeField(
                        blank=True,
                        help_text="In the site's time zone. Critical alerts are sent regardless.",
                        null=True,
                    ),
                ),
                ("quiet_until", models.TimeField(blank=True, null=True)),
                (
                    "send_recovered",
                    models.BooleanField(
                        default=True, help_text="Also notify when an alert is resolved."
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only alerts about this site's chargers. Empty: all.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ocpp.site",
                    ),
                ),
                (
                    "sealed_secret",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="The webhook secret, encrypted.",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="AlertDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "notice",
                    models.CharField(
                        choices=[
                            ("raised", "Raised"),
                            ("worse", "Worse"),
                            ("recovered", "resolved"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "e-mail"), ("webhook", "Webhook")], max_length=8
                    ),
                ),
                ("target", models.CharField(max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waits"),
                            ("sent", "Sent"),
                            ("failed", "given up"),
                            ("skipped", "no longer needed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("not_before", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=255)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="operation.alert",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty for LEVITY_ALERT_EMAIL and LEVITY_ALERT_WEBHOOK.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="operation.alertrule",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "alert deliveries",
                "ordering": ["id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["not_before"],
                        name="alert_delivery_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("alert", "notice", "channel", "target"), name="alert_told_once"
                    )
                ],
            },
        ),
    )
