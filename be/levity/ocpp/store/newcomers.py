"""Charge points that nobody has seen before: how many an hour are let in, and how.

A charger adds itself; a program that makes up names would add 871 a second. Those above the limit
are kept as pending, for a person to accept; where too many wait already, they are turned away.
"""

import ipaddress
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from django.db import transaction
from django.utils import timezone

from levity.addresses import is_beside_us
from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, Installation
from levity.ocpp.models.installation import ONLY
from levity.ocpp.store.values import Arrival
from levity_ws.edge.rate_limits import Pace
from levity_ws.rpc.envelope import Authenticate, Refused

__all__ = ["MOST_WAITING", "Newcomers", "is_public", "newcomers"]

MOST_WAITING = 5_000
"""Pending charge points: whoever comes beside them is not written down."""


@lru_cache(maxsize=4096)
def _is_global(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """True for an address that anybody on the internet can have, and nobody beside us has: with
    IPv6, everything in a home has a global address."""
    return _is_global(address) and not (":" in address and is_beside_us(address))


@lru_cache(maxsize=4096)
def _is_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True  # an edge of an older release does not say it


class Newcomers:
    """Counts them, in each process by itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._forgotten_at = {False: 0.0, True: 0.0}
        self._seen_outside = False

    def let_in(self, missing: Sequence[Arrival]) -> list[tuple[Arrival, str]]:
        """Those of them that are to be written down, with their registration status."""
        rule = setting("OCPP_UNKNOWN_CHARGE_POINTS")
        # Where new charge points are asked for a key, a person has to write them down first.
        if rule == "reject" or setting("OCPP_SECURITY_PROFILE") or not missing:
            return []
        if Installation.objects.filter(pk=ONLY, closed_at__isnull=False).exists():
            return []
        found, above = [], []
        for item in missing:
            if self._may_come(getattr(item.event, "remote", "")):
                found.append((item, "Pending" if rule == "pending" else "Accepted"))
            else:
                above.append((item, "Pending"))
        if above:
            waiting = ChargePoint.objects.filter(registration="Pending")[:MOST_WAITING].count()
            found += above[: MOST_WAITING - waiting]
        return found

    def _may_come(self, address: str) -> bool:
        if _is_this_machine(address):
            return True
        public = is_public(address)
        limit = setting("OCPP_NEW_PER_HOUR_PUBLIC" if public else "OCPP_NEW_PER_HOUR")
        pace, now = Pace(limit / 3600, limit), self._clock()
        if pace.wait(self._forgotten_at[public], now):
            return False
        self._forgotten_at[public] = pace.spend(self._forgotten_at[public], now)
        return True

    def note_outside(self, arrivals: Iterable[Arrival]) -> None:
        """Remember, once for ever, that somebody came to the chargers' port from a public address;
        whom the edge refused came there, too."""
        if self._seen_outside:
            return
        for item in arrivals:
            if isinstance(item.event, Authenticate):
                self.note_visitor(item.event.remote)
            elif isinstance(item.event, Refused):
                for refusal in item.event.refusals:
                    self.note_visitor(refusal.remote)

    def note_visitor(self, address: str) -> None:
        """The same of one address; of a visitor of the pages, too."""
        if self._seen_outside or not is_public(address):
            return
        Installation.get()
        Installation.objects.filter(pk=ONLY, outside_seen_at__isnull=True).update(
            outside_seen_at=timezone.now(), outside_address=address[:45]
        )
        # Not before: what is rolled back was never written down.
        transaction.on_commit(self._remember)

    def _remember(self) -> None:
        self._seen_outside = True


newcomers = Newcomers()
