"""Traces as rows."""

from collections.abc import Sequence

from levity.ocpp.models import SampleTrace
from levity.ocpp.store.samples.coding import encode
from levity.ocpp.store.samples.elements import Element, coded_of

__all__ = ["write_trace"]


def write_trace(trace: SampleTrace, elements: Sequence[Element]) -> None:
    """From now on, the trace has these MeterValues; without any it is deleted."""
    if not elements:
        if trace.pk:
            trace.delete()
        return
    trace.first_at = min(each.sampled_at for each in elements)
    trace.last_at = max(each.sampled_at for each in elements)
    trace.elements = len(elements)
    trace.samples = sum(len(each.values) for each in elements)
    trace.data = encode([coded_of(each) for each in elements])
    trace.save()
