"""Which of a message's samples is the register, and which the power, now.

Chargers send a value as a total, by phase, at several places and times, in one message or in an
element of it each. What comes out is one reading for each moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from levity.ocpp.effects import Sample
from levity.ocpp.rules.values import scale_of
from levity.ocpp.wire.fields import MAX_ENERGY
from levity_ws.frozen import frozen

__all__ = [
    "BEGIN",
    "ELSEWHERE",
    "EXACT",
    "FOREIGN_UNITS",
    "INLET",
    "LINES",
    "OFFERED",
    "PLACES",
    "POWER",
    "REGISTER",
    "STRONGEST",
    "TOGETHER",
    "Reading",
    "grain_of",
    "newest_of",
    "newest_power",
    "newest_register",
    "powers",
    "rank_of",
    "registers",
    "total",
]

REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
OFFERED = "Power.Offered"
BEGIN = "Transaction.Begin"
ZERO = Decimal(0)
# W. A charger that says that it delivers more says nothing of its power.
STRONGEST = 4_000_000
# What the station draws, and what the car says of its battery, is not what flows to the car;
# but the inlet is the only place that Fox ESS knows.
INLET = "Inlet"
ELSEWHERE = frozenset({INLET, "EV"})
# The place that is meant where there are several (7.34: Outlet is the default).
PLACES = ("Outlet", "", "Body", "Cable")
# No unit of an energy or a power: such a value has got the wrong measurand.
FOREIGN = frozenset({"a", "v", "celsius", "celcius", "fahrenheit", "k", "percent", "hertz", "hz"})
# Those that are told to the base unit.
EXACT = frozenset({"Wh", "W", ""})
# Most of them, as they are spelled.
FOREIGN_UNITS = ("A", "V", "Celsius", "Celcius", "Fahrenheit", "K", "Percent", "Hertz", "Hz")
# Zaptec and others send an element, or a message, for each phase, seconds apart.
TOGETHER = timedelta(seconds=10)
LINES = (frozenset({"L1", "L2", "L3"}), frozenset({"L1-N", "L2-N", "L3-N"}))
# What is added up across messages.
PHASES = frozenset({"N"}).union(*LINES)


@frozen
class Reading:
    """One value of the register (Wh) or of the power (W), by the charger's clock."""

    at: datetime
    value: Decimal
    is_begin: bool = False
    """It is what the meter showed at the session's start (7.34: Transaction.Begin), whatever time
    is next to it; given only where the moment has no other."""
    is_inlet: bool = False
    """What the station draws: given only where the message tells of no other place."""
    phases: tuple[tuple[str, Decimal], ...] = ()
    """The phases that it is the sum of; empty where it is a total."""
    grain: int = 0
    """What one of its last digit is, Wh, where it is told in kWh; 0 where it is told in Wh."""


@dataclass(slots=True)
class _Moment:
    at: datetime
    now: dict[str, Decimal] = field(default_factory=dict)
    """By phase."""
    begin: dict[str, Decimal] = field(default_factory=dict)
    grain: int = 0


def registers(samples: Iterable[Sample]) -> list[Reading]:
    """The import register at each moment that these samples tell of, in their order.

    What no meter can show is left out.
    """
    return [item for item in _readings(samples, REGISTER) if -MAX_ENERGY < item.value < MAX_ENERGY]


def powers(samples: Iterable[Sample]) -> list[Reading]:
    """The active import power at each moment that these samples tell of, in their order.

    What no connector delivers (-1 W as a number without a sign, say) is left out.
    """
    return [item for item in _readings(samples, POWER) if abs(item.value) <= STRONGEST]


def newest_register(samples: Iterable[Sample]) -> tuple[Decimal, datetime] | None:
    """The newest value of the import register in Wh, and the charger's time of it."""
    newest = _newest(registers(samples))
    return (newest.value, newest.at) if newest else None


