"""What is learned of a charger's line: that it is closed after some time without a frame."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from levity.db.rows import update_rows
from levity.ocpp.models import ChargePoint, ConnectionEvent
from levity.ocpp.rules.intervals import ALIKE, IN_A_ROW, OURS, Ending, learned_from

__all__ = ["forget_line", "learn_lines"]


def learn_lines(charge_points: Collection[int], now: datetime) -> None:
    """Look at how the last connections of these charge points ended; two queries at most.

    To be called when one has just ended in silence, so seldom.
    """
    newest = Window(RowNumber(), partition_by="charge_point", order_by=F("id").desc())
    rows = (
        ConnectionEvent.objects.filter(
            Q(charge_point__learned_from=None) | Q(at__gt=F("charge_point__learned_from")),
            Q(code=None) | ~Q(code__in=OURS),
            charge_point__in=charge_points,
            kind=ConnectionEvent.Kind.DISCONNECTED,
        )
        .annotate(place=newest)
        .filter(place__lte=IN_A_ROW)
        .order_by("charge_point", "place")
        .values_list("charge_point", "charge_point__learned_silence", "at", "silent_for", "code")
    )
    endings: dict[int, list[Ending]] = defaultdict(list)
    known: dict[int, int | None] = {}
    for pk, before, at, silent_for, code in rows:
        endings[pk].append(Ending(at, silent_for or 0, code))
        known[pk] = before
    learned = []
    for pk, found in endings.items():
        lesson = learned_from(found)
        before = known[pk]
        # The same again, where it does not heed what it was told, is nothing new.
        if lesson is not None and (before is None or lesson[0] < before - ALIKE):
            learned.append((pk, lesson[0], lesson[1][:255], now))
    update_rows(ChargePoint, ("id", "learned_silence", "learned_evidence", "learned_at"), learned)


def forget_line(charge_points: Collection[int], now: datetime) -> int:
    """Forget what was learned of these; only connections that end from now on count again."""
    return ChargePoint.objects.filter(pk__in=charge_points).update(
        learned_silence=None, learned_evidence="", learned_at=None, learned_from=now
    )
