"""Statements that are closed: never changed again, which the database itself sees to (migration
`statements`). What turns out wrong later is corrected by lines of the next ones."""

from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models.households import Household
from levity.billing.models.tariffs import TariffVersion
from levity.ocpp.models import Site

__all__ = ["Issuer", "NumberGap", "Statement", "StatementFile", "StatementPosition", "StatementRun"]


class Issuer(models.Model):
    """Who bills: what the head of a statement says, and how statements are numbered."""

    site_path = "site"

    site = models.OneToOneField(
        Site,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="issuer",
        help_text=gettext_noop(
            "Whose sessions it bills. Empty: of all sites that have no issuer of their own."
        ),
    )
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True, help_text=gettext_noop("Street and town, a line each."))
    tax_number = models.CharField(
        max_length=100,
        blank=True,
        help_text=gettext_noop("Tax number or VAT id, as invoices need it."),
    )
    payment_text = models.TextField(
        blank=True,
        help_text=gettext_noop("How to pay: bank, IBAN, until when. {number} is the statement's."),
    )
    prefix = models.CharField(
        max_length=20,
        blank=True,
        help_text=gettext_noop("Begins each number, such as EV-: EV-000001."),
    )
    next_number = models.PositiveIntegerField(default=1, editable=False)
    numbers_sure_at = models.DateTimeField(
        default=timezone.now,
        editable=False,
        help_text="When it was last known for sure which number comes next.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prefix"],
                name="issuer_prefix",
                violation_error_message=gettext_noop("Another issuer's numbers begin so, too."),
            ),
            # Unique columns take any number of NULLs.
            models.UniqueConstraint(
                Coalesce("site", 0),
                condition=models.Q(site=None),
                name="issuer_of_the_rest",
                violation_error_message=gettext_noop(
                    "There is an issuer for the sites without one already."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.site})" if self.site else self.name


class NumberGap(models.Model):
    """Numbers that no statement of this database has, and why: auditors ask."""

    site_path = "issuer__site"

    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="gaps")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField(help_text="Included.")
    reason = models.CharField(max_length=200)
    noted_at = models.DateTimeField(default=timezone.now)
    noted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["first"]

    def __str__(self) -> str:
        prefix = self.issuer.prefix
        return f"{prefix}{self.first:06d} to {prefix}{self.last:06d}"


class StatementRun(models.Model):
    """The statements of one issuer for one period, closed at once."""

    site_path = "issuer__site"

    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="runs")
    first_day = models.DateField()
    last_day = models.DateField(help_text=gettext_noop("Included."))
    time_zone = models.CharField(max_length=64)
    closed_at = models.DateTimeField(default=timezone.now)
    closed_by = models.CharField(max_length=150, blank=True)
    balance = models.JSONField(
        help_text=gettext_noop("What the registers moved, and what became of it, in Wh.")
    )
    house_from = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    house_to = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)

    class Meta:
        default_permissions = ("view", "add")
        verbose_name = "statement run"
        ordering = ["-last_day", "-pk"]
        constraints = [models.UniqueConstraint(fields=["issuer", "first_day"], name="run_once")]

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


class Statement(models.Model):
    """What a household pays for a period."""

    site_path = "run__issuer__site"

    run = models.ForeignKey(StatementRun, on_delete=models.PROTECT, related_name="statements")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="statements")
    label = models.CharField(gettext_noop("number"), max_length=40, unique=True)
    currency = models.CharField(max_length=3)
    wh = models.DecimalField(
        gettext_noop("energy"), max_digits=18, decimal_places=3, help_text=gettext_noop("In Wh.")
    )
    net = models.DecimalField(max_digits=18, decimal_places=3)
    tax = models.DecimalField(max_digits=18, decimal_places=3)
    gross = models.DecimalField(max_digits=18, decimal_places=3)
    document = models.JSONField(help_text=gettext_noop("All that it says."))

    class Meta:
        default_permissions = ("view",)
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.label


class StatementPosition(models.Model):
    """A session on a statement; with sign -1, what an earlier one had said of it, taken back."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="positions")
    session = models.BigIntegerField(db_index=True)
    sign = models.SmallIntegerField()
    version = models.ForeignKey(TariffVersion, on_delete=models.PROTECT, related_name="+")
    wh = models.DecimalField(max_digits=18, decimal_places=3)
    lines = models.JSONField()
    digest = models.CharField(
        max_length=64, help_text=gettext_noop("Of the session's price at that time.")
    )
    facts = models.JSONField(
        help_text=gettext_noop("When, where, with which card, from which registers.")
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"session {self.session}"


class StatementFile(models.Model):
    """A statement as a file; opened again it is these bytes."""

    site_path = "statement__run__issuer__site"

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=4, help_text=gettext_noop("pdf or csv."))
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["statement", "kind"], name="statement_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.statement}.{self.kind}"
