"""Room for large frames: a limited amount of memory that all connections of an edge share. A
StopTransaction with the samples of a night is megabytes long, and must be accepted; but no one may
use up all the memory. A frame is large above `SMALL`; it is read when there is room for it. Until
then only this frame waits, in TCP.
"""

from collections.abc import Callable

__all__ = ["SMALL", "Room"]

SMALL = 128 * 1024
"""Bytes up to which a frame needs no room."""


class Room:
    """Limits the bytes of large frames in all, and each address to one such frame at a time."""

    def __init__(self, in_all: int) -> None:
        self._in_all = in_all
        self._taken: dict[object, tuple[str, int]] = {}
        self._waiting: dict[object, Callable[[], None]] = {}
        self.size = 0
        """Bytes that are taken."""

    def take(self, owner: object, address: str, size: int) -> bool:
        """True if this owner gets room for `size` bytes in all; it must `leave` later."""
        before = self._taken.get(owner, ("", 0))[1]
        if not before and any(address == other for other, _ in self._taken.values()):
            return False
        # A single one may take everything, otherwise it would wait for ever.
        if self.size and self.size - before + size > self._in_all and self.size != before:
            return False
        self._taken[owner] = address, size
        self.size += size - before
        return True

    def leave(self, owner: object) -> None:
        """The owner's frame is finished, if it had one: waiting owners check again, in order; so
        does this owner, if it waits with its next frame.
        """
        _, size = self._taken.pop(owner, ("", 0))
        if not size:
            return
        self.size -= size
        waiting, self._waiting = self._waiting, {}
        for look_again in waiting.values():
            look_again()

    def forget(self, owner: object) -> None:
        """The owner is gone, and no longer waits."""
        self._waiting.pop(owner, None)
        self.leave(owner)

    def wait(self, owner: object, look_again: Callable[[], None]) -> None:
        """Call this when an owner has left."""
        self._waiting[owner] = look_again
