"""How many handshakes are under way at a time: so many that nobody inside waits for them."""

import asyncio

__all__ = ["Gate"]


class Gate:
    """Lets a number of handshakes through at a time; the others wait in the order of their coming.

    A reconnect storm brings thousands in one second. All of them at once would stand in one queue
    with the frames of the chargers that are served, and before them.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self.waiting = 0

    async def enter(self, within: float) -> bool:
        """True when it is this handshake's turn, which must end with `leave`; False after `within`
        seconds, and at once where too many wait already."""
        if not self._free.locked():
            await self._free.acquire()
            return True
        if self.waiting >= self._most_waiting:
            return False
        self.waiting += 1
        try:
            async with asyncio.timeout(within):
                await self._free.acquire()
        except TimeoutError:
            return False
        finally:
            self.waiting -= 1
        return True

    def leave(self) -> None:
        """This handshake is over, whatever came of it."""
        self._free.release()
