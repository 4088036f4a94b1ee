"""What a session's figures were held against, and what came of it.

A check is told to people as it is: kind, verdict and facts with units. The rules of one session
make those of `KINDS`; rules that compare sessions add kinds of their own.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from levity_ws.frozen import frozen

__all__ = [
    "AGREES",
    "BOUNDS",
    "CLOCK",
    "CONTRADICTS",
    "KINDS",
    "LIMIT",
    "MISSING",
    "POWER",
    "SAMPLES",
    "SILENT",
    "START_STOP",
    "VERDICTS",
    "Check",
    "as_json",
    "as_text",
    "of_json",
]

START_STOP, SAMPLES, POWER, LIMIT, CLOCK = "start-stop", "samples", "power", "limit", "clock"
KINDS = (START_STOP, SAMPLES, POWER, LIMIT, CLOCK)
"""What the figures of one session are held against: meterStop minus meterStart, the register as
its samples show it, power times time, the most that the connector can deliver, the charger's
clock."""

AGREES, SILENT, MISSING = "agrees", "silent", "missing"
CONTRADICTS, BOUNDS = "contradicts", "bounds"
VERDICTS = (AGREES, SILENT, MISSING, CONTRADICTS, BOUNDS)
"""It says the same; it says nothing (the charger never tells it); what should have been told is
not there; it says something else; it says only how much the energy can be at most, or at least."""


@frozen
class Check:
    """One thing that the figures of a session were held against."""

    kind: str
    verdict: str
    detail: str = ""
    """Short facts with units, for people: "power x time says 11,800 Wh"."""


def as_json(checks: Iterable[Check]) -> list[list[str]]:
    """[kind, verdict, detail] of each, for JSON."""
    return [[check.kind, check.verdict, check.detail] for check in checks]


def as_text(checks: Iterable[Check]) -> str:
    """The text for `Transaction.checks` of a session that was judged alone; empty without any."""
    told = as_json(checks)
    return orjson.dumps({"checks": told}).decode() if told else ""


def of_json(values: Any) -> tuple[Check, ...]:
    """The checks of what `as_json` gave, in its order; what is no check is left out."""
    if not isinstance(values, list | tuple):
        return ()
    return tuple(
        Check(*value)
        for value in values
        if isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(item, str) for item in value)
    )
