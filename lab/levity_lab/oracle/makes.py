"""The makes of chargers: what each tells of a session, and in which units."""

import math
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["MAKES", "Make"]

_VOLT = 230.0


@dataclass(frozen=True, slots=True)
class Make:
    """How one make tells what its meter shows."""

    name: str
    vendor: str = "Oracle"
    model: str = ""
    """Empty: its name."""
    counts: Literal["lifetime", "session", "samples"] = "lifetime"
    """Where its registers begin: at the meter's birth; each session at 0; or Start and Stop tell
    the lifetime and samples count from the start of the session."""
    unit: str = "Wh"
    """Of the register in samples; empty: no unit and no measurand, which means the same."""
    decimals: int = 0
    """Of the register in samples, in that unit."""
    phases: bool = False
    """The register by phase, no total."""
    period: float = 60.0
    """Seconds between samples; 0: none."""
    power: Literal["", "W", "kW", "A"] = "W"
    """Power.Active.Import in this unit, or Current.Import with Voltage; empty: neither."""
    data: bool = False
    """transactionData in StopTransaction, with the registers of begin and end."""
    stop_tag: bool = True
    context: str = "Sample.Periodic"
    location: str = ""
    names_session: bool = True
    """MeterValues have the transactionId."""
    counter: bool = False
    """Message ids count from 1 on each connection; else they are unlike any other."""
    unknown_id: int | None = -1
    """The transactionId that it gives where it knows none; None: null."""

    @property
    def resolution(self) -> float:
        """Wh of the last digit of a sample."""
        return (1000.0 if self.unit.lower() == "kwh" else 1.0) * 10.0**-self.decimals

    def longest(self) -> tuple[float, float]:
        """Seconds that its sessions last, from and to: about sixty samples at most."""
        if not self.period:
            return 1800.0, 6 * 3600.0
        return max(900.0, self.period * 8), max(1500.0, min(self.period * 50, 7 * 3600.0))

    def sampled(
        self, register: float, power: float, context: str | None = None
    ) -> list[dict[str, Any]]:
        """`sampledValue` for a register in Wh and a power in W."""
        common: dict[str, Any] = {}
        context = self.context if context is None else context
        if context:
            common["context"] = context
        if self.location:
            common["location"] = self.location
        values = self._energy(register, common)
        if self.power in ("W", "kW"):
            told = power / (1000.0 if self.power == "kW" else 1.0)
            digits = 3 if self.power == "kW" else 1
            values.append(
                {
                    **common,
                    "value": f"{told:.{digits}f}",
                    "measurand": "Power.Active.Import",
                    "unit": self.power,
                }
            )
        elif self.power == "A":
            lines = 1 if power <= _VOLT * 32 else 3
            for number in range(1, lines + 1):
                ampere = {"value": f"{power / lines / _VOLT:.2f}", "phase": f"L{number}"}
                volt = {"value": f"{_VOLT:.1f}", "phase": f"L{number}-N"}
                values.append({**common, **ampere, "measurand": "Current.Import", "unit": "A"})
                values.append({**common, **volt, "measurand": "Voltage", "unit": "V"})
        return values

    def _energy(self, register: float, common: dict[str, Any]) -> list[dict[str, Any]]:
        if not self.unit:
            return [{**common, "value": self.value(register)}]
        named = {**common, "measurand": "Energy.Active.Import.Register", "unit": self.unit}
        if self.phases:
            each = self.value(register / 3)
            return [{**named, "value": each, "phase": f"L{number}"} for number in (1, 2, 3)]
        return [{**named, "value": self.value(register)}]

    def value(self, register: float) -> str:
        """The register in the unit and with the digits of its samples, cut off and not rounded."""
        told = register / 1000.0 if self.unit.lower() == "kwh" else register
        scale = 10**self.decimals
        return f"{math.floor(told * scale + 1e-6) / scale:.{self.decimals}f}"


MAKES: tuple[Make, ...] = (
    Make("minute"),
    Make("quarter", unit="kWh", decimals=3, period=900.0, power="", data=True),
    Make("ten-seconds", period=10.0, power="A", counter=True),
    Make("phases", phases=True, decimals=1, location="Outlet"),
    Make("silent", period=0.0, power="", stop_tag=False, unknown_id=0),
    Make("session", counts="session", power="W", location="Body", context=""),
    Make("session-quarter", counts="session", period=900.0, power="", counter=True),
    Make("two-registers", counts="samples", power="A", context="", unknown_id=None),
    Make("kilowatt", unit="kWh", decimals=2, period=300.0, power="kW", stop_tag=False),
    Make("bare", unit="", period=300.0, power="", context=""),
    Make("data-only", period=0.0, power="", data=True),
    Make("no-id", names_session=False, period=120.0),
    Make("strange-unit", unit="KWh", decimals=3, period=120.0, power="kW", location="Inlet"),
    Make(
        "grizzl-e",
        vendor="United Chargers",
        model="GRS-*",
        counts="session",
        power="A",
        location="Body",
        stop_tag=False,
    ),
)
