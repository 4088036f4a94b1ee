"""How much of what chargers say the log keeps: all, until one says more than any charger does.

Beyond that, and where the disk is nearly full, a frame is kept as a sample: its beginning, its
length, a digest by which it is recognised when it comes again, and why it was cut. Sessions and the
samples of meters are recorded before the log is thought of, and what an ordinary
StartTransaction or StopTransaction says is kept whole in any case: one of megabytes is not.
"""

import hashlib
import shutil
import time
from collections.abc import Callable

from levity.installation import data_dir
from levity.ocpp.versions import OF_SESSIONS
from levity_ws.edge.rate_limits import Pace

__all__ = ["LogBudget", "log_budget", "same_text", "shortened"]

KEPT_WHOLE = 2048
"""Characters up to which these are kept whole whatever comes; without samples, they have 200."""
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


def shortened(text: str, why: str) -> str:
    """The sample of a frame that is too much to keep."""
    return f"{_sample(text)}; {why}]" if len(text) > SAMPLE else text


def _sample(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{text[:SAMPLE]}{_CUT}{len(text)} characters, {digest}"


def same_text(stored: str, text: str) -> bool:
    """True if this is the frame that was stored, whole or as a sample."""
    return stored == text or (
        len(text) > SAMPLE
        and stored.startswith(_CUT, SAMPLE)
        and stored.endswith("]")
        and stored.removesuffix("]").startswith(_sample(text))
    )


class LogBudget:
    """Counts what is kept, in each process by itself."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[], int] = lambda: shutil.disk_usage(data_dir()).free,
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
        if len(text) <= (KEPT_WHOLE if action in OF_SESSIONS else SAMPLE):
            return text
        why = self.why_not(charge_point, len(text))
        return shortened(text, why) if why else text

    def why_not(self, charge_point: int, size: int) -> str:
        """Why there is no room for so many characters of this charge point; "" where there is, and
        they are counted."""
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY:
            self._look(now)
        if self._is_tight:
            return "disk nearly full"
        own = self._of_charger.get(charge_point, 0.0)
        if self._charger.wait(own, now):
            return f"charger over {OF_CHARGER // 1024} KiB/s"
        if self._all.wait(self._of_all, now):
            return f"all over {IN_ALL // 1024} KiB/s"
        self._of_charger[charge_point] = self._charger.spend(own, now, size)
        self._of_all = self._all.spend(self._of_all, now, size)
        return ""

    def _look(self, now: float) -> None:
        self._looked_at = now
        try:
            self._is_tight = self._free() < LEAST_FREE
        except OSError:
            self._is_tight = False
        if len(self._of_charger) > 4096:
            self._of_charger = {key: at for key, at in self._of_charger.items() if at > now}


log_budget = LogBudget()
