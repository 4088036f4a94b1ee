"""How much of what chargers say the log keeps: all, until one says more than any charger does.

Beyond that, and where the disk is nearly full, a frame is kept as a sample: its beginning, its
length, and a digest by which it is recognised when it comes again. What sessions are made of
(StartTransaction, StopTransaction) is kept whole in any case, and samples of meters are on the
books before the log is thought of.
"""

import hashlib
import shutil
import time
from collections.abc import Callable

from django.conf import settings

from levity_ws.edge.pace import Pace

__all__ = ["LogBudget", "log_budget", "same_text", "shortened"]

KEPT_WHOLE = frozenset({"StartTransaction", "StopTransaction"})
SAMPLE = 500
"""Characters that are kept of a frame beyond the budget."""
OF_CHARGER, BURST = 4 * 1024, 4096
"""Characters a second of one charge point in the long run (350 MB a day), and seconds of that which
may come at once (16 MB)."""
IN_ALL, BURST_IN_ALL = 128 * 1024, 8192
LEAST_FREE = 256 * 1024**2
"""Bytes. With less on the disk of the data folder, samples are all that is kept."""
LOOK_EVERY = 10.0
_CUT = " ...[cut in the log: "


def shortened(text: str) -> str:
    """The sample of a frame that is too much to keep."""
    if len(text) <= SAMPLE:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{text[:SAMPLE]}{_CUT}{len(text)} characters, {digest}]"


def same_text(stored: str, text: str) -> bool:
    """True if this is the frame that was stored, whole or as a sample."""
    return stored == text or (
        stored.startswith(_CUT, SAMPLE) and stored.endswith("]") and stored == shortened(text)
    )


class LogBudget:
    """Counts what is kept, in each process by itself."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[], int] = lambda: shutil.disk_usage(settings.DATA_DIR).free,
    ) -> None:
        self._clock, self._free = clock, free
        self._of_charger: dict[int, float] = {}
        self._of_all = 0.0
        self._charger = Pace(OF_CHARGER, OF_CHARGER * BURST)
        self._all = Pace(IN_ALL, IN_ALL * BURST_IN_ALL)
        self._looked_at = float("-inf")
        self._is_tight = False

    def kept(self, charge_point: int, action: str, text: str) -> str:
        """What the log keeps of this frame."""
        if action in KEPT_WHOLE or len(text) <= SAMPLE:
            return text
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY:
            self._look(now)
        own = self._of_charger.get(charge_point, 0.0)
        if self._is_tight or self._charger.wait(own, now) or self._all.wait(self._of_all, now):
            return shortened(text)
        self._of_charger[charge_point] = self._charger.spend(own, now, len(text))
        self._of_all = self._all.spend(self._of_all, now, len(text))
        return text

    def _look(self, now: float) -> None:
        self._looked_at = now
        try:
            self._is_tight = self._free() < LEAST_FREE
        except OSError:
            self._is_tight = False
        if len(self._of_charger) > 4096:
            self._of_charger = {key: at for key, at in self._of_charger.items() if at > now}


log_budget = LogBudget()
