"""Read what a batch needs, in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections

from levity.db.plans import array_text, planned
from levity.db.prepared import Prepared
from levity.db.rows import insert_rows, reserve_ids
from levity.ocpp.chargers.clocks import Lag
from levity.ocpp.chargers.quirks.matching import profile_for
from levity.ocpp.conf import DEFAULTS, setting
from levity.ocpp.models import (
    ChargePoint,
    Transaction,
)
from levity.ocpp.request import (
    NO_LAG,
    ChargePointState,
    ConnectorState,
    EarlyStop,
    IdTagState,
    Place,
    TransactionState,
)
from levity.ocpp.rules.id_tags import spellings
from levity.ocpp.rules.intervals import heartbeat_interval, ping_interval
from levity.ocpp.rules.same_start import is_sent_again
from levity.ocpp.store import queries
from levity.ocpp.store.certificates import load_signing
from levity.ocpp.store.handshakes import load_handshakes
from levity.ocpp.store.loaded import KnownCommand, Loaded
from levity.ocpp.store.messages.known import load_moved
from levity.ocpp.store.newcomers import newcomers
from levity.ocpp.store.values import Arrival, StoredMessage, start_key
from levity.ocpp.wire.fields import zone_of
from levity.ocpp.wire.frames import CallError, CallResult, Malformed
from levity.ocpp.wire.subprotocols import spoken
from levity_ws.rpc.envelope import Authenticate, Connected, Disconnected, Lease, Received, Spooled

__all__ = ["load"]

MAX_IDENTITY = 48
# A connection, a unique id, the frame's number on that connection.
Frame = tuple[str, str, int]
# Ids are 2^31; an edge has its next 500 in store.
MOST_LEASED = 10_000


@dataclass(slots=True)
class _Connectors:
    """A charge point's, by place, while its rows are read."""

    all: dict[Place, ConnectorState] = field(default_factory=dict)
    active: dict[Place, TransactionState] = field(default_factory=dict)
    interrupted: dict[Place, TransactionState] = field(default_factory=dict)


def load(arrivals: Sequence[Arrival], now: datetime | None = None) -> Loaded:
    """Everything about these arrivals; unknown charge points are added where that is the rule.

    `now`: this machine's time, where old frames are to be known again.
    """
    loaded = Loaded()
    frames = [
        (item.connection, item.frame.unique_id[:64], item.event.seq)
        for item in arrivals
        if item.frame is not None
    ]
    if _load_charge_points(loaded, arrivals, frames):
        _load_messages(loaded, frames)
    if now is not None:
        # After the rows: what moves in this moment is in one of the two.
        load_moved(loaded, arrivals, now)
    _load_transactions(loaded, arrivals)
    _load_starts(loaded, arrivals)
    _load_id_tags(loaded, arrivals)
    _load_commands(loaded, arrivals)
    _load_connections(loaded, arrivals)
    _load_leases(loaded, arrivals)
    newcomers.note_outside(arrivals)
    loaded.handshakes = load_handshakes(arrivals, loaded.charge_points)
    loaded.signing = load_signing(arrivals, loaded.charge_points)
    return loaded


def _load_charge_points(
    loaded: Loaded, arrivals: Sequence[Arrival], frames: Sequence[Frame]
) -> bool:
    """True if one of these frames may be already recorded."""
    wanted = {item.event.charge_point.lower(): item for item in arrivals}
    wanted.pop("", None)
    if not wanted:
        return bool(frames)
    columns = list(zip(*frames, strict=True)) or [(), (), ()]
    if any(item.references.needs_connectors for item in arrivals):
        queries.take_turns(wanted)
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
        evidence_until, certificate_name, learned_power, known = signs
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
            quirks=quirks,
            zone=zone_of(own_zone or site_zone),
            max_power=max_power or max(default_power, learned_power or 0),
            power_is_told=bool(max_power) or is_told,
            learned_power=learned_power or 0,
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


