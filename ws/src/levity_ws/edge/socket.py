"""One charger's websocket: its lane, what is written to it, and how it ends.

`reading` reads it; the edge does not know what its frames mean.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import broadcast
from websockets.frames import CloseCode
from websockets.protocol import OPEN

from levity_ws.closing import is_sendable
from levity_ws.edge.lane import Lane
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.reading import ReadingSocket
from levity_ws.edge.refusal import printable
from levity_ws.edge.room import Room
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.envelope import Accept

__all__ = ["ChargerSocket"]


HANDSHAKES = 1000
"""How many sockets may be in their handshake when all connections are taken."""


class ChargerSocket(ReadingSocket):
    """A websocket and, once it is accepted, its lane. Also the `Peer` at the end of that lane."""

    # Slots, because one more name than thirty in the instance's dictionary ends the sharing of its
    # keys: 1.5 KB on each of many thousand idle connections.
    __slots__ = (
        "_closing",
        "_everyone",
        "_on_flood",
        "_on_gone",
        "_outbox",
        "_outbox_size",
        "_unread_timer",
        "_written_at",
        "abort_to_close",
        "busy",
        "forgotten_at",
        "frame_gap",
        "handled",
        "lane",
        "paced",
        "strict_gap",
        "subprotocol_answer",
    )

    def __init__(
        self,
        *args: Any,
        settings: EdgeSettings,
        metrics: Metrics,
        room: Room,
        everyone: "set[ChargerSocket]",
        unreadable: "Callable[[ReadingSocket], None]" = lambda _: None,
        on_flood: "Callable[[ChargerSocket], None]" = lambda _: None,
        **options: Any,
    ) -> None:
        """`everyone` holds each socket from its first byte to its last; `options` are serve's.
        `unreadable` is called for a connection that ended without a readable request, `on_flood`
        for one that is being closed for a flood of small frames.
        """
        super().__init__(
            *args,
            settings=settings,
            metrics=metrics,
            room=room,
            unreadable=unreadable,
            **options,
        )
        self._on_flood = on_flood
        self._everyone = everyone
        self.lane: Lane | None = None
        self.handled = False
        """True once the frames are being read, and whoever reads them reports the end."""
        self.busy = False
        """True while a frame of this charger is in flight."""
        self.abort_to_close = False
        self.forgotten_at = 0.0
        """The frames that still count; see `Pace`."""
        self.paced = False
        """True once it was logged that this charger sends too fast."""
        self.frame_gap = 0.0
        self.strict_gap = False
        self.subprotocol_answer = ""
        self._on_gone: Callable[[], None] | None = None
        self._written_at = float("-inf")
        self._outbox: deque[str] | None = None
        self._outbox_size = 0
        self._unread_timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection: a frame must not wait for the acknowledgement of the previous one."""
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(raw)
        super().connection_made(transport)
        self._everyone.add(self)
        if len(self._everyone) > self.settings.max_connections + HANDSHAKES:
            self.metrics.count("refusals", "flood")
            self.transport.abort()

    def admit(self, lane: Lane, accept: Accept) -> None:
        """Use the backend's settings for this charger."""
        self.lane = lane
        self.subprotocol_answer = accept.subprotocol
        self.abort_to_close = accept.close == "abort"
        # A gap set by the backend is always kept. The edge's own is skipped if the charger has sent
        # something since the last frame, so that it never delays an ordinary answer.
        self.strict_gap = accept.frame_gap > 0
        self.frame_gap = accept.frame_gap or self.settings.frame_gap
        # Read by websockets when the handshake is over, to start its keepalive or not.
        self.ping_interval = accept.ping_interval or self.settings.ping_interval or None
        if accept.ping_interval:
            self.ping_timeout = accept.ping_timeout or None
        self.measure_frames(accept.max_size)

    def handshake_over(self) -> None:
        """Forget the headers, which are no longer needed.

        websockets' parser keeps the request for as long as the connection: two kilobytes each,
        with the Authorization header in it.
        """
        if self.request is not None:
            self.request.headers.clear()
        self.response = None

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call this once TCP is gone; at once if it is."""
        if self.gone:
            callback()
        else:
            self._on_gone = callback

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone. Report an accepted charger that never reached `handled`."""
        if self._unread_timer is not None:
            self._unread_timer.cancel()
        self._everyone.discard(self)
        self._outbox = None
        super().connection_lost(exc)
        if self._on_gone is not None:
            self._on_gone()
            self._on_gone = None
        if self.lane is not None and not self.handled:
            self.lane.disconnected(CloseCode.ABNORMAL_CLOSURE, "the handshake was not finished")
        if self.request is None:
            self.tell_unreadable()

    def end(self) -> tuple[int, str]:
        """Close code and reason, from the side that closed first; 1006 if neither did."""
        if self._end is not None:
            return self._end
        protocol = self.protocol
        close = protocol.close_rcvd
        if protocol.close_sent is not None and not protocol.close_rcvd_then_sent:
            close = protocol.close_sent
        if close is None:
            return CloseCode.ABNORMAL_CLOSURE, ""
        return int(close.code), printable(close.reason)

    def write(self, text: str) -> None:
        """See `Peer.write`: at once, or when the gap to the frame before has passed."""
        if self._outbox is not None:
            self._outbox.append(text)
            self._outbox_size += len(text)
            if self._outbox_size > self.settings.max_unread:
                self.drop_slow("too much output is waiting for it")
            return
        remaining = self._gap_remaining()
        if remaining <= 0:
            self._write_now(text)
            return
        self._outbox = deque((text,))
        self._outbox_size = len(text)
        self.loop.call_later(remaining, self._write_next)

    def _gap_remaining(self) -> float:
        if not self.frame_gap or (self._heard and not self.strict_gap):
            return 0.0
        return self._written_at + self.frame_gap - self.loop.time()

    def _write_next(self) -> None:
        if not self._outbox:
            self._outbox = None
            return
        text = self._outbox.popleft()
        self._outbox_size -= len(text)
        self._write_now(text)
        if self._outbox:
            self.loop.call_later(self.frame_gap, self._write_next)
        else:
            self._outbox = None

    def _write_now(self, text: str) -> None:
        if self.protocol.state is not OPEN:
            self.metrics.count("commands_dropped", "send")
            return
        self._heard = False
        self._written_at = self.loop.time()
        self.metrics.count("frames_sent")
        # The only way in websockets to write without waiting for a slow reader.
        broadcast((self,), text)
        if self.transport.get_write_buffer_size() > self.settings.max_unread:
            self.drop_slow("too much output is waiting for it")

    def pause_writing(self) -> None:
        """The charger does not read. Give it some time."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(
            self.settings.write_timeout, self.drop_slow, "it did not read for too long"
        )

    def resume_writing(self) -> None:
        """The charger reads again."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def flooded(self) -> None:
        """See `ReadingSocket.flooded`."""
        self._on_flood(self)

    def hang_up(self, code: int, reason: str) -> None:
        """Close with a close frame, or without one if this charger needs that."""
        if self._closing is not None or self.protocol.state is not OPEN:
            return
        code, reason = _sendable(code, reason)
        if self.abort_to_close:
            # JIGU never reconnects after a clean close frame (QUIRKS).
            self._end = (code, reason)
            self.transport.abort()
            return
        self._closing = self.loop.create_task(self.close(code, reason))
        if self._end_timer is None:
            self._end_timer = self.loop.call_later(self.close_timeout or 0, self.transport.abort)

    async def hung_up(self) -> None:
        """Wait until TCP is gone, for `close_timeout` at most; closes the socket if necessary."""
        if self._closing is not None:
            await self._closing
        else:
            await self.close()


# A charger whose power is cut sends nothing. TCP's keepalive finds out, unnoticed by the charger's
# websocket code, which may not understand pings (Grizzl-E).
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


def _keep_alive(raw: socket.socket) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _sendable(code: int, reason: str) -> tuple[int, str]:
    # RFC 6455, 5.5: a control frame carries at most 125 bytes.
    if not is_sendable(code):
        code = CloseCode.NORMAL_CLOSURE
    return code, reason.encode()[:123].decode("utf-8", "ignore")
