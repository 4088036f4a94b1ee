"""A meter and the car behind it: a register that only rises, and power that a car would draw."""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from levity.simulator.profiles import Profile, Register, Sample
from levity.simulator.wire import written

__all__ = ["Meter"]

_VOLTAGE = 230.0
_RAMP = 20.0
"""Seconds until a car draws all that it is offered."""
_TAPER = 0.85
"""State of charge above which it draws less and less."""


class Meter:
    """One connector's register in Wh, and the battery that is charged from it.

    Time is an argument everywhere; `advance` integrates the power since it was last asked.
    """

    def __init__(self, profile: Profile, chance: Random) -> None:
        self._profile = profile
        self._chance = chance
        self.register = profile.first_register + chance.randrange(0, 50_000)
        self.session_start = self.register
        self.power = 0.0
        """W, at the last `advance`."""
        self.limit: float | None = None
        """W, by a charging profile; None is no limit."""
        self._capacity = 60_000.0
        self._stored = 0.0
        self._since: datetime | None = None
        self._at: datetime | None = None

    @property
    def full(self) -> bool:
        """True when the car takes nothing more."""
        return self._stored >= self._capacity

    def begin(self, now: datetime) -> int:
        """A car begins to draw; returns meterStart."""
        self._capacity = float(self._chance.randrange(35_000, 95_000))
        self._stored = self._capacity * self._chance.uniform(0.15, 0.7)
        self._since = self._at = now
        # Whole Wh in Start: the next one must not begin below the last one's stop.
        self.register = float(int(self.register))
        self.session_start = self.register
        return self._reading(self._profile.register is Register.SESSION)

    def end(self, now: datetime) -> int:
        """The car draws no more; returns meterStop."""
        self.advance(now)
        self._since = self._at = None
        self.power = 0.0
        return self._reading(self._profile.register is Register.SESSION)

    def interrupt(self) -> None:
        """The power is gone: nothing is drawn until `resume`."""
        self._at = None
        self.power = 0.0

    def resume(self, now: datetime) -> None:
        """The power is back and the session goes on."""
        self._since = self._at = now

    def advance(self, now: datetime) -> None:
        """Draw until `now`."""
        if self._at is None or self._since is None or now <= self._at:
            return
        seconds = (now - self._at).total_seconds()
        self._at = now
        most = _VOLTAGE * self._profile.max_current * self._profile.phases
        if self.limit is not None:
            most = min(most, self.limit)
        charge = self._stored / self._capacity
        if charge > _TAPER:
            most *= max(0.1, (1.0 - charge) / (1.0 - _TAPER))
        age = (now - self._since).total_seconds()
        most *= min(1.0, age / _RAMP)
        wanted = most * self._chance.uniform(0.95, 1.0)
        energy = min(wanted * seconds / 3600.0, max(0.0, self._capacity - self._stored))
        self.power = 0.0 if self.full else wanted
        self.register += energy
        self._stored += energy

    def meter_value(
        self, now: datetime, samples: Sequence[Sample], *, offline: bool = False
    ) -> list[dict[str, Any]]:
        """The `meterValue` list of MeterValues (or `transactionData`) as this make writes it."""
        stamp = written(now, self._profile)
        sampled = [self._sampled(sample, offline) for sample in samples]
        if self._profile.element_per_measurand:
            return [{"timestamp": stamp, "sampledValue": [one]} for one in sampled]
        return [{"timestamp": stamp, "sampledValue": sampled}]

    def _sampled(self, sample: Sample, offline: bool) -> dict[str, Any]:
        value = self._quantity(sample)
        text = str(value) if sample.decimals is None else f"{value:.{sample.decimals}f}"
        result: dict[str, Any] = {"value": value if self._profile.numeric_values else text}
        context = sample.context
        if offline and context is not None and self._profile.queued_context is not None:
            context = self._profile.queued_context
        for key, said in (
            ("context", context),
            ("format", sample.format),
            ("measurand", sample.measurand),
            ("phase", sample.phase),
            ("location", sample.location),
            ("unit", sample.unit),
        ):
            if said is not None:
                result[key] = said
        return result

    def _quantity(self, sample: Sample) -> float | int:
        match sample.measurand:
            case None | "Energy.Active.Import.Register":
                value: float = self._reading(self._profile.register is not Register.LIFETIME)
            case "Power.Active.Import":
                value = round(self.power)
            case "Power.Offered":
                value = round(_VOLTAGE * self._profile.max_current * self._profile.phases)
            case "Current.Import":
                value = round(self.power / _VOLTAGE / self._profile.phases, 1)
            case "Current.Offered":
                value = self._profile.max_current
            case "Voltage":
                value = round(_VOLTAGE + self._chance.uniform(-2.0, 2.0), 1)
            case "SoC":
                value = round(100.0 * self._stored / self._capacity)
            case _:
                value = 0
        if sample.unit in ("kWh", "kW"):
            return round(value / 1000.0, 3)
        if sample.measurand in (None, "Energy.Active.Import.Register"):
            scale = self._profile.register_scale
            return round(value * scale, 3) if scale != 1.0 else int(value)
        return value

    def _reading(self, from_session_start: bool) -> int:
        return int(self.register - (self.session_start if from_session_start else 0.0))
