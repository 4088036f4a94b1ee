"""What happened, for receivers outside of Levity: told inside the database transaction in which it
did.

`OCPP_EVENT_RECORDER` names the one recorder of events: `levity.integrations.outbox.recorder` in
Levity's own project, none in others. It says which types somebody wants, and only those are made:
without one, nothing is built, written or asked. ADR 36 says why there is a single recorder, and
what it costs; docs/events.md shows every type.
"""

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from django.utils.module_loading import import_string

from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint
from levity_ws.frozen import frozen

__all__ = [
    "ALERTS",
    "CHARGERS",
    "COMMANDS",
    "CONNECTORS",
    "FILES",
    "LOOK_UP",
    "SESSIONS",
    "TAGS",
    "TYPES",
    "BadRecorder",
    "Happened",
    "Recorder",
    "load_recorder",
    "plain",
    "refresh",
    "tell",
    "wanted",
]

SESSIONS = (
    "session.started",
    "session.updated",
    "session.suspended",
    "session.ended",
    "session.corrected",
)
CHARGERS = (
    "charger.connected",
    "charger.disconnected",
    "charger.booted",
    "charger.faulted",
    "charger.recovered",
)
CONNECTORS = ("connector.status",)
TAGS = ("tag.unknown", "tag.refused")
COMMANDS = ("command.finished",)
ALERTS = ("alert.raised", "alert.ended")
FILES = ("firmware.status", "diagnostics.status", "file.received")
TYPES: tuple[str, ...] = (*SESSIONS, *CHARGERS, *CONNECTORS, *TAGS, *COMMANDS, *ALERTS, *FILES)

LOOK_UP = -1
"""A site that whoever tells the event does not know: it is the charge point's."""
# Seconds for which the answer of a recorder is believed. A worker asks again every few seconds,
# between two batches; only elsewhere one that is older is renewed when it is needed.
BELIEVED = 10.0
NOTHING: frozenset[str] = frozenset()


@frozen
class Happened:
    """One event."""

    type: str
    """One of `TYPES`."""
    at: datetime
    charge_point_id: int | None
    identity: str
    """The charge point's; empty: it is about none."""
    data: Mapping[str, Any]
    """JSON: Wh and W as text, with their units in the names; times in UTC. Never an id tag."""
    id_tag: str = ""
    """Kept apart: only receivers that may see id tags get it."""
    site_id: int | None = LOOK_UP


class Recorder(Protocol):
    """What `OCPP_EVENT_RECORDER` names."""

    def wanted(self) -> Collection[str]:
        """The types that somebody wants; may ask the database."""

    def record(self, events: Sequence[Happened]) -> None:
        """Write these, in one statement, inside the open transaction."""


class BadRecorder(Exception):
    """OCPP_EVENT_RECORDER can't be used; the text says why."""


def load_recorder(path: Any) -> Recorder:
    """The object that OCPP_EVENT_RECORDER names."""
    if not isinstance(path, str) or "." not in path:
        raise BadRecorder(f"{path!r} is not a dotted path (package.module.object)")
    try:
        found: Any = import_string(path)
    except Exception as error:  # whatever its author wrote: the entry is to be named
        raise BadRecorder(f"{path!r} can't be imported: {error!r}") from error
    if not (hasattr(found, "wanted") and hasattr(found, "record")):
        raise BadRecorder(f"{path!r} has no methods wanted() and record(events)")
    return found


class _Known:
    """What the recorder wanted when it was asked last."""

    path: str = ""
    types: frozenset[str] = NOTHING
    until = float("-inf")
    lock = threading.Lock()


_known = _Known()


def wanted(*, renew: bool = True) -> frozenset[str]:
    """The types that somebody wants, as of some seconds ago. `renew` False: as last asked, without
    any statement, because a charger waits."""
    path = setting("OCPP_EVENT_RECORDER")
    if not path:
        return NOTHING
    if path != _known.path or (renew and time.monotonic() >= _known.until):
        refresh()
    return _known.types


def refresh() -> None:
    """Ask the recorder again. Outside of a batch: it may ask the database."""
    path = setting("OCPP_EVENT_RECORDER")
    with _known.lock:
        _known.types = frozenset(load_recorder(path).wanted()) if path else NOTHING
        _known.path, _known.until = path, time.monotonic() + BELIEVED


def tell(events: Iterable[Happened], types: frozenset[str] | None = None) -> None:
    """Record those of these events that somebody wants; inside the transaction in which they
    happened."""
    types = wanted() if types is None else types
    if not types:
        return
    found = [event for event in events if event.type in types]
    if found:
        load_recorder(setting("OCPP_EVENT_RECORDER")).record(_with_sites(found))


def _with_sites(events: list[Happened]) -> list[Happened]:
    open_ones = {
        event.charge_point_id
        for event in events
        if event.site_id == LOOK_UP and event.charge_point_id is not None
    }
    rows = ChargePoint.objects.filter(pk__in=open_ones) if open_ones else None
    sites = dict(rows.values_list("pk", "site_id")) if rows is not None else {}
    return [
        Happened(
            event.type,
            event.at,
            event.charge_point_id,
            event.identity,
            event.data,
            event.id_tag,
            sites.get(event.charge_point_id) if event.charge_point_id else None,
        )
        if event.site_id == LOOK_UP
        else event
        for event in events
    ]


def plain(value: Any) -> Any:
    """This value as events tell it: numbers with decimals as text, times in UTC."""
    if isinstance(value, Decimal):
        return format(value.quantize(Decimal("0.001")).normalize() + 0, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value
