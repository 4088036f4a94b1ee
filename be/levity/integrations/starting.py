"""What delivers events in this process, by its environment."""

import os
from collections.abc import Mapping

from levity.integrations.mqtt.settings import from_environ
from levity.integrations.runner import Runner

__all__ = ["runner"]


def runner(environ: Mapping[str, str] = os.environ) -> Runner:
    """Not started yet; with MQTT if there is an MQTT_URL. Raises `BadMqttUrl`."""
    settings = from_environ(environ)
    if settings is None:
        return Runner()
    from levity.integrations.mqtt.publisher import Mqtt

    return Runner(Mqtt(settings))
