"""Threads of a worker process: its sign of life, and (in only one process) the alerts. They never
touch a batch: whatever they wait for, the database, a mail server or a webhook, no charger waits
with them.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.apps import apps
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from levity.db import damage
from levity.db.silence import SILENCE, answer_within
from levity.monitoring import lease
from levity.monitoring.alerts import delivery, raise_and_end
from levity.monitoring.alerts.recipients import routes, seal_secrets
from levity.monitoring.health import checks
from levity.monitoring.models import Worker
from levity.monitoring.sums import Sums
from levity_ws import __version__

__all__ = ["Depths", "Pulse", "alerts_round", "certificate_names"]

log = logging.getLogger(__name__)

DUTY = "alerts"
# Seconds between two signs of life, and between two checks for problems.
SIGN, LOOK = 10.0, 15.0
# Seconds between two of its checks: all at once, they would delay a frame by tens of milliseconds.
BREATH = 0.1
# While there is no connection, so that a new one is noticed at once.
SOON = 1.0
# A worker whose loop takes longer than this hangs: it waits at most five seconds for a batch.
HANGS = 30.0
# Disks and certificates change slowly, old alerts even more so.
FORGOTTEN = timedelta(days=1)


class Depths(Protocol):
    """A transport that knows how many batches wait on the broker."""

    @property
    def connected(self) -> bool:
        """True while connected."""

    def depths(self, timeout: float) -> tuple[int, int] | None:
        """(batches that wait, dead letters); None if unknown at the moment."""


class Pulse:
    """One per worker process. `beat` is the time of the worker's last loop (`time.monotonic`)."""

    def __init__(self, beat: Callable[[], float], transport: Callable[[], Any]) -> None:
        self.id = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}"
        self.started_at = timezone.now()
        self.beat = beat
        self.transport = transport
        self.stopping = threading.Event()
        self.sums = Sums()
        self._threads = [
            threading.Thread(
                target=self._keep,
                args=(lambda: SIGN if self.connected else SOON, self.sign),
                name="pulse",
                daemon=True,
            ),
            threading.Thread(
                target=self._keep, args=(lambda: LOOK, self.look), name="alerts", daemon=True
            ),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, and record it, so that others take over at once."""
        self.stopping.set()
        for thread in self._threads:
            thread.join(2)
        try:
            Worker.objects.filter(pk=self.id).delete()
            lease.give_back(DUTY, self.id, timezone.now())
        except DatabaseError as error:
            log.debug("the worker's end could not be recorded: %s", error)
        finally:
            connection.close()

    def _keep(self, pause: Callable[[], float], do: Callable[[datetime], None]) -> None:
        failed = False
        answer_within(SILENCE)
        # Check at once first: a worker that has just started is ready.
        wait = 0.0
        while not self.stopping.wait(wait):
            wait = pause()
            try:
                do(timezone.now())
                failed = False
            except DatabaseError as error:
                if not failed:
                    log.error(
                        "alert conditions not checked: the database does not answer (%s)", error
                    )
                failed = True
            except Exception:
                log.exception("checking alert conditions failed; trying again")
            finally:
                # Not kept between two rounds: an open connection each would be wasted.
                connection.close()

    @property
    def hangs(self) -> bool:
        """True if the worker's loop has been stuck for too long."""
        return time.monotonic() - self.beat() > HANGS

    @property
    def connected(self) -> bool:
        """True while the worker reaches the broker; always, in one process."""
        return bool(getattr(self.transport(), "connected", True))

    def sign(self, now: datetime) -> None:
        """Record that this worker is alive, and what it observes."""
        if self.hangs:
            return
        report: dict[str, Any] = {"connected": self.connected, "version": __version__}
        ask = getattr(self.transport(), "depths", None)
        if ask is not None and (found := ask(5.0)) is not None:
            report["queue"], report["dead_letters"] = found
        if met := damage.seen():
            report["damage"] = {"why": met.why, "mended": met.mended, "whole": met.whole}
        Worker.objects.update_or_create(
            pk=self.id,
            defaults={"last_seen_at": now, "report": report, "started_at": self.started_at},
        )

    def look(self, now: datetime) -> None:
        """Find problems and send notices, if no other process does."""
        if alerts_round(self.id, now, self._breathe):
            self.sums.go_on(now, self._breathe)
            if apps.is_installed("levity.billing"):
                # Its tables are there only then.
                from levity.billing.duty import go_on

                go_on(self._breathe)

    def _breathe(self) -> None:
        self.stopping.wait(BREATH)

    def readiness(self) -> checks.Answer:
        """Is this worker ready?"""
        return checks.ready(
            {
                "database": checks.database,
                "migrations": checks.migrations,
                "worker": lambda: "the worker loop has been stuck for 30 s" if self.hangs else "",
                "broker": lambda: "" if self.connected else "no connection to it",
            }
        )


def alerts_round(holder: str, now: datetime, breathe: Callable[[], object] = lambda: None) -> bool:
    """One check of everything, by the holder of the duty; False if that is another process."""
    if not lease.take(DUTY, holder, now):
        return False
    seen = raise_and_end.look(now, certificate_names(), breathe)
    lease.take(DUTY, holder, now, seen.report)
    seal_secrets()
    ways = routes()
    raise_and_end.record(seen, ways, now)
    # Sending may take long: stop if the duty was lost meanwhile.
    delivery.send_due(ways, now, lambda: lease.take(DUTY, holder, timezone.now()))
    raise_and_end.forget_old(now)
    Worker.objects.filter(last_seen_at__lt=now - FORGOTTEN).delete()
    return True


def certificate_names() -> list[str]:
    """LEVITY_CERTIFICATES: PEM files and host:port, separated by blanks or commas."""
    return os.environ.get("LEVITY_CERTIFICATES", "").replace(",", " ").split()