def _load_messages(loaded: Loaded, frames: Sequence[Frame]) -> None:
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            wanted = queries.FRAMES_OF_ARRAYS
            values: list[Any] = [array_text(column) for column in zip(*frames, strict=True)]
        else:
            wanted = (
                "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
                " json_extract(value, '$[2]') FROM json_each(%s))"
            )
            values = [orjson.dumps([(on.replace("-", ""), *rest) for on, *rest in frames]).decode()]
        columns = "m.connection, m.unique_id, m.seq, m.request, m.response"
        sql = queries.KNOWN_FRAMES.format(wanted=wanted, columns=columns)
        cursor.execute(planned(database, f"{sql} ORDER BY m.seq DESC"), values)
        # Newest first.
        for on, unique_id, seq, request, response in cursor.fetchall():
            stored = StoredMessage(seq, request, response)
            if response:
                # A Call: what answered nothing has no answer either, and its id is not the Call's.
                key = _dashed(str(on)), unique_id
                loaded.messages[key] = (*loaded.messages.get(key, ()), stored)
            loaded.taken[_dashed(str(on)), seq] = stored


def _dashed(uuid: str) -> str:
    if len(uuid) == 36:
        return uuid
    return f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"


def _load_transactions(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    wanted = {
        item.references.transaction_id
        for item in arrivals
        if item.references.transaction_id is not None
    } - set(loaded.transactions)
    if wanted:
        for row in queries.TRANSACTIONS.rows(wanted):
            loaded.transactions[row[0]] = TransactionState(*row)
        if unknown := wanted - set(loaded.transactions):
            for row in queries.ALIASES.rows(unknown):
                loaded.transactions[row[0]] = TransactionState(*row[1:])


def _load_leases(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    """Ids for an edge to give while it can't ask; a new block each time that it is asked for."""
    wanted = sum(item.event.count for item in arrivals if isinstance(item.event, Lease))
    if wanted > 0:
        loaded.leased = tuple(reserve_ids(Transaction, min(wanted, MOST_LEASED)))


def _load_starts(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    starts: list[tuple[tuple[Any, ...] | None, tuple[int, str]]] = []
    for item in arrivals:
        charge_point = loaded.charge_point(item.event.charge_point)
        if charge_point is None or not item.references.needs_new_id:
            continue
        start = item.references.start
        found_key = None
        if start is not None:
            # Without a time that can be read, the time at which it came is its beginning.
            started_at = charge_point.time_of(start.get("timestamp")) or item.at
            found_key = start_key(start, started_at)
        key = (charge_point.id, *found_key) if found_key else None
        if key:
            loaded.start_keys[item.connection] = key
        starts.append((key, (charge_point.id, item.references.payload_hash)))
    if readable := [key for key, _ in starts if key]:
        rows = queries.STARTS.rows([key[0] for key in readable], [key[3] for key in readable])
        known: dict[tuple[Any, ...], TransactionState] = {}
        for row in rows:
            found = TransactionState(*row)
            said = (found.charge_point_id, found.connector, found.id_tag, found.started_at)
            newest = known.get((*said, found.meter_start))
            if newest is None or newest.occurrence < found.occurrence:
                known[*said, found.meter_start] = found
        connectors = {
            state.id: state.connectors for state in loaded.charge_points.values() if known
        }
        for key, found in known.items():
            if is_sent_again(found, connectors.get(key[0], {}).get(found.place)):
                loaded.starts[key] = found
            else:
                loaded.occurrences[key] = found.occurrence + 1
    if starts:
        rows = queries.QUARANTINED_STARTS.rows(
            [pk for _, (pk, _) in starts], [text for _, (_, text) in starts]
        )
        for pk, text, transaction_id in rows:
            if transaction_id is not None:
                loaded.quarantined[pk, text] = transaction_id
    new = [(key, hashed) for key, hashed in starts if key not in loaded.starts]
    loaded.new_ids = reserve_ids(
        Transaction,
        sum(key in loaded.occurrences or hashed not in loaded.quarantined for key, hashed in new),
    )
    ended = {pk for _, (pk, _) in new}
    # What an edge has answered may be recorded under an id that its charger never heard of.
    ended |= {
        charge_point.id
        for item in arrivals
        if isinstance(item.event, Spooled)
        and item.event.transaction
        and (charge_point := loaded.charge_point(item.event.charge_point))
    }
    if ended:
        _load_early_stops(loaded, ended)


def _load_early_stops(loaded: Loaded, charge_points: set[int]) -> None:
    for pk, charge_point_id, text, received_at in queries.EARLY_STOPS.rows(charge_points):
        payload = orjson.loads(text)
        if isinstance(payload, dict):
            stop = EarlyStop(pk, payload, received_at)
            known = loaded.early_stops.get(charge_point_id, ())
            loaded.early_stops[charge_point_id] = (*known, stop)


def _load_id_tags(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    named = {item.references.id_tag for item in arrivals if item.references.id_tag}
    if not named:
        return
    rows = queries.ID_TAGS.rows(set[str]().union(*map(spellings, named)))
    if not rows:
        return
    places: dict[int, set[int]] = {}
    for pk, charge_point_id in queries.ALLOWED_PLACES.rows([row[1] for row in rows]):
        places.setdefault(pk, set()).add(charge_point_id)
    may_start = any(item.references.needs_new_id for item in arrivals)
    running = _running_together(rows, may_start=may_start)
    for _, pk, id_tag, status, expires_at, most, group, *parent in rows:
        parent_tag, parent_status, parent_expires_at, parent_most = parent
        loaded.id_tags[id_tag.lower()] = IdTagState(
            id_tag,
            status,
            expires_at,
            parent_tag or "",
            frozenset(places.get(pk, ())),
            most,
            running.get(pk, frozenset()),
            parent_status or "",
            parent_expires_at,
            parent_most,
            running.get(group, frozenset()),
        )


def _running_together(
    rows: Sequence[tuple[Any, ...]], *, may_start: bool
) -> dict[int, frozenset[int]]:
    """By id of a tag with a limit: what runs with it, or with a tag of which it is the group."""
    limited = {row[1]: spellings(row[2]) for row in rows if row[5] is not None}
    limited |= {row[6]: spellings(row[7]) for row in rows if row[10] is not None}
    if not limited:
        return {}
    if may_start:
        queries.take_turns_of_limits(limited)
    for group, key in queries.MEMBERS.rows(list(limited)):
        limited[group].add(key)
    running: dict[str, set[int]] = {}
    for key, transaction_id in queries.RUNNING_OF_TAG.rows(set().union(*limited.values())):
        running.setdefault(key, set()).add(transaction_id)
    return {
        pk: frozenset[int]().union(*(running.get(key, ()) for key in keys))
        for pk, keys in limited.items()
    }


def _load_commands(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    wanted = [
        item.frame.unique_id
        for item in arrivals
        if isinstance(item.frame, CallResult | CallError)
        or (isinstance(item.frame, Malformed) and item.frame.kind in (3, 4))
    ]
    if wanted:
        for unique_id, pk, owner, state, action, on, followed, *asked in queries.COMMANDS.rows(
            wanted
        ):
            loaded.commands[unique_id] = KnownCommand(
                pk, owner, state, action, str(on) if on else "", bool(followed), *asked
            )


def _load_connections(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    wanted = []
    for item in arrivals:
        if isinstance(item.event, Connected | Disconnected):
            wanted.append(item.connection)
        elif isinstance(item.event, Received):
            # A frame on a connection that is not the one in use: gone already, or forgotten?
            charge_point = loaded.charge_point(item.event.charge_point)
            if charge_point and charge_point.connection != item.connection:
                wanted.append(item.connection)
    if wanted:
        loaded.connections = {
            (str(on), kind) for on, kind in queries.CONNECTION_EVENTS.rows(wanted)
        }
