"""Writing who is connected: the newest connection of a charge point is the one in use.

Every write carries the connection's id, so the late close of an old socket never takes a charger
offline (promise 5 of the design).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Case, F, Q, When

from levity.db.rows import insert_rows, update_rows, upsert_rows
from levity.ocpp.command_events import finish
from levity.ocpp.models import ChargePoint, Command, ConnectionEvent, Edge
from levity.ocpp.request import ChargePointState
from levity.ocpp.rules.intervals import LONGEST_SILENCE, OURS, SHORTEST_SILENCE
from levity.ocpp.store.evidence import expect_evidence
from levity.ocpp.store.lines import learn_lines
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.news import tell_of_ended
from levity.ocpp.store.values import Outcome
from levity.ocpp.wire.frames import storable
from levity_ws.rpc.envelope import (
    Alive,
    Authenticate,
    Connected,
    Disconnected,
    Received,
    Refuse,
    Spooled,
)

__all__ = ["claims", "connections_lost", "is_overtaken", "write_presence"]

# An event waits this long in an edge or the broker at most while a newer connection's is taken.
# Clocks of edges that differ by more do not decide who is newer.
OVERTAKEN_WITHIN = timedelta(minutes=1)


def claims(outcome: Outcome, loaded: Loaded) -> bool:
    """True if this event makes its connection the one in use.

    A new connection does, unless a newer one was heard of first. One that we know already does
    only where none is in use: its edge was thought dead, or the event came twice. One that is
    closed never does; nor does one that never opened, on which a parked frame is taken again. What
    an edge delivers late says nothing of now.
    """
    event, charge_point = outcome.arrival.event, outcome.charge_point
    if charge_point is None:
        return False
    if isinstance(event, Received) and charge_point.connection is not None:
        # As nearly every frame.
        return False
    if isinstance(event, Spooled) or not isinstance(event, Connected | Received):
        return False
    if (event.connection, "disconnected") in loaded.connections:
        return False
    opened = (event.connection, "connected") in loaded.connections
    if isinstance(event, Received):
        return opened
    if is_overtaken(outcome):
        return False
    return charge_point.connection is None or not opened


def is_overtaken(outcome: Outcome) -> bool:
    """True if this connection opened just before the one in use, and its event comes after it.

    A charger that moves from one edge to another is there at once, and two edges' events come by
    two ways. The newest connection is the one that opened last, not the one heard of last.
    """
    event, charge_point = outcome.arrival.event, outcome.charge_point
    if charge_point is None or not isinstance(event, Connected):
        return False
    current, opened_at = charge_point.connection, charge_point.connected_at
    if current is None or opened_at is None or current == event.connection:
        return False
    return timedelta() < opened_at - outcome.arrival.at <= OVERTAKEN_WITHIN


def write_presence(
    outcomes: Sequence[Outcome], loaded: Loaded, edge: str, reply_to: str, now: datetime
) -> None:
    """Edges, connections and their events, and the fate of the commands that hung on them."""
    if not any(
        type(outcome.arrival.event) is not Received or claims(outcome, loaded)
        for outcome in outcomes
    ):
        return
    _write_edge(outcomes, loaded, edge, reply_to, now)
    opened = [
        (outcome, outcome.charge_point)
        for outcome in outcomes
        if outcome.charge_point is not None and claims(outcome, loaded)
    ]
    _write_opened(opened, edge)
    closed = {
        outcome.arrival.connection: outcome.arrival.at
        for outcome in outcomes
        if isinstance(outcome.arrival.event, Disconnected)
    }
    replaced = {
        charge_point.connection: outcome.arrival.at
        for outcome, charge_point in opened
        if charge_point.connection is not None
    }
    if closed:
        ChargePoint.objects.filter(connection__in=list(closed)).update(
            connection=None, edge=None, disconnected_at=max(closed.values())
        )
    connections_lost({**closed, **replaced})
    if idle := _write_events(outcomes, loaded, edge):
        learn_lines(idle, now)


def connections_lost(connections: dict[str, datetime]) -> None:
    """End the commands that hung on these connections: no answer can come there any more."""
    if not connections:
        return
    at = max(connections.values())
    on_them = Q(connection__in=list(connections))
    unanswered = Command.objects.filter(on_them, state=Command.State.SENT)
    expect_evidence(unanswered, at)
    ended = finish(
        unanswered,
        state=Command.State.TIMED_OUT,
        finished_at=at,
        # An automatic start gives its key back: the car may still be waiting for it, and a second
        # RemoteStartTransaction to a charger that is still Preparing does no harm.
        idempotency_key=Case(When(only_status="", then=F("idempotency_key"))),
        error_description="the connection closed before the answer came; the outcome is unknown",
    )
    # The key is free again: the same may be asked for on the next connection.
    ended += finish(
        Command.objects.filter(on_them, state=Command.State.QUEUED),
        state=Command.State.CANCELLED,
        finished_at=at,
        idempotency_key=None,
        error_description="the connection closed before it was due",
    )
    if ended:
        tell_of_ended()


def _write_edge(
    outcomes: Sequence[Outcome], loaded: Loaded, edge: str, reply_to: str, now: datetime
) -> None:
    """When it was last heard, by our clock: by that one it is judged (`housekeeping.sweep`)."""
    newest: Alive | None = None
    speaks = False
    for outcome in outcomes:
        event = outcome.arrival.event
        if isinstance(event, Alive):
            newest = event
        elif not (isinstance(event, Connected) or claims(outcome, loaded)):
            continue
        speaks = True
    if not speaks:
        return
    update = ["reply_to", "last_seen_at"] + (["connections"] if newest else [])
    upsert_rows(
        Edge,
        ("id", "reply_to", "started_at", "last_seen_at", "connections"),
        [(edge, reply_to, now, now, newest.connections if newest else 0)],
        key=("id",),
        update=update,
    )


def _write_opened(opened: Sequence[tuple[Outcome, ChargePointState]], edge: str) -> None:
    rows = {}
    for outcome, charge_point in opened:
        event = outcome.arrival.event
        remote = event.remote if isinstance(event, Connected) else None
        rows[charge_point.id] = (
            charge_point.id,
            event.connection,
            edge,
            outcome.arrival.at,
            remote[:64] if remote else None,
            storable(event.subprotocol)[:64] if isinstance(event, Connected | Received) else "",
        )
    update_rows(
        ChargePoint,
        ("id", "connection", "edge_id", "connected_at", "remote_address", "subprotocol"),
        list(rows.values()),
        keep_null=("remote_address",),
    )


def _write_events(outcomes: Sequence[Outcome], loaded: Loaded, edge: str) -> set[int]:
    """The ids of charge points whose line may have ended for being idle."""
    idle: set[int] = set()
    rows = []
    for outcome in outcomes:
        event = outcome.arrival.event
        what = _happened(outcome)
        if what is None:
            continue
        kind, user_agent, subprotocol, code, reason = what
        silence = _silence(outcome, loaded)
        if silence is not None and outcome.charge_point:
            idle.add(outcome.charge_point.id)
        rows.append(
            (
                outcome.charge_point.id if outcome.charge_point else None,
                event.charge_point[:48],
                event.connection,
                kind,
                outcome.arrival.at,
                edge[:100],
                getattr(event, "remote", "")[:64],
                # The charger's own words: a NUL in the reason of its close must not keep it
                # on line for ever.
                storable(user_agent)[:255],
                storable(subprotocol)[:255],
                code,
                storable(reason)[:255],
                silence,
            )
        )
    insert_rows(
        ConnectionEvent,
        (
            "charge_point_id",
            "identity",
            "connection",
            "kind",
            "at",
            "edge",
            "remote_address",
            "user_agent",
            "subprotocol",
            "code",
            "reason",
            "silent_for",
        ),
        rows,
        new_only=True,
    )
    return idle


def _silence(outcome: Outcome, loaded: Loaded) -> int | None:
    """Seconds from its last frame, to within ten, to the end of the connection in use; where they
    are such that it may have ended for being idle."""
    charge_point, event = outcome.charge_point, outcome.arrival.event
    if charge_point is None or not isinstance(event, Disconnected):
        return None
    seen = loaded.last_seen.get(charge_point.id)
    if seen is None or charge_point.connection != event.connection or event.code in OURS:
        return None
    silence = int((outcome.arrival.at - seen).total_seconds())
    return silence if SHORTEST_SILENCE <= silence <= LONGEST_SILENCE else None


def _happened(outcome: Outcome) -> tuple[str, str, str, int | None, str] | None:
    """(kind, user agent, subprotocol, code, reason) of what is to be remembered of this event."""
    match outcome.arrival.event:
        case Connected(user_agent=agent, subprotocol=agreed) if outcome.charge_point:
            return "connected", agent, agreed, None, ""
        case Disconnected(code=code, reason=reason) if outcome.charge_point:
            return "disconnected", "", "", code, reason
        case Authenticate(user_agent=agent, subprotocols=offered) if (
            outcome.is_news and outcome.charge_point
        ):
            for command in outcome.commands:
                if isinstance(command, Refuse):
                    names = ", ".join(offered)
                    return "refused", agent, names, command.status, command.reason
    return None
