"""How much each household used in a period: the sums under every statement to come."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from levity.billing.by_payer import exact, held_by_all, sums_by_payer
from levity.billing.rules.payer import Holders
from levity.ocpp.models import Transaction
from levity.ocpp.models.transaction import IN_TOTALS, PLAUSIBLE
from levity.ocpp.rules.flags import HARMLESS, class_of
from levity.ocpp.visibility import visible
from levity_ws.frozen import frozen

__all__ = ["Use", "Uses", "holders", "used"]


@frozen
class Use:
    """Sums of one payer."""

    sessions: int = 0
    wh: Decimal = Decimal()
    """Of all of its sessions, those that need a look included; 0 of one that can't be true."""
    to_check: int = 0
    """Those that need a look before they are billed: a flag, low confidence, or not ended."""

    def __add__(self, other: "Use") -> "Use":
        return Use(
            self.sessions + other.sessions, self.wh + other.wh, self.to_check + other.to_check
        )


@frozen
class Uses:
    """Who used how much."""

    households: Mapping[int | None, Use]
    """None: sessions that are nobody's."""
    cards: Mapping[str, Use]
    """Of these, what each card has."""


def holders() -> Holders:
    """All assignments, in one statement."""
    return Holders(held_by_all())


def used(since: datetime, until: datetime, who: Any = None) -> Uses:
    """The sessions that began in this time, of sites that this person sees, by their payers.

    Not those of a demo that is over. A day is one of the site's own clock. Three statements at
    most, whatever the number of sessions.
    """
    rows: QuerySet[Any] = Transaction.objects.filter(
        IN_TOTALS, started_at__gte=since, started_at__lt=until
    )
    if who is not None:
        rows = visible(rows, who)
    is_open = Q(state=Transaction.State.ACTIVE) | Q(energy=None)
    rows = rows.annotate(is_open=Case(When(is_open, then=True), default=False))
    counted = Case(When(PLAUSIBLE, then=Coalesce("energy", Decimal())), default=Decimal())
    households: dict[int | None, Use] = defaultdict(Use)
    cards: dict[str, Use] = defaultdict(Use)
    by = ("id_tag", "flags", "confidence", "is_open")
    for payer, row in sums_by_payer(rows, since, until, *by, n=Count("pk"), wh=Sum(counted)):
        sure = not row["is_open"] and class_of(row["flags"], row["confidence"]) == HARMLESS
        use = Use(row["n"], exact(row["wh"] or Decimal()), 0 if sure else row["n"])
        household = payer.household if payer is not None else None
        households[household] += use
        if household is None:
            cards[row["id_tag"]] += use
    return Uses(dict(households), dict(cards))
