"""Read what a batch needs, in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections

from levity.db.plans import array_text, planned
from levity.db.rows import reserve_ids
from levity.ocpp.models import (
    Transaction,
)
from levity.ocpp.request import (
    ChargePointState,
    EarlyStop,
    IdTagState,
    TransactionState,
)
from levity.ocpp.rules.id_tags import spellings
from levity.ocpp.rules.same_start import is_sent_again
from levity.ocpp.rules.unknown_start import beginning_of, same_guess
from levity.ocpp.store import queries
from levity.ocpp.store.certificates import load_signing
from levity.ocpp.store.chain import load_chains
from levity.ocpp.store.charge_points import Frame, load_charge_points
from levity.ocpp.store.handshakes import load_handshakes
from levity.ocpp.store.loaded import KnownCommand, Loaded
from levity.ocpp.store.messages.known import load_moved
from levity.ocpp.store.newcomers import newcomers
from levity.ocpp.store.values import Arrival, StoredMessage, start_key
from levity.ocpp.versions import V16
from levity.ocpp.wire.frames import Call, CallError, CallResult, Malformed
from levity_ws.rpc.envelope import Connected, Disconnected, Lease, Received, Spooled

__all__ = ["load"]

# So many stops in the quarantine may be the end of what begins in a batch.
EARLY_STOPS = 200
# Ids are 2^31; an edge has its next 500 in store.
MOST_LEASED = 10_000


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
    if load_charge_points(loaded, arrivals, frames):
        _load_messages(loaded, frames)
    if now is not None:
        # After the rows: what moves in this moment is in one of the two.
        load_moved(loaded, arrivals, now)
    _load_transactions(loaded, arrivals)
    _load_starts(loaded, arrivals)
    load_chains(loaded, arrivals)
    _load_id_tags(loaded, arrivals)
    _load_commands(loaded, arrivals)
    _load_connections(loaded, arrivals)
    if any(type(item.event) is not Received for item in arrivals):
        _load_leases(loaded, arrivals)
        newcomers.note_outside(arrivals)
        loaded.handshakes = load_handshakes(arrivals, loaded.charge_points)
    loaded.signing = load_signing(arrivals, loaded.charge_points)
    return loaded


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
    starting = [
        (item, charge_point)
        for item in arrivals
        if item.references.needs_new_id
        and (charge_point := loaded.charge_point(item.event.charge_point)) is not None
    ]
    said = [_words(item, charge_point) for item, charge_point in starting]
    known = _sessions_of([words for words in said if words])
    starts: list[tuple[tuple[Any, ...] | None, tuple[int, str]]] = []
    for (item, charge_point), words in zip(starting, said, strict=True):
        key = _with_connector(words, item, charge_point, known) if words else None
        starts.append((key, (charge_point.id, item.references.payload_hash)))
        if key is None:
            continue
        loaded.start_keys[item.connection] = key
        found = known.get(key)
        if found is not None and is_sent_again(found, charge_point):
            loaded.starts[key] = found
        elif found is not None:
            loaded.occurrences[key] = found.occurrence + 1
    # What an edge has answered may be recorded under an id that its charger never heard of.
    spooled = {
        charge_point.id
        for item in arrivals
        if isinstance(item.event, Spooled)
        and item.event.transaction
        and (charge_point := loaded.charge_point(item.event.charge_point))
    }
    early = _load_quarantined(loaded, [words for _, words in starts], spooled)
    new = [(key, hashed) for key, hashed in starts if key not in loaded.starts]
    loaded.new_ids = reserve_ids(
        Transaction,
        sum(key in loaded.occurrences or hashed not in loaded.quarantined for key, hashed in new),
    )
    ended = {pk for _, (pk, _) in new} | spooled
    loaded.early_stops = {pk: tuple(stops) for pk, stops in early.items() if pk in ended}


def _sessions_of(starts: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], TransactionState]:
    """By its words: the newest session of each of these charge points that began at that time."""
    known: dict[tuple[Any, ...], TransactionState] = {}
    if not starts:
        return known
    for row in queries.STARTS.rows([words[0] for words in starts], [words[3] for words in starts]):
        found = TransactionState(*row)
        words = (found.charge_point_id, found.connector, found.id_tag, found.started_at)
        newest = known.get((*words, found.meter_start))
        if newest is None or newest.occurrence < found.occurrence:
            known[*words, found.meter_start] = found
    return known


def _words(item: Arrival, charge_point: ChargePointState) -> tuple[Any, ...] | None:
    """The charge point's id and the words by which this StartTransaction is recognised."""
    start = item.references.start
    if start is None:
        return None
    # Without a time that can be read, the time at which it came is its beginning.
    started_at = charge_point.time_of(start.get("timestamp")) or item.at
    return (charge_point.id, *start_key(start, started_at))


def _with_connector(
    words: tuple[Any, ...],
    item: Arrival,
    charge_point: ChargePointState,
    known: Mapping[tuple[Any, ...], TransactionState],
) -> tuple[Any, ...] | None:
    """These words with the connector, where it is not told; None if nobody knows it."""
    pk, connector, *rest = words
    if connector is not None:
        return words
    found = same_guess(known.values(), (pk, *rest))
    if found is not None:
        return (pk, found.connector, *rest)
    start = item.references.start or {}
    said = charge_point.time_of(start.get("timestamp"))
    connector = beginning_of(start, charge_point, said, item.at).connector
    return None if connector is None else (pk, connector, *rest)


def _load_quarantined(
    loaded: Loaded, starts: Sequence[tuple[int, str]], spooled: set[int]
) -> dict[int, list[EarlyStop]]:
    """The ids of those of these starts (charge point id, hash of the payload) that are in the
    quarantine; and by charge point, the newest stops there whose session nobody knew."""
    early: dict[int, list[EarlyStop]] = {}
    if not (starts or spooled):
        return early
    starting = [pk for pk, _ in starts]
    hashes = [text for _, text in starts]
    count = 0
    for row in queries.QUARANTINED.rows(starting, hashes, {*starting, *spooled}):
        action, charge_point_id, payload_hash, transaction_id, pk, text, received_at = row
        if action == V16.begins:
            if transaction_id is not None:
                loaded.quarantined[charge_point_id, payload_hash] = transaction_id
            continue
        count += 1
        payload = orjson.loads(text) if count <= EARLY_STOPS else None
        if isinstance(payload, dict):
            early.setdefault(charge_point_id, []).append(EarlyStop(pk, payload, received_at))
    return early


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
        if (type(item.frame) is not Call and isinstance(item.frame, CallResult | CallError))
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
        event = item.event
        if isinstance(event, Received):
            # A frame on a connection that is not the one in use: gone already, or forgotten?
            charge_point = loaded.charge_point(event.charge_point)
            if charge_point and charge_point.connection != event.connection:
                wanted.append(event.connection)
        elif isinstance(event, Connected | Disconnected):
            wanted.append(event.connection)
    if wanted:
        loaded.connections = {
            (str(on), kind) for on, kind in queries.CONNECTION_EVENTS.rows(wanted)
        }
