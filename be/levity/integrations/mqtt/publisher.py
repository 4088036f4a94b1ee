"""Keeps the broker's retained topics as the tables are: what changed is published, what is gone
is removed.

Events of the outbox say which charger to look at, so that a change is there within a second.
Running sessions are looked at every few seconds as well, for their power.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from levity.db.rows import upsert_rows
from levity.integrations.models import Event, MqttDevice
from levity.integrations.mqtt.client import Client
from levity.integrations.mqtt.commands import NotDone, obey
from levity.integrations.mqtt.discovery import config_topic, device
from levity.integrations.mqtt.settings import MqttSettings
from levity.integrations.mqtt.state import NONE, ChargerNow, ConnectorNow, read, values_of
from levity.integrations.outbox import note_reader
from levity.ocpp.events import CHARGERS, CONNECTORS, SESSIONS, plain
from levity.ocpp.models import Transaction

__all__ = ["Mqtt", "as_json", "never_falling"]

log = logging.getLogger(__name__)

TYPES = (*SESSIONS, *CHARGERS, *CONNECTORS)
RUNNING, EVERYTHING = timedelta(seconds=10), timedelta(minutes=5)
TOPICS = (
    *("status", "power", "current/l1", "current/l2", "current/l3", "energy", "limit"),
    *("reason", "session", "state"),
)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Mqtt:
    """See `Runner`: `look` is called every half second by the process that has the turn."""

    def __init__(self, settings: MqttSettings, client: Any = None) -> None:
        self.settings = settings
        self.birth = f"{settings.discovery}/status" if settings.discovery else ""
        self.commands = f"{settings.prefix}/+/+/+/set/+" if settings.takes_commands else ""
        listen_to = tuple(topic for topic in (self.birth, self.commands) if topic)
        self.client = client or Client(settings, listen_to)
        self.is_started = False
        self._connections = 0
        self._sent: dict[str, str] = {}
        self._position = -1
        self._running_at = self._everything_at = LONG_AGO
        self._known: set[int] = set()

    def report(self) -> dict[str, Any]:
        """For the pages of all processes."""
        return {
            "address": self.settings.shown,
            "prefix": self.settings.prefix,
            "discovery": self.settings.discovery,
            "takes_commands": self.settings.takes_commands,
            "error": self.client.error,
            "chargers": len(self._known),
            "topics": len(self._sent),
        }

    def look(self, now: datetime, horizon: int) -> None:
        """Publish what has changed."""
        if not self.is_started:
            self.client.start()
            self.is_started = True
        note_reader("mqtt", TYPES, now)
        touched = self._touched(horizon)
        if not self.client.is_connected:
            return
        heard = self.client.take_heard()
        is_new = self.client.connections != self._connections
        is_reborn = any(topic == self.birth and text == "online" for topic, text in heard)
        if is_new or is_reborn:
            self._connections = self.client.connections
            self._sent.clear()
            self._everything_at = LONG_AGO
        self._obey([item for item in heard if item[0] != self.birth])
        if now - self._everything_at >= EVERYTHING:
            self._everything_at = self._running_at = now
            self._publish(read(), is_all=True)
            return
        if now - self._running_at >= RUNNING:
            self._running_at = now
            active = Transaction.objects.filter(state=Transaction.State.ACTIVE).order_by()
            touched.update(active.values_list("charge_point_id", flat=True))
        if touched:
            self._publish(read(touched), is_all=False)

    def stop(self) -> None:
        """Leave in order."""
        if self.is_started:
            self.client.stop()

    def _touched(self, horizon: int) -> set[int]:
        """Charge points of which the outbox tells something new."""
        if self._position < 0:
            self._position = horizon
            return set()
        if horizon <= self._position:
            return set()
        rows = Event.objects.filter(id__gt=self._position, id__lte=horizon, type__in=TYPES)
        self._position = horizon
        found = rows.order_by().values_list("charge_point", flat=True).distinct()
        return {pk for pk in found if pk is not None}

    def _publish(self, chargers: Iterable[ChargerNow], *, is_all: bool) -> None:
        known = {row.charge_point: row for row in MqttDevice.objects.all()}
        messages: list[tuple[str, str]] = []
        kept: list[tuple[Any, ...]] = []
        seen: set[int] = set()
        for found in chargers:
            row = known.get(found.pk)
            before = row.counters if row is not None else {}
            charger, counters = never_falling(found, before)
            seen.add(charger.pk)
            if row is None or (row.base, before) != (charger.base, counters):
                kept.append((charger.pk, charger.base, orjson.dumps(counters).decode()))
            if row is not None and row.base != charger.base:
                messages += self._without(row.base, before)
            elif gone := before.keys() - {item.name for item in charger.connectors}:
                messages += self._without(charger.base, gone, only_connectors=True)
            messages += self._with(charger)
        if is_all:
            for pk, row in known.items():
                if pk not in seen:
                    messages += self._removed(row)
            MqttDevice.objects.exclude(charge_point__in=seen).delete()
            self._known.clear()
        self._known |= seen
        # First here, then there: if we end in between, the energy that was told does not fall.
        columns = ("charge_point", "base", "counters")
        upsert_rows(MqttDevice, columns, kept, key=columns[:1], update=columns[1:])
        for topic, text in messages:
            if self._sent.get(topic) != text:
                self._sent[topic] = text
                self.client.publish(topic, text)

    def _with(self, charger: ChargerNow) -> Iterator[tuple[str, str]]:
        """All that is told of this charger; its values before its device, so that Home Assistant
        finds them."""
        base = f"{self.settings.prefix}/{charger.base}"
        yield f"{base}/availability", "online" if charger.is_online else "offline"
        for connector in charger.connectors:
            here, values = f"{base}/{connector.name}", values_of(charger, connector)
            for name, value in values.items():
                yield f"{here}/{name}", "" if value is None else str(value)
            yield f"{here}/state", orjson.dumps(as_json(charger, connector, values)).decode()
        if self.settings.discovery:
            what = device(
                charger, self.settings.prefix, takes_commands=self.settings.takes_commands
            )
            yield self._config(charger.pk), orjson.dumps(what).decode()

    def _without(
        self, base: str, connectors: Iterable[str], *, only_connectors: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Messages that remove what was retained."""
        here = f"{self.settings.prefix}/{base}"
        if not only_connectors:
            yield f"{here}/availability", ""
        for name in connectors:
            for topic in TOPICS:
                yield f"{here}/{name}/{topic}", ""

    def _removed(self, row: MqttDevice) -> Iterator[tuple[str, str]]:
        if self.settings.discovery:
            yield self._config(row.charge_point), ""
        yield from self._without(row.base, row.counters)

    def _config(self, charge_point: int) -> str:
        return config_topic(self.settings.discovery, self.settings.prefix, charge_point)

    def _obey(self, heard: Iterable[tuple[str, str]]) -> None:
        for topic, text in heard:
            try:
                log.info("MQTT: %s for %s", obey(self.settings.prefix, topic, text), topic[:200])
            except NotDone as error:
                log.warning("MQTT: nothing is sent for %s: %s", topic[:200], error)


