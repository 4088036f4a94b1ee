"""The process that delivers: a thread of `levity serve`, or `levity deliver_events` by itself.

Of several, one has the turn (a lease in the database). Each webhook is sent to by a thread of its
own, which lives while there is something to send, so that a slow receiver delays no other.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from levity.db import lease
from levity.integrations.deliveries import attempt, due, fan_out, forget_deliveries
from levity.integrations.delivering import TURN
from levity.integrations.models import Turn, Webhook
from levity.integrations.order import Order
from levity.integrations.retention import forget_events
from levity.ocpp import events
from levity.posting import post

__all__ = ["DELIVERING", "Runner"]

log = logging.getLogger(__name__)

DELIVERING = TURN
# Seconds between two looks: with readers, and without.
LOOK, IDLE = 0.5, 5.0
# Seconds for which the turn is kept without asking again.
KEPT = 15.0
TIDY = 3600.0
SENDERS = 100
AT_ONCE = 50


class Runner:
    """Delivers until `stop`. `mqtt` is what else looks at the outbox, if anything."""

    def __init__(self, mqtt: Any = None, send: Any = post) -> None:
        self.holder = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}"
        self.stopping = threading.Event()
        self.mqtt = mqtt
        self.order = Order()
        self._send = send
        self._senders: dict[int, threading.Thread] = {}
        self._turn_until = self._tidy_at = float("-inf")
        self._thread = threading.Thread(target=self.run, name="deliver events", daemon=True)

    def start(self) -> None:
        """Run in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End in order; what is being sent is finished, or sent again with the same id."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def run(self) -> None:
        """Look, again and again, until `stop`."""
        failed = False
        try:
            while not self.stopping.is_set():
                pause = IDLE
                try:
                    pause = self.look(timezone.now())
                    failed = False
                except DatabaseError as error:
                    if not failed:
                        log.error("events wait: the database does not answer (%s)", error)
                    failed = True
                    connection.close()
                except Exception:
                    log.exception("delivering events failed; trying again")
                self.stopping.wait(pause)
            self._end()
        finally:
            connection.close()

    def look(self, now: datetime) -> float:
        """One look; the seconds until the next."""
        is_read = bool(events.wanted())
        if not is_read and self.mqtt is None:
            self._turn_until = float("-inf")
            connection.close()
            return IDLE
        if not self._has_turn(now):
            return IDLE
        horizon = self.order.look(now)
        for webhook in Webhook.objects.filter(enabled=True):
            while fan_out(webhook, horizon, now) and not self.stopping.is_set():
                pass
            if webhook.paused_until is None or webhook.paused_until <= now:
                self._wake(webhook, now)
        if self.mqtt is not None:
            self.mqtt.look(now, horizon)
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY
            forget_events(now)
            forget_deliveries(now)
        return LOOK

    def _has_turn(self, now: datetime) -> bool:
        if time.monotonic() < self._turn_until:
            return True
        report = {"mqtt": self.mqtt.report() if self.mqtt is not None else None}
        if not lease.take(Turn, DELIVERING, self.holder, now, report):
            return False
        self._turn_until = time.monotonic() + KEPT
        return True

    def _wake(self, webhook: Webhook, now: datetime) -> None:
        """Let its thread run, if there is something to send."""
        thread = self._senders.get(webhook.pk)
        if thread is not None and thread.is_alive():
            return
        self._senders = {pk: item for pk, item in self._senders.items() if item.is_alive()}
        if len(self._senders) >= SENDERS or not due(webhook, now).exists():
            return
        thread = threading.Thread(
            target=_in_a_thread,
            args=(lambda: send_all(webhook.pk, self.stopping, timezone.now, self._send),),
            name=f"webhook {webhook.pk}",
            daemon=True,
        )
        self._senders[webhook.pk] = thread
        thread.start()

    def _end(self) -> None:
        if self.mqtt is not None:
            self.mqtt.stop()
        for thread in self._senders.values():
            thread.join(2)
        try:
            lease.give_back(Turn, DELIVERING, self.holder, timezone.now())
        except DatabaseError as error:
            log.debug("the turn could not be given back: %s", error)


def send_all(
    webhook_id: int, stopping: threading.Event, clock: Callable[[], datetime], send: Any = post
) -> int:
    """Send what this webhook has waiting, as long as it takes it; how many it took."""
    taken = 0
    while not stopping.is_set():
        webhook = Webhook.objects.filter(pk=webhook_id, enabled=True).first()
        if webhook is None:
            break
        batch = list(due(webhook, clock())[:AT_ONCE])
        if not batch:
            break
        for delivery in batch:
            now = clock()
            is_paused = webhook.paused_until is not None and webhook.paused_until > now
            if stopping.is_set() or is_paused or not webhook.enabled:
                return taken
            taken += attempt(webhook, delivery, now, send)
    return taken


def _in_a_thread(do: Callable[[], object]) -> None:
    try:
        do()
    except DatabaseError as error:
        log.error("events wait: the database does not answer (%s)", error)
    except Exception:
        log.exception("a webhook could not be served; trying again")
    finally:
        connection.close()
