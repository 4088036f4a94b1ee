"""Oddities of units: what is told in another than it says, energy and power."""

import math
from random import Random
from typing import Any

from levity_lab.oracle.lives import Life, Session, Step
from levity_lab.oracle.makes import Make
from levity_lab.oracle.oddities.bending import interval_wh, start_and_stop
from levity_lab.oracle.oddities.registry import has_samples, lifetime, odd
from levity_lab.oracle.telling import register_at, sampled_at, whole

__all__: list[str] = []


def _lifetime_samples(make: Make) -> bool:
    return lifetime(make) and has_samples(make)


def _power_in_watts(make: Make) -> bool:
    return lifetime(make) and make.power in ("W", "A") and make.period > 0 and not make.phases


def _no_power(make: Make) -> bool:
    return lifetime(make) and not make.power and not make.data


def _in_kwh(session: Session, life: Life, *, ends: bool, samples: bool) -> None:
    start, stop = start_and_stop(session)
    if ends:
        start.payload["meterStart"] = whole(register_at(session, life, session.begins) / 1000)
        stop.payload["meterStop"] = whole(register_at(session, life, session.ends) / 1000)
        session.slack = 1000.0
    if samples:
        for step in session.samples:
            told = sampled_at(session, life, step.at) / 1000
            for value in step.payload["meterValue"][0]["sampledValue"]:
                if value.get("measurand", "Energy.Active.Import.Register").startswith("Energy"):
                    value["value"] = f"{math.floor(told * 100) / 100:.2f}"
                    value.pop("unit", None)
        session.slack = max(session.slack, 10.0)


@odd(
    "kwh-everywhere",
    "all registers in kWh and told as Wh; power in W",
    fits=_power_in_watts,
    whole=True,
)
def _kwh_everywhere(life: Life, session: Session, rng: Random) -> None:
    _in_kwh(session, life, ends=True, samples=True)
    session.estimate = True


@odd(
    "kwh-everywhere-no-power",
    "all registers in kWh and told as Wh; no power",
    fits=_no_power,
    whole=True,
    untellable="nothing but the registers is told, and these agree with each other",
)
def _kwh_no_power(life: Life, session: Session, rng: Random) -> None:
    _in_kwh(session, life, ends=True, samples=True)
    session.tellable = False


@odd(
    "kwh-start-stop",
    "Start and Stop in kWh told as Wh, samples in Wh",
    fits=lambda make: _lifetime_samples(make) and make.unit == "Wh",
    whole=True,
)
def _kwh_start_stop(life: Life, session: Session, rng: Random) -> None:
    _in_kwh(session, life, ends=True, samples=False)
    session.slack = 2 * interval_wh(session, life)
    session.estimate = True


@odd(
    "kwh-samples",
    "samples in kWh told as Wh, Start and Stop in Wh",
    fits=lambda make: _lifetime_samples(make) and make.unit == "Wh" and not make.phases,
    whole=True,
)
def _kwh_samples(life: Life, session: Session, rng: Random) -> None:
    _in_kwh(session, life, ends=False, samples=True)
    session.slack = 0.0


def _tells_power(make: Make) -> bool:
    return make.power in ("W", "kW") and has_samples(make)


def _power(step: Step) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = step.payload["meterValue"][0]["sampledValue"]
    return [value for value in values if value.get("measurand") == "Power.Active.Import"]


def _power_unit(name: str, about: str, factor: float) -> None:
    @odd(name, about, fits=_tells_power)
    def bend(life: Life, session: Session, rng: Random) -> None:
        for step in session.samples:
            for value in _power(step):
                value["value"] = f"{float(value['value']) * factor:.4f}"


_power_unit("power-too-small", "power a thousandth of what it is; the registers are right", 0.001)
_power_unit("power-too-large", "power a thousandfold of what it is; the registers are right", 1000)


@odd("power-stuck", "power stays what it was in the first sample", fits=_tells_power)
def _power_stuck(life: Life, session: Session, rng: Random) -> None:
    first = [value["value"] for value in _power(session.samples[min(2, len(session.samples) - 1)])]
    for step in session.samples:
        for value, stuck in zip(_power(step), first, strict=True):
            value["value"] = stuck


@odd("power-of-one-phase", "power of one phase of three, without saying so", fits=_tells_power)
def _power_of_one_phase(life: Life, session: Session, rng: Random) -> None:
    for step in session.samples:
        for value in _power(step):
            value["value"] = f"{float(value['value']) / 3:.3f}"
