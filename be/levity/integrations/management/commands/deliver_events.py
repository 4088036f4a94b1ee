"""`levity deliver_events`: webhooks and MQTT, as a process of its own."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from levity.integrations.mqtt.settings import BadMqttUrl
from levity.integrations.starting import runner

__all__ = ["Command"]


class Command(BaseCommand):
    """Where `levity serve` runs, it does this already."""

    help = (
        "Deliver events to webhooks and to MQTT (MQTT_URL) until SIGTERM. `levity serve` does it "
        "too; of several processes, one delivers and the others wait."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            running = runner()
        except BadMqttUrl as error:
            raise CommandError(str(error)) from error
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: running.stopping.set())
        self.stdout.write("Levity: delivering events")
        self.stdout.flush()
        running.run()
