"""Real websockets behind the seam of `wire.py`."""

import base64
import contextlib
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from levity.simulator.profiles import Profile
from levity.simulator.wire import DialError, LinkClosedError

__all__ = ["WebsocketDialer", "WebsocketLink", "charge_point_url"]


def charge_point_url(base: str, identity: str) -> str:
    """The URL of one charge point; the identity is percent-encoded (OCPP-J 1.6, 3.1.1)."""
    return f"{base.rstrip('/')}/{quote(identity, safe='')}"


class _Connection(ClientConnection):
    """Notices when two frames share a TCP segment, which some firmware cannot parse."""

    coalesced = False

    def data_received(self, data: bytes) -> None:
        if len(data) > 2 and not self.coalesced and self.protocol.state.name == "OPEN":
            length, header = data[1] & 0x7F, 2
            if length == 126:
                length, header = int.from_bytes(data[2:4], "big"), 4
            elif length == 127:
                length, header = int.from_bytes(data[2:10], "big"), 10
            # True only for chunks that begin with a frame, which is nearly all of them; a chunk
            # that continues a long frame is misread at worst as a longer one.
            self.coalesced = data[0] & 0x8F == 0x81 and len(data) > header + length
        super().data_received(data)


class WebsocketLink:
    """One open websocket."""

    def __init__(self, connection: ClientConnection, *, breaks_on_coalesced_frames: bool) -> None:
        self._connection = connection
        self._fragile = breaks_on_coalesced_frames

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise _link_closed(closed) from closed

    async def recv(self) -> str:
        try:
            frame = await self._connection.recv(decode=True)
        except ConnectionClosed as closed:
            raise _link_closed(closed) from closed
        if self._fragile and getattr(self._connection, "coalesced", False):
            await self._connection.close(CloseCode.PROTOCOL_ERROR)
            raise LinkClosedError(CloseCode.PROTOCOL_ERROR, "two frames in one TCP segment")
        return frame if isinstance(frame, str) else frame.decode(errors="replace")

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            await self._connection.close(code)

    def abort(self) -> None:
        self._connection.transport.abort()


class WebsocketDialer:
    """Dials `base`/identity, with this key if there is one. Time-outs are real seconds."""

    def __init__(self, base: str, *, open_timeout: float = 20.0, key: str | None = None) -> None:
        if urlsplit(base).scheme not in ("ws", "wss") or not urlsplit(base).hostname:
            raise ValueError(f"{base!r} is no websocket URL; it should look like ws://host:9000/ws")
        self.base = base
        self._open_timeout = open_timeout
        self._key = key

    def _headers(self, identity: str, profile: Profile) -> dict[str, str]:
        headers = {} if profile.origin is None else {"Origin": profile.origin}
        if self._key is not None:
            # OCPP-J 1.6, 6.2.2: the user name is the identity.
            login = base64.b64encode(f"{identity}:{self._key}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        return headers

    async def dial(self, identity: str, profile: Profile) -> WebsocketLink:
        try:
            connection = await connect(
                charge_point_url(self.base, identity),
                subprotocols=[Subprotocol(offer) for offer in profile.subprotocols] or None,
                user_agent_header=profile.user_agent,
                additional_headers=self._headers(identity, profile),
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=self._open_timeout,
                close_timeout=2,
                max_size=2**20,
                create_connection=_Connection if profile.breaks_on_coalesced_frames else None,
            )
        except InvalidStatus as refused:
            status = refused.response.status_code
            raise DialError(
                f"the server answered HTTP {status}",
                retry_after=_seconds(refused.response.headers.get("Retry-After")),
            ) from refused
        except TimeoutError as late:
            raise DialError(f"no handshake within {self._open_timeout:g} s") from late
        except (OSError, WebSocketException) as error:
            raise DialError(str(error) or type(error).__name__) from error
        return WebsocketLink(
            connection, breaks_on_coalesced_frames=profile.breaks_on_coalesced_frames
        )


def _link_closed(closed: ConnectionClosed) -> LinkClosedError:
    return (
        LinkClosedError(closed.rcvd.code, closed.rcvd.reason)
        if closed.rcvd
        else LinkClosedError(CloseCode.ABNORMAL_CLOSURE)
    )


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
