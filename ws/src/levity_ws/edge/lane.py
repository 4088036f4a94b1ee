"""Lanes: one for each connection, its events numbered, and at most one of them under way."""

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
    """No answer in time. Not the charger's fault: close with 1013, or refuse with 503."""


class Peer(Protocol):
    """The socket at the end of a lane. Both methods return at once."""

    def write(self, text: str) -> None:
        """Send this text frame, as soon as the charger can take it."""

    def hang_up(self, code: int, reason: str) -> None:
        """Close the websocket."""


class Carrier(Protocol):
    """What a lane needs of the relay."""

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
        """Put an event on its way."""

    def expect_verdict(self, connection: str) -> "asyncio.Future[Accept | Refuse]":
        """Fulfilled with what the backend says to this connection's handshake."""

    def forget(self, lane: "Lane") -> None:
        """Nobody is at the end of this lane any more."""


class Lane:
    """One connection's way through the relay; see `Relay.open`."""

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
        """What the handshake has agreed upon; it goes with every frame."""
        self.is_open = False
        self._busy = False
        self._queued: deque[Entry] | None = None
        self._held: list[str] | None = None

    async def authenticate(self, within: float, **details: Any) -> Accept | Refuse:
        """Ask the backend whether this charger may connect.

        `BackendUnavailable` after `within` seconds; the lane is closed then, and the backend
        hears of it if the question had left already.
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
        """Say again that the websocket is open, to a backend that may have given the edge up."""
        self._carrier.submit(self, Connected, {"subprotocol": self.subprotocol})

    async def received(self, text: str) -> None:
        """Relay one frame; returns when it is committed and answered.

        `BackendUnavailable` if that takes too long.
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
        """The number of an event that leaves later, and keeps it."""
        number = self.seq
        self.seq += 1
        return number

    def take_turn(self, entry: "Entry") -> bool:
        """True if the entry may leave now; else it waits for the one before it."""
        if not self._busy:
            self._busy = True
            return True
        if self._queued is None:
            self._queued = deque()
        self._queued.append(entry)
        return False

    def end_turn(self) -> "Entry | None":
        """The entry before is done: the next one, if there is any."""
        if self._queued:
            return self._queued.popleft()
        self._busy = False
        self._queued = None
        return None

    def say(self, text: str) -> None:
        """Write a Call of ours: at once, or behind the answer that the charger waits for.

        Never before that answer, which would have to wait for the gap between two frames then.
        """
        if not self._busy:
            self.peer.write(text)
        elif self._held is None:
            self._held = [text]
        else:
            self._held.append(text)

    def say_held(self) -> None:
        """The charger has its answer: now it gets what was held back."""
        if self._held is not None:
            held, self._held = self._held, None
            for text in held:
                self.peer.write(text)

    def queued(self) -> "tuple[Entry, ...]":
        """What waits for its turn."""
        return tuple(self._queued or ())


@dataclass(slots=True, eq=False)
class Entry:
    """One event on its way: waiting, or sent and not answered yet."""

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
    """Its number; -1 until it leaves."""

    def event(self) -> Event:
        """What goes into the batch."""
        # Numbered when it leaves: what is dropped before leaves no gap.
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
