"""The log behind its last days: many exchanges of one charge point in one row."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint

__all__ = ["BlockTerm", "MessageBlock"]


class MessageBlock(models.Model):
    """Exchanges of one charge point and one day (UTC, by when they were received).

    `ocpp/store/messages/` writes and reads it; a day with very many has several parts.
    """

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    day = models.DateField()
    part = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    first_id = models.BigIntegerField(help_text="The exchanges keep the numbers of their rows.")
    last_id = models.BigIntegerField()
    count = models.PositiveIntegerField()
    only_ledger = models.BooleanField(
        default=False, help_text="Of a day that is forgotten but for what its sessions are made of."
    )
    facts = models.BinaryField()
    frames = models.BinaryField()

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point", "day", "part"], name="message_block_once"
            ),
        ]
        indexes = [
            models.Index(fields=["charge_point", "-last_at"], name="message_block_of_charge_point"),
            models.Index(fields=["-last_at"], name="message_block_last"),
            models.Index(fields=["last_id", "first_id"], name="message_block_ids"),
            models.Index(fields=["only_ledger", "day"], name="message_block_day"),
        ]


class BlockTerm(models.Model):
    """A word by which a block is found among those of all charge points.

    A table of its own, and no list in the block: this index has the blocks in their order, and
    both databases read just those of the page, whether the word is in three blocks or in all.
    """

    block = models.ForeignKey(MessageBlock, on_delete=models.CASCADE, related_name="terms")
    term = models.CharField(max_length=80)
    last_at = models.DateTimeField(help_text="As in the block.")

    class Meta:
        indexes = [
            models.Index(fields=["term", "-last_at"], name="block_term_last"),
        ]
