"""Calls that are never sent: those that lower a security profile, and those that make a charger
fetch from or upload to a place where nobody should.
"""

from collections.abc import Mapping
from typing import Any

from levity.ocpp.chargers.security import keys
from levity.ocpp.chargers.security.locations import bad_location
from levity.ocpp.conf import setting
from levity.ocpp.v16.files import LOCATIONS
from levity.ocpp.wire.masking import MASK

__all__ = ["CHANGE", "SECURITY_PROFILE", "is_key_change", "objection", "profile_in"]

CHANGE = "ChangeConfiguration"
AUTHORIZATION_KEY = "authorizationkey"
SECURITY_PROFILE = "SecurityProfile"


def objection(action: str, payload: Mapping[str, Any], profile: int) -> str:
    """Why this Call must not be sent to a charge point of this profile; empty if it may."""
    if action == CHANGE:
        return _lowers(payload, profile) or _weak_key(payload)
    if action in LOCATIONS:
        return bad_location(payload, LOCATIONS[action], setting("OCPP_LOCATION_HOSTS"))
    return ""


def is_key_change(action: str, payload: Mapping[str, Any]) -> bool:
    """True for the ChangeConfiguration that gives the charger a new key."""
    return action == CHANGE and str(payload.get("key", "")).strip().lower() == AUTHORIZATION_KEY


def profile_in(action: str, payload: Mapping[str, Any]) -> int | None:
    """The security profile that a ChangeConfiguration sets; None for every other Call."""
    if action != CHANGE:
        return None
    if str(payload.get("key", "")).strip().lower() != SECURITY_PROFILE.lower():
        return None
    try:
        return int(str(payload.get("value", "")).strip())
    except ValueError:
        return -1


def _lowers(payload: Mapping[str, Any], profile: int) -> str:
    """OCPP 1.6 security whitepaper, A00.FR.005: a profile is never lowered by a message."""
    wanted = profile_in(CHANGE, payload)
    if wanted is None:
        return ""
    if not 0 <= wanted <= 3:
        return "SecurityProfile is 0, 1, 2 or 3"
    if wanted < profile:
        return (
            f"the security profile of this charge point is {profile}, and OCPP messages can't "
            "lower it. Lower it on the charger itself, then under “Security” here"
        )
    return ""


def _weak_key(payload: Mapping[str, Any]) -> str:
    """OCPP 1.6 security whitepaper, A00.FR.205: a key has at least 16 bytes."""
    value = payload.get("value")
    if not is_key_change(CHANGE, payload) or value == MASK:
        return ""
    if isinstance(value, str) and len(keys.canonical(value.encode())) < keys.SHORTEST:
        return f"a key has at least {keys.SHORTEST} bytes, {2 * keys.SHORTEST} hexadecimal digits"
    return ""
