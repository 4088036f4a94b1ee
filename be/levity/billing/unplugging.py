"""Sessions that wait for their car to leave are priced once it has."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from levity.billing.models import SessionPrice
from levity.billing.rules.curve import FULL
from levity.billing.rules.treatment import PLUGGED_IN
from levity.billing.rules.usage import STAY
from levity.billing.settling import CHUNK, settle
from levity.ocpp.models import Connector

__all__ = ["settle_unplugged"]


def settle_unplugged(now: datetime) -> int:
    """Price those whose connector no longer says that the car is full and there, and those for
    which nobody waits any longer; how many were looked at."""
    still_there = Connector.objects.filter(
        charge_point=OuterRef("transaction__charge_point"),
        number=OuterRef("place"),
        status__in=FULL,
    )
    rows = SessionPrice.objects.filter(state=SessionPrice.State.WAITS, reason=PLUGGED_IN)
    rows = rows.annotate(place=Coalesce(F("transaction__connector"), 0))
    left = rows.filter(~Exists(still_there) | Q(ended_at__lt=now - STAY)).order_by("pk")
    found = list(left.values_list("pk", flat=True)[:CHUNK])
    if found:
        with transaction.atomic():
            settle(found)
    return len(found)
