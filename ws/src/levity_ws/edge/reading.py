"""How a charger's websocket is read: nothing more, larger or slower than is allowed.

The first line of the request is looked at before websockets parses it; small frames are counted,
and large ones are read when there is `Room` for them.
"""

import asyncio
import http
from collections.abc import Callable, Generator
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidMessage, PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import CLOSING, OPEN, Event

from levity_ws.edge.metrics import Metrics
from levity_ws.edge.rate_limits import Pace
from levity_ws.edge.refusal import Refusal
from levity_ws.edge.refusals import PROXY_LINES, unreadable
from levity_ws.edge.room import SMALL, Room
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.target import is_http, plain_request_line, wrong_with_line

__all__ = ["FrameTooLarge", "ReadingSocket"]

SMALL_FRAMES = Pace(rate=100, burst=300)
"""Pings, pongs and fragments from one charger: more than any means well."""

SLICE = 1024
"""Bytes that are read in one go: one TCP segment can hold thousands of empty frames."""

REQUEST_LINE = 8192
"""Bytes: what is longer websockets refuses with 414, as it comes."""

FRAME_HEAD = 8
"""Bytes at most that websockets reads of a frame's head in one go."""

LARGE_FRAME_SECONDS, LARGE_FRAME_RATE = 60.0, 16 * 1024
"""A large frame is given so long, and bytes a second: what takes longer keeps others waiting."""

LARGE_FRAME_LOOK, LEAST_RATE = 15.0, 2 * 1024
"""Seconds, and bytes a second: slower than this for so long is not sending any more."""

WAIT_FOR_ROOM = 120.0

TLS_RECORD = b"\x16\x03"
"""How a TLS handshake begins (RFC 8446, 5.1), of any version."""

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_SMALL = (Opcode.PING, Opcode.PONG, Opcode.CONT)


class FrameTooLarge(PayloadTooBig):
    """Becomes the close frame: what came, and the one thing to change."""

    def __init__(self, size: int, limit: int, *, is_new: bool) -> None:
        super().__init__(size, limit)
        who = "to a new charge point" if is_new else "by LEVITY_MAX_FRAME_SIZE"
        self.what = f"a message of {size} bytes, {limit} are allowed {who}"

    def __str__(self) -> str:
        return self.what


