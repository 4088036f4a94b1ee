"""What corrections and decisions wrote down about samples, kept true when these move.

Releases before wrote down the ids of their rows; what moves has another key. And where a charger
had sent a MeterValue twice, the one that stays is meant from now on.
"""

from collections.abc import Mapping, Sequence

from levity.db.rows import update_rows
from levity.ocpp.models import MeterValueCorrection, QuarantinedMessage
from levity.ocpp.store.samples.elements import Element, key_of, place_of

__all__ = ["follow"]


def follow(found: Sequence[Element], kept: Mapping[int, int]) -> None:
    """These move; `kept` has the id that each of them goes by from now on."""
    before = {
        pk: (element, position) for element in found for position, pk in enumerate(element.rows)
    }
    if before:
        _corrections_of_before(before, kept)
        _decisions_of_before(found[0].charge_point_id, before, kept)
    renamed = {pk: new for pk, new in kept.items() if pk != new}
    if renamed:
        _corrections(renamed)


def _corrections_of_before(
    before: Mapping[int, tuple[Element, int]], kept: Mapping[int, int]
) -> None:
    rows = MeterValueCorrection.objects.filter(meter_value__in=list(before))
    for pk, row in rows.values_list("pk", "meter_value_id"):
        element, position = before[row]
        MeterValueCorrection.objects.filter(pk=pk).update(
            meter_value=None,
            sample=key_of(kept[element.id], position),
            charge_point=element.charge_point_id,
            sampled_at=element.sampled_at,
        )


def _decisions_of_before(
    charge_point: int, before: Mapping[int, tuple[Element, int]], kept: Mapping[int, int]
) -> None:
    rows = QuarantinedMessage.objects.filter(charge_point=charge_point, undo__isnull=False)
    for message in rows.only("pk", "undo"):
        trail = dict(message.undo or {})
        for old, new in (("values", "elements"), ("joined", "joined_elements")):
            ids = trail.get(old) or []
            gone = [pk for pk in ids if pk in before]
            if gone:
                trail[old] = [pk for pk in ids if pk not in before]
                moved = {kept[before[pk][0].id] for pk in gone}
                trail[new] = sorted({*trail.get(new, ()), *moved})
        if trail != message.undo:
            QuarantinedMessage.objects.filter(pk=message.pk).update(undo=trail)


def _corrections(renamed: Mapping[int, int]) -> None:
    first, last = min(renamed), max(renamed)
    rows = MeterValueCorrection.objects.filter(
        sample__gte=key_of(first, 0), sample__lt=key_of(last + 1, 0)
    )
    new = []
    for pk, key in rows.values_list("pk", "sample"):
        element, position = place_of(key or 0)
        if element in renamed:
            new.append((pk, key_of(renamed[element], position)))
    update_rows(MeterValueCorrection, ("id", "sample"), new)
