"""The IPv4 address that an IPv6 address leads to, so that no rule for the one misses the other."""

import ipaddress

__all__ = ["ipv4_within"]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def ipv4_within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Of ::ffff:10.0.0.1, of 2002:… (6to4) and of 64:ff9b:… (NAT64)."""
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and address in _NAT64:
        embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return embedded
