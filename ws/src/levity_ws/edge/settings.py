"""Settings of an edge, read from the environment once, at the start."""

import ipaddress
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from levity_ws.edge.handshake import Network

__all__ = ["VARIABLES", "EdgeSettings", "SettingsError"]

T = TypeVar("T")


class SettingsError(ValueError):
    """A variable has an invalid value; the text names it and says what is valid."""


def _new_edge_id(name: str = "") -> str:
    # Different for each process, whatever the name: otherwise a restarted edge of the same name
    # would keep the chargers of the previous one online, and two of one name would get each other's
    # Calls.
    return f"{name or socket.gethostname()[:40]}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """All settings of one edge, except the transport's. Times in seconds, sizes in bytes."""

    host: str = "0.0.0.0"  # noqa: S104  # chargers come from everywhere
    port: int = 9000
    """0 chooses a free port."""
    edge_id: str = field(default_factory=_new_edge_id)
    """Unique to this process."""

    max_connections: int = 20_000
    max_connections_per_address: int = 200
    """0 is no limit. Loopback is never limited: it is a proxy or a test."""
    max_frame_size: int = 8 * 1024 * 1024
    """As in SteVe: a StopTransaction may contain the samples of a whole night."""
    large_frames: int = 32 * 1024 * 1024
    """Bytes of frames above 128 KiB that are read or under way at once, of all connections."""
    max_frame_rate: int = 25
    """Frames a second that are read from one charger; 0 is no limit. Faster ones wait in TCP; the
    charger is never disconnected for it."""
    frame_burst: int = 200
    """How many frames may come at once: those that a charger stored while it was offline."""
    max_byte_rate: int = 32 * 1024
    """Bytes a second that are read from one charger in the long run; 0 is no limit. The rest waits
    in TCP."""
    max_byte_rate_per_address: int = 512 * 1024
    """The same for all chargers behind one address; loopback is not limited."""
    max_byte_rate_in_all: int = 8 * 1024 * 1024
    """The same for all chargers."""
    max_connect_rate: int = 1
    """Accepted connections a second of one identity; 0 is no limit. More get 429."""
    connect_burst: int = 10
    """How many in a row may be faster, for a charger with a weak mobile signal."""
    allowed_origins: frozenset[str] = frozenset()
    trusted_proxies: tuple[Network, ...] = ()
    metrics_public: bool = False

    open_timeout: float = 10.0
    close_timeout: float = 3.0
    """How long a charger may take to answer a close frame."""
    write_timeout: float = 20.0
    """How long a charger may leave its data unread."""
    max_unread: int = 256 * 1024
    """If more than this waits for one charger, its connection is dropped at once."""
    ping_interval: float = 0.0
    """0 is off: Grizzl-E answers pings with malformed pongs (QUIRKS: server pings off)."""
    ping_timeout: float = 20.0
    frame_gap: float = 0.02
    """Pause between two frames to a charger that has sent nothing in between."""
    shutdown_grace: float = 3.0
    """How long a shutdown waits for frames in flight before it closes their sockets."""
    goodbye_timeout: float = 3.0
    """How long a shutdown waits until the backend knows of the closed connections."""

    window: int = 2
    """How many batches may be in flight."""
    max_batch_frames: int = 500
    max_batch_bytes: int = 1024 * 1024
    hold: float = 20.0
    """How long a frame waits for a backend that does not answer."""
    alive_interval: float = 10.0
    alive_timeout: float = 10.0
    repeat_after: float = 30.0
    """After this time a batch without an answer is published again: the broker may have lost it."""

    handshakes_at_once: int = 50
    """How many handshakes may be in progress; others wait, so that connected chargers don't."""
    handshakes_waiting: int = 5_000
    """If more wait, the rest are told at once to come back later."""
    backlog: int = 1024
    """Connections that the kernel holds until the edge takes them."""
    spool: str = ""
    """The folder in which the edge keeps what it answers while the backend is away; empty: off."""
    spool_size: int = 64 * 1024 * 1024
    spool_starts: bool = True
    """Whether anyone may charge then: StartTransaction and Authorize are accepted unchecked."""
    spool_after: float = 5.0
    """How long the backend must be away before the spool answers."""
    spool_ids: int = 500
    """How many transaction ids it keeps for the time when the backend is away."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "EdgeSettings":
        """The defaults, overridden by the environment; raises `SettingsError` if a value is
        invalid."""
        chosen: dict[str, object] = {}
        for variable, (name, parse) in VARIABLES.items():
            text = environ.get(variable, "").strip()
            if not text:
                continue
            try:
                chosen[name] = parse(text)
            except ValueError as error:
                raise SettingsError(f"{variable}={text!r}: {error}") from error
        return cls(**chosen)  # type: ignore[arg-type]  # the table below pairs names and types


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not low <= value <= high:
            raise ValueError(f"expected seconds from {low:g} to {high:g}")
        return value

    return parse


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("expected 0 or 1")
    return text == "1"


def _networks(text: str) -> tuple[Network, ...]:
    parts = (part.strip() for part in text.split(","))
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)
    except ValueError as error:
        raise ValueError(
            "expected addresses or networks with commas between, such as 10.0.0.0/8"
        ) from error


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _folder(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected the path of a folder")
    return text


def _name(text: str) -> str:
    if len(text) > 64 or not text.isprintable():
        raise ValueError("expected at most 64 printable characters")
    return text


def _edge_name(text: str) -> str:
    return _new_edge_id(_name(text))


VARIABLES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "WS_HOST": ("host", _name),
    "WS_PORT": ("port", _whole(0, 65535)),
    "LEVITY_EDGE_ID": ("edge_id", _edge_name),
    "LEVITY_MAX_CONNECTIONS": ("max_connections", _whole(1, 1_000_000)),
    "LEVITY_MAX_CONNECTIONS_PER_ADDRESS": ("max_connections_per_address", _whole(0, 1_000_000)),
    "LEVITY_MAX_FRAME_SIZE": ("max_frame_size", _whole(1024, 16 * 1024 * 1024)),
    "LEVITY_MAX_FRAME_RATE": ("max_frame_rate", _whole(0, 100_000)),
    "LEVITY_MAX_BYTE_RATE": ("max_byte_rate", _whole(0, 1024**3)),
    "LEVITY_MAX_BYTE_RATE_PER_ADDRESS": ("max_byte_rate_per_address", _whole(0, 1024**3)),
    "LEVITY_MAX_BYTE_RATE_IN_ALL": ("max_byte_rate_in_all", _whole(0, 1024**3)),
    "LEVITY_MAX_CONNECT_RATE": ("max_connect_rate", _whole(0, 100_000)),
    "LEVITY_ALLOWED_ORIGINS": ("allowed_origins", _names),
    "LEVITY_TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "LEVITY_METRICS_PUBLIC": ("metrics_public", _switch),
    "LEVITY_OPEN_TIMEOUT": ("open_timeout", _seconds(1, 120)),
    "LEVITY_WRITE_TIMEOUT": ("write_timeout", _seconds(1, 600)),
    "LEVITY_PING_INTERVAL": ("ping_interval", _seconds(0, 86400)),
    "LEVITY_PING_TIMEOUT": ("ping_timeout", _seconds(1, 600)),
    "LEVITY_FRAME_GAP": ("frame_gap", _seconds(0, 10)),
    "LEVITY_HOLD_SECONDS": ("hold", _seconds(1, 300)),
    "LEVITY_SPOOL": ("spool", _folder),
    "LEVITY_SPOOL_SIZE": ("spool_size", _whole(64 * 1024, 16 * 1024**3)),
    "LEVITY_SPOOL_STARTS": ("spool_starts", _switch),
    "LEVITY_SPOOL_AFTER": ("spool_after", _seconds(0, 20)),
    "LEVITY_SPOOL_IDS": ("spool_ids", _whole(1, 10_000)),
}
