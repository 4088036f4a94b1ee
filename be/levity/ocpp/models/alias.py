"""The other names of a transaction."""

from django.db import models
from django.utils import timezone

from levity.ocpp.models.transaction import Transaction

__all__ = ["TransactionAlias"]


class TransactionAlias(models.Model):
    """A second transactionId of one transaction: what a charger was told, and not what we wrote.

    An edge whose backend is away answers a StartTransaction with an id that it has leased. If the
    backend had taken the same StartTransaction just before, under an id that the charger never
    heard of, both ids mean the one transaction.
    """

    id = models.IntegerField(primary_key=True)
    transaction = models.ForeignKey(
        Transaction, on_delete=models.CASCADE, related_name="aliases", db_constraint=False
    )
    given_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.pk} is {self.transaction_id}"
