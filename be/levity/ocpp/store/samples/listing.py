"""MeterValues for lists: the newest first, a page at a time, without reading all traces."""

from collections.abc import Sequence
from datetime import datetime
from typing import overload

from django.db.models import Q, Sum

from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.store.samples.elements import Element, arrival
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.reading import of_rows, of_traces, of_transaction, together

__all__ = ["NewestOf", "newest_of_transaction"]

# Nobody pages further.
MOST = 10_001


def newest_of_transaction(pk: int) -> list[Element]:
    """The MeterValues of this session, the last to arrive first."""
    return of_transaction(pk)[::-1]


class NewestOf(Sequence[Element]):
    """The MeterValues of a charge point, the newest first by its clock; read in slices from the
    beginning, each as far as it needs."""

    def __init__(self, charge_point: int) -> None:
        self.charge_point = charge_point

    def __len__(self) -> int:
        """How many there are, up to `MOST`."""
        at = Q(charge_point=self.charge_point)
        rows = MeterValue.objects.filter(at)[:MOST].count()
        # (Of the releases before: of each moment one.)
        before = 0
        if not is_empty():
            moments = LegacySample.objects.filter(at).order_by().values("sampled_at", "connector")
            before = moments.distinct()[:MOST].count()
        moved = SampleTrace.objects.filter(at).aggregate(all=Sum("elements"))["all"] or 0
        return min(rows + before + moved, MOST)

    @overload
    def __getitem__(self, place: int) -> Element: ...

    @overload
    def __getitem__(self, place: slice) -> list[Element]: ...

    def __getitem__(self, place: int | slice) -> Element | list[Element]:
        if isinstance(place, int):
            return self._first(place + 1)[place]
        return self._first(min(place.stop or MOST, MOST))[place]

    def _first(self, count: int) -> list[Element]:
        at = Q(charge_point=self.charge_point)
        newest = list(
            MeterValue.objects.filter(at)
            .order_by("-sampled_at", "-id")
            .values_list("pk", flat=True)[:count]
        )
        recent = of_rows(MeterValue.objects.filter(pk__in=newest))
        before = self._before(count)
        found = together(before, recent, [])
        moved: list[Element] = []
        traces = SampleTrace.objects.filter(at).order_by("-last_at", "-id")
        for pk, last_at in traces.values_list("pk", "last_at").iterator(chunk_size=100):
            if _has(found, moved, count, last_at):
                break
            moved += of_traces(SampleTrace.objects.filter(pk=pk))
        whole = together(before, recent, moved)
        whole.sort(key=lambda element: (element.sampled_at, arrival(element)), reverse=True)
        return whole[:count]

    def _before(self, count: int) -> list[Element]:
        if is_empty():
            return []
        rows = LegacySample.objects.filter(charge_point=self.charge_point)
        moments = rows.order_by("-sampled_at").values_list("sampled_at", flat=True)
        oldest = list(moments.distinct()[:count])
        return legacy_elements(rows.filter(sampled_at__gte=oldest[-1])) if oldest else []


def _has(found: Sequence[Element], moved: Sequence[Element], count: int, last_at: datetime) -> bool:
    """True if so many are newer than anything in a trace that ends then."""
    if len(found) + len(moved) < count:
        return False
    newer = sum(element.sampled_at > last_at for element in (*found, *moved))
    return newer >= count
