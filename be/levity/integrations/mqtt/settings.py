"""MQTT_URL and what belongs to it, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import unquote, urlsplit

from levity import environment
from levity.integrations.mqtt.topics import level
from levity_ws.frozen import frozen

__all__ = ["BadMqttUrl", "MqttSettings", "from_environ"]

PORTS = {"mqtt": 1883, "mqtts": 8883}


class BadMqttUrl(Exception):
    """The text says what is wrong, without the password."""


@frozen
class MqttSettings:
    """Where the broker is, and what the topics begin with."""

    host: str
    port: int
    is_tls: bool = False
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    prefix: str = "levity"
    discovery: str = "homeassistant"
    """Empty: no discovery."""
    takes_commands: bool = False

    @property
    def shown(self) -> str:
        """The address for people: user and password are masked."""
        who = "***@" if self.user or self.password else ""
        return f"{'mqtts' if self.is_tls else 'mqtt'}://{who}{self.host}:{self.port}"


def from_environ(environ: Mapping[str, str] = os.environ) -> MqttSettings | None:
    """None without MQTT_URL; `BadMqttUrl` if it is none."""
    url = environment.secret(environ, "MQTT_URL").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        # The error may quote the address, password and all.
        raise BadMqttUrl("MQTT_URL has no valid host and port") from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadMqttUrl(
            "MQTT_URL must be mqtt://user:password@host:1883, or mqtts:// with TLS on port 8883"
        )
    prefix = environ.get("LEVITY_MQTT_PREFIX", "").strip("/ ") or "levity"
    discovery = environ.get("LEVITY_MQTT_DISCOVERY", "homeassistant").strip("/ ")
    return MqttSettings(
        parts.hostname,
        port,
        parts.scheme == "mqtts",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        "/".join(level(part) for part in prefix.split("/")),
        "/".join(level(part) for part in discovery.split("/")) if discovery else "",
        environment.flag(environ, "LEVITY_MQTT_COMMANDS", default=False),
    )
