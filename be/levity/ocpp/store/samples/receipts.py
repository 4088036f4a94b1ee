"""When the MeterValues of sessions were received: by that, their messages are found."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q

from levity.ocpp.models import LegacySample, MeterValue, SampleTrace, Transaction
from levity.ocpp.store.samples.coding import decode
from levity.ocpp.store.samples.elements import moment_of
from levity.ocpp.store.samples.legacy import is_empty

__all__ = ["APART", "received_for_sessions"]

log = logging.getLogger(__name__)

APART = timedelta(days=30)
"""Samples are dated, and sessions began or ended, at most so long before or after the samples were
received; one of the two suffices."""


def received_for_sessions(charge_point: int, first: datetime, last: datetime) -> set[datetime]:
    """When MeterValues were received in [first, last] that belong to a session now.

    Of the traces only their times are read: a charge point has hundreds in two months.
    """
    earliest, latest = first - APART, last + APART
    found: set[datetime] = set()
    for model in (MeterValue,) if is_empty() else (LegacySample, MeterValue):
        rows = model._meta.default_manager.filter(  # type: ignore[union-attr]
            charge_point=charge_point,
            transaction__isnull=False,
            received_at__gte=first,
            received_at__lte=last,
        )
        found |= set(rows.values_list("received_at", flat=True))
    sessions = Transaction.objects.filter(
        Q(start_received_at__gte=earliest)
        | Q(stop_received_at=None)
        | Q(stop_received_at__gte=earliest),
        charge_point=charge_point,
        start_received_at__lte=latest,
    )
    ids = set(sessions.values_list("pk", flat=True))
    traces = SampleTrace.objects.filter(charge_point=charge_point, transaction__isnull=False)
    dated = Q(last_at__gte=earliest, first_at__lte=latest)
    for pk, data in traces.filter(dated | Q(transaction__in=ids)).values_list("pk", "data"):
        try:
            moments = map(moment_of, decode(bytes(data)).received())
            found |= {at for at in moments if first <= at <= last}
        except ValueError:
            log.exception("trace %s of charge point %s can't be read", pk, charge_point)
    return found
