"""What the housekeeping looks for every few seconds, mostly in vain: queries built once.

Only if one of these finds something is the work worth Django's querysets, whose building alone
would keep frames waiting for tens of milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from levity.db.prepared import Prepared
from levity.ocpp.models import (
    AuthFailure,
    ChargePoint,
    ChargePointCertificate,
    Command,
    Edge,
    RefusedHandshake,
)

__all__ = [
    "Silent",
    "any_approved_certificate",
    "any_ended_secret",
    "any_forgotten_guess",
    "heartbeat_intervals",
    "old_refusals",
    "silent_charge_points",
    "silent_edges",
]

# At most so many charge points in one go.
AT_ONCE = 500
# The same of refused handshakes.
OLD_AT_ONCE = 2000


@dataclass(slots=True)
class Silent:
    """A charge point that is connected and was not heard."""

    id: int
    identity: str
    connection: UUID | None
    edge: str | None
    seen: datetime
    vendor: str
    model: str
    firmware_version: str
    quirk_profile: str
    quirk_overrides: Any


def silent_edges(before: datetime) -> list[str]:
    """The ids of the edges that gave no sign of life since `before`."""
    return [pk for (pk,) in _EDGES.rows(before)]


def heartbeat_intervals() -> list[int | None]:
    """Those of the charge points on line, each once; None: the site's."""
    return [interval for (interval,) in _INTERVALS.rows()]


def silent_charge_points(interval: int | None, before: datetime) -> Sequence[Silent]:
    """Those on line with this interval that were connected and heard last before this time, and
    are not marked as silent yet."""
    if interval is None:
        rows = _SILENT_BY_DEFAULT.rows(before, before)
    else:
        rows = _SILENT.rows([interval], before, before)
    return [Silent(*row) for row in rows]


def any_ended_secret() -> bool:
    """True if a command that is over still has its secret."""
    return bool(_SECRETS.rows())


def any_forgotten_guess(at: float) -> bool:
    """True if a guess at a key counts no longer, at this POSIX time."""
    return bool(_GUESSES.rows(at, at))


def old_refusals(kept: int, *, named: bool) -> list[int]:
    """The ids of refused handshakes beyond the newest `kept`: of those that name an identity, or
    of those that name none."""
    return [pk for (pk,) in _refusals_behind(kept, named).rows()]


def any_approved_certificate() -> bool:
    """True if somebody has approved one that is not signed yet."""
    return bool(_APPROVED.rows())


_ONLINE = ChargePoint.objects.filter(connection__isnull=False)


def _silent(among: Any, seen: Any, connected: Any) -> Any:
    silent = among.filter(
        silent_since=None, last_seen_at__earlier_than=seen, connected_at__earlier_than=connected
    )
    columns = silent.order_by("pk").values_list(
        "pk",
        "identity",
        "connection",
        "edge_id",
        "last_seen_at",
        "vendor",
        "model",
        "firmware_version",
        "quirk_profile",
        "quirk_overrides",
    )
    return columns[:AT_ONCE]


@cache
def _refusals_behind(kept: int, named: bool) -> Prepared:
    refusals = RefusedHandshake.objects.order_by("-last_at", "-pk")
    chosen = refusals.exclude(identity="") if named else refusals.filter(identity="")
    return Prepared(lambda: chosen.values_list("pk")[kept : kept + OLD_AT_ONCE], parameters=0)


_EDGES = Prepared(
    lambda before: Edge.objects.filter(last_seen_at__earlier_than=before).values_list("pk")
)
_INTERVALS = Prepared(
    lambda: _ONLINE.order_by().values_list("heartbeat_interval").distinct(), parameters=0
)
_SILENT = Prepared(
    lambda intervals, seen, connected: _silent(
        _ONLINE.filter(heartbeat_interval__any_of=intervals), seen, connected
    ),
    parameters=3,
)
_SILENT_BY_DEFAULT = Prepared(
    lambda seen, connected: _silent(_ONLINE.filter(heartbeat_interval=None), seen, connected),
    parameters=2,
)
_SECRETS = Prepared(
    lambda: (
        Command.objects.exclude(secret="")
        .exclude(state__in=("queued", "sent"))
        .order_by()
        .values_list("pk")[:1]
    ),
    parameters=0,
)
_GUESSES = Prepared(
    lambda at, insistent: (
        AuthFailure.objects.filter(
            forgotten_at__earlier_than=at, insistent_forgotten_at__earlier_than=insistent
        )
        .order_by()
        .values_list("pk")[:1]
    ),
    parameters=2,
)
_APPROVED = Prepared(
    lambda: (
        ChargePointCertificate.objects.filter(state="approved").order_by().values_list("pk")[:1]
    ),
    parameters=0,
)
