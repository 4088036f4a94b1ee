"""Sessions of which nobody will tell the end any more: they are ended here, provisionally."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from levity.ocpp.conf import setting
from levity.ocpp.decisions.sessions import take_turn, write
from levity.ocpp.models import Connector, Transaction
from levity.ocpp.request import with_flags
from levity.ocpp.rules.unended import closed
from levity.ocpp.store.late_samples import transaction_state
from levity.ocpp.store.samples.reading import any_received_since

__all__ = ["end_abandoned"]

log = logging.getLogger(__name__)

# A charger tells that a connector is free when the cable is out. Its StopTransaction may be tried
# again for a while; an hour later it was dropped (1.6, 3.7.1; shipped firmware tries once).
FREE_FOR = timedelta(hours=1)
AT_ONCE = 500


def end_abandoned(now: datetime) -> int:
    """End sessions whose stop got lost or whose charger is gone, at their last sample; how many.

    Those on a connector that has been free for an hour, without a sample since, those of chargers
    that were not heard for OCPP_ABANDONED_AFTER_DAYS, and those of chargers that were retired.
    Like every end of ours it is provisional: the charger's own StopTransaction replaces it, its
    MeterValues open it again.
    """
    days = setting("OCPP_ABANDONED_AFTER_DAYS")
    over = Q(
        status="Available",
        status_since__lt=now - FREE_FOR,
        status_since__gt=F("transaction__start_received_at"),
    )
    # One that is connected is in use again, by the next round.
    over |= Q(charge_point__retired_at__isnull=False, charge_point__connection__isnull=True)
    if days:
        over |= Q(charge_point__last_seen_at__lt=now - timedelta(days=days))
    found = Connector.objects.filter(over, transaction__state=Transaction.State.ACTIVE)
    rows = found.select_related("charge_point").order_by("pk")[:AT_ONCE]
    return sum(
        _end(row, row.transaction_id, _quiet_since(row, days, now), now)
        for row in rows
        if row.transaction_id is not None
    )


def _quiet_since(connector: Connector, days: float, now: datetime) -> datetime:
    """A sample that came later says that the session goes on.

    Not `last_seen_at` itself: it is written now and then, and may lag behind the last sample.
    """
    charger = connector.charge_point
    if charger.retired_at and not charger.connection:
        return now
    gone_for = now - timedelta(days=days)
    if days and charger.last_seen_at and charger.last_seen_at < gone_for:
        return gone_for
    return connector.status_since or now


def _end(connector: Connector, pk: int, quiet_since: datetime, now: datetime) -> bool:
    with transaction.atomic():
        take_turn(connector.charge_point)
        # A frame that is being taken at this moment may end it itself, or go on with it.
        row = Transaction.objects.select_for_update(of=("self",)).get(pk=pk)
        if row.state != Transaction.State.ACTIVE:
            return False
        if any_received_since(row.pk, quiet_since):
            return False
        state = transaction_state(row)
        state = replace(state, flags=" ".join(with_flags(state.flags, ("abandoned",))))
        write(row.charge_point, (closed(state, "Other"),), now)
    log.warning("%s: closed transaction %s: no StopTransaction arrived", row.charge_point, pk)
    return True
