"""`manage.py consume_rpc_queue`: a worker of the fleet shape."""

import gc
import logging
import os
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from levity.ocpp.worker import Worker
from levity.rpc_amqp import AmqpWorkerTransport
from levity_ws.rpc.topology import DEFAULT_URL, broker_label, prefix_from_environ

__all__ = ["Command"]

log = logging.getLogger(__name__)

SWITCH_INTERVAL = 0.0005  # seconds


class Command(BaseCommand):
    """Run as many as you like, on as many machines; SIGTERM lets the batch at hand finish."""

    help = "Take what the edges send over RabbitMQ (AMQP_URL), and send commands to chargers."

    def handle(self, *args: Any, **options: Any) -> None:
        url = settings.AMQP_URL or DEFAULT_URL
        try:
            prefix = prefix_from_environ(os.environ)
            transport = AmqpWorkerTransport(url, prefix=prefix)
        except ValueError as error:
            raise CommandError(f"AMQP_URL: {error}") from error
        worker = Worker(transport, own_thread_for_commands=connection.vendor == "postgresql")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        # What Django and its models consist of stays for good: the collector need not look at it
        # again and again, for tens of milliseconds, while a charger waits.
        gc.collect()
        gc.freeze()
        # Three threads hand over to each other all the time; 5 ms is how long one may hold on.
        sys.setswitchinterval(SWITCH_INTERVAL)
        log.info("worker takes batches from %s", broker_label(url))
        try:
            worker.run()
        finally:
            transport.close()
        log.info("worker stopped; nothing was left half done")
