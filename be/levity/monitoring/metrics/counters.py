"""The counters of a process: the worker's batches, the pages' responses.

The objects belong to no registry: `exposition.py` shows those of the process that is asked.
"""

from collections import Counter as Count

from prometheus_client import Counter, Histogram, disable_created_metrics

from levity.monitoring.metrics.process_slots import use_slots
from levity.ocpp.worker.pipeline import Taken
from levity_ws.edge.metrics import LATENCIES, SIZES
from levity_ws.rpc.transport import Delivery

__all__ = ["WEB", "WORKER", "count_batch", "count_request"]

# When a counter began is useless, and takes half of the lines.
disable_created_metrics()
use_slots()

BATCHES = Counter(
    "levity_worker_batches", "Batches processed: committed and answered.", registry=None
)
REDELIVERED = Counter(
    "levity_worker_batches_redelivered",
    "Batches redelivered after another worker died.",
    registry=None,
)
EVENTS = Counter("levity_worker_events", "Events in the processed batches.", registry=None)
CALLS = Counter(
    "levity_worker_calls", "Chargers' Calls answered with a result.", ["action"], registry=None
)
SECONDS = Histogram(
    "levity_worker_batch_seconds",
    "Time from a batch's arrival at the worker to its reply.",
    buckets=LATENCIES,
    registry=None,
)
EVENTS_IN_BATCH = Histogram(
    "levity_worker_batch_events", "Events in a batch.", buckets=SIZES, registry=None
)
WORKER = (BATCHES, REDELIVERED, EVENTS, CALLS, SECONDS, EVENTS_IN_BATCH)

REQUESTS = Counter(
    "levity_web_requests",
    "Requests for web pages, by method and status.",
    ["method", "status"],
    registry=None,
)
REQUEST_SECONDS = Histogram(
    "levity_web_request_seconds",
    "Time from a request to its answer.",
    buckets=LATENCIES,
    registry=None,
)
WEB = (REQUESTS, REQUEST_SECONDS)
# Strangers can send any method; a label must not be arbitrary.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_batch(delivery: Delivery, taken: Taken, seconds: float) -> None:
    """A batch was processed and answered. A few additions per batch, none per frame."""
    size = len(delivery.batch.events)
    BATCHES.inc()
    EVENTS.inc(size)
    EVENTS_IN_BATCH.observe(size)
    SECONDS.observe(seconds)
    if delivery.deliveries:
        REDELIVERED.inc()
    for action, count in Count(call[1] for call in taken.calls).items():
        CALLS.labels(action).inc(count)


def count_request(method: str, status: int, seconds: float) -> None:
    """A response was sent."""
    REQUESTS.labels(method if method in METHODS else "other", str(status)).inc()
    REQUEST_SECONDS.observe(seconds)
