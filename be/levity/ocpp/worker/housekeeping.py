"""What a worker does now and then: notice edges and chargers that went without a word."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from levity.ocpp import events
from levity.ocpp.changes import renew_receivers, tell_again
from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.conf import setting
from levity.ocpp.decisions import desired_state
from levity.ocpp.decisions.authority import issuing
from levity.ocpp.decisions.charging_profiles import end_profiles
from levity.ocpp.decisions.closing import end_abandoned
from levity.ocpp.decisions.local_lists import keep_in_step
from levity.ocpp.decisions.reservations import end_reservations
from levity.ocpp.decisions.retiring import back_in_use
from levity.ocpp.models import ChargePoint, ConnectionEvent, Edge
from levity.ocpp.store import connections_lost
from levity.ocpp.store.file_jobs import settle_file_jobs
from levity.ocpp.worker import housekeeping_queries
from levity.ocpp.worker.tidying import tidy

__all__ = ["ClockSteps", "EveryMinute", "forget_edges", "silence", "sweep"]

log = logging.getLogger(__name__)

# Seconds between two looks, so that "within two intervals" holds.
LOOK = 5
MINUTE = 60.0
# `last_seen_at` is exact to ten seconds only; less patience would see ghosts.
LEAST_PATIENCE = 30
# Seconds by which our own clock may drift between two looks before it counts as set forward.
STEP = 5.0


class ClockSteps:
    """Notices that our own clock was set forward: all that is alive seems silent then."""

    def __init__(self) -> None:
        self.last: tuple[datetime, float] | None = None
        self.calm_from = 0.0

    def is_calm(self, now: datetime, tick: float) -> bool:
        """False until everything that is alive has had the time to be heard again.

        `tick` is a clock that nobody sets (`time.monotonic`).
        """
        if self.last is not None:
            wall, before = self.last
            moved = (now - wall).total_seconds() - (tick - before)
            if moved > STEP:
                log.warning("system clock jumped forward %.0f s; offline detection paused", moved)
                patience = max(setting("OCPP_EDGE_TIMEOUT"), 2 * setting("OCPP_HEARTBEAT_INTERVAL"))
                self.calm_from = tick + patience
        self.last = now, tick
        return tick >= self.calm_from


class EveryMinute:
    """Says once a minute that a minute is over, however irregular the rounds are."""

    def __init__(self) -> None:
        self.next_at = float("-inf")

    def is_over(self, tick: float) -> bool:
        """True at once, and then when a minute has passed since it was; see `ClockSteps`."""
        if tick < self.next_at:
            return False
        self.next_at = tick + MINUTE
        return True


def sweep(now: datetime, *, is_minute: bool = True) -> None:
    """Mark the chargers of edges that are silent for too long as offline; end what is over.

    With `is_minute` also what is looked for only once a minute.
    """
    events.refresh()
    silent = now - timedelta(seconds=setting("OCPP_EDGE_TIMEOUT"))
    if gone := housekeeping_queries.silent_edges(silent):
        forget_edges(gone, now)
    silence(now)
    tidy(now)
    desired_state.look_after(now, is_minute=is_minute)
    if housekeeping_queries.any_approved_certificate():
        issuing.sign_approved(now)
    keep_in_step(now)
    if is_minute:
        # Hours and days are what it looks for.
        end_abandoned(now)
        back_in_use(now)
        issuing.forget_undecided(now)
        issuing.renew(now)
        end_reservations(now)
        end_profiles(now)
        renew_receivers()
        tell_again()
        settle_file_jobs(now)


def forget_edges(edges: list[str], now: datetime) -> None:
    """These edges are dead: nothing is connected to them any more.

    A charger that is connected all the same (its edge was only cut off) is back on line with its
    next frame.
    """
    with transaction.atomic():
        lost = list(
            ChargePoint.objects.filter(edge__in=edges, connection__isnull=False)
            .order_by("pk")
            .values_list("pk", "identity", "connection", "edge_id")
        )
        ChargePoint.objects.filter(edge__in=edges).update(
            connection=None, edge=None, disconnected_at=now
        )
        connections_lost({str(item[2]): now for item in lost})
        Edge.objects.filter(pk__in=edges).delete()
        events.tell(
            events.Happened("charger.disconnected", now, pk, identity, {"reason": "edge is gone"})
            for pk, identity, _, _ in lost
        )
    level = logging.WARNING if lost else logging.INFO
    log.log(
        level, "edge %s does not respond; %d charge points are offline", ", ".join(edges), len(lost)
    )


def silence(now: datetime) -> None:
    """Mark chargers that have missed two heartbeats as silent.

    Nothing but a mark: their connection stays the way to them, for many say nothing while they are
    idle (Timxon, Morek EAW-A007T; others whose interval of an hour can't be changed), and sending
    a command tells whether somebody is there. The mark goes with the next frame. Where websocket
    pings are on, the edge closes a dead connection long before.
    """
    default = setting("OCPP_HEARTBEAT_INTERVAL")
    for interval in housekeeping_queries.heartbeat_intervals():
        patience = max(2 * (interval or default) - LOOK, LEAST_PATIENCE)
        rows = housekeeping_queries.silent_charge_points(
            interval, now - timedelta(seconds=patience)
        )
        if interval is None:
            # The profile of a make that speaks still less has the last word.
            rows = [row for row in rows if now - row.seen > _patience_of(row)]
        if rows:
            _silent(rows, now)


def _patience_of(row: housekeeping_queries.Silent) -> timedelta:
    return timedelta(seconds=2 * (quirks_of(row).heartbeat_interval or 0) - LOOK)


def _silent(rows: Sequence[housekeeping_queries.Silent], now: datetime) -> None:
    with transaction.atomic():
        ChargePoint.objects.filter(
            pk__in=[row.id for row in rows],
            connection__in=[row.connection for row in rows],
            # Unless it has spoken in this moment.
            last_seen_at__lte=max(row.seen for row in rows),
        ).update(silent_since=F("last_seen_at"))
        ConnectionEvent.objects.bulk_create(
            [
                ConnectionEvent(
                    charge_point_id=row.id,
                    identity=row.identity,
                    connection=row.connection or "",
                    kind=ConnectionEvent.Kind.SILENT,
                    at=now,
                    edge=row.edge or "",
                    reason=(
                        "nothing received for two heartbeat intervals; the connection is open, "
                        "and commands are still sent"
                    ),
                )
                for row in rows
            ],
            ignore_conflicts=True,
        )
    for row in rows:
        log.warning("%s has missed two heartbeats; its connection is open", row.identity)
