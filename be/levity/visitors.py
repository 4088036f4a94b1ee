"""Whose request it is, as far as its address tells: guesses are counted by that."""

import ipaddress

from django.http import HttpRequest

__all__ = ["address"]


def address(request: HttpRequest) -> str | None:
    """What to count by. The owner of an IPv6 address can choose its lower half freely."""
    # Already the client's own address if a trusted proxy reported it: levity/run/web/proxies.py.
    text: str = request.META.get("REMOTE_ADDR", "")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{found}/64", strict=False).network_address)
    return str(getattr(found, "ipv4_mapped", None) or found)
