"""Room for large frames: a little memory that all connections of an edge share.

A StopTransaction with the samples of a night is megabytes long, and must be taken; but whoever
wants all the memory must not get it. A frame is large above `SMALL`; it is read when there is room
for it, and until then it waits in TCP, and nobody else.
"""

from collections.abc import Callable

__all__ = ["SMALL", "Room"]

SMALL = 128 * 1024
"""Bytes up to which a frame is like any other."""


class Room:
    """So many bytes of large frames in all, and one such frame of an address at a time."""

    def __init__(self, in_all: int) -> None:
        self._in_all = in_all
        self._taken: dict[object, tuple[str, int]] = {}
        self._waiting: dict[object, Callable[[], None]] = {}
        self.size = 0
        """Bytes that are taken."""

    def take(self, owner: object, address: str, size: int) -> bool:
        """True if there is room for `size` bytes in all of this owner; it must `leave` one day."""
        before = self._taken.get(owner, ("", 0))[1]
        if not before and any(address == other for other, _ in self._taken.values()):
            return False
        # One alone may have all of it, or it would wait for ever.
        if self.size and self.size - before + size > self._in_all and self.size != before:
            return False
        self._taken[owner] = address, size
        self.size += size - before
        return True

    def leave(self, owner: object) -> None:
        """The owner's frame is done with, if it had one: those who wait look again, in order.

        Among them the owner, if it waits with its next one.
        """
        _, size = self._taken.pop(owner, ("", 0))
        if not size:
            return
        self.size -= size
        waiting, self._waiting = self._waiting, {}
        for look_again in waiting.values():
            look_again()

    def forget(self, owner: object) -> None:
        """The owner is gone, and waits for nothing any more."""
        self._waiting.pop(owner, None)
        self.leave(owner)

    def wait(self, owner: object, look_again: Callable[[], None]) -> None:
        """Call this once somebody has left."""
        self._waiting[owner] = look_again