def newest_power(samples: Iterable[Sample], *, at_inlet: bool = True) -> Decimal | None:
    """The newest active import power in W; what the station draws only if `at_inlet`."""
    return newest_of(powers(samples), at_inlet=at_inlet)


def newest_of(told: Sequence[Reading], *, at_inlet: bool = True) -> Decimal | None:
    """The newest of these powers in W; what the station draws only if `at_inlet`."""
    newest = _newest(told)
    return newest.value if newest and (at_inlet or not newest.is_inlet) else None


def _newest(readings: Sequence[Reading]) -> Reading | None:
    newest: Reading | None = None
    for item in readings:
        if newest is None or item.at >= newest.at:
            newest = item
    return newest


def _readings(samples: Iterable[Sample], measurand: str) -> list[Reading]:
    told = [item for item in samples if item.measurand == measurand and _counts(item)]
    fitting = [item for item in told if item.location != INLET]
    at_inlet = not fitting
    fitting = fitting or told
    if not fitting:
        return []
    if len(fitting) == 1:
        [only] = fitting
        value = only.value or ZERO
        phases = ((only.phase, value),) if only.phase in PHASES else ()
        grain = 0 if only.unit in EXACT else grain_of(value, only.unit, only.raw_value)
        return [Reading(only.sampled_at, value, only.context == BEGIN, at_inlet, phases, grain)]
    place = min((item.location for item in fitting), key=rank_of)
    moments: list[_Moment] = []
    for item in fitting:
        if item.location != place or item.value is None:
            continue
        if not moments or not _is_of(item, moments[-1]):
            moments.append(_Moment(item.sampled_at))
        moment = moments[-1]
        moment.at = max(moment.at, item.sampled_at)
        (moment.begin if item.context == BEGIN else moment.now)[item.phase] = item.value
        if item.unit not in EXACT:
            grain = grain_of(item.value, item.unit, item.raw_value)
            moment.grain = min(moment.grain, grain) if moment.grain else grain
    return [_reading(item, at_inlet=at_inlet) for item in moments]


def _reading(moment: _Moment, *, at_inlet: bool) -> Reading:
    values = moment.now or moment.begin
    phases = tuple(values.items()) if values.keys() <= PHASES else ()
    grain = moment.grain * max(len(phases), 1)
    return Reading(moment.at, total(values), not moment.now, at_inlet, phases, grain)


def grain_of(value: Decimal, unit: str, raw_value: str) -> int:
    """What one of the last digit of this value (in base units) is, at least 1; of a value of 0 as
    it is written, of others without the zeros at their end: 8.500 kWh may be told to 0.1 kWh."""
    grain = scale_of(unit)
    if not value:
        digits = len(raw_value.partition(".")[2])
        return max(int(grain // 10**digits), 1)
    while grain > 1 and value % grain:
        grain //= 10
    return int(grain)


def _counts(item: Sample) -> bool:
    if item.value is None or item.location == "EV":
        return False
    unit = item.unit
    return unit in EXACT or unit.lower() not in FOREIGN


def rank_of(location: str) -> int:
    """0 for the place that is meant where a value comes from several, and so on."""
    return PLACES.index(location) if location in PLACES else len(PLACES)


def _is_of(item: Sample, moment: _Moment) -> bool:
    """True if this sample is of that moment: of its time, or the next of its phases."""
    if item.sampled_at == moment.at:
        return True
    known = moment.begin if item.context == BEGIN else moment.now
    if not item.phase or not known or "" in known or item.phase in known:
        return False
    return abs(item.sampled_at - moment.at) <= TOGETHER


def total(phases: Mapping[str, Decimal]) -> Decimal:
    """The value without a phase; else the sum of the phases, each counted once."""
    if "" in phases:
        return phases[""]
    for lines in LINES:
        if found := lines & phases.keys():
            return sum((phases[phase] for phase in sorted(found)), ZERO)
    return sum(phases.values(), ZERO)
