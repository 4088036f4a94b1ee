"""How many bytes are read from one charger, from one address and in all. A charger that sends more
waits in TCP and stays connected: one that has stored a day of samples gets them through, and twenty
sockets can't fill a memory card in eight minutes.
"""

from collections.abc import Callable

from levity_ws.edge.rate_limits import Pace

__all__ = ["Volume"]

CHARGER_BURST, ADDRESS_BURST, TOTAL_BURST = 512, 256, 64
"""Seconds of the rate that may come at once: at the default rate 16 MiB from one charger, which is
two of the largest frames, or what it has stored in weeks."""


class Volume:
    """Counts what was read. A rate of 0 (bytes a second) is no limit."""

    def __init__(
        self, *, per_charger: int, per_address: int, in_all: int, clock: Callable[[], float]
    ) -> None:
        self._charger = Pace(per_charger, per_charger * CHARGER_BURST)
        self._address = Pace(per_address, per_address * ADDRESS_BURST)
        self._all = Pace(in_all, in_all * TOTAL_BURST)
        self._clock = clock
        self._of_charger: dict[str, float] = {}
        self._of_address: dict[str, float] = {}
        self._of_all = 0.0
        self._sweep_at = 1024

    def wait(self, charger: str, address: str) -> float:
        """Seconds until more may be read from this charger at this address; 0 if it may be now. An
        empty address is not counted: it is this machine, thus a proxy or a test.
        """
        now = self._clock()
        return max(
            self._charger.wait(self._of_charger.get(charger, 0.0), now),
            self._address.wait(self._of_address.get(address, 0.0), now) if address else 0.0,
            self._all.wait(self._of_all, now),
        )

    def read(self, charger: str, address: str, size: int) -> None:
        """Count these bytes. They are counted by name, so reconnecting does not reset the count."""
        now = self._clock()
        self._of_charger[charger] = self._charger.spend(
            self._of_charger.get(charger, 0.0), now, size
        )
        if address:
            self._of_address[address] = self._address.spend(
                self._of_address.get(address, 0.0), now, size
            )
        self._of_all = self._all.spend(self._of_all, now, size)
        if len(self._of_charger) + len(self._of_address) >= self._sweep_at:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        for moments in (self._of_charger, self._of_address):
            for key in [key for key, moment in moments.items() if moment <= now]:
                del moments[key]
        self._sweep_at = max(1024, 2 * (len(self._of_charger) + len(self._of_address)))
