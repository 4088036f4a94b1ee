"""MeterValue and SampledValue (OCPP 1.6, 7.33 and 7.43): from JSON to samples."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from levity.ocpp.chargers.quirks.profile import QuirkProfile
from levity.ocpp.effects import Sample
from levity.ocpp.request import ChargePointState, Request
from levity.ocpp.rules.readings import REGISTER
from levity.ocpp.rules.values import MICRO, SIGNED, base_value, scale_of
from levity.ocpp.wire.fields import MAX_NUMBER, decimal_of, text
from levity.ocpp.wire.frames import OcppError
from levity.ocpp.wire.words import CONTEXTS, FORMATS, LOCATIONS, MEASURANDS, PHASES, UNITS
from levity_ws.frozen import frozen

__all__ = ["read_samples", "samples_of"]

# What a value is that has a unit and no measurand: a value in A is no energy, though an absent
# measurand means the register (7.43). Alfen Eve Pro sends its currents so.
BY_UNIT = {
    "a": "Current.Import",
    "v": "Voltage",
    "w": "Power.Active.Import",
    "kw": "Power.Active.Import",
    "va": "Power.Apparent.Import",
    "kva": "Power.Apparent.Import",
    "var": "Power.Reactive.Import",
    "kvar": "Power.Reactive.Import",
    "varh": "Energy.Reactive.Import.Register",
    "kvarh": "Energy.Reactive.Import.Register",
    "hertz": "Frequency",
    "hz": "Frequency",
    "celsius": "Temperature",
    "celcius": "Temperature",
    "fahrenheit": "Temperature",
    "k": "Temperature",
    "percent": "SoC",
}


def read_samples(request: Request, name: str) -> tuple[Sample, ...]:
    """All samples of this array of the payload (`meterValue`, `transactionData`), in their order.

    One object where an array belongs is an array of one (Huawei). A sample without a time that
    can be true gets ours; a value that is no number keeps its text and has no `value`. What is no
    sample at all (not an object, an object as its unit) is left out: the message log has it.
    """
    return samples_of(request.payload, name, request.charge_point, request.received_at)


def samples_of(
    payload: Mapping[str, Any], name: str, charge_point: ChargePointState, received_at: datetime
) -> tuple[Sample, ...]:
    """The same, of a payload by itself."""
    quirks = charge_point.quirks
    samples: list[Sample] = []
    for meter_value in _items(payload.get(name)):
        sampled_at = charge_point.time_of(meter_value.get("timestamp")) or received_at
        # An element that is a sample itself: its list was left out.
        values = meter_value.get("sampledValue", meter_value if "value" in meter_value else None)
        for item in _items(values):
            try:
                samples.append(_sample(item, sampled_at, quirks))
            except OcppError:
                continue
    return tuple(samples)


def _items(value: Any) -> list[dict[str, Any]]:
    """The objects in this array; the object itself where there is no array."""
    if type(value) is not list:
        return [value] if value and type(value) is dict else []
    items: list[dict[str, Any]] = []
    for item in value:
        if type(item) is dict:
            items.append(item)
        elif type(item) is list:
            items += [each for each in item if type(each) is dict]
    return items


@frozen
class _Names:
    """What a sample says beside its value, in the words of OCPP."""

    measurand: str
    unit: str
    phase: str
    location: str
    context: str
    format: str


FIELDS = ("measurand", "unit", "phase", "location", "context", "format")
# A charger says the same of its samples all its life; a hostile one has no end of words.
_known: dict[tuple[str | None, ...], _Names] = {}
_KNOWN, _LONGEST = 4096, 64


def _names(item: Mapping[str, Any]) -> _Names:
    said = tuple(map(item.get, FIELDS))
    try:
        known = _known.get(said)
    except TypeError:  # a list as its unit
        known = None
    if known is not None:
        return known
    found = _read_names(item)
    if all(word is None or (type(word) is str and len(word) <= _LONGEST) for word in said):
        if len(_known) >= _KNOWN:
            _known.clear()
        _known[said] = found
    return found


def _read_names(item: Mapping[str, Any]) -> _Names:
    unit = UNITS.meant(text(item, "unit", 32))
    spelled = unit.lower()
    # 7.43: the default of an absent measurand.
    default = BY_UNIT.get(spelled, REGISTER)
    return _Names(
        measurand=MEASURANDS.meant(text(item, "measurand", 64)) or default,
        unit=unit,
        phase=PHASES.meant(text(item, "phase", 16)),
        location=LOCATIONS.meant(text(item, "location", 16)),
        context=CONTEXTS.meant(text(item, "context", 64)),
        format=FORMATS.meant(text(item, "format", 16)),
    )


def _sample(item: Mapping[str, Any], sampled_at: datetime, quirks: QuirkProfile) -> Sample:
    raw = item.get("value")
    raw_value = raw if type(raw) is str else "" if raw is None else str(raw)
    names = _names(item)
    measurand = names.measurand
    if measurand in quirks.ignored_measurands:
        value = None
    elif quirks.energy_scale != 1 and measurand.startswith("Energy.") and scale_of(names.unit) == 1:
        value = _scaled(raw, names, quirks.energy_scale)
    else:
        value = base_value(raw_value, names.unit, names.format)
    return Sample(
        sampled_at,
        measurand,
        raw_value,
        value,
        names.unit,
        names.phase,
        names.location,
        names.context,
        names.format,
    )


def _scaled(raw: Any, names: _Names, scale: int) -> Decimal | None:
    """In base units, from a charger that counts its energy in others."""
    value = decimal_of(raw) if names.format != SIGNED else None
    if value is None:
        return None
    value *= scale
    return value.quantize(MICRO) if abs(value) < MAX_NUMBER else None
