"""The state of the installation as metrics, from the database, in a fixed number of queries.
However often it is requested, the queries take at most a fiftieth of the time: the result is cached
for fifty times as long as they took, and for ten seconds at least.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from levity.monitoring.alerts.conditions import LAST_TRANSACTION_ID, transaction_ids_used
from levity.monitoring.alerts.conditions.leaving import events_behind
from levity.monitoring.kinds import KINDS
from levity.monitoring.models import Alert, AlertDelivery, Duty, Worker
from levity.ocpp.chargers.faults import FAULT
from levity.ocpp.models import (
    IN_TOTALS,
    PLAUSIBLE,
    ChargePoint,
    Command,
    Connector,
    Edge,
    FailedMessage,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from levity_ws import __version__

__all__ = ["State"]

LEAST_SECONDS = 10.0
SHARE = 50
DAY = timedelta(days=1)
NEWEST = 5000
# OCPP 1.6, 7.7: chargers invent others, and a label must not be arbitrary.
STATUSES = frozenset(
    {
        "Available",
        "Preparing",
        "Charging",
        "SuspendedEV",
        "SuspendedEVSE",
        "Finishing",
        "Reserved",
        "Unavailable",
        "Faulted",
    }
)


class State:
    """A collector for a registry of prometheus_client; safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._shown: list[Metric] = []
        self._until = 0.0

    def collect(self) -> Iterator[Metric]:
        """The last result, or a new one."""
        with self._lock:
            if not self._shown or self.clock() >= self._until:
                began = self.clock()
                self._shown = list(_everything(timezone.now()))
                took = self.clock() - began
                self._until = self.clock() + max(LEAST_SECONDS, SHARE * took)
                self._shown.append(
                    _gauge("state_seconds", "Time that collecting these metrics took.", took)
                )
            yield from self._shown


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"levity_{name}", description, value=float(value))


def _by(
    name: str, description: str, labels: list[str], rows: Iterable[tuple[tuple[Any, ...], Any]]
) -> Metric:
    family = GaugeMetricFamily(f"levity_{name}", description, labels=labels)
    for values, value in rows:
        family.add_metric([str(item) for item in values], float(value or 0))
    return family


def _everything(now: datetime) -> Iterator[Metric]:
    yield _by("info", "Always 1.", ["version", "database"], [((__version__, connection.vendor), 1)])
    yield from _charge_points(now)
    yield from _connectors()
    yield from _transactions()
    yield from _commands(now)
    yield from _trouble(now)
    yield from _processes(now)


def _charge_points(now: datetime) -> Iterator[Metric]:
    rows = list(
        ChargePoint.objects.filter(retired_at__isnull=True)
        .order_by("pk")
        .values_list("identity", "site__name", "connection", "last_seen_at", "silent_since")
    )
    yield _gauge("charge_points", "Registered charge points.", len(rows))
    yield _by(
        "charge_point_online",
        "1 while the charge point is connected.",
        ["charge_point", "site"],
        (((identity, site or ""), link is not None) for identity, site, link, _, _ in rows),
    )
    yield _by(
        "charge_point_silent",
        "1 while the charge point is connected but two heartbeats are missing.",
        ["charge_point", "site"],
        (
            ((identity, site or ""), link is not None and since is not None)
            for identity, site, link, _, since in rows
        ),
    )
    yield _by(
        "charge_point_last_seen_timestamp_seconds",
        "When the charge point last sent something, to within ten seconds.",
        ["charge_point"],
        (((identity,), seen.timestamp()) for identity, _, _, seen, _ in rows if seen),
    )


def _connectors() -> Iterator[Metric]:
    counts: dict[str, int] = dict.fromkeys([*sorted(STATUSES), "other"], 0)
    in_use = Connector.objects.filter(charge_point__retired_at__isnull=True)
    rows = in_use.filter(number__gt=0).order_by().values_list("status")
    for status, count in rows.annotate(Count("pk")):
        counts[status if status in STATUSES else "other"] += count
    yield _by(
        "connectors",
        "Connectors by status; other: a status that is not OCPP's.",
        ["status"],
        (((status,), count) for status, count in counts.items()),
    )
    faulty = in_use.filter(FAULT).order_by("pk")
    yield _by(
        "connector_fault",
        "1 for every connector that is Faulted, or reports an error and is not Available.",
        ["charge_point", "connector"],
        (
            ((who, number), 1)
            for who, number in faulty.values_list("charge_point__identity", "number")
        ),
    )


