"""What the samples say about the energy: from registers to Wh, without guessing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from levity.ocpp.effects import Sample

__all__ = ["charged", "newest_power", "newest_register"]

REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
ZERO = Decimal(0)


def charged(meter_start: Decimal, register: Decimal) -> tuple[Decimal, tuple[str, ...]]:
    """Wh of a session whose register shows this, and what was odd about it.

    A register below meterStart counts from the session's start: Grizzl-E (5.x) sends such
    MeterValues while Start and Stop carry the lifetime register.
    """
    if register >= meter_start:
        return register - meter_start, ()
    return max(register, ZERO), ("session-register",)


def newest_register(samples: Iterable[Sample]) -> tuple[Decimal, datetime] | None:
    """The newest value of the import register in Wh, and the charger's time of it."""
    return _newest(samples, REGISTER)


def newest_power(samples: Iterable[Sample]) -> Decimal | None:
    """The newest active import power in W."""
    found = _newest(samples, POWER)
    return found[0] if found else None


def _newest(samples: Iterable[Sample], measurand: str) -> tuple[Decimal, datetime] | None:
    fitting = [
        sample
        for sample in samples
        if sample.measurand == measurand
        and sample.value is not None
        and sample.location in ("", "Outlet")
    ]
    if not fitting:
        return None
    at = max(sample.sampled_at for sample in fitting)
    return _total([sample for sample in fitting if sample.sampled_at == at]), at


def _total(samples: Sequence[Sample]) -> Decimal:
    """The value without a phase; else the sum of the phases, each counted once."""
    phases: dict[str, Decimal] = {}
    for sample in samples:
        if sample.value is not None:
            phases[sample.phase] = sample.value
    return phases[""] if "" in phases else sum(phases.values(), ZERO)
