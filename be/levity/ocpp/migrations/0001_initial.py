import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import levity.ocpp.models.command
from levity.db.together import together


class Migration(migrations.Migration):
    # What a database from before the first release has applied (levity.run.applied_migrations).
    replaces = [
        ("ocpp", "0002_charger_side"),
        ("ocpp", "0003_silent"),
        ("ocpp", "0004_resolution"),
        ("ocpp", "0005_sessions_of_unset_clocks"),
        ("ocpp", "0006_security"),
        ("ocpp", "0007_spooled_starts"),
        ("ocpp", "0008_certificate_authority"),
        ("ocpp", "0009_insistent_guesses"),
        ("ocpp", "0010_calls"),
        ("ocpp", "0011_who_goes_first"),
        ("ocpp", "0012_refused_by_path"),
        ("ocpp", "0013_lines"),
        ("ocpp", "0014_lives"),
        ("ocpp", "0015_retired"),
        ("ocpp", "0016_installation"),
        ("ocpp", "0017_subprotocol"),
        ("ocpp", "0018_missed_changes"),
        ("ocpp", "0019_audit"),
        ("ocpp", "0020_wording"),
    ]

    initial = True

    dependencies = [
        # All of it: its next ones cost less while there are no tables of ours.
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = together(
        migrations.CreateModel(
            name="Edge",
            fields=[
                ("id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                (
                    "reply_to",
                    models.CharField(help_text="Address of its reply queue.", max_length=255),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_seen_at", models.DateTimeField(db_index=True)),
                (
                    "connections",
                    models.PositiveIntegerField(
                        default=0, help_text="Open websockets, as last reported."
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Such as Europe/Berlin. Empty: the server's. Also assumed for chargers that send times without a time zone.",
                        max_length=64,
                    ),
                ),
                (
                    "authorization",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("anonymous", "anyone, with any tag or none"),
                            ("known", "known tags only"),
                            ("record", "anyone; unknown tags are recorded for approval"),
                        ],
                        help_text="Empty: the default setting.",
                        max_length=12,
                    ),
                ),
                ("notes", models.TextField(blank=True)),
                (
                    "security_profile",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[
                            (0, "0: open, no key required"),
                            (1, "1: key, without encryption (ws://)"),
                            (2, "2: key, over TLS (wss://)"),
                            (3, "3: client certificate, over TLS (wss://)"),
                        ],
                        help_text="Profile of new charge points here. Empty: the default setting.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ChargePoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "identity",
                    models.CharField(
                        help_text="The last part of the charger's websocket URL.", max_length=48
                    ),
                ),
                (
                    "name",
                    models.CharField(blank=True, help_text="Descriptive name.", max_length=100),
                ),
                ("notes", models.TextField(blank=True)),
                (
                    "registration",
                    models.CharField(
                        choices=[
                            ("Accepted", "Accepted"),
                            ("Pending", "Pending"),
                            ("Rejected", "Rejected"),
                        ],
                        default="Accepted",
                        max_length=8,
                    ),
                ),
                ("vendor", models.CharField(blank=True, max_length=255)),
                ("model", models.CharField(blank=True, max_length=255)),
                (
                    "serial_number",
                    models.CharField(
                        blank=True, max_length=255, verbose_name="charge point serial number"
                    ),
                ),
                ("charge_box_serial_number", models.CharField(blank=True, max_length=255)),
                ("firmware_version", models.CharField(blank=True, max_length=255)),
                ("iccid", models.CharField(blank=True, max_length=255, verbose_name="ICCID")),
                ("imsi", models.CharField(blank=True, max_length=255, verbose_name="IMSI")),
                ("meter_type", models.CharField(blank=True, max_length=255)),
                ("meter_serial_number", models.CharField(blank=True, max_length=255)),
                ("firmware_status", models.CharField(blank=True, max_length=64)),
                ("diagnostics_status", models.CharField(blank=True, max_length=64)),
                (
                    "heartbeat_interval",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds between heartbeats. Empty: the default.",
                        null=True,
                    ),
                ),
                (
                    "call_timeout",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds to wait for its answer to a command. Empty: the default.",
                        null=True,
                    ),
                ),
                (
                    "connection",
                    models.UUIDField(
                        blank=True,
                        editable=False,
                        help_text="The current websocket. Empty: offline.",
                        null=True,
                    ),
                ),
                ("connected_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("disconnected_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "last_seen_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Time of its last frame, to within some seconds.",
                        null=True,
                    ),
                ),
                ("booted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("remote_address", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "edge",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ocpp.edge",
                    ),
                ),
                (
                    "authorization",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("anonymous", "anyone, with any tag or none"),
                            ("known", "known tags only"),
                            ("record", "anyone; unknown tags are recorded for approval"),
                        ],
                        help_text="Empty: the site's rule.",
                        max_length=12,
                    ),
                ),
                (
                    "max_power",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="W per connector; faster-rising meters are considered wrong. Empty: the default.",
                        null=True,
                    ),
                ),
                (
                    "quirk_overrides",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Values that override fields of the quirk profile.",
                    ),
                ),
                (
                    "quirk_profile",
                    models.CharField(
                        blank=True,
                        help_text="Empty: chosen by vendor, model and firmware.",
                        max_length=64,
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Time zone of its clock, if it sends times without a zone.",
                        max_length=64,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="charge_points",
                        to="ocpp.site",
                    ),
                ),
                (
                    "security_profile",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "0: open, no key required"),
                            (1, "1: key, without encryption (ws://)"),
                            (2, "2: key, over TLS (wss://)"),
                            (3, "3: client certificate, over TLS (wss://)"),
                        ],
                        db_default=0,
                        default=0,
                        help_text="Connections with a lower profile are refused. OCPP messages can never lower it.",
                    ),
                ),
                (
                    "profile_since",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="When the profile was raised; earlier connections do not meet it.",
                    ),
                ),
                (
                    "certificate_name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The common name in its certificate. Empty: its identity. The security whitepaper (A00.FR.405) uses the serial number.",
                        max_length=64,
                    ),
                ),
                (
                    "evidence_until",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="A command was not answered; until this time, its messages are checked for the outcome.",
                        null=True,
                    ),
                ),
                (
                    "learned_evidence",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="Evidence for it.",
                        max_length=255,
                    ),
                ),
                (
                    "learned_from",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Connections that closed before this time are ignored, because an operator reset the learning.",
                        null=True,
                    ),
                ),
                (
                    "learned_silence",
                    models.PositiveIntegerField(
                        blank=True,
                        editable=False,
                        help_text="Seconds of silence after which its connection was repeatedly closed.",
                        null=True,
                    ),
                ),
                (
                    "ping_interval",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds between websocket pings; 0: none. Empty: from the quirk profile, or the default.",
                        null=True,
                    ),
                ),
                (
                    "silent_since",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Time of its last frame, if it missed two heartbeats on an open connection.",
                        null=True,
                    ),
                ),
                (
                    "clock_lag",
                    models.IntegerField(
                        blank=True,
                        editable=False,
                        help_text="Seconds by which its clock is behind ours, if known.",
                        null=True,
                    ),
                ),
                (
                    "clock_lag_seen",
                    models.IntegerField(
                        blank=True,
                        editable=False,
                        help_text="The same for its last StatusNotification with a time: a slow clock, or an old message.",
                        null=True,
                    ),
                ),
                (
                    "connection_timeout",
                    models.PositiveIntegerField(
                        blank=True,
                        editable=False,
                        help_text="Its ConnectionTimeOut in seconds, if reported.",
                        null=True,
                    ),
                ),
                (
                    "holds",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="Presented cards and accepted starts that have no session yet.",
                    ),
                ),
                ("learned_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "learned_power",
                    models.PositiveIntegerField(
                        blank=True,
                        editable=False,
                        help_text="Highest power in W that a connector was seen to deliver, if above the default.",
                        null=True,
                    ),
                ),
                (
                    "retired_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When it was retired. Empty: in use.",
                        null=True,
                    ),
                ),
                (
                    "subprotocol",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="Subprotocol of the current or last websocket. Empty: OCPP 1.6.",
                        max_length=64,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("connection__isnull", False)),
                        fields=["edge"],
                        name="charge_point_online",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("identity"),
                        name="charge_point_identity",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FailedMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.CharField(max_length=48)),
                ("connection", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("action", models.CharField(blank=True, max_length=64)),
                ("text", models.TextField(help_text="The frame.")),
                ("received_at", models.DateTimeField()),
                ("failed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("traceback", models.TextField(blank=True)),
                ("replayed_at", models.DateTimeField(blank=True, null=True)),
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
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "seq"), name="failed_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="FrameAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("connection", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "seq"), name="frame_attempt_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="IdTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("id_tag", models.CharField(max_length=255, verbose_name="id tag")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Accepted", "accepted"),
                            ("Blocked", "blocked"),
                            ("Recorded", "recorded, awaiting approval"),
                        ],
                        default="Accepted",
                        max_length=16,
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("owner", models.CharField(blank=True, max_length=200)),
                ("notes", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        help_text="The group, such as a household. A tag may stop sessions started by another tag of its group; if the group is blocked, expired or at its limit, so are its tags.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="ocpp.idtag",
                    ),
                ),
                (
                    "charge_points",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Where it may charge. None selected: everywhere.",
                        related_name="+",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "max_transactions",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How many concurrent sessions the tag, or all tags of this group together, may have. Empty: unlimited.",
                        null=True,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("id_tag"), name="id_tag_value"
                    )
                ],
                "ordering": ["id_tag"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("connection", models.UUIDField()),
                (
                    "seq",
                    models.BigIntegerField(
                        help_text="The frame's number on its connection. Empty for frames that we sent.",
                        null=True,
                    ),
                ),
                (
                    "sender",
                    models.CharField(
                        choices=[("cp", "charge point"), ("cs", "central system")],
                        default="cp",
                        max_length=2,
                    ),
                ),
                ("unique_id", models.CharField(blank=True, max_length=64)),
                ("action", models.CharField(blank=True, max_length=64)),
                (
                    "transaction",
                    models.IntegerField(blank=True, help_text="The transactionId.", null=True),
                ),
                ("request", models.TextField(help_text="The frame as transmitted.")),
                ("response", models.TextField(blank=True, help_text="The frame of the answer.")),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_description", models.TextField(blank=True)),
                (
                    "received_at",
                    models.DateTimeField(help_text="When the request passed through the edge."),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "charge_point",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ocpp.chargepoint",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["charge_point", "-id"], name="message_of_charge_point"),
                    models.Index(fields=["action", "-id"], name="message_action"),
                    models.Index(fields=["received_at"], name="message_received"),
                    models.Index(
                        condition=models.Q(("error_code", ""), _negated=True),
                        fields=["-id"],
                        name="message_error",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "unique_id", "seq"), name="message_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Transaction",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("evse", models.PositiveIntegerField(default=0)),
                ("connector", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("stopped", "stopped by the charger"),
                            ("orphaned", "closed by Levity from the last meter value"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("id_tag", models.CharField(blank=True, max_length=255, verbose_name="id tag")),
                ("reservation_id", models.BigIntegerField(blank=True, null=True)),
                ("started_at", models.DateTimeField(help_text="By the charger's clock.")),
                ("start_received_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "meter_start",
                    models.DecimalField(
                        decimal_places=3, help_text="In Wh, from StartTransaction.", max_digits=18
                    ),
                ),
                (
                    "stopped_at",
                    models.DateTimeField(
                        blank=True, help_text="By the charger's clock.", null=True
                    ),
                ),
                ("stop_received_at", models.DateTimeField(blank=True, null=True)),
                (
                    "meter_stop",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In Wh, from StopTransaction.",
                        max_digits=18,
                        null=True,
                    ),
                ),
                ("stop_reason", models.CharField(blank=True, max_length=64)),
                ("stop_id_tag", models.CharField(blank=True, max_length=255)),
                (
                    "energy",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="Energy charged so far, or in total, in Wh.",
                        max_digits=18,
                        null=True,
                    ),
                ),
                (
                    "power",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In W, from the last meter values.",
                        max_digits=18,
                        null=True,
                    ),
                ),
                (
                    "meter_last",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="Newest register value in Wh.",
                        max_digits=18,
                        null=True,
                    ),
                ),
                ("meter_last_at", models.DateTimeField(blank=True, null=True)),
                (
                    "flags",
                    models.CharField(
                        blank=True, help_text="Irregularities, space-separated.", max_length=255
                    ),
                ),
                (
                    "charge_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "confidence",
                    models.CharField(
                        blank=True,
                        help_text="Confidence in the energy: high, medium or low.",
                        max_length=8,
                    ),
                ),
                (
                    "energy_source",
                    models.CharField(
                        blank=True,
                        help_text="Source of the energy: registers, session-register, samples, ...",
                        max_length=32,
                    ),
                ),
                (
                    "occurrence",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        editable=False,
                        help_text="Counts sessions with identical start data; above 0 only for chargers whose clock was never set.",
                    ),
                ),
                (
                    "lives",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="History of the meter register (levity.ocpp.rules.lives).",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "active")),
                        fields=["charge_point", "connector"],
                        name="transaction_active",
                    ),
                    models.Index(
                        fields=["charge_point", "-id"], name="transaction_of_charge_point"
                    ),
                    models.Index(fields=["started_at"], name="transaction_started"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "charge_point",
                            "connector",
                            "id_tag",
                            "started_at",
                            "meter_start",
                            "occurrence",
                        ),
                        name="transaction_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=64)),
                ("unique_id", models.CharField(blank=True, max_length=64)),
                ("connection", models.UUIDField(blank=True, null=True)),
                ("payload", models.TextField(help_text="Payload of the Call as JSON.")),
                ("payload_hash", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=255)),
                (
                    "transaction",
                    models.IntegerField(
                        blank=True,
                        help_text="The transactionId in the message or in its answer.",
                        null=True,
                    ),
                ),
                ("received_at", models.DateTimeField(help_text="When it first arrived.")),
                (
                    "repeated",
                    models.PositiveIntegerField(default=0, help_text="Number of repetitions."),
                ),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolution", models.CharField(blank=True, max_length=255)),
                (
                    "charge_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quarantined_messages",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "resolved_to",
                    models.ForeignKey(
                        blank=True,
                        help_text="The transaction that it was attached to, or that was created from it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="quarantined_messages",
                        to="ocpp.transaction",
                    ),
                ),
                (
                    "undo",
                    models.JSONField(
                        blank=True,
                        editable=False,
                        help_text="Values before the decision.",
                        null=True,
                    ),
                ),
                (
                    "last_received_at",
                    models.DateTimeField(
                        blank=True, help_text="When it was last repeated.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=["charge_point", "-id"],
                        name="quarantined_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("charge_point", "action", "payload_hash"), name="quarantined_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("type", models.CharField(max_length=64)),
                ("detail", models.TextField(blank=True)),
                ("at", models.DateTimeField(help_text="The charger's clock, or ours.")),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "charge_point",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="security_events",
                        to="ocpp.chargepoint",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="MeterValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evse", models.PositiveIntegerField(default=0)),
                ("connector", models.PositiveIntegerField()),
                ("sampled_at", models.DateTimeField(help_text="By the charger's clock.")),
                ("received_at", models.DateTimeField()),
                ("measurand", models.CharField(max_length=64)),
                ("phase", models.CharField(blank=True, max_length=16)),
                ("location", models.CharField(blank=True, max_length=16)),
                ("context", models.CharField(blank=True, max_length=64)),
                ("format", models.CharField(blank=True, max_length=16)),
                (
                    "unit",
                    models.CharField(
                        blank=True, help_text="As sent. Empty: OCPP's default.", max_length=32
                    ),
                ),
                ("raw_value", models.TextField(help_text="As sent.")),
                (
                    "value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="In base units (Wh, W, A, V, ...). Empty if the raw value is not a number.",
                        max_digits=24,
                        null=True,
                    ),
                ),
                (
                    "charge_point",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="meter_values",
                        to="ocpp.transaction",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["charge_point", "sampled_at"], name="meter_value_of_charge_point"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Connector",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "evse",
                    models.PositiveIntegerField(
                        default=0, help_text="0 for chargers that speak OCPP 1.6."
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        blank=True, help_text="Empty: not reported since boot.", max_length=64
                    ),
                ),
                (
                    "status_since",
                    models.DateTimeField(
                        blank=True,
                        help_text="When the status last changed, by our clock.",
                        null=True,
                    ),
                ),
                (
                    "status_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time in its last StatusNotification, by the charger's clock.",
                        null=True,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("info", models.CharField(blank=True, max_length=255)),
                ("vendor_id", models.CharField(blank=True, max_length=255)),
                ("vendor_error_code", models.CharField(blank=True, max_length=255)),
                (
                    "charge_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connectors",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="The running transaction, or the one interrupted by a boot (then orphaned).",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ocpp.transaction",
                    ),
                ),
            ],
            options={
                "ordering": ["charge_point", "evse", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("charge_point", "evse", "number"), name="connector_of_charge_point"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Command",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=64)),
                ("payload", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "sent, waiting for the answer"),
                            ("answered", "answered with a result"),
                            ("refused", "answered with an error"),
                            ("timed_out", "no answer in time"),
                            ("expired", "not sent in time"),
                            ("cancelled", "Cancelled"),
                            ("failed", "could not be sent"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                (
                    "unique_id",
                    models.CharField(
                        default=levity.ocpp.models.command.new_unique_id,
                        editable=False,
                        max_length=36,
                        unique=True,
                    ),
                ),
                (
                    "queue_offline",
                    models.BooleanField(
                        default=True,
                        help_text="Wait while the charger is offline; otherwise fail at once.",
                    ),
                ),
                ("not_before", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "timeout",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds to wait for the answer. Empty: the charger's setting.",
                        null=True,
                    ),
                ),
                (
                    "connection",
                    models.UUIDField(
                        blank=True,
                        help_text="Send only on this websocket; once sent, the websocket used.",
                        null=True,
                    ),
                ),
                ("only_connector", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "only_status",
                    models.CharField(
                        blank=True,
                        help_text="Send only while the connector has this status.",
                        max_length=64,
                    ),
                ),
                (
                    "idempotency_key",
                    models.CharField(
                        blank=True,
                        help_text="Idempotency key: a second command with this key is ignored.",
                        max_length=200,
                        null=True,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        help_text="User, command or middleware that requested it.",
                        max_length=100,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "deadline",
                    models.DateTimeField(
                        blank=True, help_text="When the answer is considered lost.", null=True
                    ),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("answered_late", models.BooleanField(default=False)),
                ("result", models.JSONField(blank=True, null=True)),
                (
                    "result_status",
                    models.CharField(
                        blank=True, help_text="The `status` of the answer, if any.", max_length=64
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_description", models.TextField(blank=True)),
                (
                    "charge_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="commands",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "secret",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="The unmasked payload, encrypted; deleted when the command has finished.",
                    ),
                ),
                (
                    "confirmed_by",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Evidence that the charger executed it although its answer was lost.",
                        max_length=255,
                    ),
                ),
                (
                    "only_since",
                    models.DateTimeField(
                        blank=True,
                        help_text="Send only if the connector has had that status since then.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["not_before"],
                        name="command_queued",
                    ),
                    models.Index(
                        condition=models.Q(("state", "sent")),
                        fields=["deadline"],
                        name="command_sent",
                    ),
                    models.Index(fields=["charge_point", "-id"], name="command_of_charge_point"),
                    models.Index(
                        condition=models.Q(("secret", ""), _negated=True),
                        fields=["id"],
                        name="command_with_secret",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "sent")),
                        fields=("charge_point",),
                        name="command_one_outstanding",
                    ),
                    models.UniqueConstraint(
                        fields=("charge_point", "idempotency_key"), name="command_idempotency"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectionEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.CharField(help_text="As in the URL.", max_length=48)),
                ("connection", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("connected", "Connected"),
                            ("disconnected", "Disconnected"),
                            ("refused", "Refused"),
                            ("silent", "silent for two heartbeats"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("edge", models.CharField(blank=True, max_length=100)),
                ("remote_address", models.CharField(blank=True, max_length=64)),
                ("user_agent", models.CharField(blank=True, max_length=255)),
                ("subprotocol", models.CharField(blank=True, max_length=255)),
                (
                    "code",
                    models.IntegerField(
                        blank=True, help_text="RFC 6455 close code or HTTP status.", null=True
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=255)),
                (
                    "charge_point",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connection_events",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "silent_for",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds since its last frame, if it may have been closed for being idle.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["charge_point", "-id"], name="connection_event_of_cp"),
                    models.Index(fields=["at"], name="connection_event_at"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "kind"), name="connection_event_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MeterValueCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "run",
                    models.UUIDField(
                        db_index=True, help_text="Shared by the corrections of one run."
                    ),
                ),
                ("field", models.CharField(max_length=32)),
                (
                    "old_value",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=24, null=True),
                ),
                (
                    "new_value",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=24, null=True),
                ),
                ("reason", models.CharField(max_length=255)),
                ("corrected_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "meter_value",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a value of the transaction itself.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="ocpp.metervalue",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="ocpp.transaction",
                    ),
                ),
                ("new_text", models.CharField(blank=True, max_length=255)),
                (
                    "old_text",
                    models.CharField(
                        blank=True, help_text="For fields that are not numbers.", max_length=255
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="StatusEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evse", models.PositiveIntegerField(default=0)),
                ("connector", models.PositiveIntegerField()),
                ("status", models.CharField(blank=True, max_length=64)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("info", models.CharField(blank=True, max_length=255)),
                ("vendor_error_code", models.CharField(blank=True, max_length=255)),
                (
                    "reported_at",
                    models.DateTimeField(
                        blank=True, help_text="By the charger's clock.", null=True
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "charge_point",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ocpp.chargepoint",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        fields=["charge_point", "-id"], name="status_event_of_charge_point"
                    ),
                    models.Index(fields=["received_at"], name="status_event_received"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuthFailure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "identity",
                    models.CharField(blank=True, help_text="In lower case.", max_length=48),
                ),
                ("address", models.CharField(max_length=64)),
                (
                    "counted_at",
                    models.FloatField(help_text="POSIX seconds of the last attempt that counted."),
                ),
                ("forgotten_at", models.FloatField(db_index=True, help_text="POSIX seconds.")),
                ("failures", models.PositiveIntegerField(default=1)),
                (
                    "last_guess",
                    models.CharField(
                        blank=True,
                        help_text="Keyed digest, so that a repeated guess is not counted again.",
                        max_length=32,
                    ),
                ),
                (
                    "insistent_forgotten_at",
                    models.FloatField(db_default=0.0, default=0.0, help_text="POSIX seconds."),
                ),
                (
                    "waiting",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Keys that were not checked: keyed digest, colon, POSIX seconds.",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("identity", "address"), name="auth_failure_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "digest",
                    models.CharField(blank=True, help_text="Empty: no key is set.", max_length=200),
                ),
                ("set_at", models.DateTimeField(blank=True, null=True)),
                (
                    "allow_short",
                    models.BooleanField(
                        default=False,
                        help_text="For chargers such as Grizzl-E Smart Connect, which send an empty password. Anyone who knows the identity can then impersonate this charger.",
                        verbose_name="allow a short or empty key",
                    ),
                ),
                (
                    "next_digest",
                    models.CharField(
                        blank=True,
                        help_text="Digest of the key being sent to the charger.",
                        max_length=200,
                    ),
                ),
                (
                    "next_profile",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Profile that the charger has accepted but not used yet.",
                        null=True,
                    ),
                ),
                (
                    "charge_point",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credential",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "next_command",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ocpp.command",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefusedHandshake",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "identity",
                    models.CharField(blank=True, help_text="As in the URL.", max_length=48),
                ),
                ("address", models.CharField(blank=True, max_length=64)),
                ("reason", models.CharField(max_length=32)),
                (
                    "status",
                    models.PositiveSmallIntegerField(help_text="HTTP status of the answer."),
                ),
                ("count", models.PositiveIntegerField(default=1)),
                ("first_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("detail", models.CharField(blank=True, max_length=255)),
                ("path", models.CharField(blank=True, max_length=255)),
                ("user_agent", models.CharField(blank=True, max_length=255)),
                ("subprotocols", models.CharField(blank=True, max_length=255)),
                ("secure", models.BooleanField(default=False)),
                ("edge", models.CharField(blank=True, max_length=100)),
                (
                    "key_digest",
                    models.CharField(
                        blank=True, help_text="Salted digest of the presented key.", max_length=200
                    ),
                ),
                ("key_length", models.PositiveIntegerField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "refused handshake",
                "indexes": [models.Index(fields=["-last_at"], name="refused_handshake_last")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("identity", "address", "reason", "path"),
                        name="refused_handshake_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TransactionAlias",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("given_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="ocpp.transaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CertificateAuthority",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "organization",
                    models.CharField(
                        help_text="The operator's organization (O in the certificate).",
                        max_length=64,
                    ),
                ),
                ("certificate", models.TextField(help_text="PEM.")),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="SHA-256 fingerprint, hexadecimal.", max_length=64, unique=True
                    ),
                ),
                ("not_before", models.DateTimeField()),
                ("not_after", models.DateTimeField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "replaced_at",
                    models.DateTimeField(
                        blank=True, help_text="When it was replaced. Empty: in use.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "certificate authorities",
            },
        ),
        migrations.CreateModel(
            name="ChargePointCertificate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "identity",
                    models.CharField(help_text="Charge point it was issued to.", max_length=48),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for approval"),
                            ("approved", "approved, awaiting signature"),
                            ("issued", "signed, being sent"),
                            ("installed", "Installed"),
                            ("refused", "refused by the charger"),
                            ("declined", "Declined"),
                            ("superseded", "superseded by a newer request"),
                            ("expired", "expired without a decision"),
                            ("revoked", "Revoked"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, help_text="Reason for the failure.", max_length=255
                    ),
                ),
                (
                    "csr",
                    models.TextField(
                        help_text="Certificate signing request (PEM).", verbose_name="request"
                    ),
                ),
                (
                    "key_kind",
                    models.CharField(help_text="Such as RSA 2048 or EC 256.", max_length=32),
                ),
                (
                    "key_fingerprint",
                    models.CharField(
                        help_text="SHA-256 of the public key, hexadecimal.", max_length=64
                    ),
                ),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("issued_at", models.DateTimeField(blank=True, null=True)),
                (
                    "serial_number",
                    models.CharField(
                        blank=True, help_text="Hexadecimal.", max_length=40, null=True, unique=True
                    ),
                ),
                ("subject", models.CharField(blank=True, help_text="RFC 4514.", max_length=255)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("not_after", models.DateTimeField(blank=True, null=True)),
                (
                    "fingerprint",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        help_text="SHA-256 fingerprint, hexadecimal.",
                        max_length=64,
                    ),
                ),
                ("certificate", models.TextField(blank=True, help_text="PEM.")),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "revocation_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unspecified", "Unspecified"),
                            ("keyCompromise", "key compromised"),
                            ("superseded", "superseded"),
                            ("cessationOfOperation", "charger no longer in use"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "authority",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ocpp.certificateauthority",
                    ),
                ),
                (
                    "charge_point",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="certificates",
                        to="ocpp.chargepoint",
                    ),
                ),
                (
                    "command",
                    models.ForeignKey(
                        blank=True,
                        help_text="The CertificateSigned command that delivered it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ocpp.command",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who approved it. Empty: approval was not required.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "trigger",
                    models.ForeignKey(
                        blank=True,
                        help_text="The command that requested it. Empty: the charger asked on its own.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="certificate_requests",
                        to="ocpp.command",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        fields=["charge_point", "-requested_at"], name="certificate_of_cp"
                    ),
                    models.Index(
                        condition=models.Q(("state", "approved")),
                        fields=["id"],
                        name="certificate_to_sign",
                    ),
                    models.Index(
                        condition=models.Q(("state", "installed")),
                        fields=["not_after"],
                        name="certificate_in_use",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("charge_point",),
                        name="certificate_one_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "closed_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Since when no new charge points are admitted. Empty: they are admitted.",
                        null=True,
                    ),
                ),
                (
                    "outside_seen_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When a charger first connected from a public address.",
                        null=True,
                    ),
                ),
                (
                    "outside_address",
                    models.CharField(blank=True, db_default="", default="", max_length=45),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MissedChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "receiver",
                    models.CharField(
                        help_text="As OCPP_SESSIONS_CHANGED names it.", max_length=255
                    ),
                ),
                ("changes", models.JSONField(help_text="A list of [before, after].")),
                (
                    "traceback",
                    models.TextField(
                        blank=True, help_text="Empty: it waits behind an earlier one."
                    ),
                ),
                ("failed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["receiver", "id"], name="missed_change_in_order")],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "who_name",
                    models.CharField(
                        blank=True,
                        help_text="User name at that time; empty: the command line.",
                        max_length=150,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        help_text="The model, such as ocpp.chargepoint.", max_length=100
                    ),
                ),
                ("object_id", models.CharField(max_length=64)),
                ("object_name", models.CharField(max_length=200)),
                ("what", models.CharField(max_length=255)),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
                (
                    "who",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["kind", "object_id", "-id"], name="audit_of_object")
                ],
            },
        ),
    )
