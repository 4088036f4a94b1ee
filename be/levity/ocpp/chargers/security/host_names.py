"""Which address a host is, or carries in its name.

Levity can't look names up for a charger, which asks a name server of its own. But services such as
nip.io answer each name with the address that stands in it: no look-up is needed to know those.
"""

import ipaddress
import unicodedata

from levity.inner_addresses import ipv4_within

__all__ = ["Address", "address_in", "leads_inside"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Names that only exist inside a network (RFC 6761, RFC 8375, ICANN's .internal), or that lead every
# machine to itself.
_INSIDE = (
    *(".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".private"),
    *(".localdomain", ".home.arpa", ".localtest.me", ".lvh.me"),
)
_WILDCARDS = (".nip.io", ".sslip.io", ".xip.io", ".traefik.me", ".backname.io", ".ip.alhur.es")
"""What stands before these is read as an address in more ways than four numbers."""
_LONGEST, _OF_HEX = 3, 8
"""Digits of a number of an address, and of a whole address."""


def leads_inside(host: str) -> bool:
    """True for an address or a name of somebody's own network, of the machine itself, or of a
    cloud's metadata."""
    name = _plain(host)
    found = address_in(name)
    if found is not None:
        return not found.is_global or found.is_multicast
    last = name.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        # 2130706433, 127.1, 0x7f.1: some resolvers take these for addresses.
        return True
    return "." not in name or f".{name}".endswith(_INSIDE)


def address_in(host: str) -> Address | None:
    """The address that this host is, or that stands in its name; None: it is a name."""
    name = _plain(host)
    found = _address(name.partition("%")[0])
    if found is not None:
        return found
    parts = name.replace("-", ".").split(".")
    for wildcard in _WILDCARDS:
        if name.endswith(wildcard):
            label = name.removesuffix(wildcard).rpartition(".")[2]
            found = _address(label.replace("-", ":")) or _of_hex(label.rpartition("-")[2])
            if found is not None:
                return found
    known = [found for at in range(len(parts) - 3) if (found := _of_four(parts[at : at + 4]))]
    # Of several, the one that says no.
    return next((each for each in known if not each.is_global), known[0] if known else None)


def _plain(host: str) -> str:
    """As a resolver reads it: digits and dots of other scripts are those of ASCII."""
    name = unicodedata.normalize("NFKC", host).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    return name.rstrip(".").lower()


def _of_four(parts: list[str]) -> Address | None:
    """Of 10.0.0.1 and 10-0-0-1, whatever stands before and behind."""
    if not all(each.isascii() and each.isdigit() and len(each) <= _LONGEST for each in parts):
        return None
    return _address(".".join(str(int(each)) for each in parts))


def _of_hex(text: str) -> Address | None:
    if len(text) != _OF_HEX or any(sign not in "0123456789abcdef" for sign in text):
        return None
    return ipaddress.IPv4Address(int(text, 16))


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (isinstance(found, ipaddress.IPv6Address) and ipv4_within(found)) or found
