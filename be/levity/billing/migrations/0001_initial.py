import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
from django.db import migrations, models

from levity.db.together import together

# Closed statements: the database itself refuses to change or delete their rows. A migration that
# remakes one of these tables on SQLite has to make its triggers again.
CLOSED = (
    *("billing_statementrun", "billing_statement", "billing_statementposition"),
    "billing_statementfile",
)
TEXT = "closed statements are never changed"


def forbid(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE OR REPLACE FUNCTION billing_never() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{TEXT}'; END $$"
        )
    for table in CLOSED:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {table}_never BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION billing_never()"
            )
            continue
        for what in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_never_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"
            )


def permit(apps, schema_editor):
    for table in CLOSED:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_never ON {table}")
            continue
        for what in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_never_{what}")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ocpp", "0011_operators_side"),
    ]

    operations = [
        *together(
            migrations.CreateModel(
                name="Household",
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
                            help_text="Who pays, as the statement names them.", max_length=200
                        ),
                    ),
                    (
                        "flat",
                        models.CharField(
                            blank=True, help_text="Such as 3rd floor left.", max_length=100
                        ),
                    ),
                    (
                        "parking",
                        models.CharField(blank=True, max_length=100, verbose_name="parking space"),
                    ),
                    (
                        "email",
                        models.EmailField(
                            blank=True,
                            help_text="Empty: statements are printed.",
                            max_length=254,
                            verbose_name="e-mail",
                        ),
                    ),
                    (
                        "language",
                        models.CharField(
                            choices=[
                                ("en", "English"),
                                ("de", "German"),
                                ("fr", "French"),
                                ("nl", "Dutch"),
                            ],
                            default="en",
                            max_length=2,
                        ),
                    ),
                    (
                        "members",
                        models.TextField(
                            blank=True, help_text="Who belongs to it, a name each line."
                        ),
                    ),
                    ("notes", models.TextField(blank=True)),
                    (
                        "created_at",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                    (
                        "site",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="households",
                            to="ocpp.site",
                        ),
                    ),
                ],
                options={
                    "ordering": ["name", "flat", "pk"],
                },
            ),
            migrations.CreateModel(
                name="Assignment",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "id_tag",
                        models.CharField(
                            blank=True,
                            help_text="A card. Or else a charge point.",
                            max_length=255,
                            verbose_name="id tag",
                        ),
                    ),
                    (
                        "connector",
                        models.PositiveIntegerField(
                            blank=True,
                            help_text="Of the charge point; empty: all of it.",
                            null=True,
                        ),
                    ),
                    ("first_day", models.DateField(default=django.utils.timezone.localdate)),
                    (
                        "last_day",
                        models.DateField(
                            blank=True, help_text="Included; empty: no end.", null=True
                        ),
                    ),
                    (
                        "charge_point",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="assignments",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "household",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="assignments",
                            to="billing.household",
                        ),
                    ),
                ],
                options={
                    "ordering": ["first_day", "pk"],
                    "indexes": [
                        models.Index(fields=["charge_point"], name="assignment_of_charge_point")
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("charge_point__isnull", False), ("id_tag", "")),
                                models.Q(
                                    ("charge_point", None),
                                    ("connector", None),
                                    models.Q(("id_tag", ""), _negated=True),
                                ),
                                _connector="OR",
                            ),
                            name="assignment_of_one_thing",
                            violation_error_message="Give either an id tag or a charge point.",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Tariff",
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
                            help_text="As the statement names it.", max_length=100, unique=True
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                    (
                        "site",
                        models.ForeignKey(
                            blank=True,
                            help_text="Who is limited to this site sees it. Empty: for all sites.",
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="tariffs",
                            to="ocpp.site",
                        ),
                    ),
                ],
                options={
                    "ordering": ["name"],
                },
            ),
            migrations.CreateModel(
                name="TariffUse",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "id_tag",
                        models.CharField(
                            blank=True, help_text="A card.", max_length=255, verbose_name="id tag"
                        ),
                    ),
                    (
                        "first_day",
                        models.DateField(
                            blank=True,
                            help_text="By when a session began; empty: always.",
                            null=True,
                        ),
                    ),
                    (
                        "last_day",
                        models.DateField(
                            blank=True, help_text="Included; empty: no end.", null=True
                        ),
                    ),
                    (
                        "charge_point",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="tariff_uses",
                            to="ocpp.chargepoint",
                        ),
                    ),
                    (
                        "household",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="tariff_uses",
                            to="billing.household",
                        ),
                    ),
                    (
                        "site",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="tariff_uses",
                            to="ocpp.site",
                        ),
                    ),
                    (
                        "tariff",
                        models.ForeignKey(
                            blank=True,
                            help_text="Empty: free, nobody pays for these sessions.",
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="uses",
                            to="billing.tariff",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "use of a tariff",
                    "verbose_name_plural": "uses of tariffs",
                    "ordering": ["pk"],
                },
            ),
            migrations.CreateModel(
                name="TariffVersion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "number",
                        models.PositiveIntegerField(
                            help_text="Counts up; of two for one time, the last."
                        ),
                    ),
                    (
                        "begins",
                        models.DateTimeField(
                            help_text="The first moment at which it holds.", verbose_name="from"
                        ),
                    ),
                    ("document", models.JSONField(help_text="All that it says: docs/billing.md.")),
                    (
                        "note",
                        models.CharField(blank=True, help_text="Why it was made.", max_length=200),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                    ("created_by", models.CharField(blank=True, editable=False, max_length=150)),
                    (
                        "tariff",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="billing.tariff",
                        ),
                    ),
                ],
                options={
                    "ordering": ["tariff", "-begins", "-number"],
                    "default_permissions": ("view",),
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("tariff", "number"), name="tariff_version_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="SessionMark",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("session", models.BigIntegerField()),
                ],
                options={
                    "default_permissions": (),
                },
            ),
            migrations.CreateModel(
                name="Issuer",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=200)),
                    (
                        "address",
                        models.TextField(blank=True, help_text="Street and town, a line each."),
                    ),
                    (
                        "tax_number",
                        models.CharField(
                            blank=True,
                            help_text="Tax number or VAT id, as invoices need it.",
                            max_length=100,
                        ),
                    ),
                    (
                        "payment_text",
                        models.TextField(
                            blank=True,
                            help_text="How to pay: bank, IBAN, until when. {number} is the statement's.",
                        ),
                    ),
                    (
                        "prefix",
                        models.CharField(
                            blank=True,
                            help_text="Begins each number, such as EV-: EV-000001.",
                            max_length=20,
                        ),
                    ),
                    ("next_number", models.PositiveIntegerField(default=1, editable=False)),
                    (
                        "site",
                        models.OneToOneField(
                            blank=True,
                            help_text="Whose sessions it bills. Empty: of all sites that have no issuer of their own.",
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="issuer",
                            to="ocpp.site",
                        ),
                    ),
                    (
                        "numbers_sure_at",
                        models.DateTimeField(
                            default=django.utils.timezone.now,
                            editable=False,
                            help_text="When it was last known for sure which number comes next.",
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("prefix",),
                            name="issuer_prefix",
                            violation_error_message="Another issuer's numbers begin so, too.",
                        ),
                        models.UniqueConstraint(
                            django.db.models.functions.comparison.Coalesce("site", 0),
                            condition=models.Q(("site", None)),
                            name="issuer_of_the_rest",
                            violation_error_message="There is an issuer for the sites without one already.",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="StatementRun",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("first_day", models.DateField()),
                    ("last_day", models.DateField(help_text="Included.")),
                    ("time_zone", models.CharField(max_length=64)),
                    ("closed_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("closed_by", models.CharField(blank=True, max_length=150)),
                    (
                        "balance",
                        models.JSONField(
                            help_text="What the registers moved, and what became of it, in Wh."
                        ),
                    ),
                    (
                        "house_from",
                        models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True),
                    ),
                    (
                        "house_to",
                        models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True),
                    ),
                    (
                        "issuer",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="runs",
                            to="billing.issuer",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "statement run",
                    "ordering": ["-last_day", "-pk"],
                    "default_permissions": ("view", "add"),
                    "constraints": [
                        models.UniqueConstraint(fields=("issuer", "first_day"), name="run_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Statement",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("label", models.CharField(max_length=40, unique=True, verbose_name="number")),
                    ("currency", models.CharField(max_length=3)),
                    (
                        "wh",
                        models.DecimalField(
                            decimal_places=3,
                            help_text="In Wh.",
                            max_digits=18,
                            verbose_name="energy",
                        ),
                    ),
                    ("net", models.DecimalField(decimal_places=3, max_digits=18)),
                    ("tax", models.DecimalField(decimal_places=3, max_digits=18)),
                    ("gross", models.DecimalField(decimal_places=3, max_digits=18)),
                    ("document", models.JSONField(help_text="All that it says.")),
                    (
                        "household",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="statements",
                            to="billing.household",
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="statements",
                            to="billing.statementrun",
                        ),
                    ),
                ],
                options={
                    "ordering": ["-pk"],
                    "default_permissions": ("view",),
                },
            ),
            migrations.CreateModel(
                name="StatementFile",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("kind", models.CharField(help_text="pdf or csv.", max_length=4)),
                    ("sha256", models.CharField(max_length=64)),
                    ("content", models.BinaryField()),
                    ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                    (
                        "statement",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="files",
                            to="billing.statement",
                        ),
                    ),
                ],
                options={
                    "default_permissions": (),
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("statement", "kind"), name="statement_file_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="StatementPosition",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("session", models.BigIntegerField(db_index=True)),
                    ("sign", models.SmallIntegerField()),
                    ("wh", models.DecimalField(decimal_places=3, max_digits=18)),
                    ("lines", models.JSONField()),
                    (
                        "digest",
                        models.CharField(
                            help_text="Of the session's price at that time.", max_length=64
                        ),
                    ),
                    (
                        "facts",
                        models.JSONField(
                            help_text="When, where, with which card, from which registers."
                        ),
                    ),
                    (
                        "statement",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="positions",
                            to="billing.statement",
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="billing.tariffversion",
                        ),
                    ),
                ],
                options={
                    "default_permissions": (),
                },
            ),
            migrations.CreateModel(
                name="SessionPrice",
                fields=[
                    (
                        "transaction",
                        models.OneToOneField(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            primary_key=True,
                            related_name="price",
                            serialize=False,
                            to="ocpp.transaction",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("priced", "has a price"),
                                ("waits", "waits for a decision"),
                                ("common", "nobody pays"),
                                ("excluded", "not billed"),
                            ],
                            max_length=8,
                        ),
                    ),
                    (
                        "reason",
                        models.CharField(blank=True, help_text="Why, in a word.", max_length=24),
                    ),
                    ("detail", models.TextField(blank=True, help_text="What the tariff lacks.")),
                    (
                        "rule",
                        models.CharField(
                            blank=True, help_text="What decided the household.", max_length=16
                        ),
                    ),
                    ("started_at", models.DateTimeField()),
                    ("ended_at", models.DateTimeField()),
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
                        "amount",
                        models.DecimalField(
                            blank=True,
                            decimal_places=3,
                            help_text="Sum of its lines.",
                            max_digits=18,
                            null=True,
                        ),
                    ),
                    ("lines", models.JSONField(default=list)),
                    (
                        "inputs",
                        models.CharField(
                            help_text="Digest of what the price was made of.", max_length=64
                        ),
                    ),
                    (
                        "digest",
                        models.CharField(
                            help_text="Digest of what a statement would say.", max_length=64
                        ),
                    ),
                    (
                        "decision",
                        models.CharField(blank=True, help_text="Of a person.", max_length=8),
                    ),
                    (
                        "decided_figures",
                        models.CharField(
                            blank=True, help_text="As that person saw them.", max_length=300
                        ),
                    ),
                    ("decided_at", models.DateTimeField(blank=True, null=True)),
                    ("decided_by", models.CharField(blank=True, max_length=150)),
                    ("decided_note", models.CharField(blank=True, max_length=200)),
                    (
                        "decided_household",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="billing.household",
                        ),
                    ),
                    (
                        "household",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="session_prices",
                            to="billing.household",
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="billing.tariffversion",
                        ),
                    ),
                    (
                        "position",
                        models.ForeignKey(
                            blank=True,
                            help_text="What a closed statement last said of it.",
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="billing.statementposition",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "price of a session",
                    "verbose_name_plural": "prices of sessions",
                    "ordering": ["-ended_at", "-pk"],
                    "default_permissions": ("view", "change"),
                    "indexes": [
                        models.Index(fields=["ended_at"], name="price_by_end"),
                        models.Index(fields=["household", "started_at"], name="price_of_household"),
                        models.Index(
                            condition=models.Q(("state", "waits")),
                            fields=["reason", "ended_at"],
                            name="price_waits",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="StatementMail",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("address", models.EmailField(max_length=254, verbose_name="e-mail")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("queued", "waits to be sent"),
                                ("sending", "is being sent"),
                                ("sent", "sent"),
                                ("refused", "refused"),
                                ("unclear", "may have arrived"),
                            ],
                            default="queued",
                            max_length=8,
                        ),
                    ),
                    (
                        "error",
                        models.CharField(
                            blank=True, help_text="What the mail server said.", max_length=255
                        ),
                    ),
                    ("attempts", models.PositiveSmallIntegerField(default=0)),
                    ("not_before", models.DateTimeField(default=django.utils.timezone.now)),
                    ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("asked_by", models.CharField(blank=True, max_length=150)),
                    ("ended_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "statement",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="mails",
                            to="billing.statement",
                        ),
                    ),
                ],
                options={
                    "ordering": ["pk"],
                    "default_permissions": (),
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state__in", ("queued", "sending"))),
                            fields=["not_before"],
                            name="statement_mail_due",
                        )
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("state__in", ("queued", "sending"))),
                            fields=("statement",),
                            name="statement_mail_on_its_way",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="NumberGap",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("first", models.PositiveIntegerField()),
                    ("last", models.PositiveIntegerField(help_text="Included.")),
                    ("reason", models.CharField(max_length=200)),
                    ("noted_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("noted_by", models.CharField(blank=True, max_length=150)),
                    (
                        "issuer",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="gaps",
                            to="billing.issuer",
                        ),
                    ),
                ],
                options={
                    "ordering": ["first"],
                    "default_permissions": (),
                },
            ),
            migrations.CreateModel(
                name="Creditor",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "street",
                        models.CharField(blank=True, help_text="And number.", max_length=70),
                    ),
                    ("postcode", models.CharField(blank=True, max_length=16)),
                    ("city", models.CharField(blank=True, max_length=35, verbose_name="town")),
                    (
                        "country",
                        models.CharField(default="DE", help_text="Such as DE.", max_length=2),
                    ),
                    ("iban", models.CharField(blank=True, max_length=34, verbose_name="IBAN")),
                    (
                        "contact",
                        models.CharField(
                            blank=True, help_text="Whom residents may ask.", max_length=100
                        ),
                    ),
                    ("phone", models.CharField(blank=True, max_length=50)),
                    ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                    (
                        "creditor_id",
                        models.CharField(
                            blank=True,
                            help_text="For direct debits, such as DE98ZZZ09999999999.",
                            max_length=35,
                            verbose_name="creditor identifier",
                        ),
                    ),
                    (
                        "due_days",
                        models.PositiveSmallIntegerField(
                            default=14,
                            help_text="Days from the statement's date until it is to be paid.",
                        ),
                    ),
                    (
                        "exemption",
                        models.CharField(
                            blank=True,
                            help_text="Why lines have no tax, if they have none.",
                            max_length=200,
                        ),
                    ),
                    (
                        "consultant",
                        models.CharField(
                            blank=True, max_length=7, verbose_name="consultant number"
                        ),
                    ),
                    (
                        "client",
                        models.CharField(blank=True, max_length=5, verbose_name="client number"),
                    ),
                    (
                        "revenue_accounts",
                        models.CharField(
                            blank=True,
                            help_text="For each rate of tax the account of its revenue, such as 19=8400 0=8200.",
                            max_length=200,
                        ),
                    ),
                    (
                        "issuer",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="creditor",
                            to="billing.issuer",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "accounting data of an issuer",
                    "verbose_name_plural": "accounting data of issuers",
                    "default_permissions": ("view", "change"),
                },
            ),
            migrations.CreateModel(
                name="DirectDebit",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("collect_on", models.DateField()),
                    ("payments", models.PositiveIntegerField()),
                    (
                        "total",
                        models.DecimalField(decimal_places=2, help_text="EUR.", max_digits=18),
                    ),
                    ("sha256", models.CharField(max_length=64)),
                    ("content", models.BinaryField()),
                    ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("made_by", models.CharField(blank=True, max_length=150)),
                    (
                        "run",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="direct_debits",
                            to="billing.statementrun",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "file of direct debits",
                    "verbose_name_plural": "files of direct debits",
                    "ordering": ["-pk"],
                    "default_permissions": ("view", "add"),
                },
            ),
            migrations.CreateModel(
                name="Debtor",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "street",
                        models.CharField(blank=True, help_text="And number.", max_length=70),
                    ),
                    ("postcode", models.CharField(blank=True, max_length=16)),
                    ("city", models.CharField(blank=True, max_length=35, verbose_name="town")),
                    (
                        "country",
                        models.CharField(default="DE", help_text="Such as DE.", max_length=2),
                    ),
                    ("iban", models.CharField(blank=True, max_length=34, verbose_name="IBAN")),
                    (
                        "reference",
                        models.CharField(
                            blank=True,
                            help_text="What they want to read on invoices. Empty: the household's number here.",
                            max_length=50,
                            verbose_name="buyer's reference",
                        ),
                    ),
                    (
                        "account",
                        models.CharField(
                            blank=True,
                            help_text="Of this debtor in the books, such as 10001.",
                            max_length=9,
                        ),
                    ),
                    (
                        "mandate",
                        models.CharField(
                            blank=True,
                            help_text="Of the direct debit mandate.",
                            max_length=35,
                            verbose_name="mandate reference",
                        ),
                    ),
                    (
                        "signed_on",
                        models.DateField(blank=True, null=True, verbose_name="mandate signed on"),
                    ),
                    (
                        "holder",
                        models.CharField(
                            blank=True,
                            help_text="Empty: the household.",
                            max_length=70,
                            verbose_name="account holder",
                        ),
                    ),
                    (
                        "household",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="debtor",
                            to="billing.household",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "accounting data of a household",
                    "verbose_name_plural": "accounting data of households",
                    "default_permissions": ("view", "change"),
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("mandate", ""), _negated=True),
                            fields=("mandate",),
                            name="debtor_mandate",
                            violation_error_message="Another household has this mandate reference.",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ReportMail",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("address", models.EmailField(max_length=254, verbose_name="e-mail")),
                    (
                        "last_month",
                        models.CharField(
                            editable=False,
                            help_text="The month that was sent last, such as 2026-11.",
                            max_length=7,
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("waiting", "waits for the next month"),
                                ("sending", "is being sent"),
                                ("sent", "sent"),
                                ("refused", "refused"),
                                ("unclear", "may have arrived"),
                            ],
                            default="waiting",
                            editable=False,
                            max_length=8,
                        ),
                    ),
                    ("error", models.CharField(blank=True, editable=False, max_length=255)),
                    ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                    (
                        "not_before",
                        models.DateTimeField(default=django.utils.timezone.now, editable=False),
                    ),
                    ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    (
                        "site",
                        models.ForeignKey(
                            blank=True,
                            help_text="Whose figures it gets. Empty: those of all sites.",
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to="ocpp.site",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "monthly report",
                    "ordering": ["address", "pk"],
                    "constraints": [
                        models.UniqueConstraint(
                            models.F("address"),
                            django.db.models.functions.comparison.Coalesce("site", 0),
                            name="report_mail_once",
                            violation_error_message="This address gets these reports already.",
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(forbid, permit),
    ]
