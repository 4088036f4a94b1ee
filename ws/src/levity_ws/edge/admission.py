"""Limits on the number of connections, from one address and in total."""

import ipaddress
from collections import Counter

from levity_ws.edge.refusal import Refusal

__all__ = ["Admission", "is_loopback"]


class Admission:
    """Counts open connections. A limit of 0 is no limit."""

    def __init__(self, *, in_total: int, per_address: int) -> None:
        self._in_total = in_total
        self._per_address = per_address
        self._by_address: Counter[str] = Counter()
        self.connections = 0

    def enter(self, address: str) -> Refusal | None:
        """Admit one more connection, or return why not. Every admitted one must `leave` later."""
        if self._in_total and self.connections >= self._in_total:
            return Refusal(
                503,
                f"More than {self._in_total} connections in total: raise LEVITY_MAX_CONNECTIONS.",
                "full",
                retry_after=60,
            )
        if (
            self._per_address
            and self._by_address[address] >= self._per_address
            and not is_loopback(address)
        ):
            return Refusal(
                429,
                f"More than {self._per_address} connections from {address}. If a proxy is in "
                "front, set LEVITY_TRUSTED_PROXIES; if many chargers share this address, raise "
                "LEVITY_MAX_CONNECTIONS_PER_ADDRESS.",
                "address limit",
                retry_after=60,
            )
        self.connections += 1
        self._by_address[address] += 1
        return None

    def leave(self, address: str) -> None:
        """An admitted connection has ended."""
        self.connections -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def is_loopback(address: str) -> bool:
    """True for this machine itself: a proxy, or a test."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
