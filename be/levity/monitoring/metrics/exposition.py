"""What /metrics shows: the figures of this process, and of the installation if it uses the
database."""

import os
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from levity.monitoring.metrics.counters import WEB
from levity.monitoring.metrics.process_slots import VARIABLE
from levity.monitoring.metrics.site_state import State

__all__ = ["CONTENT_TYPE", "also_show", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STATE = State()
_more: list[Any] = []


def also_show(*collectors: Any) -> None:
    """Show these together with the web pages' own: the edge and the worker of `levity serve`."""
    _more.extend(collectors)


def exposition(collectors: Sequence[Any] | None = None) -> bytes:
    """Prometheus' text format; `collectors` None: web pages and the state of the installation."""
    registry = CollectorRegistry(auto_describe=False)
    # Several gunicorn processes count into files there, and any of them answers for all.
    together = collectors is None and os.environ.get(VARIABLE)
    if together:
        MultiProcessCollector(registry)
    else:
        ProcessCollector(registry=registry)
    if collectors is None:
        collectors = [_STATE, *(() if together else WEB), *_more]
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)
