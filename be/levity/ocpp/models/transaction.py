"""The ledger: transactions."""

from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint

__all__ = ["DEMO", "IMPLAUSIBLE", "IN_TOTALS", "PLAUSIBLE", "SessionRepair", "Transaction"]

# Sessions whose energy goes into totals: not those that can't have charged so much.
IMPLAUSIBLE = models.Q(flags__contains="implausible-energy")
PLAUSIBLE = ~IMPLAUSIBLE
# What `levity serve --demo` calls its ten.
DEMO = tuple(f"DEMO-{number:02d}" for number in range(1, 11))
# Sessions that totals are about: not those of a demo that is over. (A real charger that is retired
# did deliver its energy.)
IN_TOTALS = ~models.Q(charge_point__identity__in=DEMO, charge_point__retired_at__isnull=False)


class Transaction(models.Model):
    """One charging session. Its id is OCPP 1.6's transactionId: an int4, never used again.

    Where the charger gives its sessions ids itself (OCPP 2.0.1), `wire_id` is the one that it gave.
    """

    class State(models.TextChoices):
        """What is known of its end."""

        ACTIVE = "active"
        STOPPED = "stopped", "stopped by the charger"
        ORPHANED = "orphaned", "closed by Levity from the last meter value"

    id = models.AutoField(primary_key=True)
    wire_id = models.CharField(
        max_length=64,
        blank=True,
        default="",
        # Also for a worker of the release before, which does not name the column.
        db_default="",
        editable=False,
        help_text="The charger's own id of the session (OCPP 2.0.1). Empty in OCPP 1.6.",
    )
    seq_no = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="seqNo of the newest event (OCPP 2.0.1). Empty in OCPP 1.6.",
    )
    charge_point = models.ForeignKey(
        ChargePoint,
        # Three of the indexes below begin with it.
        db_index=False,
        on_delete=models.PROTECT,
        related_name="transactions",
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: not known (yet)."
    )
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    id_tag = models.CharField("id tag", max_length=255, blank=True)
    reservation_id = models.BigIntegerField(null=True, blank=True)
    occurrence = models.PositiveIntegerField(
        default=0,
        # Also for a worker of the release before, which does not name the column.
        db_default=0,
        editable=False,
        help_text=(
            "Counts sessions with identical start data; above 0 only for chargers whose clock was "
            "never set."
        ),
    )

    started_at = models.DateTimeField(help_text="By the charger's clock.")
    start_received_at = models.DateTimeField(default=timezone.now)
    meter_start = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="In Wh, as told at the start. Empty: not told.",
    )

    stopped_at = models.DateTimeField(null=True, blank=True, help_text="By the charger's clock.")
    stop_received_at = models.DateTimeField(null=True, blank=True)
    meter_stop = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="In Wh, from StopTransaction.",
    )
    stop_reason = models.CharField(max_length=64, blank=True)
    stop_id_tag = models.CharField(max_length=255, blank=True)

    energy = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="Energy charged so far, or in total, in Wh.",
    )
    power = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="In W, from the last meter values.",
    )
    meter_last = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="Newest register value in Wh.",
    )
    meter_last_at = models.DateTimeField(null=True, blank=True)
    lives = models.TextField(
        blank=True,
        default="",
        # Also for a worker of the release before, which does not name the column.
        db_default="",
        editable=False,
        help_text="History of the meter register (levity.ocpp.rules.lives).",
    )
    flags = models.CharField(
        max_length=255, blank=True, help_text="Irregularities, space-separated."
    )
    energy_source = models.CharField(
        max_length=32,
        blank=True,
        help_text="Source of the energy: registers, session-register, samples, ...",
    )
    confidence = models.CharField(
        max_length=8, blank=True, help_text="Confidence in the energy: high, medium or low."
    )
    checks = models.TextField(
        blank=True,
        default="",
        # Also for a worker of the release before, which does not name the column.
        db_default="",
        editable=False,
        help_text="What the energy was held against (levity.ocpp.rules.chain.books).",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Promise 2 of the design: the same StartTransaction again is the same transaction.
            models.UniqueConstraint(
                fields=[
                    "charge_point",
                    "connector",
                    "id_tag",
                    "started_at",
                    "meter_start",
                    "occurrence",
                ],
                condition=models.Q(wire_id=""),
                name="transaction_once",
            ),
            # Where the charger gives the id: unique at that charger only, and it may come again.
            models.UniqueConstraint(
                fields=["charge_point", "wire_id", "occurrence"],
                condition=~models.Q(wire_id=""),
                name="transaction_wire_id",
            ),
        ]
        indexes = [
            models.Index(
                fields=["charge_point", "connector"],
                name="transaction_active",
                condition=models.Q(state="active"),
            ),
            models.Index(fields=["charge_point", "-id"], name="transaction_of_charge_point"),
            models.Index(fields=["started_at"], name="transaction_started"),
            # The sessions before and after one.
            models.Index(
                fields=["charge_point", "evse", "connector", "started_at"],
                name="transaction_chain",
            ),
            # Few, looked for by who wants to bill them.
            models.Index(
                fields=["-id"],
                name="transaction_unknown_payer",
                condition=models.Q(id_tag=""),
            ),
            # Few, and counted by the overview.
            models.Index(
                fields=["started_at"],
                name="transaction_implausible",
                condition=IMPLAUSIBLE,
            ),
        ]

    def __str__(self) -> str:
        return f"Transaction {self.pk}"

    @property
    def is_plausible(self) -> bool:
        """True if it can have charged so much (`PLAUSIBLE`)."""
        return "implausible-energy" not in self.flags

    @property
    def is_counted(self) -> bool:
        """True if its energy goes into totals (`PLAUSIBLE` and `IN_TOTALS`)."""
        charger = self.charge_point
        return self.is_plausible and (charger.retired_at is None or charger.identity not in DEMO)


class SessionRepair(models.Model):
    """The figures of a session that had ended changed by what came later: a neighbour's start or
    stop, or a backlog. Nobody decided it; the trail says what stood there before, and why.
    """

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="repairs")
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=255)
    old_energy = models.DecimalField(
        max_digits=18, decimal_places=3, null=True, blank=True, help_text="In Wh."
    )
    new_energy = models.DecimalField(
        max_digits=18, decimal_places=3, null=True, blank=True, help_text="In Wh."
    )
    old_confidence = models.CharField(max_length=8, blank=True)
    new_confidence = models.CharField(max_length=8, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.reason}"