def _transactions() -> Iterator[Metric]:
    active = Transaction.objects.filter(state=Transaction.State.ACTIVE).order_by()
    running = list(active.values_list("charge_point__identity").annotate(Count("pk"), Sum("power")))
    yield _gauge("transactions_active", "Active sessions.", sum(row[1] for row in running))
    yield _by(
        "charge_point_power_watts",
        "Current power according to the last meter values.",
        ["charge_point"],
        (((who,), power) for who, _, power in running if power is not None),
    )
    energy = CounterMetricFamily(
        "levity_charge_point_energy_watthours",
        "Energy of all its sessions, except those with implausible figures.",
        labels=["charge_point"],
    )
    charged = Transaction.objects.filter(IN_TOTALS).order_by().values_list("charge_point__identity")
    totals = list(
        charged.annotate(
            total=Sum("energy", filter=PLAUSIBLE), left_out=Count("pk", filter=~PLAUSIBLE)
        )
    )
    for who, total, _ in totals:
        energy.add_metric([who], float(total or 0))
    yield energy
    yield _by(
        "charge_point_sessions_not_counted",
        "Sessions with implausible energy, which is in no total.",
        ["charge_point"],
        (((who,), count) for who, _, count in totals if count),
    )
    used = transaction_ids_used() / LAST_TRANSACTION_ID
    yield _gauge(
        "transaction_ids_used_ratio", "Share of OCPP 1.6's 2^31 transaction ids that is used.", used
    )


def _commands(now: datetime) -> Iterator[Metric]:
    State = Command.State  # noqa: N806  # as everywhere
    waiting = dict(
        Command.objects.filter(state__in=[State.QUEUED, State.SENT])
        .order_by()
        .values_list("state")
        .annotate(Count("pk"))
    )
    yield _by(
        "commands_open",
        "Unfinished commands.",
        ["state"],
        (((state.value,), waiting.get(state.value, 0)) for state in (State.QUEUED, State.SENT)),
    )
    ends = [state.value for state in State if state not in (State.QUEUED, State.SENT)]
    newest = Command.objects.order_by("-pk").values_list("pk", flat=True)[NEWEST : NEWEST + 1]
    ended = dict(
        Command.objects.filter(
            pk__gt=newest.first() or 0, finished_at__gte=now - timedelta(hours=1)
        )
        .order_by()
        .values_list("state")
        .annotate(Count("pk"))
    )
    yield _by(
        "commands_ended_last_hour",
        "Commands that finished within the last hour, by outcome.",
        ["outcome"],
        (((end,), ended.get(end, 0)) for end in ends),
    )


def _trouble(now: datetime) -> Iterator[Metric]:
    quarantined = QuarantinedMessage.objects.filter(resolved_at__isnull=True)
    yield _gauge(
        "quarantine_waiting", "Quarantined messages that await a decision.", quarantined.count()
    )
    failed = FailedMessage.objects.filter(replayed_at__isnull=True)
    yield _gauge("failed_messages_waiting", "Failed messages that can be replayed.", failed.count())
    newest = SecurityEvent.objects.order_by("-pk").values_list("pk", flat=True)
    events = SecurityEvent.objects.filter(
        pk__gt=newest[NEWEST : NEWEST + 1].first() or 0, received_at__gte=now - DAY
    )
    yield _gauge(
        "security_events_last_day", "Security events of the last 24 hours.", events.count()
    )
    open_alerts = dict(
        Alert.objects.filter(ended_at__isnull=True)
        .order_by()
        .values_list("kind")
        .annotate(Count("pk"))
    )
    yield _by(
        "alerts_open",
        "Open alerts, by kind.",
        ["kind"],
        (((kind,), open_alerts.get(kind, 0)) for kind in KINDS),
    )
    yield _gauge(
        "events_delay_seconds",
        "Age of the oldest event that may not be delivered yet; 0: none waits.",
        events_behind(now),
    )
    late = AlertDelivery.objects.filter(state=AlertDelivery.State.QUEUED, attempts__gt=0)
    yield _gauge("alert_deliveries_retried", "Notifications not sent yet.", late.count())


def _processes(now: datetime) -> Iterator[Metric]:
    edges = list(Edge.objects.values_list("connections", flat=True))
    yield _gauge("edges", "Edges that are alive.", len(edges))
    alive = Worker.objects.filter(last_seen_at__gte=now - timedelta(minutes=1))
    reports = list(alive.values_list("report", flat=True))
    yield _gauge("workers", "Workers that are alive.", len(reports))
    depths = [report["queue"] for report in reports if report.get("queue") is not None]
    if depths:
        yield _gauge("broker_queue_batches", "Batches that wait for a worker.", max(depths))
        dead = max(int(report.get("dead_letters") or 0) for report in reports)
        yield _gauge("broker_dead_letters", "Unreadable batches in the dead-letter queue.", dead)
    report: dict[str, Any] = (
        Duty.objects.filter(name="alerts").values_list("report", flat=True).first() or {}
    )
    yield _by(
        "disk_free_ratio",
        "Free share of each monitored disk.",
        ["path"],
        (((path,), free) for path, free in report.get("disk_free", {}).items()),
    )
    yield _by(
        "certificate_expiry_timestamp_seconds",
        "When each monitored certificate expires.",
        ["certificate"],
        (((name,), at) for name, at in report.get("certificates", {}).items()),
    )
