"""The operator's side: configuration and templates, file jobs, reservations, local lists, what is
installed in chargers, turns and mass commands; and room for updates in Postgres's pages, where a
new version of a row that fits into its page needs no new entry in any index.
"""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from levity.db.together import together

ROOM = {"ocpp_transaction": 70, "ocpp_connector": 50, "ocpp_chargepoint": 50}


def leave_room(apps: Any, editor: Any) -> None:
    """For the pages that are filled from now on."""
    if editor.connection.vendor == "postgresql":
        for table, percent in ROOM.items():
            editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def leave_none(apps: Any, editor: Any) -> None:
    """As it was."""
    if editor.connection.vendor == "postgresql":
        for table in ROOM:
            editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "__first__"),
        ("ocpp", "0010_correction_texts"),
    ]

    operations = [
        *together(
            migrations.CreateModel(
                name="ConfigurationChange",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("key", models.CharField(max_length=255)),
                    (
                        "old_value",
                        models.TextField(blank=True, help_text="Empty: not known.", null=True),
                    ),
                    ("new_value", models.TextField(blank=True, null=True)),
                    (
                        "how",
                        models.CharField(
                            help_text="The charger's answer, or found by reading.", max_length=64
                        ),
                    ),
                    ("at", models.DateTimeField()),
                    ("who_name", models.CharField(blank=True, max_length=150)),
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
                    "verbose_name": "configuration change",
                    "ordering": ["-id"],
                    "indexes": [
                        models.Index(
                            fields=["charge_point", "-id"], name="configuration_change_of_cp"
                        ),
                        models.Index(fields=["at"], name="configuration_change_at"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ConfigurationKey",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "name",
                        models.CharField(
                            help_text="The key in lower case: to OCPP, case makes no difference.",
                            max_length=255,
                        ),
                    ),
                    (
                        "key",
                        models.CharField(help_text="As the charger spells it.", max_length=255),
                    ),
                    (
                        "value",
                        models.TextField(
                            blank=True, help_text="As sent; masked if it is secret.", null=True
                        ),
                    ),
                    ("is_secret", models.BooleanField(default=False)),
                    ("readonly", models.BooleanField(help_text="Empty: not reported.", null=True)),
                    (
                        "is_unknown",
                        models.BooleanField(
                            default=False, help_text="The charger said that it has no such key."
                        ),
                    ),
                    (
                        "note",
                        models.CharField(
                            blank=True,
                            help_text="What was unusual about the answer.",
                            max_length=255,
                        ),
                    ),
                    (
                        "read_at",
                        models.DateTimeField(
                            blank=True, help_text="When it was last read.", null=True
                        ),
                    ),
                    (
                        "pending_value",
                        models.TextField(
                            blank=True,
                            help_text="Accepted, but in effect only after a reboot.",
                            null=True,
                        ),
                    ),
                    ("pending_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "reboot_required",
                        models.BooleanField(
                            default=False, help_text="A change of this key required a reboot."
                        ),
                    ),
                    ("refused_value", models.TextField(blank=True, null=True)),
                    (
                        "refused_why",
                        models.CharField(
                            blank=True, help_text="The charger's answer.", max_length=64
                        ),
                    ),
                    ("refused_at", models.DateTimeField(blank=True, null=True)),
                    ("previous_value", models.TextField(blank=True, null=True)),
                    ("changed_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "changed_by_name",
                        models.CharField(
                            blank=True,
                            help_text="User name at that time, or the source of the change.",
                            max_length=150,
                        ),
                    ),
                    (
                        "changed_by",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "charge_point",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="configuration_keys",
                            to="ocpp.chargepoint",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "configuration key",
                    "ordering": ["charge_point", "name"],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("charge_point", "name"),
                            name="configuration_key_of_charge_point",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="FileJob",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("diagnostics", "diagnostics"),
                                ("log", "log"),
                                ("firmware", "firmware update"),
                                ("signed_firmware", "signed firmware update"),
                            ],
                            max_length=16,
                        ),
                    ),
                    (
                        "request_id",
                        models.BigIntegerField(
                            blank=True,
                            help_text="By which the charger's messages name it, if they do.",
                            null=True,
                        ),
                    ),
                    (
                        "location",
                        models.TextField(
                            blank=True, help_text="Where to, or from where; without secrets."
                        ),
                    ),
                    (
                        "is_own",
                        models.BooleanField(
                            default=False,
                            help_text="The place is one of Levity's own, made for this job.",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("queued", "waits to be sent"),
                                ("sent", "sent, waiting for the answer"),
                                ("accepted", "accepted"),
                                ("running", "in progress"),
                                ("done", "done"),
                                ("failed", "failed"),
                                ("nothing", "nothing to upload"),
                                ("refused", "refused"),
                                ("cancelled", "cancelled"),
                                ("unsent", "never sent"),
                                ("silent", "no word from the charger"),
                            ],
                            default="queued",
                            max_length=10,
                        ),
                    ),
                    (
                        "status",
                        models.CharField(
                            blank=True, help_text="The charger's last report.", max_length=64
                        ),
                    ),
                    ("status_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "history",
                        models.JSONField(
                            blank=True,
                            default=list,
                            help_text="The charger's reports: time and status of each.",
                        ),
                    ),
                    (
                        "detail",
                        models.CharField(
                            blank=True, help_text="Why, if it went wrong.", max_length=255
                        ),
                    ),
                    (
                        "file_name",
                        models.CharField(
                            blank=True, help_text="What the charger calls the file.", max_length=255
                        ),
                    ),
                    (
                        "arrived",
                        models.PositiveIntegerField(
                            default=0,
                            help_text="Files that came from, or were fetched by, the charger.",
                        ),
                    ),
                    ("arrived_at", models.DateTimeField(blank=True, null=True)),
                    ("firmware_before", models.CharField(blank=True, max_length=255)),
                    (
                        "firmware_after",
                        models.CharField(
                            blank=True,
                            help_text="What the charger reported at its boot.",
                            max_length=255,
                        ),
                    ),
                    ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("sent_at", models.DateTimeField(blank=True, null=True)),
                    ("finished_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "charge_point",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="file_jobs",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "command",
                        models.OneToOneField(
                            blank=True,
                            help_text="The command that ordered it.",
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="file_job",
                            to="ocpp.command",
                        ),
                    ),
                ],
                options={
                    "ordering": ["-id"],
                    "indexes": [
                        models.Index(
                            fields=["charge_point", "-id"], name="file_job_of_charge_point"
                        ),
                        models.Index(
                            condition=models.Q(
                                ("state__in", ["accepted", "queued", "running", "sent"])
                            ),
                            fields=["id"],
                            name="file_job_live",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Reservation",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "number",
                        models.BigIntegerField(help_text="The reservation's id at the charger."),
                    ),
                    (
                        "connector",
                        models.PositiveIntegerField(help_text="0: any connector of the charger."),
                    ),
                    ("id_tag", models.CharField(max_length=255, verbose_name="id tag")),
                    (
                        "parent_id_tag",
                        models.CharField(
                            blank=True,
                            help_text="Tags of this group may use the reservation as well.",
                            max_length=255,
                            verbose_name="group",
                        ),
                    ),
                    ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("requested", "requested, not confirmed yet"),
                                ("active", "Active"),
                                ("unanswered", "not answered; the charger may hold it"),
                                ("refused", "refused by the charger"),
                                ("failed", "never sent"),
                                ("used", "Used"),
                                ("expired", "Expired"),
                                ("cancelled", "Cancelled"),
                                ("cancel_refused", "unknown to the charger when it was cancelled"),
                            ],
                            default="requested",
                            max_length=14,
                        ),
                    ),
                    (
                        "said",
                        models.CharField(
                            blank=True,
                            help_text="What the charger answered.",
                            max_length=64,
                            verbose_name="answer",
                        ),
                    ),
                    ("detail", models.CharField(blank=True, max_length=255)),
                    (
                        "requested_at",
                        models.DateTimeField(
                            default=django.utils.timezone.now, verbose_name="requested"
                        ),
                    ),
                    (
                        "answered_at",
                        models.DateTimeField(blank=True, null=True, verbose_name="answered"),
                    ),
                    (
                        "ended_at",
                        models.DateTimeField(
                            blank=True,
                            help_text="When it was used, cancelled, or over.",
                            null=True,
                            verbose_name="ended",
                        ),
                    ),
                    (
                        "cancel_command",
                        models.ForeignKey(
                            blank=True,
                            help_text="The newest command that was to cancel it.",
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.command",
                        ),
                    ),
                    (
                        "charge_point",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="reservations",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "command",
                        models.OneToOneField(
                            blank=True,
                            help_text="The command that brought it to the charger.",
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="reservation",
                            to="ocpp.command",
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
                        "transaction",
                        models.ForeignKey(
                            blank=True,
                            help_text="The session that used it.",
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.transaction",
                        ),
                    ),
                ],
                options={
                    "ordering": ["-id"],
                    "indexes": [
                        models.Index(
                            condition=models.Q(
                                ("state__in", ("requested", "active", "unanswered"))
                            ),
                            fields=["charge_point"],
                            name="reservation_open",
                        ),
                        models.Index(fields=["charge_point", "-id"], name="reservation_of_cp"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="LocalList",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "is_on",
                        models.BooleanField(
                            default=False,
                            help_text="Send it the id tags that may charge there.",
                            verbose_name="kept in step",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("off", "not kept in step"),
                                ("behind", "Behind"),
                                ("sending", "sending or checking"),
                                ("in_step", "in step"),
                                ("not_supported", "not supported by the charger"),
                                ("failed", "Failed"),
                            ],
                            default="off",
                            max_length=14,
                        ),
                    ),
                    (
                        "reason",
                        models.CharField(
                            blank=True, help_text="Why it is not in step.", max_length=255
                        ),
                    ),
                    (
                        "version",
                        models.BigIntegerField(
                            blank=True,
                            help_text="As the charger reported or accepted it; -1: it has no list, 0: an empty one.",
                            null=True,
                        ),
                    ),
                    (
                        "wanted",
                        models.PositiveIntegerField(
                            default=0, help_text="How many it should have.", verbose_name="id tags"
                        ),
                    ),
                    (
                        "behind",
                        models.PositiveIntegerField(
                            default=0, help_text="How many entries differ."
                        ),
                    ),
                    (
                        "left_out",
                        models.PositiveIntegerField(
                            default=0,
                            help_text="Tags that the charger can't take: too many, or too long.",
                        ),
                    ),
                    (
                        "said",
                        models.CharField(
                            blank=True,
                            help_text="What the charger answered last.",
                            max_length=64,
                            verbose_name="answer",
                        ),
                    ),
                    ("answered_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "in_step_at",
                        models.DateTimeField(
                            blank=True, help_text="When it was last known to be in step.", null=True
                        ),
                    ),
                    (
                        "content",
                        models.TextField(
                            blank=True,
                            editable=False,
                            help_text="Its entries as JSON, as far as known.",
                        ),
                    ),
                    ("is_known", models.BooleanField(default=False, editable=False)),
                    (
                        "is_checked",
                        models.BooleanField(
                            default=False,
                            editable=False,
                            help_text="Its version was asked for since the last doubt.",
                        ),
                    ),
                    (
                        "has_asked_limits",
                        models.BooleanField(
                            default=False,
                            editable=False,
                            help_text="It was asked once how many entries it takes.",
                        ),
                    ),
                    (
                        "pending",
                        models.TextField(
                            blank=True,
                            editable=False,
                            help_text="Its entries once what was sent is accepted.",
                        ),
                    ),
                    (
                        "tries",
                        models.PositiveSmallIntegerField(
                            default=0,
                            editable=False,
                            help_text="Attempts without success in a row.",
                        ),
                    ),
                    (
                        "next_at",
                        models.DateTimeField(
                            blank=True, editable=False, help_text="When to look again.", null=True
                        ),
                    ),
                    (
                        "seen",
                        models.BigIntegerField(
                            default=0,
                            editable=False,
                            help_text="The newest change of an id tag that was looked at.",
                        ),
                    ),
                    (
                        "charge_point",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="local_list",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "command",
                        models.ForeignKey(
                            blank=True,
                            help_text="The newest command about it.",
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.command",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "local list",
                    "ordering": ["charge_point"],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("is_on", True)),
                            fields=["next_at"],
                            name="local_list_kept",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="InstalledCertificate",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("type", models.CharField(blank=True, max_length=64)),
                    ("hash_algorithm", models.CharField(blank=True, max_length=16)),
                    ("issuer_name_hash", models.CharField(blank=True, max_length=128)),
                    ("issuer_key_hash", models.CharField(blank=True, max_length=128)),
                    (
                        "serial_number",
                        models.CharField(blank=True, help_text="Hexadecimal.", max_length=64),
                    ),
                    (
                        "subject",
                        models.CharField(blank=True, help_text="RFC 4514.", max_length=255),
                    ),
                    (
                        "not_after",
                        models.DateTimeField(blank=True, null=True, verbose_name="valid until"),
                    ),
                    (
                        "certificate",
                        models.TextField(blank=True, help_text="PEM, if it was sent from here."),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("installed", "Installed"),
                                ("refused", "refused by the charger"),
                                ("deleted", "Deleted"),
                                ("missing", "no longer reported"),
                            ],
                            default="installed",
                            max_length=10,
                        ),
                    ),
                    ("said", models.CharField(blank=True, max_length=64, verbose_name="answer")),
                    (
                        "installed_at",
                        models.DateTimeField(
                            blank=True,
                            help_text="Empty: it was there before, or was refused.",
                            null=True,
                            verbose_name="accepted",
                        ),
                    ),
                    (
                        "reported_at",
                        models.DateTimeField(
                            blank=True,
                            help_text="When the charger listed it last.",
                            null=True,
                            verbose_name="last reported",
                        ),
                    ),
                    ("ended_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "charge_point",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="installed_certificates",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "command",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.command",
                        ),
                    ),
                ],
                options={
                    "ordering": ["-id"],
                    "indexes": [
                        models.Index(fields=["charge_point", "-id"], name="root_certificate_of_cp")
                    ],
                },
            ),
            migrations.CreateModel(
                name="InstalledProfile",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "connector",
                        models.PositiveIntegerField(help_text="0: the charger as a whole."),
                    ),
                    ("profile_id", models.BigIntegerField(verbose_name="profile id")),
                    (
                        "stack_level",
                        models.BigIntegerField(help_text="Of several, the highest level counts."),
                    ),
                    ("purpose", models.CharField(max_length=64)),
                    ("kind", models.CharField(blank=True, max_length=64)),
                    ("recurrency", models.CharField(blank=True, max_length=64)),
                    ("valid_from", models.DateTimeField(blank=True, null=True)),
                    ("valid_to", models.DateTimeField(blank=True, null=True)),
                    (
                        "session",
                        models.BigIntegerField(
                            blank=True, help_text="The transactionId that it is for.", null=True
                        ),
                    ),
                    ("schedule", models.JSONField(default=dict, help_text="As it was sent.")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("installed", "Installed"),
                                ("replaced", "replaced by another"),
                                ("cleared", "Cleared"),
                                ("ended", "over"),
                            ],
                            default="installed",
                            max_length=10,
                        ),
                    ),
                    (
                        "reason",
                        models.CharField(blank=True, help_text="How it ended.", max_length=255),
                    ),
                    (
                        "installed_at",
                        models.DateTimeField(
                            help_text="When the charger accepted it.", verbose_name="accepted"
                        ),
                    ),
                    ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                    (
                        "charge_point",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="installed_profiles",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "command",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="ocpp.command",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "charging profile",
                    "ordering": ["-id"],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state", "installed")),
                            fields=["charge_point"],
                            name="profile_installed",
                        ),
                        models.Index(fields=["charge_point", "-id"], name="profile_of_cp"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ConfigurationTemplate",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=100, unique=True)),
                    ("notes", models.TextField(blank=True)),
                    ("values", models.JSONField(default=dict, help_text="Key to value.")),
                    (
                        "vendor",
                        models.CharField(
                            blank=True,
                            help_text="Pattern of the vendor, such as ABB. Empty: any.",
                            max_length=200,
                        ),
                    ),
                    (
                        "model",
                        models.CharField(
                            blank=True,
                            help_text="Pattern of the model, such as Terra.*. Empty: any.",
                            max_length=200,
                        ),
                    ),
                    (
                        "firmware",
                        models.CharField(
                            blank=True,
                            help_text="Pattern of the firmware version. Empty: any.",
                            max_length=200,
                        ),
                    ),
                    (
                        "changed_at",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                ],
                options={
                    "verbose_name": "configuration template",
                    "ordering": ["name"],
                },
            ),
            migrations.CreateModel(
                name="ConfigurationState",
                fields=[
                    (
                        "charge_point",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.CASCADE,
                            primary_key=True,
                            related_name="configuration_state",
                            serialize=False,
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "read_at",
                        models.DateTimeField(
                            blank=True, help_text="When all keys were last read.", null=True
                        ),
                    ),
                    (
                        "keys_read",
                        models.PositiveIntegerField(
                            db_default=0, default=0, help_text="How many keys that answer had."
                        ),
                    ),
                    (
                        "boot",
                        models.DateTimeField(
                            blank=True,
                            editable=False,
                            help_text="The boot that the tries are about.",
                            null=True,
                        ),
                    ),
                    (
                        "boot_asked",
                        models.DateTimeField(
                            blank=True,
                            editable=False,
                            help_text="The boot after which that was looked at.",
                            null=True,
                        ),
                    ),
                    ("day", models.DateField(blank=True, editable=False, null=True)),
                    (
                        "differing",
                        models.PositiveIntegerField(
                            db_default=0,
                            default=0,
                            help_text="Keys that are not as the templates say.",
                        ),
                    ),
                    (
                        "gave_up",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Why it is left as it is.",
                            max_length=255,
                        ),
                    ),
                    ("in_step_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    (
                        "is_held",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Not tried again after a boot, until its templates change or a person says so.",
                        ),
                    ),
                    (
                        "next_at",
                        models.DateTimeField(
                            blank=True,
                            editable=False,
                            help_text="When Levity looks at it again.",
                            null=True,
                        ),
                    ),
                    (
                        "read_firmware",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            editable=False,
                            help_text="Mark of the make and firmware that was asked for its keys after a boot.",
                            max_length=32,
                        ),
                    ),
                    ("since", models.DateTimeField(blank=True, editable=False, null=True)),
                    (
                        "step",
                        models.CharField(
                            blank=True,
                            choices=[("reading", "Reading"), ("changing", "Changing")],
                            db_default="",
                            default="",
                            editable=False,
                            max_length=10,
                        ),
                    ),
                    (
                        "tries_boot",
                        models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
                    ),
                    (
                        "tries_day",
                        models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
                    ),
                    (
                        "wanted",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            editable=False,
                            help_text="Mark of the values of its templates that the following is about.",
                            max_length=32,
                        ),
                    ),
                ],
                options={
                    "verbose_name": "configuration",
                    "indexes": [
                        models.Index(
                            condition=models.Q(("next_at__isnull", False)),
                            fields=["next_at"],
                            name="configuration_due",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="TemplateAssignment",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("assigned_at", models.DateTimeField(default=django.utils.timezone.now)),
                    (
                        "assigned_by",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
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
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to="ocpp.site",
                        ),
                    ),
                    (
                        "template",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="assignments",
                            to="ocpp.configurationtemplate",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "template assignment",
                    "ordering": ["pk"],
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("charge_point__isnull", False)),
                            fields=("template", "charge_point"),
                            name="template_of_charge_point",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("site__isnull", False)),
                            fields=("template", "site"),
                            name="template_of_site",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(
                                ("charge_point__isnull", True), ("site__isnull", True)
                            ),
                            fields=("template",),
                            name="template_of_all",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MassCommand",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("action", models.CharField(max_length=64)),
                    (
                        "payload",
                        models.JSONField(blank=True, default=dict, help_text="Without secrets."),
                    ),
                    (
                        "is_masked",
                        models.BooleanField(
                            default=False,
                            help_text="Secrets were masked: it can't be sent again from here.",
                        ),
                    ),
                    ("queue_offline", models.BooleanField(default=True)),
                    ("source", models.CharField(blank=True, max_length=100)),
                    ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                        "retry_of",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="retries",
                            to="ocpp.masscommand",
                        ),
                    ),
                    (
                        "requested_name",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Who requested it, as the audit names them: a user, or a token and its owner.",
                            max_length=150,
                        ),
                    ),
                ],
                options={
                    "ordering": ["-id"],
                },
            ),
            migrations.CreateModel(
                name="RequestKey",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "key",
                        models.CharField(
                            help_text="Digest of its owner and the key.", max_length=80, unique=True
                        ),
                    ),
                    (
                        "fingerprint",
                        models.CharField(help_text="Digest of address and content.", max_length=64),
                    ),
                    (
                        "object_id",
                        models.BigIntegerField(
                            help_text="Key of the row that was made.", null=True
                        ),
                    ),
                    (
                        "location",
                        models.TextField(
                            blank=True, default="", help_text="Where the form led to."
                        ),
                    ),
                    (
                        "said",
                        models.JSONField(
                            blank=True,
                            default=list,
                            help_text="What the form's sender was told: level, text.",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(db_index=True, default=django.utils.timezone.now),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="MeterKey",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "connector",
                        models.PositiveIntegerField(
                            blank=True, help_text="Empty: all connectors.", null=True
                        ),
                    ),
                    (
                        "key",
                        models.TextField(
                            help_text="As it stands on the meter: hexadecimal digits, base64 or PEM.",
                            verbose_name="public key",
                        ),
                    ),
                    (
                        "since",
                        models.DateTimeField(
                            blank=True,
                            help_text="When this meter was mounted. Empty: from the beginning.",
                            null=True,
                        ),
                    ),
                    (
                        "until",
                        models.DateTimeField(
                            blank=True,
                            help_text="When it was taken out. Empty: it is still there.",
                            null=True,
                        ),
                    ),
                    (
                        "note",
                        models.CharField(
                            blank=True,
                            help_text="Where the key is from, the meter's serial number.",
                            max_length=200,
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                    (
                        "charge_point",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="meter_keys",
                            to="ocpp.chargepoint",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "meter key",
                    "ordering": ["charge_point", "connector", "pk"],
                },
            ),
        ),
        migrations.RunPython(leave_room, leave_none),
        migrations.AddField(
            model_name="command",
            name="fingerprint",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Of action and payload, where there is an idempotency key.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="command",
            name="priority",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                editable=False,
                help_text="0: stops and unlocks, which go before all others; 1: everything else.",
            ),
        ),
        migrations.AddField(
            model_name="command",
            name="tries",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, editable=False, help_text="How often it was sent."
            ),
        ),
        migrations.AddField(
            model_name="command",
            name="mass",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The command to many that it is a part of.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="commands",
                to="ocpp.masscommand",
            ),
        ),
        migrations.AddField(
            model_name="command",
            name="requested_name",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Who requested it, as the audit names them: a user, or a token and its owner.",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="first_run_at",
            field=models.DateTimeField(
                blank=True, help_text="When the first steps were ended.", null=True
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="mail_server",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Its URL, sealed. EMAIL_URL counts before it.",
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="mail_from",
            field=models.CharField(blank=True, db_default="", default="", max_length=254),
        ),
        migrations.AddField(
            model_name="site",
            name="bill_signed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Sessions are billed by the energy that their meter has signed. One whose signed values do not verify with the key that was entered waits for a decision.",
                verbose_name="bill by signed values",
            ),
        ),
        *together(
            migrations.AddIndex(
                model_name="command",
                index=models.Index(
                    condition=models.Q(("mass__isnull", False)),
                    fields=["mass"],
                    name="command_of_mass",
                ),
            ),
            migrations.AddIndex(
                model_name="command",
                index=models.Index(
                    condition=models.Q(("state", "queued")),
                    fields=["charge_point", "priority", "id"],
                    name="command_turn",
                ),
            ),
        ),
    ]
