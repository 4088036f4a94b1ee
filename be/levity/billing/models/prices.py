"""Who pays for a session and what: a row for each session that is over."""

from django.db import models
from django.utils.translation import gettext_noop

from levity.billing.models.households import Household
from levity.billing.models.statements import StatementPosition
from levity.billing.models.tariffs import TariffVersion
from levity.ocpp.models import Transaction

__all__ = ["SessionMark", "SessionPrice"]


class SessionMark(models.Model):
    """A session whose figures changed: it is to be priced, soon. Only added to by whoever changes
    a session, so that nobody waits for another; `levity.billing.settling` takes them away."""

    session = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"session {self.session}"


class SessionPrice(models.Model):
    """Who pays for a session, by which rule, by which version of a tariff, and how much; or why
    that is not decided. A function of the session and of what a person decided: written again
    whenever one of them changes."""

    site_path = "transaction__charge_point__site"

    class State(models.TextChoices):
        """What is known of it."""

        PRICED = "priced", gettext_noop("has a price")
        WAITS = "waits", gettext_noop("waits for a decision")
        COMMON = "common", gettext_noop("nobody pays")
        EXCLUDED = "excluded", gettext_noop("not billed")

    transaction = models.OneToOneField(
        Transaction,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        # A session that is taken back is deleted first; its price follows.
        db_constraint=False,
        related_name="price",
    )
    state = models.CharField(max_length=8, choices=State)
    reason = models.CharField(max_length=24, blank=True, help_text=gettext_noop("Why, in a word."))
    detail = models.TextField(blank=True, help_text=gettext_noop("What the tariff lacks."))
    household = models.ForeignKey(
        Household, null=True, blank=True, on_delete=models.SET_NULL, related_name="session_prices"
    )
    rule = models.CharField(
        max_length=16, blank=True, help_text=gettext_noop("What decided the household.")
    )
    version = models.ForeignKey(
        TariffVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    wh = models.DecimalField(
        gettext_noop("energy"), max_digits=18, decimal_places=3, help_text=gettext_noop("In Wh.")
    )
    amount = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text=gettext_noop("Sum of its lines."),
    )
    lines = models.JSONField(default=list)
    inputs = models.CharField(
        max_length=64, help_text=gettext_noop("Digest of what the price was made of.")
    )
    digest = models.CharField(
        max_length=64, help_text=gettext_noop("Digest of what a statement would say.")
    )
    decision = models.CharField(max_length=8, blank=True, help_text=gettext_noop("Of a person."))
    decided_household = models.ForeignKey(
        Household, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_figures = models.CharField(
        max_length=300, blank=True, help_text=gettext_noop("As that person saw them.")
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_note = models.CharField(max_length=200, blank=True)

    position = models.ForeignKey(
        StatementPosition,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=gettext_noop("What a closed statement last said of it."),
    )

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = "price of a session"
        verbose_name_plural = "prices of sessions"
        ordering = ["-ended_at", "-pk"]
        indexes = [
            models.Index(fields=["ended_at"], name="price_by_end"),
            models.Index(fields=["household", "started_at"], name="price_of_household"),
            models.Index(
                fields=["reason", "ended_at"], condition=models.Q(state="waits"), name="price_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"price of session {self.pk}"

    @property
    def is_billed(self) -> bool:
        """It is on a closed statement."""
        return self.position_id is not None
