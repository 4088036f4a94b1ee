"""The broker's topics are as the tables are; energy never falls; what is gone is removed."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from levity.integrations.models import Event, MqttDevice
from levity.integrations.mqtt.client import Client
from levity.integrations.mqtt.discovery import config_topic, device
from levity.integrations.mqtt.publisher import RUNNING, Mqtt
from levity.integrations.mqtt.settings import MqttSettings
from levity.integrations.mqtt.state import read
from levity.ocpp import events
from levity.ocpp.models import ChargePoint, Site, Transaction
from tests.integrations.mqtt.home_assistant import check_device
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


class Broker:
    """Keeps what is retained."""

    def __init__(self) -> None:
        self.retained: dict[str, str] = {}
        self.published: list[tuple[str, str]] = []
        self.heard: list[tuple[str, str]] = []
        self.error = ""
        self.connections = 1
        self.is_connected = True

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self.is_connected = False

    def take_heard(self) -> list[tuple[str, str]]:
        heard, self.heard = self.heard, []
        return heard

    def publish(self, topic: str, message: str) -> None:
        self.published.append((topic, message))
        if message:
            self.retained[topic] = message
        else:
            self.retained.pop(topic, None)


@pytest.fixture
def broker() -> Broker:
    return Broker()


class Watch:
    """Looks, as the runner does."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.mqtt = Mqtt(MqttSettings("broker", 1883), broker)
        self.now = timezone.now()
        self.look()

    def look(self, seconds: float = 0) -> None:
        self.now += timedelta(seconds=seconds)
        newest = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
        self.mqtt.look(self.now, newest)


@pytest.fixture
def watch(broker: Broker) -> Watch:
    found = Watch(broker)
    events.refresh()
    return found


def charging(identity: str = "CP1") -> tuple[CentralSystem, Charger, int]:
    site, charger = CentralSystem(), Charger(identity)
    site.connect(charger)
    site.take(charger.boots())
    site.take(charger.shows("Charging"))
    return site, charger, site.start(charger)


def test_a_session_is_seen_at_once(watch: Watch, broker: Broker) -> None:
    site, charger, session = charging()
    charger.now = 60
    site.take(charger.measures(session, 3500))
    watch.look()
    here = "levity/no-site/CP1"
    assert broker.retained[f"{here}/availability"] == "online"
    assert broker.retained[f"{here}/1/status"] == "Charging"
    assert broker.retained[f"{here}/1/energy"] == "2500"
    assert broker.retained[f"{here}/1/session"] == str(session)
    state = json.loads(broker.retained[f"{here}/1/state"])
    assert (state["energy_wh"], state["session"], state["online"]) == ("2500", session, True)
    site.take(charger.leaves())
    watch.look()
    assert broker.retained[f"{here}/availability"] == "offline"
    assert broker.retained[f"{here}/1/reason"] == "not connected"