def never_falling(
    charger: ChargerNow, counters: Mapping[str, str]
) -> tuple[ChargerNow, dict[str, str]]:
    """The charger with energy that is at least what was told before, and the new counters.

    A correction may take energy away: then the counter stands still until it is reached again.
    Home Assistant would count a meter that falls as one that begins anew, and everything twice.
    """
    told: dict[str, str] = {}
    connectors = []
    for item in charger.connectors:
        energy = max(item.energy, Decimal(counters.get(item.name, "0")))
        told[item.name] = str(plain(energy))
        connectors.append(replace(item, energy=energy))
    return replace(charger, connectors=tuple(connectors)), told


def as_json(
    charger: ChargerNow, connector: ConnectorNow, values: Mapping[str, Any]
) -> dict[str, Any]:
    """All values of a connector in one message, with units in their names."""
    evse, number = connector.place
    return {
        "charge_point": charger.identity,
        "site": charger.site or None,
        "evse": evse or None,
        "connector": number,
        "online": charger.is_online,
        "status": values["status"],
        "reported_status": connector.status or None,
        "error_code": connector.error_code or None,
        "power_w": values["power"],
        "current_l1_a": values["current/l1"],
        "current_l2_a": values["current/l2"],
        "current_l3_a": values["current/l3"],
        "energy_wh": values["energy"],
        "limit_a": values["limit"],
        "reason": None if values["reason"] == NONE else values["reason"],
        "session": connector.session,
        "session_energy_wh": plain(connector.session_energy),
    }
