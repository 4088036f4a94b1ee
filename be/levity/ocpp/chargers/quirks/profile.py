"""What chargers do differently from the standard: data, never code paths by vendor.

A `QuirkProfile` says how to treat a make, model and firmware. The first profile whose patterns fit
the BootNotification is used (`matching.py`). On the page of a charge point, another one can be
selected or single fields overridden; OCPP_QUIRK_PROFILES adds more profiles.
docs/chargers.md is generated from the shipped ones (`levity quirks --markdown`).
"""

from collections.abc import Mapping
from dataclasses import field, fields, replace
from importlib import import_module
from typing import Any

from levity.ocpp.chargers.quirks.patterns import BadPattern, fits
from levity_ws.frozen import frozen

__all__ = [
    "DEFAULT",
    "GRADES",
    "PATTERNS",
    "BadQuirk",
    "QuirkProfile",
    "overridden",
    "own_profile",
]


class BadQuirk(Exception):
    """A profile or an override that can't be used; the text says which and why."""


@frozen
class QuirkProfile:
    """How one kind of charger is treated. Patterns as `patterns.py` reads them, case
    ignored, from the start; an empty one fits everything. Times in seconds."""

    name: str
    title: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    grade: str = field(
        default="simulated", metadata={"help": "how well the quirk is confirmed, see GRADES"}
    )
    facts: str = field(default="", metadata={"help": "what the charger does, in words"})
    sources: tuple[str, ...] = field(default=(), metadata={"help": "source"})

    frame_gap: float | None = field(
        default=None, metadata={"help": "seconds between two frames to it; empty: OCPP_FRAME_GAP"}
    )
    heartbeat_interval: int | None = field(
        default=None,
        metadata={"help": "seconds between its heartbeats; empty: OCPP_HEARTBEAT_INTERVAL"},
    )
    ping_interval: float | None = field(
        default=None,
        metadata={"help": "seconds between websocket pings, 0: none; empty: OCPP_PING_INTERVAL"},
    )
    abort_on_restart: bool = field(
        default=False,
        metadata={"help": "drop TCP without a Close frame, because otherwise it never reconnects"},
    )
    remote_start_delay: float = field(
        default=1.0, metadata={"help": "seconds from Preparing to RemoteStartTransaction"}
    )
    remote_start_again: float | None = field(
        default=None,
        metadata={"help": "seconds after which the start is sent again if it is still Preparing"},
    )
    remote_start_id_tag: str = field(
        default="",
        metadata={"help": "the tag that starts it; empty: OCPP_AUTO_REMOTE_START_ID_TAG"},
    )
    call_timeout: int | None = field(
        default=None, metadata={"help": "seconds to wait for its answers"}
    )
    boot_first: bool = field(
        default=False,
        metadata={"help": "send nothing to it before its BootNotification"},
    )
    session_register: bool = field(
        default=False,
        metadata={"help": "its MeterValues count from the session's start"},
    )
    energy_scale: int = field(
        default=1, metadata={"help": "its energy samples times this are Wh (1000: kWh sent as Wh)"}
    )
    ignored_measurands: tuple[str, ...] = field(
        default=(), metadata={"help": "stored as text, but their values are ignored"}
    )
    file_transfer: str = field(
        default="",
        metadata={"help": "how it transfers files: http, https or ftp; empty: not known"},
    )
    reads_configuration: bool = field(
        default=True,
        metadata={"help": "Levity may ask for its configuration keys without being told to"},
    )
    unsafe_keys: tuple[str, ...] = field(
        default=(),
        metadata={"help": "configuration keys that Levity never writes or reads back by itself"},
    )
    key_notes: tuple[str, ...] = field(
        default=(), metadata={"help": "what is known of its configuration keys, as key: note"}
    )
    local_time_as_utc: bool = field(
        default=False,
        metadata={"help": "it marks local time with Z; Levity uses the charge point's time zone"},
    )


DEFAULT = QuirkProfile(
    name="standard",
    title="Standard",
    facts="No quirks of this make are known: OCPP 1.6 with the usual tolerance.",
)

GRADES: Mapping[str, str] = {
    "hardware": "tested with a charger of this make",
    "captures": "seen in captures of such chargers; no charger was available",
    "simulated": "rebuilt from reports; not observed by us",
}


PATTERNS = ("vendor", "model", "firmware")
_NOT_OVERRIDABLE = frozenset({"name", "title", "grade", "facts", "sources", *PATTERNS})


def overridden(profile: QuirkProfile, overrides: Mapping[str, Any]) -> QuirkProfile:
    """The profile with these fields changed; raises `BadQuirk` naming the field."""
    if not isinstance(overrides, Mapping):
        raise BadQuirk('quirk overrides are an object, such as {"frame_gap": 0.2}')
    changes: dict[str, Any] = {}
    for name, value in overrides.items():
        changes[name] = _checked(name, value)
    return replace(profile, **changes)


def _checked(name: str, value: Any) -> Any:
    known = {item.name: item for item in fields(QuirkProfile)}
    if name not in known or name in _NOT_OVERRIDABLE:
        names = ", ".join(sorted(set(known) - _NOT_OVERRIDABLE))
        raise BadQuirk(f"{name!r} is not a field of a quirk profile; fields are {names}")
    default = getattr(DEFAULT, name)
    if isinstance(default, bool):
        good = isinstance(value, bool)
    elif isinstance(default, str):
        good = isinstance(value, str) and len(value) <= 20
    elif isinstance(default, tuple):
        good = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        value = tuple(value) if good else value
    else:
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 86400
        good = good or (value is None and default is None)
    if not good:
        raise BadQuirk(f"{name}: {value!r} can't be used")
    return value


def own_profile(entry: Any) -> QuirkProfile:
    """A profile from the setting: a `QuirkProfile`, or a dotted path to one. Raises `BadQuirk`."""
    if isinstance(entry, str):
        module, _, name = entry.rpartition(".")
        try:
            entry = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise BadQuirk(f"OCPP_QUIRK_PROFILES: {entry!r} can't be imported: {error}") from error
    if not isinstance(entry, QuirkProfile):
        raise BadQuirk(f"OCPP_QUIRK_PROFILES: {entry!r} is no QuirkProfile")
    if entry.grade not in GRADES:
        names = ", ".join(GRADES)
        raise BadQuirk(f"OCPP_QUIRK_PROFILES: {entry.name}.grade: none of {names}")
    for name in sorted({item.name for item in fields(entry)} - _NOT_OVERRIDABLE):
        try:
            _checked(name, getattr(entry, name))
        except BadQuirk as error:
            raise BadQuirk(f"OCPP_QUIRK_PROFILES: {entry.name}.{error}") from error
    for name in PATTERNS:
        try:
            fits(getattr(entry, name), "")
        except (BadPattern, TypeError) as error:
            raise BadQuirk(f"OCPP_QUIRK_PROFILES: {entry.name}.{name}: {error}") from error
    return entry
