"""What a charger is to be configured like, and what of it is still to be done: pure.

A charger is never asked in a loop: so many tries a boot and a day, longer and longer waits, and
what it has refused is not asked again until the template says something else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

from levity.ocpp.rules.configuration import KeyInfo, same_value
from levity_ws.frozen import frozen

__all__ = [
    "MOST_A_BOOT",
    "MOST_A_DAY",
    "Difference",
    "KeyNow",
    "Wanted",
    "desired",
    "differences",
    "wait_before",
    "why_not",
]

MOST_A_BOOT, MOST_A_DAY = 3, 6
"""Tries. Each is one reading, the changes, and reading them back."""
WAITS = (timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1))

Rank = Literal[0, 1, 2]
"""0: for all that fit; 1: for a site; 2: for this charge point."""


@frozen
class Wanted:
    """A key and the value that it is to have."""

    key: str
    value: str
    template: str
    """The name of the template that says so."""


@frozen
class KeyNow:
    """A key as the charger has it, as far as is known."""

    value: str | None
    is_known: bool = True
    is_unknown: bool = False
    """The charger has no such key."""
    readonly: bool = False
    pending: str | None = None
    """Accepted, and waits for a reboot."""
    refused: str | None = None
    refused_why: str = ""


@frozen
class Difference:
    """A key that is not as it should be."""

    wanted: Wanted
    now: str | None
    """None: not known, or the charger has no such key."""
    why_not: str = ""
    """Why it is not changed, for people; empty: it can be."""


def desired(templates: Iterable[tuple[Rank, str, Mapping[str, str]]]) -> dict[str, Wanted]:
    """(rank, name, values) of all templates of a charger -> by key in lower case, what it is to
    have: the nearer template wins, and of two equally near ones the later by name."""
    found: dict[str, Wanted] = {}
    for _, name, values in sorted(templates, key=lambda item: (item[0], item[1])):
        for key, value in values.items():
            found[key.lower()] = Wanted(key, value, name)
    return found


def differences(
    wanted: Mapping[str, Wanted],
    known: Mapping[str, KeyNow],
    about: Callable[[str], KeyInfo | None],
    unsafe: Sequence[str] = (),
) -> list[Difference]:
    """The keys that are not as they should be, with why they can't be changed."""
    found = []
    for name, want in wanted.items():
        now = known.get(name, KeyNow(None, is_known=False))
        if now.is_known and not now.is_unknown and same_value(about(name), now.value, want.value):
            continue
        found.append(Difference(want, now.value, why_not(want, now, about, unsafe)))
    return found


def why_not(
    want: Wanted,
    now: KeyNow,
    about: Callable[[str], KeyInfo | None],
    unsafe: Sequence[str] = (),
) -> str:
    """Why this key is not changed by itself, for people; empty: it can be."""
    info = about(want.key)
    if now.is_unknown:
        return "the charger has no such key"
    if now.pending is not None and same_value(info, now.pending, want.value):
        return "accepted, in effect after a reboot"
    if now.refused is not None and same_value(info, now.refused, want.value):
        return f"refused by the charger: {now.refused_why}"
    if now.readonly:
        return "read-only at this charger"
    if want.key.lower() in {name.lower() for name in unsafe}:
        return "known to cause trouble at this make: change it by hand"
    return ""


def wait_before(tries: int) -> timedelta:
    """How long to wait after so many tries that led to nothing."""
    return WAITS[min(max(tries, 1), len(WAITS)) - 1]