class ReadingSocket(ServerConnection):
    """websockets' connection, with limits on what it reads."""

    # Slots, because one more name than thirty in the instance's dictionary ends the sharing of its
    # keys: 1.5 KB on each of many thousand idle connections.
    __slots__ = (
        "_end",
        "_end_timer",
        "_flooded",
        "_head",
        "_heard",
        "_large_is",
        "_large_since",
        "_large_timer",
        "_messages",
        "_pace_timer",
        "_small_forgotten_at",
        "_told",
        "_unreadable",
        "_waits_for_room",
        "gone",
        "max_size",
        "metrics",
        "odd_line",
        "remote",
        "room",
        "settings",
        "spoke_tls",
    )

    def __init__(
        self,
        *args: Any,
        settings: EdgeSettings,
        metrics: Metrics,
        room: Room,
        unreadable: "Callable[[ReadingSocket], None]",
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._unreadable = unreadable
        self.spoke_tls = False
        self.settings = settings
        self.metrics = metrics
        self.remote = ""
        self.gone = False
        """True once TCP is gone."""
        self.odd_line: bytes | None = None
        """The first line of a request, where it is none that can be read."""
        self._told = False
        self._head: bytes | None = b""
        """What there is of the request line, until it is whole; None then."""
        self._small_forgotten_at = 0.0
        self._flooded = False
        self.room = room
        self.max_size = min(SMALL, settings.max_frame_size)
        self._messages = 0
        """Messages that came and have not been taken by `taken`."""
        self._large_is = 0
        """Which of those is large, from 1; -1 while it is being read, 0 for none."""
        self._large_timer: asyncio.TimerHandle | None = None
        self._large_since = 0.0
        self._pace_timer: asyncio.TimerHandle | None = None
        self._waits_for_room = False
        self._heard = True
        """True if something came since the last frame was written."""
        self._end_timer: asyncio.TimerHandle | None = None
        self._end: tuple[int, str] | None = None
        """How it ended, where it was us who ended it without websockets."""

    def measure_frames(self, limit: int) -> None:
        """Read frames up to this size from now on, or up to the edge's own limit for 0."""
        self.max_size = self.settings.max_frame_size
        if limit:
            self.max_size = min(limit, self.max_size)
        # Where websockets knows how long a frame will be, and has not read it yet.
        self.protocol.max_message_size = None
        setattr(self.protocol.reader, "read_exact", self._read_exact)  # noqa: B010

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone: its room is free, and no timer runs any more."""
        self.room.forget(self)
        for timer in (self._end_timer, self._large_timer, self._pace_timer):
            if timer is not None:
                timer.cancel()
        self.gone = True
        super().connection_lost(exc)

    def tell_unreadable(self) -> None:
        """Say that it ended without a request that could be read."""
        self._unreadable(self)

    def flooded(self) -> None:
        """Called when it is being closed for a flood of small frames."""

    def data_received(self, data: bytes) -> None:
        """Bytes. Once a close frame has passed, TCP must end soon too."""
        if self._flooded:
            # Not even parsed: everybody else would wait for it. TCP ends by the timer.
            return
        if self._head is not None:
            data = self._begin(data)
        if len(data) <= SLICE:
            super().data_received(data)
        else:
            for start in range(0, len(data), SLICE):
                super().data_received(data[start : start + SLICE])
                if self._end is not None or self.transport.is_closing():
                    break
        if self._waits_for_room and not self.transport.is_closing():
            # At each time: websockets asks for more whenever a frame before has been taken.
            self.transport.pause_reading()
        if self.protocol.state is CLOSING and self._end_timer is None:
            # websockets leaves this to its keepalive pings, which are off here.
            self._end_timer = self.loop.call_later(self.close_timeout or 0, self.transport.abort)

    def _begin(self, data: bytes) -> bytes:
        """What of the first bytes may be parsed: nothing until the request line is whole."""
        assert self._head is not None
        head = self._head + data
        if head.startswith(TLS_RECORD):
            # wss:// at a port for ws://: it waits for an answer that we can't give.
            self.spoke_tls = True
            self._head = None
            self.transport.abort()
            return head
        # Empty lines before the request line are skipped (RFC 9112, 2.2).
        if b"\n" not in head.lstrip(b"\r\n") and len(head) <= REQUEST_LINE:
            self._head = head
            return b""
        self._head = None
        plain = head if head.startswith(PROXY_LINES) else plain_request_line(head)
        if head.startswith(PROXY_LINES) or not is_http(head) or wrong_with_line(plain):
            self.odd_line = plain[:REQUEST_LINE]
        return plain

    @property
    def began_with(self) -> bytes | None:
        """What it said before the connection ended without a request: the first line where that is
        odd, or what there is of it; None where it was as it should be."""
        return self.odd_line or self._head

    def send_data(self) -> None:
        """Where the request can't be read, websockets ends the connection without a word."""
        if self.request is None and isinstance(self.protocol.handshake_exc, InvalidMessage):
            refusal = self.why_unreadable()
            if refusal is not None and refusal.status and not self._told:
                self._told = True
                status = http.HTTPStatus(refusal.status)
                answer = self.protocol.reject(status, f"{refusal.reason}\n")
                self.transport.write(answer.serialize())
        super().send_data()

    def why_unreadable(self) -> Refusal | None:
        """Why no request could be read of it; None where nothing was said."""
        return unreadable(
            self.protocol.handshake_exc, spoke_tls=self.spoke_tls, head=self.began_with
        )

    def process_event(self, event: Event) -> None:
        """Something arrived: the charger has read what was sent before, as a rule."""
        self._heard = True
        if isinstance(event, Frame) and (event.opcode in _SMALL or not event.fin):
            now = self.loop.time()
            if SMALL_FRAMES.wait(self._small_forgotten_at, now):
                self._fail_flood()
                return
            self._small_forgotten_at = SMALL_FRAMES.spend(self._small_forgotten_at, now)
        if isinstance(event, Frame) and event.fin and event.opcode in _DATA:
            self._messages += 1
            if self._large_is < 0:
                self._large_is = self._messages
                if self._pace_timer is not None:
                    self._pace_timer.cancel()
                    self._pace_timer = None
        super().process_event(event)

    def _read_exact(self, size: int) -> Generator[None, None, bytes | bytearray]:
        """In the place of websockets' own, which reads whatever is announced."""
        if size > FRAME_HEAD:
            total = size + (self.protocol.current_size or 0)
            if total > self.max_size:
                is_new = self.max_size < self.settings.max_frame_size
                raise FrameTooLarge(total, self.max_size, is_new=is_new)
            if total > SMALL:
                yield from self._room_for(total)
        reader = self.protocol.reader
        return (yield from type(reader).read_exact(reader, size))

    def _room_for(self, size: int) -> Generator[None, None, None]:
        """Goes on when there is room for a message of this size, of which this is the rest."""
        while self._large_is > 0 or not self.room.take(self, self.remote, size):
            if not self._waits_for_room:
                self._waits_for_room = True
                self._limit_large(WAIT_FOR_ROOM)
            self.room.wait(self, self._look_for_room)
            yield
        self._waits_for_room = False
        self._large_is = -1
        self._limit_large(LARGE_FRAME_SECONDS + size / LARGE_FRAME_RATE)
        if self._pace_timer is None:
            self._large_since = self.loop.time()
            self._look_at_pace_later()

    @property
    def _large_came(self) -> int:
        """Bytes that are here of the message that is being read."""
        return (self.protocol.current_size or 0) + len(self.protocol.reader.buffer)

    def _look_at_pace_later(self) -> None:
        self._pace_timer = self.loop.call_later(
            LARGE_FRAME_LOOK, self._look_at_pace, self._large_came
        )

    def _look_at_pace(self, before: int) -> None:
        """Whoever announces a large message and does not send it keeps others waiting in vain."""
        if self._waits_for_room or self.recv_messages.paused:
            # It is us who do not read.
            self._large_since += LARGE_FRAME_LOOK
        else:
            came, now = self._large_came, self.loop.time()
            due = (now - self._large_since - LARGE_FRAME_SECONDS) * LARGE_FRAME_RATE
            if came < due or came - before < LEAST_RATE * LARGE_FRAME_LOOK:
                self.drop_slow("a large message arrived too slowly")
                return
        self._look_at_pace_later()

    def _limit_large(self, seconds: float) -> None:
        if self._large_timer is not None:
            self._large_timer.cancel()
        self._large_timer = self.loop.call_later(
            seconds, self.drop_slow, "a large message took too long"
        )

    def _look_for_room(self) -> None:
        if self.gone or self.transport.is_closing():
            return
        # The parser looks again, though nothing has come.
        self.data_received(b"")
        if not self._waits_for_room and not self.recv_messages.paused:
            self.transport.resume_reading()

    def taken(self) -> None:
        """A message is done with, in their order: the room that it had is free."""
        self._messages -= 1
        if self._large_is <= 0:
            return
        self._large_is -= 1
        if not self._large_is:
            if self._large_timer is not None:
                self._large_timer.cancel()
                self._large_timer = None
            self.loop.call_soon(self._leave_room)

    def _leave_room(self) -> None:
        # The next one may have come meanwhile, and the room is its own then.
        if not self._large_is:
            self.room.leave(self)

    def _fail_flood(self) -> None:
        if self._end is None and self.protocol.state is OPEN:
            self.metrics.count("floods")
            self._flooded = True
            self._end = (CloseCode.POLICY_VIOLATION, "too many pings, pongs or fragments")
            self.protocol.fail(*self._end)
            self.send_data()
            self.flooded()

    def drop_slow(self, reason: str) -> None:
        """End it without a close frame, which it would not read either."""
        if self._end is None and self.protocol.state is OPEN:
            self.metrics.count("slow_chargers")
            self._end = (CloseCode.ABNORMAL_CLOSURE, f"dropped: {reason}")
        # Also while it closes: websockets waits without end for room for its close frame.
        self.transport.abort()
