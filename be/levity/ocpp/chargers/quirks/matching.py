"""Which quirk profile fits a charge point: the site's own first, then the shipped ones."""

from functools import lru_cache
from typing import Any, Protocol

import orjson

from levity.ocpp.chargers.quirks.patterns import fits
from levity.ocpp.chargers.quirks.profile import (
    DEFAULT,
    PATTERNS,
    BadQuirk,
    QuirkProfile,
    overridden,
    own_profile,
)
from levity.ocpp.chargers.quirks.shipped import SHIPPED
from levity.ocpp.conf import setting
from levity_ws.frozen import frozen

__all__ = ["Match", "all_profiles", "match_of", "profile_for", "quirks_of"]


@frozen
class Match:
    """The profile of a charger, and why it is this one, for people."""

    profile: QuirkProfile
    why: str


@lru_cache(maxsize=1)
def all_profiles() -> tuple[QuirkProfile, ...]:
    """The site's own profiles, then the shipped ones, in the order in which they are tried.

    Raises `BadQuirk`.
    """
    return (*(own_profile(entry) for entry in setting("OCPP_QUIRK_PROFILES")), *SHIPPED)


def profile_for(
    vendor: str, model: str, firmware: str, *, named: str = "", overrides: str = "{}"
) -> QuirkProfile:
    """The profile of such a charger; `named` and `overrides` (JSON text) are its own wishes.

    An override that can't be used is left out: the admin checks them when they are typed, and
    a charger must be served all the same.
    """
    return _profile_for(vendor, model, firmware, named, overrides)


class Described(Protocol):
    """What tells how a charger is to be treated: a `ChargePoint`, or a row that names the same."""

    vendor: str
    model: str
    firmware_version: str
    quirk_profile: str
    quirk_overrides: Any


def quirks_of(charger: Described) -> QuirkProfile:
    """How this charge point is to be treated."""
    overrides = charger.quirk_overrides
    return profile_for(
        charger.vendor,
        charger.model,
        charger.firmware_version,
        named=charger.quirk_profile,
        overrides=orjson.dumps(overrides).decode() if overrides else "",
    )


@lru_cache(maxsize=4096)
def _profile_for(
    vendor: str, model: str, firmware: str, named: str, overrides: str
) -> QuirkProfile:
    profile = match_of(vendor, model, firmware, named=named).profile
    try:
        return overridden(profile, orjson.loads(overrides or "{}"))
    except (BadQuirk, orjson.JSONDecodeError):
        return profile


def match_of(vendor: str, model: str, firmware: str, *, named: str = "") -> Match:
    """The first profile that fits such a charger, without overrides."""
    said = dict(zip(PATTERNS, (vendor, model, firmware), strict=True))
    for item in all_profiles():
        if named and item.name == named:
            return Match(item, "chosen by name")
    for item in all_profiles():
        if _fits(item, vendor, model, firmware):
            fitting = [
                f"{name} {said[name]!r} fits {pattern!r}"
                for name in PATTERNS
                if (pattern := getattr(item, name))
            ]
            return Match(item, ", ".join(fitting) or "it fits every charger")
    gone = f"no profile is called {named!r}, and " if named else ""
    return Match(DEFAULT, f"{gone}no pattern fits vendor {vendor!r}, model {model!r}")


def _fits(profile: QuirkProfile, vendor: str, model: str, firmware: str) -> bool:
    said = (vendor, model, firmware)
    return all(
        fits(getattr(profile, name), value) for name, value in zip(PATTERNS, said, strict=True)
    )
