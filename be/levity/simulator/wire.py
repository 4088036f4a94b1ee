"""What travels on the socket: OCPP-J frames, and the seam behind which the socket lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any, Protocol
from uuid import UUID

import orjson
from websockets.frames import CloseCode

from levity.simulator.profiles import MessageIds, Profile, TimestampStyle

__all__ = [
    "Answer",
    "DialError",
    "Dialer",
    "Link",
    "LinkClosedError",
    "MessageIdSeries",
    "Outcome",
    "call_frame",
    "error_frame",
    "result_frame",
    "written",
]


class DialError(Exception):
    """The charger could not connect. `retry_after` is the server's word in seconds, or None."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class LinkClosedError(Exception):
    """The connection is gone; `code` is RFC 6455's, 1006 where no Close frame came."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Link(Protocol):
    """One open connection."""

    async def send(self, text: str) -> None: ...

    async def recv(self) -> str:
        """The next frame; raises LinkClosedError when there will be none."""
        ...

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE) -> None: ...

    def abort(self) -> None:
        """Go without a word, as when the power goes."""
        ...


class Dialer(Protocol):
    """Opens connections; raises DialError."""

    async def dial(self, identity: str, profile: Profile) -> Link: ...


class Outcome(StrEnum):
    """How a Call ended."""

    RESULT = "result"
    ERROR = "error"
    TIMEOUT = "timeout"
    LOST = "lost"
    """The connection broke, or there was none: nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a Call. `payload` only with RESULT, `code` and `description` only with ERROR."""

    outcome: Outcome
    payload: Mapping[str, Any] | None = None
    code: str = ""
    description: str = ""

    @property
    def status(self) -> str:
        """`status`, or `idTagInfo.status`, of a result; empty where there is none."""
        payload = self.payload or {}
        info = payload.get("idTagInfo")
        found = info.get("status") if isinstance(info, dict) else payload.get("status")
        return found if isinstance(found, str) else ""


def call_frame(unique_id: str, action: str, payload: Mapping[str, Any]) -> str:
    """[2, id, action, payload]"""
    return orjson.dumps([2, unique_id, action, payload]).decode()


def result_frame(unique_id: str, payload: Mapping[str, Any]) -> str:
    """[3, id, payload]"""
    return orjson.dumps([3, unique_id, payload]).decode()


def error_frame(unique_id: str, code: str, description: str) -> str:
    """[4, id, code, description, {}]"""
    return orjson.dumps([4, unique_id, code, description, {}]).decode()


class MessageIdSeries:
    """The unique ids of one charger's Calls."""

    def __init__(self, style: MessageIds, serial: str, chance: Random) -> None:
        self._style = style
        self._serial = serial
        self._chance = chance
        self._count = 0

    def next(self) -> str:
        """A new id."""
        self._count += 1
        match self._style:
            case MessageIds.COUNTER:
                return str(self._count)
            case MessageIds.SERIAL_AND_HEX:
                serial = self._serial.removeprefix("GRS-")
                return f"{serial}{self._chance.getrandbits(32):08x}"
            case MessageIds.LONG_NUMBER:
                return f"{self._chance.randrange(10**19, 10**20)}"
            case MessageIds.UUID:
                return str(UUID(int=self._chance.getrandbits(128), version=4))

    def restart(self) -> None:
        """After a reboot."""
        self._count = 0


def written(moment: datetime, profile: Profile) -> str:
    """A moment as this make writes it."""
    local = moment + timedelta(hours=profile.utc_offset)
    match profile.timestamps:
        case TimestampStyle.MILLISECONDS:
            return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        case TimestampStyle.SECONDS:
            return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        case TimestampStyle.WITHOUT_ZONE:
            return f"{local:%Y-%m-%dT%H:%M:%S}"
        case TimestampStyle.LOCAL_LABELLED_UTC:
            return f"{local:%Y-%m-%dT%H:%M:%SZ}"
