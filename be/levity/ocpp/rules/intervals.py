"""How often a charger is to give a sign of life: who says so, and what was learned about its line.

The interval of BootNotification.conf is the charge point's own, or what was learned, or its quirk
profile's, or the setting's, in this order; the same for websocket pings, which are never learned:
some chargers (Grizzl-E) answer them with malformed pongs.
"""

from collections.abc import Sequence
from datetime import datetime

from websockets.frames import CloseCode

from levity.ocpp.chargers.quirks.profile import QuirkProfile
from levity_ws.frozen import frozen

__all__ = [
    "LONGEST_SILENCE",
    "SHORTEST_SILENCE",
    "Ending",
    "heartbeat_interval",
    "learned_from",
    "learned_interval",
    "ping_interval",
]

SHORTEST_SILENCE, LONGEST_SILENCE = 30, 290
"""Seconds. Proxies end idle lines after 60 s (nginx, load balancers), 100 s (Cloudflare), 240 s;
an Ocular does after 110 s (lb#2030)."""
IN_A_ROW = 3
ALIKE = 20
"""Seconds by which such silences differ at most; the last frame is known to within ten."""
OURS = frozenset(
    {
        CloseCode.NORMAL_CLOSURE,
        CloseCode.GOING_AWAY,
        CloseCode.POLICY_VIOLATION,
        CloseCode.SERVICE_RESTART,
        CloseCode.TRY_AGAIN_LATER,
    }
)
"""Close codes of ends that are ours or said with a goodbye: a newer connection, a restart."""


@frozen
class Ending:
    """A connection that closed."""

    at: datetime
    silent_for: int
    code: int | None


def heartbeat_interval(
    own: int | None, learned_silence: int | None, quirks: QuirkProfile, default: int
) -> int:
    """Seconds between heartbeats."""
    if own:
        return own
    told = int(quirks.heartbeat_interval or default)
    return min(told, learned_interval(learned_silence)) if learned_silence else told


def ping_interval(own: int | None, quirks: QuirkProfile, default: float) -> float:
    """Seconds between websocket pings; 0: none."""
    if own is not None:
        return own
    return default if quirks.ping_interval is None else quirks.ping_interval


def learned_interval(silence: int) -> int:
    """The heartbeat interval for a line that ends after so many seconds of silence: two of them
    fit in, so that one may be late."""
    return max(10, silence * 45 // 100)


def learned_from(endings: Sequence[Ending]) -> tuple[int, str] | None:
    """(silence, evidence for people) where these, the newest first, ended alike in silence."""
    newest = [ending for ending in endings if not _is_ours(ending)][:IN_A_ROW]
    silences = [ending.silent_for for ending in newest]
    if len(newest) < IN_A_ROW or not all(map(_is_idle, silences)):
        return None
    if max(silences) - min(silences) > ALIKE:
        return None
    said = ", ".join(
        f"{ending.silent_for} s ({ending.at:%Y-%m-%d %H:%M} UTC, code {ending.code or 'none'})"
        for ending in reversed(newest)
    )
    return min(silences), f"the line was closed {IN_A_ROW} times in a row after silence: {said}"


def _is_ours(ending: Ending) -> bool:
    return ending.code in OURS


def _is_idle(silence: int) -> bool:
    return SHORTEST_SILENCE <= silence <= LONGEST_SILENCE
