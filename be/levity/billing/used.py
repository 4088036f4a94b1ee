"""How much each household used in a period: the sums under every statement to come."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from levity.billing.models import Assignment
from levity.billing.rules.payer import Held, Holders, Payer
from levity.ocpp.models import Transaction
from levity.ocpp.models.transaction import IN_TOTALS
from levity.ocpp.rules.flags import HARMLESS, class_of
from levity.ocpp.visibility import visible
from levity.ocpp.wire.fields import zone_of
from levity_ws.frozen import frozen

__all__ = ["Counted", "Use", "holders", "sessions_between", "used"]

COLUMNS = (
    *("id", "charge_point_id", "connector", "id_tag", "started_at", "energy", "flags"),
    *("confidence", "state", "charge_point__site__time_zone"),
)


@frozen
class Counted:
    """A session as it is counted."""

    pk: int
    charge_point: int
    id_tag: str
    wh: Decimal
    payer: Payer
    to_check: bool
    """It needs a look before it is billed: a flag, low confidence, or it has not ended."""


@frozen
class Use:
    """Sums of one payer."""

    sessions: int = 0
    wh: Decimal = Decimal()
    """Of all of its sessions, those that need a look included; 0 of one that can't be true."""
    to_check: int = 0

    def and_of(self, session: Counted) -> "Use":
        return Use(self.sessions + 1, self.wh + session.wh, self.to_check + int(session.to_check))


def holders() -> Holders:
    """All assignments, in one statement."""
    rows = Assignment.objects.values_list(
        "household_id", "first_day", "last_day", "id_tag", "charge_point_id", "connector"
    )
    return Holders(Held(*row) for row in rows.order_by())


def sessions_between(since: datetime, until: datetime, who: Any = None) -> Iterable[Counted]:
    """The sessions that began in this time, of sites that this person sees, each with its payer.

    Not those of a demo that is over. A day is one of the site's own clock.
    """
    rows: QuerySet[Any] = Transaction.objects.filter(
        IN_TOTALS, started_at__gte=since, started_at__lt=until
    )
    if who is not None:
        rows = visible(rows, who)
    held = holders()
    for row in rows.order_by("started_at", "pk").values_list(*COLUMNS).iterator():
        pk, charger, connector, id_tag, started_at, wh, flags, confidence, state, zone = row
        local = timezone.localtime(started_at, zone_of(zone) if zone else None)
        is_over = state != Transaction.State.ACTIVE
        sure = is_over and wh is not None and class_of(flags, confidence) == HARMLESS
        payer = held.payer(charger, connector, id_tag, local.date())
        counted = wh if wh is not None and "implausible-energy" not in flags else Decimal()
        yield Counted(pk, charger, id_tag, counted, payer, to_check=not sure)


def used(sessions: Iterable[Counted]) -> dict[int | None, Use]:
    """Household -> what it used; None: sessions that are nobody's."""
    found: dict[int | None, Use] = {}
    for session in sessions:
        found[session.payer.household] = found.get(session.payer.household, Use()).and_of(session)
    return found
