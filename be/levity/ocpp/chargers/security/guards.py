"""Calls that are never sent: those that lower a security profile, and those that make a charger
fetch from or upload to a place where nobody should.

Levity itself never opens such a URL; but a charger inside somebody's network would.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from levity.ocpp.chargers.security import keys
from levity.ocpp.conf import setting
from levity.ocpp.wire.masking import MASK

__all__ = ["SECURITY_PROFILE", "is_key_change", "objection", "profile_in"]

AUTHORIZATION_KEY = "authorizationkey"
SECURITY_PROFILE = "SecurityProfile"
# Where the URL stands in each payload that has one.
_LOCATIONS: Mapping[str, tuple[str, ...]] = {
    "GetDiagnostics": ("location",),
    "UpdateFirmware": ("location",),
    "GetLog": ("log", "remoteLocation"),
    "SignedUpdateFirmware": ("firmware", "location"),
}
_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "sftp"})
# Names that only exist inside a network (RFC 6761, RFC 8375, ICANN's .internal).
_INSIDE = (
    *(".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".private"),
    *(".localdomain", ".home.arpa"),
)


def objection(action: str, payload: Mapping[str, Any], profile: int) -> str:
    """Why this Call must not be sent to a charge point of this profile; empty if it may."""
    if action == "ChangeConfiguration":
        return _lowers(payload, profile) or _weak_key(payload)
    if action in _LOCATIONS:
        return _bad_location(payload, _LOCATIONS[action], setting("OCPP_LOCATION_HOSTS"))
    return ""


def is_key_change(action: str, payload: Mapping[str, Any]) -> bool:
    """True for the ChangeConfiguration that gives the charger a new key."""
    return (
        action == "ChangeConfiguration"
        and str(payload.get("key", "")).strip().lower() == AUTHORIZATION_KEY
    )


def profile_in(action: str, payload: Mapping[str, Any]) -> int | None:
    """The security profile that a ChangeConfiguration sets; None for every other Call."""
    if action != "ChangeConfiguration":
        return None
    if str(payload.get("key", "")).strip().lower() != SECURITY_PROFILE.lower():
        return None
    try:
        return int(str(payload.get("value", "")).strip())
    except ValueError:
        return -1


def _lowers(payload: Mapping[str, Any], profile: int) -> str:
    """OCPP 1.6 security whitepaper, A00.FR.005: a profile is never lowered by a message."""
    wanted = profile_in("ChangeConfiguration", payload)
    if wanted is None:
        return ""
    if not 0 <= wanted <= 3:
        return "SecurityProfile is 0, 1, 2 or 3"
    if wanted < profile:
        return (
            f"the security profile of this charge point is {profile}; OCPP never lowers it. "
            "Lower it on the charger itself, and then under “Security” here"
        )
    return ""


def _weak_key(payload: Mapping[str, Any]) -> str:
    """OCPP 1.6 security whitepaper, A00.FR.205: a key has at least 16 bytes."""
    value = payload.get("value")
    if not is_key_change("ChangeConfiguration", payload) or value == MASK:
        return ""
    if isinstance(value, str) and len(keys.canonical(value.encode())) < keys.SHORTEST:
        return f"a key has at least {keys.SHORTEST} bytes, {2 * keys.SHORTEST} hexadecimal digits"
    return ""


def _bad_location(payload: Mapping[str, Any], where: Sequence[str], allowed: Iterable[str]) -> str:
    value: Any = payload
    for name in where:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        return ""  # the schema says what is wrong with it
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in value) or "\\" in value:
        return "the URL has spaces or control characters in it"
    try:
        parts = urlsplit(value)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "this is not a URL"
    if parts.scheme.lower() not in _SCHEMES:
        return f"the URL must begin with one of {', '.join(sorted(_SCHEMES))}://"
    if not host:
        return "the URL names no host"
    if _is_allowed(host, allowed) or not _is_inside(host):
        return ""
    return (
        f"{host[:80]} is an address inside a network. If the charger is meant to use it, name it "
        "in OCPP_LOCATION_HOSTS (LEVITY_LOCATION_HOSTS)"
    )


def _is_allowed(host: str, allowed: Iterable[str]) -> bool:
    address = _address(host)
    for entry in allowed:
        if host.lower() == entry.lower():
            return True
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            continue
        if address is not None and address.version == network.version and address in network:
            return True
    return False


def _is_inside(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return not address.is_global or address.is_multicast
    name = host.lower()
    last = name.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        # 2130706433, 127.1, 0x7f.1: some resolvers take these for addresses.
        return True
    return "." not in name or name.endswith(_INSIDE)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        # ::ffff:169.254.169.254, 2002:… and 64:ff9b:… lead to an IPv4 address.
        embedded = found.ipv4_mapped or found.sixtofour
        if embedded is None and found in ipaddress.ip_network("64:ff9b::/96"):
            embedded = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return embedded or found
    return found
