"""Connections without sockets: two ends in one event loop, for tests and for virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

from websockets.frames import CloseCode

from levity.simulator.profiles import Profile
from levity.simulator.wire import DialError, LinkClosedError

__all__ = ["MemoryDialer", "MemoryLink", "linked_pair"]

_Item = str | LinkClosedError


class MemoryLink:
    """One end of a pair; what is sent here is received there, in order."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self.peer: MemoryLink | None = None
        self.closed: LinkClosedError | None = None

    async def send(self, text: str) -> None:
        if self.closed is not None:
            raise self.closed
        assert self.peer is not None
        self.peer.inbox.put_nowait(text)

    async def recv(self) -> str:
        if self.closed is not None and self.inbox.empty():
            raise self.closed
        item = await self.inbox.get()
        if isinstance(item, LinkClosedError):
            raise item
        return item

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE) -> None:
        self._end(LinkClosedError(code))

    def abort(self) -> None:
        self._end(LinkClosedError(CloseCode.ABNORMAL_CLOSURE))

    def _end(self, closed: LinkClosedError) -> None:
        for end in (self, self.peer):
            if end is not None and end.closed is None:
                end.closed = closed
                end.inbox.put_nowait(closed)


def linked_pair() -> tuple[MemoryLink, MemoryLink]:
    """Two ends of one connection."""
    near, far = MemoryLink(), MemoryLink()
    near.peer, far.peer = far, near
    return near, far


class MemoryDialer:
    """Every dial runs `accept(identity, profile, link)` as the server's side of the connection.

    While `refusal` is set, every dial fails with it: the network is away.
    """

    def __init__(self, accept: Callable[[str, Profile, MemoryLink], Awaitable[None]]) -> None:
        self._accept = accept
        self._servers: set[asyncio.Task[None]] = set()
        self.refusal: DialError | None = None
        self.dials = 0

    async def dial(self, identity: str, profile: Profile) -> MemoryLink:
        self.dials += 1
        if self.refusal is not None:
            raise self.refusal
        near, far = linked_pair()
        server = asyncio.ensure_future(self._serve(identity, profile, far))
        self._servers.add(server)
        server.add_done_callback(self._servers.discard)
        return near

    async def _serve(self, identity: str, profile: Profile, link: MemoryLink) -> None:
        try:
            await self._accept(identity, profile, link)
        except LinkClosedError:
            pass
        finally:
            link.abort()
