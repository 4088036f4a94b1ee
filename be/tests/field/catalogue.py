"""The cases of the field: what a real charger did, and what the database says afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["Case", "all_cases", "case"]

KINDS = (
    "let_in",
    "registers",
    "ends",
    "sessions",
    "clocks",
    "frames",
    "line",
    "cards",
    "dates",
    "meters",
    "stops",
    "talk",
    "again",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One public report, tried."""

    number: str
    """As in docs/field.md."""
    title: str
    source: str
    play: Callable[[Any], None]
    """Takes the ground; an AssertionError is a wrong outcome."""
    sockets: bool = False
    """True where only a real websocket shows it."""
    quick: bool = True
    """False where real time must pass."""
    in_process: bool = False
    """True where minutes must pass: on real processes nobody waits for it."""

    def __str__(self) -> str:
        return f"{self.number}-{self.play.__name__}"


_FOUND: list[Case] = []


def case(number: str, source: str, **more: Any) -> Callable[[Any], Any]:
    """A function that plays a case; the first line of its docstring is the title."""

    def note(play: Callable[[Any], None]) -> Callable[[Any], None]:
        title = (play.__doc__ or "").strip().splitlines()[0].rstrip(".")
        _FOUND.append(Case(number, title, source, play, **more))
        return play

    return note


def all_cases() -> list[Case]:
    """All of them, in the order of their numbers."""
    for kind in KINDS:
        import_module(f"tests.field.cases.{kind}")
    return sorted(_FOUND, key=lambda item: item.number)
