"""Sessions by the hour: what dashboards add up, so that they never read samples."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.transaction import Transaction

__all__ = ["ChangedSession", "SessionHour"]


class SessionHour(models.Model):
    """What one hour has of one session.

    Counted from the session and its samples (`levity.ocpp.store.hours`), again whenever it has
    changed: nothing here is known from anywhere else. The hours of a session add up to its energy,
    or to 0 where that can't be true. Of a session that runs, the newest hour is as old as
    `counted_at`.
    """

    transaction = models.ForeignKey(
        Transaction, on_delete=models.CASCADE, related_name="hours", db_index=False
    )
    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField(null=True)
    hour = models.DateTimeField(help_text="When it began, a full hour of UTC.")
    wh = models.DecimalField("energy", max_digits=18, decimal_places=3, help_text="In Wh.")
    seconds = models.PositiveIntegerField(help_text="For which the session lasted in it.")
    power = models.PositiveIntegerField(null=True, help_text="The greatest, in W. Empty: unknown.")
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "hour"], name="session_hour_once")
        ]
        indexes = [
            models.Index(fields=["hour"], name="session_hour_at"),
            models.Index(fields=["charge_point", "hour"], name="session_hour_of_charge_point"),
        ]


class ChangedSession(models.Model):
    """A mark: the hours of this session have to be counted again. One that ends or changes has one
    in the same database transaction; one that runs needs none."""

    # Also of one that is gone since.
    session = models.BigIntegerField()