def test_power_and_currents_follow_within_ten_seconds(watch: Watch, broker: Broker) -> None:
    site, charger, session = charging()
    watch.look()
    sampled = [
        {"value": "7360", "measurand": "Power.Active.Import", "unit": "W"},
        {"value": "16.1", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
        {"value": "15.9", "measurand": "Current.Import", "phase": "L2", "unit": "A"},
    ]
    for _ in range(2):
        charger.now += 10
        meter = [{"timestamp": wire(charger.now), "sampledValue": sampled}]
        site.take(charger.measures(session, 0, meterValue=meter))
    watch.look(RUNNING.total_seconds())
    here = "levity/no-site/CP1/1"
    assert broker.retained[f"{here}/power"] == "7360"
    assert broker.retained[f"{here}/current/l1"] == "16.1"
    assert broker.retained[f"{here}/current/l2"] == "15.9"
    assert f"{here}/current/l3" not in broker.retained


def test_what_did_not_change_is_not_published_again(watch: Watch, broker: Broker) -> None:
    charging()
    watch.look()
    broker.published.clear()
    watch.look(RUNNING.total_seconds())
    watch.look(600)
    assert broker.published == []


def test_energy_never_falls_not_even_when_levity_starts_again(broker: Broker) -> None:
    watch = Watch(broker)
    events.refresh()
    site, charger, session = charging()
    site.take(charger.stops(session))
    watch.look()
    topic = "levity/no-site/CP1/1/energy"
    assert broker.retained[topic] == "5000"
    Transaction.objects.update(energy=Decimal(4000))
    watch.look(600)
    assert broker.retained[topic] == "5000"
    Watch(broker)
    assert broker.retained[topic] == "5000"
    charger.now = 7200
    second = site.start(charger, timestamp=wire(7200), meterStart=6000)
    site.take(charger.measures(second, 8500, when=wire(7260)))
    Watch(broker)
    assert broker.retained[topic] == "6500"
    told = [int(text) for name, text in broker.published if name == topic]
    assert told == sorted(told)


def test_a_connection_that_is_new_gets_everything_again(watch: Watch, broker: Broker) -> None:
    charging()
    watch.look()
    broker.retained.clear()
    broker.connections += 1
    watch.look()
    assert "levity/no-site/CP1/1/status" in broker.retained


def test_home_assistant_is_told_again_when_it_starts(watch: Watch, broker: Broker) -> None:
    charging()
    watch.look()
    broker.retained.clear()
    broker.heard.append(("homeassistant/status", "offline"))
    watch.look()
    assert broker.retained == {}
    broker.heard.append(("homeassistant/status", "online"))
    watch.look()
    pk = ChargePoint.objects.get().pk
    assert config_topic("homeassistant", "levity", pk) in broker.retained


def test_a_charger_that_is_retired_is_removed_with_all_of_its_topics(
    watch: Watch, broker: Broker
) -> None:
    charging()
    watch.look()
    assert broker.retained
    ChargePoint.objects.update(retired_at=timezone.now())
    watch.look(600)
    assert broker.retained == {}
    assert not MqttDevice.objects.exists()


def test_a_charger_that_moves_to_another_site_leaves_nothing_behind(
    watch: Watch, broker: Broker
) -> None:
    charging()
    watch.look()
    before = set(broker.retained)
    ChargePoint.objects.update(site=Site.objects.create(name="Garage"))
    watch.look(600)
    left = {topic for topic in before & set(broker.retained) if not topic.endswith("/config")}
    assert left == set()
    assert broker.retained["levity/Garage/CP1/1/energy"] == "0"


def test_names_that_are_hostile_break_nothing(watch: Watch, broker: Broker) -> None:
    for number, name in enumerate(["a/b", "#", "+", "x" * 40]):
        charging(name)
        ChargePoint.objects.filter(identity=name).update(
            site=Site.objects.create(name=f"{name}/#+\n{'y' * 50}{number}"), name=f"{name} “x”"
        )
    watch.look(600)
    topics = [topic for topic in broker.retained if topic.startswith("levity/")]
    assert {topic.count("/") for topic in topics} == {3, 4, 5} - {5} | (
        {5} if any("/current/" in topic for topic in topics) else set()
    )
    assert not any(set(topic) & set("#+\n") for topic in topics)
    assert len({topic.split("/")[2] for topic in topics}) == 4


@pytest.mark.parametrize("takes_commands", [False, True])
def test_home_assistants_own_rules_take_the_device(takes_commands: bool) -> None:
    charging()
    site, charger = CentralSystem(), Charger("CP2")
    site.connect(charger)
    for connector in (0, 1, 2):
        site.take(charger.shows("Available", connector))
    for found in read():
        announced = device(found, "levity", takes_commands=takes_commands)
        topic = config_topic("homeassistant", "levity", found.pk)
        check_device(topic, json.dumps(announced))
    names = {item["name"] for item in announced["cmps"].values()}
    assert {"Connection", "Connector 1 energy", "Connector 2 power"} <= names


@pytest.mark.slow
def test_without_mqtt_the_library_is_not_loaded() -> None:
    """It costs memory that most installations never need."""
    import sys

    said = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'levity.settings';"
        "django.setup(); import levity.integrations.starting, levity.integrations.runner;"
        "print(any(name.startswith('paho') for name in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


# Against a real broker.


@pytest.fixture(scope="module")
def mosquitto(unused_tcp_port_factory: Any) -> Iterator[str]:
    """The address of a real broker, which ends with these tests."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    assert program, "make services installs it"
    port = unused_tcp_port_factory()
    process = subprocess.Popen([program, "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_open(port))
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def real(mosquitto: str) -> Iterator[tuple[MqttSettings, Any]]:
    """Settings for the real broker, and a client that sees what is below our prefix."""
    from paho.mqtt.client import Client as Paho
    from paho.mqtt.enums import CallbackAPIVersion

    where = urlsplit(mosquitto)
    assert where.hostname
    mine = f"levity-test-{uuid4().hex[:8]}"
    settings = MqttSettings(where.hostname, where.port or 1883, prefix=mine, discovery=f"{mine}-ha")
    seen: dict[str, str] = {}
    watcher = Paho(CallbackAPIVersion.VERSION2)
    watcher.on_message = lambda _c, _d, message: seen.__setitem__(
        message.topic, message.payload.decode()
    )
    watcher.connect(settings.host, settings.port)
    watcher.subscribe([(f"{mine}/#", 1), (f"{mine}-ha/#", 1)])
    watcher.loop_start()
    watcher.seen = seen  # type: ignore[attr-defined]
    yield settings, watcher
    for topic in list(seen):
        watcher.publish(topic, "", qos=1, retain=True).wait_for_publish(5)
    watcher.disconnect()
    watcher.loop_stop()


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)  # (the broker is another process)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_real_broker_has_it_all_and_hears_of_our_end(real: Any) -> None:
    settings, watcher = real
    charging()
    mqtt = Mqtt(settings)
    now = timezone.now()
    mqtt.look(now, 0)
    try:
        wait_for(lambda: mqtt.client.is_connected)
        mqtt.look(now, 0)
        prefix, pk = settings.prefix, ChargePoint.objects.get().pk
        config = config_topic(settings.discovery, prefix, pk)
        wait_for(lambda: config in watcher.seen)
        check_device(config, watcher.seen[config])
        assert watcher.seen[f"{prefix}/status"] == "online"
        assert watcher.seen[f"{prefix}/no-site/CP1/1/status"] == "Charging"
        watcher.publish(f"{settings.discovery}/status", "online", qos=1)
        watcher.seen.clear()
        wait_for(lambda: bool(mqtt.client.heard))
        mqtt.look(now, 0)
        wait_for(lambda: config in watcher.seen)
    finally:
        mqtt.stop()
    wait_for(lambda: watcher.seen.get(f"{settings.prefix}/status") == "offline")


@pytest.mark.services
def test_the_last_will_says_that_we_died(real: Any) -> None:
    settings, watcher = real
    client = Client(settings, ())
    client.start()
    wait_for(lambda: client.is_connected)
    wait_for(lambda: watcher.seen.get(f"{settings.prefix}/status") == "online")
    # The process dies: the socket closes without goodbye.
    client._paho._sock_close()
    client._paho.loop_stop()
    wait_for(lambda: watcher.seen.get(f"{settings.prefix}/status") == "offline")


def test_a_broker_that_is_away_is_named_without_its_password() -> None:
    settings = MqttSettings("127.0.0.1", 1, user="anna", password="s3cret")
    client = Client(settings, ())
    client.start()
    try:
        wait_for(lambda: "nothing answers" in client.error)
        assert client.error == "nothing answers at mqtt://***@127.0.0.1:1"
    finally:
        client.stop()
