"""MeterValue and SampledValue (OCPP 1.6, 7.33 and 7.43): from JSON to samples."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from levity.ocpp.effects import Sample
from levity.ocpp.fields import MAX_NUMBER, decimal_of, text
from levity.ocpp.frames import OcppError
from levity.ocpp.quirks import QuirkProfile
from levity.ocpp.request import Request

__all__ = ["read_samples"]

THOUSAND = Decimal(1000)
# Units in which a base unit is counted by the thousand (7.47 UnitOfMeasure).
KILO = {"kWh", "kvarh", "kW", "kVA", "kvar"}
MICRO = Decimal("0.000001")


def read_samples(request: Request, name: str) -> tuple[Sample, ...]:
    """All samples of this array of the payload (`meterValue`, `transactionData`), in their order.

    A sample without a time that can be true gets ours; a value that is no number keeps its text
    and has no `value`. What is no sample at all (not an object, an object as its unit) is left
    out: the message log has it.
    """
    meter_values = request.payload.get(name)
    if not isinstance(meter_values, list):
        return ()
    charge_point = request.charge_point
    samples = []
    for meter_value in meter_values:
        if not isinstance(meter_value, dict):
            continue
        sampled_at = charge_point.time_of(meter_value.get("timestamp")) or request.received_at
        sampled_values = meter_value.get("sampledValue")
        if isinstance(sampled_values, list):
            for item in sampled_values:
                with suppress(OcppError):
                    if isinstance(item, dict):
                        samples.append(_sample(item, sampled_at, charge_point.quirks))
    return tuple(samples)


def _sample(item: Mapping[str, Any], sampled_at: datetime, quirks: QuirkProfile) -> Sample:
    raw = item.get("value")
    raw_value = raw if type(raw) is str else "" if raw is None else str(raw)
    unit = text(item, "unit", 32)
    form = text(item, "format", 16)
    # 7.43: the default of an absent measurand.
    measurand = text(item, "measurand", 64) or "Energy.Active.Import.Register"
    believed = form != "SignedData" and measurand not in quirks.ignored_measurands
    value = decimal_of(raw) if believed else None
    if value is not None:
        if unit in KILO:
            value *= THOUSAND
        elif measurand.startswith("Energy."):
            value *= quirks.energy_scale
        value = value.quantize(MICRO) if abs(value) < MAX_NUMBER else None
    return Sample(
        sampled_at=sampled_at,
        measurand=measurand,
        raw_value=raw_value,
        value=value,
        unit=unit,
        phase=text(item, "phase", 16),
        location=text(item, "location", 16),
        context=text(item, "context", 64),
        format=form,
    )
