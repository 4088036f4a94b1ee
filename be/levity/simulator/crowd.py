"""Many bare connections at once: what the benchmark needs of a socket, and no more."""

import asyncio
import contextlib
import ipaddress
import math
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from levity.simulator.websocket import charge_point_url
from levity.simulator.wire import DialError

__all__ = ["Crowd", "raise_file_limit", "run_loop"]

_Result = TypeVar("_Result")
_AT_ONCE = 50
_PER_ADDRESS = 100
"""Connections from one loopback address: far from its ports' end, and from a sane limit."""


class Crowd:
    """Opens connections, fifty at a time, from as many loopback addresses as it takes.

    `addresses` is the number of source addresses (127.0.0.1, 127.0.0.2, ...); None: one for 100
    connections. Against a server elsewhere there is only this machine's own address.
    """

    def __init__(self, url: str, *, addresses: int | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError("no websocket URL; it should look like ws://host:9000/ws")
        self._url = url
        self._addresses = addresses
        self._connections: list[ClientConnection] = []
        self._host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
        self._port = parts.port or (443 if parts.scheme == "wss" else 80)

    async def connect(self, prefix: str, count: int) -> list[ClientConnection]:
        """Open `count` connections, PREFIX-000001 and so on. Raises DialError if one fails."""
        spread = self._addresses or math.ceil(count / _PER_ADDRESS)
        for start in range(0, count, _AT_ONCE):
            numbers = range(start + 1, min(start + _AT_ONCE, count) + 1)
            self._connections += await asyncio.gather(
                *(self._dial(f"{prefix}-{number:06d}", number % spread) for number in numbers)
            )
        return self._connections

    async def disperse(self) -> None:
        """Close them all."""
        for start in range(0, len(self._connections), _AT_ONCE):
            some = self._connections[start : start + _AT_ONCE]
            await asyncio.gather(
                *(each.close(CloseCode.GOING_AWAY) for each in some), return_exceptions=True
            )
        self._connections.clear()

    async def _dial(self, identity: str, address: int) -> ClientConnection:
        source: dict[str, Any] = {}
        if _is_loopback(self._host):
            # 16 bits of loopback addresses after 127.0: 127.0.0.1, 127.0.0.2, ... 127.0.1.0, ...
            source["local_addr"] = (str(ipaddress.IPv4Address(0x7F000001 + address)), 0)
        try:
            return await connect(
                charge_point_url(self._url, identity),
                host=self._host,
                port=self._port,
                subprotocols=[Subprotocol("ocpp1.6")],
                compression=None,
                proxy=None,
                ping_interval=None,
                close_timeout=1,
                open_timeout=30,
                **source,
            )
        except InvalidStatus as refused:
            status = refused.response.status_code
            raise DialError(f"{identity} was refused with HTTP {status}") from refused
        except (OSError, TimeoutError, WebSocketException) as error:
            raise DialError(f"{identity} cannot connect: {error or 'time-out'}") from error


def _is_loopback(host: str) -> bool:
    try:
        return isinstance(ipaddress.ip_address(host), ipaddress.IPv4Address) and (
            ipaddress.ip_address(host).is_loopback
        )
    except ValueError:
        return False


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us; sockets are files."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run_loop(work: Coroutine[Any, Any, _Result]) -> _Result:
    """`asyncio.run`, on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
