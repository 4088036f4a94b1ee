"""Lanes: one for each connection, with numbered events, of which at most one is in flight."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.frames import CloseCode

from levity_ws.rpc.envelope import (
    Accept,
    Authenticate,
    Connected,
    Disconnected,
    Event,
    Received,
    Refuse,
)

__all__ = ["BackendUnavailable", "Carrier", "Entry", "Lane", "Peer"]


class BackendUnavailable(Exception):  # names a state, as TransportUnavailable does
    """There was no answer in time, which is not the charger's fault: close with 1013, or refuse
    with 503."""


class Peer(Protocol):
    """The socket at the end of a lane. Both methods return at once."""

    def write(self, text: str) -> None:
        """Send this text frame, as soon as the charger can take it."""

    def hang_up(self, code: int, reason: str) -> None:
        """Close the websocket."""


class Carrier(Protocol):
    """What a lane needs from the relay."""

    loop: asyncio.AbstractEventLoop

    def submit(
        self,
        lane: "Lane",
        kind: type[Event],
        details: dict[str, Any],
        *,
        done: "asyncio.Future[Any] | None" = None,
        size: int = 0,
    ) -> "Entry":
        """Send an event."""

    def expect_verdict(self, connection: str) -> "asyncio.Future[Accept | Refuse]":
        """A future for the backend's answer to this connection's handshake."""

    def forget(self, lane: "Lane") -> None:
        """The connection of this lane is closed."""


class Lane:
    """One connection's path through the relay; see `Relay.open`."""

    __slots__ = (
        "_busy",
        "_carrier",
        "_held",
        "_queued",
        "charge_point",
        "connection",
        "is_open",
        "peer",
        "seq",
        "subprotocol",
    )

    def __init__(self, carrier: Carrier, charge_point: str, connection: str, peer: Peer) -> None:
        self._carrier = carrier
        self.charge_point = charge_point
        self.connection = connection
        self.peer = peer
        self.seq = 0
        self.subprotocol = ""
        """The subprotocol agreed on in the handshake; sent with every frame."""
        self.is_open = False
        self._busy = False
        self._queued: deque[Entry] | None = None
        self._held: list[str] | None = None

    async def authenticate(self, within: float, **details: Any) -> Accept | Refuse:
        """Ask the backend whether this charger may connect.

        Raises `BackendUnavailable` after `within` seconds; the lane is then closed, and the backend
        is told so if the question had already been sent.
        """
        carrier = self._carrier
        verdict = carrier.expect_verdict(self.connection)
        entry = carrier.submit(self, Authenticate, details, done=verdict)
        try:
            async with asyncio.timeout(within):
                return await verdict
        except (TimeoutError, BackendUnavailable, asyncio.CancelledError) as error:
            if entry.sent:
                self.disconnected(CloseCode.ABNORMAL_CLOSURE, "the handshake was not finished")
            else:
                entry.dropped = True
                carrier.forget(self)
            if isinstance(error, TimeoutError):
                raise BackendUnavailable("no answer to the handshake in time") from error
            raise

    def connected(self, subprotocol: str = "", **details: Any) -> None:
        """The websocket is open, and this subprotocol is spoken on it."""
        self.is_open = True
        self.subprotocol = subprotocol
        self._carrier.submit(self, Connected, {"subprotocol": subprotocol, **details})

    def still_connected(self) -> None:
        """Report the open websocket again, to a backend that may have given up the edge."""
        self._carrier.submit(self, Connected, {"subprotocol": self.subprotocol})

    async def received(self, text: str) -> None:
        """Relay one frame; returns when it is committed and answered. Raises `BackendUnavailable`
        if that takes too long.
        """
        done: asyncio.Future[Any] = self._carrier.loop.create_future()
        self._carrier.submit(self, Received, self.frame(text), done=done, size=len(text))
        await done

    def frame(self, text: str) -> dict[str, str]:
        """A frame of this charger, as its `Received` says it."""
        return {"text": text, "subprotocol": self.subprotocol}

    def disconnected(self, code: int, reason: str) -> None:
        """The websocket is gone: the lane's last event. Commands for it are dropped from now."""
        self._carrier.forget(self)
        self._carrier.submit(self, Disconnected, {"code": code, "reason": reason})

    def next_seq(self) -> int:
        """Reserve a number for an event that is sent later."""
        number = self.seq
        self.seq += 1
        return number

    def take_turn(self, entry: "Entry") -> bool:
        """True if the entry may be sent now; else it waits for the previous one."""
        if not self._busy:
            self._busy = True
            return True
        if self._queued is None:
            self._queued = deque()
        self._queued.append(entry)
        return False

    def end_turn(self) -> "Entry | None":
        """The previous entry is done: return the next one, if there is any."""
        if self._queued:
            return self._queued.popleft()
        self._busy = False
        self._queued = None
        return None

    def say(self, text: str) -> None:
        """Write a Call of ours, at once or after the answer that the charger waits for; never
        before that answer, which would then have to wait for the gap between two frames.
        """
        if not self._busy:
            self.peer.write(text)
        elif self._held is None:
            self._held = [text]
        else:
            self._held.append(text)

    def say_held(self) -> None:
        """The charger has its answer: now send it the Calls that were held back."""
        if self._held is not None:
            held, self._held = self._held, None
            for text in held:
                self.peer.write(text)

    def queued(self) -> "tuple[Entry, ...]":
        """The entries that wait for their turn."""
        return tuple(self._queued or ())


@dataclass(slots=True, eq=False)
class Entry:
    """One event: waiting, or sent and not answered yet."""

    lane: Lane
    kind: type[Event]
    details: dict[str, Any]
    at: float
    since: float
    size: int
    done: "asyncio.Future[Any] | None" = None
    sent: bool = False
    dropped: bool = False
    expired: bool = False
    seq: int = -1
    """Its number; -1 until it is sent."""

    def event(self) -> Event:
        """What goes into the batch."""
        # Numbered when it is sent, so that one dropped before leaves no gap.
        lane = self.lane
        if self.seq < 0:
            self.seq = lane.next_seq()
        return self.kind(
            charge_point=lane.charge_point,
            connection=lane.connection,
            seq=self.seq,
            at=self.at,
            **self.details,
        )
