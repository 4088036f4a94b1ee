"""`manage.py consume_rpc_queue`: a worker of the fleet shape."""

import logging
import os
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from levity.installation import amqp_url
from levity.ocpp.worker.loop import Worker, leave_what_stays
from levity.run.amqp.transport import AmqpWorkerTransport
from levity.run.cannot_open import CannotOpen
from levity.run.holding import HeldByAnother, holding
from levity.run.opening import open_database
from levity_ws.rpc.topology import DEFAULT_URL, broker_label, prefix_from_environ

__all__ = ["Command"]

log = logging.getLogger(__name__)

SWITCH_INTERVAL = 0.0005  # seconds
# Exit status of a worker that a frame holds up for ever (sysexits.h: an internal software error).
STUCK = 70


class Command(BaseCommand):
    """Run any number, on any number of machines; after SIGTERM the current batch is finished."""

    help = (
        "Run a worker: process what the edges send over RabbitMQ (AMQP_URL), and send commands to "
        "chargers."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with holding("levity consume_rpc_queue", alone=False):
                open_database()
                self._consume(amqp_url() or DEFAULT_URL)
        except (HeldByAnother, CannotOpen) as error:
            raise CommandError(str(error)) from error

    def _consume(self, url: str) -> None:
        # Not above: a system check says so where levity.monitoring is not installed.
        from levity.monitoring.metrics.counters import count_batch
        from levity.monitoring.worker_threads import Pulse

        try:
            prefix = prefix_from_environ(os.environ)
            transport = AmqpWorkerTransport(url, prefix=prefix)
        except ValueError as error:
            raise CommandError(f"AMQP_URL: {error}") from error
        worker = Worker(
            transport,
            own_thread_for_commands=connection.vendor == "postgresql",
            on_taken=count_batch,
        )
        pulse = Pulse(beat=lambda: worker.beat, transport=lambda: transport)
        port = self._port(pulse)
        # Nothing else ends a handler that hangs in C; the frame is identified by its marks.
        worker.pipeline.time_limit.on_stuck = lambda: os._exit(STUCK)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        leave_what_stays()
        # Three threads hand over to each other all the time; by default each may hold the
        # interpreter lock for 5 ms.
        sys.setswitchinterval(SWITCH_INTERVAL)
        log.info("worker takes batches from %s", broker_label(url))
        pulse.start()
        try:
            worker.run()
        finally:
            if port is not None:
                port.close()
            pulse.stop()
            transport.close()
        log.info("worker stopped; no batch was left unfinished")

    def _port(self, pulse: Any) -> Any:
        """The port for containers and Prometheus, if LEVITY_WORKER_PORT is set; else None."""
        from levity.monitoring.health.worker_port import WorkerPort

        text = os.environ.get("LEVITY_WORKER_PORT", "").strip()
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or int(text) > 65535:
            raise CommandError(f"LEVITY_WORKER_PORT={text!r} is not a port (0 to 65535)")
        host = os.environ.get("LEVITY_WORKER_HOST") or "127.0.0.1"
        try:
            port = WorkerPort(host, int(text), pulse.readiness)
        except OSError as error:
            raise CommandError(f"Can't listen on {host}:{text}: {error.strerror}") from error
        log.info("worker answers /readyz and /metrics on http://%s:%d", host, port.port)
        return port
