"""The quirk profiles for people: as text, and as docs/chargers.md."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

from levity.ocpp.chargers.quirks.profile import GRADES, QuirkProfile

__all__ = ["markdown_tables", "patterns_of", "settings_of", "table"]

_ABOUT = frozenset({"name", "title", "grade", "facts", "sources", "vendor", "model", "firmware"})


def patterns_of(profile: QuirkProfile) -> str:
    """What BootNotification has to contain for this profile to fit."""
    names = ("vendor", "model", "firmware")
    found = [f"{name} {getattr(profile, name)}" for name in names if getattr(profile, name)]
    return ", ".join(found) or "every other charger"


def settings_of(profile: QuirkProfile) -> list[tuple[str, Any, str]]:
    """(field, value, meaning) of all fields that differ from the standard profile."""
    return [
        (item.name, getattr(profile, item.name), item.metadata["help"])
        for item in fields(profile)
        if item.name not in _ABOUT and getattr(profile, item.name) != item.default
    ]


def table(profiles: tuple[QuirkProfile, ...]) -> Iterator[str]:
    """A line for each profile, in the order in which they are tried."""
    yield f"{'profile':<20} {'grade':<10} {'patterns':<44} settings"
    for item in profiles:
        values = ", ".join(f"{name}={value!r}" for name, value, _ in settings_of(item))
        yield f"{item.name:<20} {item.grade:<10} {patterns_of(item):<44} {values}".rstrip()


def markdown_tables(profiles: tuple[QuirkProfile, ...]) -> Iterator[str]:
    """The generated part of docs/chargers.md."""
    yield "## The chargers"
    yield ""
    yield "The first profile whose patterns fit is used. Grades:"
    yield ""
    for grade, meaning in GRADES.items():
        yield f"- **{grade}**: {meaning}"
    yield ""
    yield "| charger | profile | fits | grade | what it does | settings | known from |"
    yield "|---|---|---|---|---|---|---|"
    for item in profiles:
        values = "<br>".join(f"`{name}={value!r}`" for name, value, _ in settings_of(item))
        cells = (
            item.title,
            f"`{item.name}`",
            f"`{_cell(patterns_of(item))}`",
            item.grade,
            _cell(item.facts),
            values,
            ", ".join(item.sources),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "## The fields of a profile"
    yield ""
    yield "| field | default | meaning |"
    yield "|---|---|---|"
    for known in fields(QuirkProfile):
        if known.name not in _ABOUT:
            default = "" if known.default is MISSING else repr(known.default)
            yield f"| `{known.name}` | `{default}` | {_cell(known.metadata['help'])} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
