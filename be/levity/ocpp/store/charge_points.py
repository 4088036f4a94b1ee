"""Read the charge points of a batch with their connectors, and add those that nobody knew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from levity.db.prepared import Prepared
from levity.db.rows import insert_rows
from levity.ocpp.chargers.clocks import Lag
from levity.ocpp.chargers.quirks.matching import profile_for
from levity.ocpp.conf import DEFAULTS, setting
from levity.ocpp.models import (
    ChargePoint,
)
from levity.ocpp.request import (
    NO_LAG,
    ChargePointState,
    ConnectorState,
    Place,
    TransactionState,
)
from levity.ocpp.rules.intervals import heartbeat_interval, ping_interval
from levity.ocpp.store import queries
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.newcomers import newcomers
from levity.ocpp.store.values import Arrival
from levity.ocpp.wire.fields import zone_of
from levity.ocpp.wire.subprotocols import spoken
from levity_ws.rpc.envelope import Authenticate, Connected

__all__ = ["Frame", "load_charge_points"]


MAX_IDENTITY = 48
# A connection, a unique id, the frame's number on that connection.
Frame = tuple[str, str, int]


@dataclass(slots=True)
class _Connectors:
    """A charge point's, by place, while its rows are read."""

    all: dict[Place, ConnectorState] = field(default_factory=dict)
    active: dict[Place, TransactionState] = field(default_factory=dict)
    interrupted: dict[Place, TransactionState] = field(default_factory=dict)


def load_charge_points(
    loaded: Loaded, arrivals: Sequence[Arrival], frames: Sequence[Frame]
) -> bool:
    """True if one of these frames may be already recorded."""
    wanted = {item.event.charge_point.lower(): item for item in arrivals}
    wanted.pop("", None)
    if not wanted:
        return bool(frames)
    columns = list(zip(*frames, strict=True)) or [(), (), ()]
    needs_connectors = any(item.references.needs_connectors for item in arrivals)
    # Of two connections that open at once on two edges, the second must see the first one.
    if needs_connectors or any(isinstance(item.event, Connected) for item in arrivals):
        queries.take_turns(wanted)
    if needs_connectors:
        known = _read_charge_points(loaded, queries.CHARGE_POINTS_AND_CONNECTORS, wanted, columns)
    else:
        known = _read_charge_points(loaded, queries.CHARGE_POINTS, wanted, columns)
    missing = [
        item
        for key, item in wanted.items()
        # The edge lets no longer identity pass; one that came all the same is nobody's.
        if key not in loaded.charge_points
        and len(key) <= MAX_IDENTITY
        and _can_be_spoken_with(item)
    ]
    if new := newcomers.let_in(sorted(missing, key=lambda item: item.event.charge_point)):
        insert_rows(
            ChargePoint,
            ("identity", "registration", "created_at", "profile_since"),
            [
                (item.event.charge_point, registration, item.at, item.at)
                for item, registration in new
            ],
            new_only=True,
        )
        names = {item.event.charge_point.lower() for item, _ in new}
        _read_charge_points(loaded, queries.CHARGE_POINTS, names, columns)
    return bool(frames) and known is not False


def _can_be_spoken_with(item: Arrival) -> bool:
    """False for who offers other versions of OCPP only: it is refused, and no charge point."""
    event = item.event
    if not isinstance(event, Authenticate) or not event.subprotocols:
        return True
    return bool(spoken(event.subprotocols))


def _read_charge_points(
    loaded: Loaded, query: Prepared, keys: Iterable[str], frames: Sequence[Sequence[Any]]
) -> bool | None:
    """Whether one of these frames is recorded; None where that was not found out."""
    default_interval = setting("OCPP_HEARTBEAT_INTERVAL")
    default_pings = setting("OCPP_PING_INTERVAL")
    default_power = setting("OCPP_MAX_POWER")
    is_told = default_power != DEFAULTS["OCPP_MAX_POWER"]
    default_rule = setting("OCPP_AUTHORIZATION")
    retry_interval = setting("OCPP_PENDING_INTERVAL")
    known: bool | None = None
    connectors: dict[str, _Connectors] = {}
    for row in query.rows(*frames, list(keys)):
        key, pk, identity, registration, interval, vendor, model, firmware = row[:8]
        if key in connectors:  # the next of its connectors
            _add_connector(loaded, connectors[key], row[queries.FIRST_OF_CONNECTOR :])
            continue
        current, edge, last_seen, own_rule, site_rule, own_zone, site_zone = row[8:15]
        max_power, named, overrides, *signs = row[15:22]
        holds, connection_timeout, clock_lag, seen = signs
        pings, silence, learned_at, booted_at, *signs = row[22 : queries.FIRST_OF_CONNECTOR]
        evidence_until, certificate_name, learned_power, site_id, *signs = signs
        connected_at, known_since, known = signs
        own = connectors[key] = _Connectors()
        overrides_text = orjson.dumps(overrides).decode() if overrides else ""
        quirks = profile_for(vendor, model, firmware, named=named, overrides=overrides_text)
        loaded.charge_points[key] = ChargePointState(
            id=pk,
            identity=identity,
            registration=registration,
            authorization=own_rule or site_rule or default_rule,
            heartbeat_interval=heartbeat_interval(interval, silence, quirks, default_interval),
            ping_interval=ping_interval(pings, quirks, default_pings),
            own_interval=interval,
            learned_silence=silence,
            quirk_choice=(named, overrides_text),
            learned_at=learned_at if silence else None,
            booted_at=booted_at,
            evidence_until=evidence_until,
            certificate_name=certificate_name,
            retry_interval=retry_interval,
            vendor=vendor,
            model=model,
            firmware_version=firmware,
            connection=str(current) if current else None,
            connected_at=connected_at,
            known_since=known_since,
            quirks=quirks,
            zone=zone_of(own_zone or site_zone),
            max_power=max_power or max(default_power, learned_power or 0),
            power_is_told=bool(max_power) or is_told,
            learned_power=learned_power or 0,
            site_id=site_id,
            connectors=own.all,
            holds=holds,
            connection_timeout=connection_timeout,
            lag=NO_LAG if seen is None else Lag(clock_lag, seen),
            active=own.active,
            interrupted=own.interrupted,
        )
        _add_connector(loaded, own, row[queries.FIRST_OF_CONNECTOR :])
        loaded.last_seen[pk] = last_seen
        loaded.edges[pk] = edge
    return known


def _add_connector(loaded: Loaded, own: _Connectors, row: tuple[Any, ...]) -> None:
    """The connector in this row, if there is one, and its transaction."""
    if not row or row[0] is None:
        return
    number, status, since, transaction_id, error, said, evse, *transaction = row
    place = evse, number
    own.all[place] = ConnectorState(number, status, since, transaction_id, error, said, evse)
    if transaction_id is not None:
        running = TransactionState(*transaction)
        loaded.transactions[running.id] = running
        sessions = own.active if running.state == "active" else own.interrupted
        sessions[place] = running
