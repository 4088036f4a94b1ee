"""Where a charger must not be told to fetch from or upload to, because nobody should.

Levity itself never opens such a URL; but a charger inside somebody's network would.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

__all__ = ["bad_location"]

_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "sftp"})
# Names that only exist inside a network (RFC 6761, RFC 8375, ICANN's .internal).
_INSIDE = (
    *(".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".private"),
    *(".localdomain", ".home.arpa"),
)


def bad_location(payload: Mapping[str, Any], where: Sequence[str], allowed: Iterable[str]) -> str:
    """Why the URL at this place in a payload must not be sent; empty if it may.

    `allowed`: names, addresses and networks inside, that somebody means to be used.
    """
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
        return (
            f"the URL must begin with one of {', '.join(f'{each}://' for each in sorted(_SCHEMES))}"
        )
    if not host:
        return "the URL names no host"
    if _is_allowed(host, allowed) or not _is_inside(host):
        return ""
    return (
        f"{host[:80]} is a private network address. If the charger is meant to use it, add it to "
        "OCPP_LOCATION_HOSTS (LEVITY_LOCATION_HOSTS)"
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
