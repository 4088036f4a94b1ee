"""The charger's time: injected, and compressed where a whole night should pass in a minute."""

import asyncio
from datetime import UTC, datetime, timedelta

__all__ = ["Clock"]


class Clock:
    """Simulated time, `speed` times as fast as the event loop's.

    Speed compresses the charger's life (sessions, intervals, retries, back-off). It never
    compresses the network's patience: how long a charger waits for a handshake or an answer stays
    in real seconds, else a fast fleet would time out against a server that answers at once.

    `epoch` is the simulated moment at the first question; without it, the present moment.
    """

    def __init__(self, *, speed: float = 1.0, epoch: datetime | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._epoch = epoch
        self._zero = 0.0
        self._running = False

    @classmethod
    def that_ends_now(cls, *, speed: float, seconds: float) -> "Clock":
        """A clock that starts so far back that `seconds` real seconds later it shows the present.

        Compressed time then never runs into the future, which a central system rightly flags,
        while the past is what any charger sends after a while offline.
        """
        return cls(speed=speed, epoch=datetime.now(UTC) - timedelta(seconds=seconds * (speed - 1)))

    def now(self) -> datetime:
        """Simulated UTC. Must be asked inside a running event loop."""
        moment = asyncio.get_running_loop().time()
        if not self._running:
            self._running = True
            self._zero = moment
            if self._epoch is None:
                self._epoch = datetime.now(UTC)
        assert self._epoch is not None
        return self._epoch + timedelta(seconds=(moment - self._zero) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of simulated time have passed."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    def real(self, seconds: float) -> float:
        """Simulated seconds in real ones, for `asyncio.timeout`."""
        return max(0.0, seconds) / self.speed
