"""The connection to the broker: paho-mqtt, imported when MQTT is switched on."""

import logging
import threading
from typing import Any

from levity.integrations.mqtt.settings import MqttSettings

__all__ = ["Client"]

log = logging.getLogger(__name__)

KEEPALIVE = 30
LONGEST_PAUSE = 60


class Client:
    """Connects, and connects again, in a thread of paho's own."""

    def __init__(self, settings: MqttSettings, listen_to: tuple[str, ...]) -> None:
        # Twelve MB of code that most installations never need.
        from paho.mqtt.client import Client as Paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.settings = settings
        self._listen_to = listen_to
        self.heard: list[tuple[str, str]] = []
        """(topic, message) that came since `take_heard`."""
        self.error = "not connected yet"
        self.connections = 0
        self._lock = threading.Lock()
        self._paho = Paho(CallbackAPIVersion.VERSION2, clean_session=True)
        if settings.user or settings.password:
            self._paho.username_pw_set(settings.user, settings.password or None)
        if settings.is_tls:
            self._paho.tls_set()
        self._paho.will_set(self.status_topic, "offline", qos=1, retain=True)
        self._paho.reconnect_delay_set(1, LONGEST_PAUSE)
        self._paho.on_connect = self._connected
        self._paho.on_connect_fail = self._failed
        self._paho.on_disconnect = self._disconnected
        self._paho.on_message = self._message

    @property
    def status_topic(self) -> str:
        """Whether Levity itself is there."""
        return f"{self.settings.prefix}/status"

    @property
    def is_connected(self) -> bool:
        """True while the broker is there."""
        return not self.error and self._paho.is_connected()

    def start(self) -> None:
        """Connect as soon as it can be, without waiting for it."""
        self._paho.connect_async(self.settings.host, self.settings.port, KEEPALIVE)
        self._paho.loop_start()

    def stop(self) -> None:
        """Say goodbye: the last will is for those who can't."""
        if self.is_connected:
            said = self._paho.publish(self.status_topic, "offline", qos=1, retain=True)
            try:
                said.wait_for_publish(2)
            except (RuntimeError, ValueError):
                log.debug("the broker was gone before we were")
        self._paho.disconnect()
        self._paho.loop_stop()

    def publish(self, topic: str, message: str) -> None:
        """Retained; an empty message removes what was retained."""
        self._paho.publish(topic, message, qos=1, retain=True)

    def take_heard(self) -> list[tuple[str, str]]:
        """What came since the last time."""
        with self._lock:
            heard, self.heard = self.heard, []
        return heard

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._say(f"the broker refuses us: {reason}")
            return
        self._say("")
        self.connections += 1
        self._paho.publish(self.status_topic, "online", qos=1, retain=True)
        for topic in self._listen_to:
            self._paho.subscribe(topic, qos=1)

    def _failed(self, *_: Any) -> None:
        self._say(f"nothing answers at {self.settings.shown}")

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if self.error == "" or not reason.is_failure:
            self._say(f"the connection has ended: {reason}")

    def _message(self, _client: Any, _data: Any, message: Any) -> None:
        if message.retain:
            return  # a command of old
        with self._lock:
            if len(self.heard) < 1000:
                text = message.payload[:1000].decode("utf-8", "replace")
                self.heard.append((message.topic, text))

    def _say(self, error: str) -> None:
        if error != self.error:
            log.log(
                logging.WARNING if error else logging.INFO,
                "MQTT: %s",
                error or f"connected to {self.settings.shown}",
            )
        self.error = error
