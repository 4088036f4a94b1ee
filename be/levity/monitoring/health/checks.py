"""Alive and ready: what each process reports about itself, with the reason if it is not."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from levity.monitoring.models import Worker

__all__ = ["Answer", "all_are_applied", "database", "migrations", "ready", "workers"]

LATELY = timedelta(seconds=60)
_up_to_date = threading.Event()

Check = Callable[[], str]
"""The problem in one line; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the two status pages."""

    is_well: bool
    checks: Mapping[str, str]

    def body(self, *, as_json: bool) -> tuple[str, bytes]:
        """(content type, content)."""
        if as_json:
            said = {name: why or "ok" for name, why in self.checks.items()}
            text = json.dumps({"status": "ok" if self.is_well else "unavailable", "checks": said})
            return "application/json", text.encode()
        if self.is_well:
            return "text/plain; charset=utf-8", b"ok\n"
        lines = [f"{name}: {why}" for name, why in self.checks.items() if why]
        return "text/plain; charset=utf-8", ("\n".join(lines) + "\n").encode()


def ready(checks: Mapping[str, Check]) -> Answer:
    """Run the checks in order. After the database has failed, it is not queried again."""
    said: dict[str, str] = {}
    for name, check in checks.items():
        if said.get("database"):
            said[name] = "unknown: the database does not answer"
            continue
        try:
            said[name] = check()
        except DatabaseError as error:
            said[name] = _line(error)
    return Answer(not any(said.values()), said)


def database() -> str:
    """Does it answer?"""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        connection.close()
        # Only its first line, without the address: a DSN may contain a password.
        return f"does not answer ({type(error).__name__})"
    return ""


def migrations() -> str:
    """Are all migrations of this release applied? Once they are, this is not checked again."""
    if _up_to_date.is_set():
        return ""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return f"{len(plan)} migrations are not applied: run `levity migrate`"
    _up_to_date.set()
    return ""


def all_are_applied() -> None:
    """A process that has seen to it says so here, and reads them never again."""
    _up_to_date.set()


def workers(now: datetime) -> tuple[str, str]:
    """The problems of (the workers, their broker), as reported by the workers. Empty: none."""
    reports = list(
        Worker.objects.filter(last_seen_at__gte=now - LATELY).values_list("report", flat=True)
    )
    if not reports:
        return "none reported within a minute: is `levity consume_rpc_queue` running?", ""
    if not any(report.get("connected") for report in reports):
        return "", "no worker is connected to it"
    return "", ""


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
