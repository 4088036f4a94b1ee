"""What the meters said: MeterValues (OCPP 1.6, 7.33) as rows, and as traces where they are older.

Only `levity.ocpp.store.samples` reads and writes these tables: ask there, and it does not matter in
which form a value is kept.
"""

from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.transaction import Transaction

__all__ = ["LegacySample", "MeterValue", "MeterValueCorrection", "SampleShape", "SampleTrace"]


class SampleShape(models.Model):
    """What samples are called: a charger says the same with each of its MeterValues."""

    id = models.BigIntegerField(
        primary_key=True, help_text="The first 63 bits of the SHA-256 of the names."
    )
    names = models.TextField(
        help_text="JSON: of each sample measurand, phase, location, context, format and unit."
    )


class MeterValue(models.Model):
    """One MeterValue: what was sampled at one moment (OCPP 1.6, 7.33).

    Its source message is the one of the same charge point with the same `received_at`.
    """

    # Insert-only: the pipeline only writes ids that it has just read in the same database
    # transaction, so constraint checks would buy nothing.
    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField()
    transaction = models.ForeignKey(
        Transaction,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
    )
    sampled_at = models.DateTimeField(help_text="By the charger's clock.")
    received_at = models.DateTimeField()
    shape = models.ForeignKey(
        SampleShape,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    raw_values = models.TextField(help_text="As sent, in the order of the shape's names.")
    recorded = models.JSONField(
        null=True,
        blank=True,
        help_text="By their position, values that differ from what the raw value comes to.",
    )

    class Meta:
        # (The table of the releases before is still there: `LegacySample`.)
        db_table = "ocpp_metervalue_recent"
        verbose_name = "meter value"
        indexes = [
            models.Index(fields=["charge_point", "sampled_at"], name="meter_value_at_charge_point")
        ]


class SampleTrace(models.Model):
    """MeterValues of a session, or of a connector and day outside of sessions, in one row.

    Where there are very many, in several.
    """

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField()
    transaction = models.ForeignKey(
        Transaction,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
    )
    first_at = models.DateTimeField(help_text="The earliest, by the charger's clock.")
    last_at = models.DateTimeField(help_text="The latest, by the charger's clock.")
    elements = models.PositiveIntegerField(help_text="How many MeterValues.")
    samples = models.PositiveIntegerField(help_text="How many samples they have.")
    data = models.BinaryField(help_text="See levity.ocpp.store.samples.coding.")

    class Meta:
        indexes = [models.Index(fields=["charge_point", "last_at"], name="trace_of_charge_point")]


class LegacySample(models.Model):
    """One sampled value, as releases before this one wrote it: a row each.

    Only read, and moved into traces; workers of the release before may still add some during an
    upgrade.
    """

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField()
    transaction = models.ForeignKey(
        Transaction,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
    )
    sampled_at = models.DateTimeField()
    received_at = models.DateTimeField()
    measurand = models.CharField(max_length=64)
    phase = models.CharField(max_length=16, blank=True)
    location = models.CharField(max_length=16, blank=True)
    context = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=16, blank=True)
    unit = models.CharField(max_length=32, blank=True)
    raw_value = models.TextField()
    value = models.DecimalField(
        max_digits=24,
        decimal_places=6,
        null=True,
        blank=True,
    )

    class Meta:
        db_table = "ocpp_metervalue"
        indexes = [
            models.Index(fields=["charge_point", "sampled_at"], name="meter_value_of_charge_point")
        ]


class MeterValueCorrection(models.Model):
    """One value that `correct_meter_values` changed, and what it was: every run can be undone."""

    run = models.UUIDField(db_index=True, help_text="Shared by the corrections of one run.")
    transaction = models.ForeignKey(
        Transaction, null=True, blank=True, on_delete=models.CASCADE, related_name="corrections"
    )
    meter_value = models.ForeignKey(
        LegacySample,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="corrections",
        help_text="Of a release before, while it has not been moved; see `sample`.",
    )
    sample = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Key of the meter value (levity.ocpp.store.samples). Empty: a value of the "
        "transaction itself.",
    )
    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    sampled_at = models.DateTimeField(
        null=True, blank=True, help_text="Of the meter value, by the charger's clock."
    )
    field = models.CharField(max_length=32)
    old_value = models.DecimalField(max_digits=24, decimal_places=6, null=True, blank=True)
    new_value = models.DecimalField(max_digits=24, decimal_places=6, null=True, blank=True)
    old_text = models.TextField(blank=True, help_text="For fields that are not numbers.")
    new_text = models.TextField(blank=True)
    reason = models.CharField(max_length=255)
    corrected_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.field}: {self.old_value} -> {self.new_value}"
