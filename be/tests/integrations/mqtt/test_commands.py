"""Commands over MQTT: off by default; when on, they go the way of all commands."""

import json
from typing import Any

import pytest
from django.utils import timezone

from levity.integrations.mqtt.commands import OURS, NotDone, obey
from levity.integrations.mqtt.publisher import Mqtt
from levity.integrations.mqtt.settings import MqttSettings, from_environ
from levity.ocpp.commands.lifecycle import dispatch
from levity.ocpp.models import AuditEntry, Command
from tests.integrations.mqtt.test_publisher import Broker
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = pytest.mark.django_db
HERE = "levity/no-site/CP1/1"


@pytest.fixture
def site() -> CentralSystem:
    return CentralSystem()


@pytest.fixture
def charger(site: CentralSystem) -> Charger:
    charger = Charger()
    site.connect(charger)
    site.take(charger.boots())
    site.take(charger.shows("Available"))
    publish(Broker())
    return charger


def publish(broker: Broker, *, takes_commands: bool = True) -> Broker:
    settings = MqttSettings("broker", 1883, takes_commands=takes_commands)
    Mqtt(settings, broker).look(timezone.now(), 0)
    return broker


def sent() -> list[tuple[str, Any]]:
    return list(Command.objects.order_by("id").values_list("action", "payload"))


def accept(site: CentralSystem, charger: Charger) -> None:
    assert dispatch(timezone.now(), lambda *_: True) == 1
    command = Command.objects.get(state="sent")
    site.take(charger.answers(str(command.unique_id), {"status": "Accepted"}))


def test_commands_are_off_unless_somebody_switches_them_on() -> None:
    found = from_environ({"MQTT_URL": "mqtt://broker"})
    assert found is not None
    assert not found.takes_commands
    assert Mqtt(found, Broker()).commands == ""
    on = from_environ({"MQTT_URL": "mqtt://broker", "LEVITY_MQTT_COMMANDS": "true"})
    assert on is not None
    assert Mqtt(on, Broker()).commands == "levity/+/+/+/set/+"


def test_a_limit_is_sent_and_shown_once_the_charger_has_it(
    site: CentralSystem, charger: Charger
) -> None:
    assert obey("levity", f"{HERE}/set/limit", "16.2") == "SetChargingProfile"
    [(_, payload)] = sent()
    assert payload["connectorId"] == 1
    schedule = payload["csChargingProfiles"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}]
    assert f"{HERE}/limit" not in publish(Broker()).retained
    accept(site, charger)
    assert publish(Broker()).retained[f"{HERE}/limit"] == "16"
    entry = AuditEntry.objects.get(what__contains="SetChargingProfile")
    assert entry.who_name == "MQTT"
    assert Command.objects.get().source == "MQTT"


def test_a_pause_is_taken_back_to_the_limit_before(site: CentralSystem, charger: Charger) -> None:
    for verb, text in (("limit", "10"), ("pause", "on"), ("pause", "off")):
        obey("levity", f"{HERE}/set/{verb}", text)
        accept(site, charger)
    limits = [
        payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for _, payload in sent()
    ]
    assert limits == [10.0, 0.0, 10.0]


def test_a_pause_without_a_limit_before_is_removed(charger: Charger) -> None:
    assert obey("levity", f"{HERE}/set/pause", "off") == "ClearChargingProfile"
    assert sent() == [("ClearChargingProfile", {"id": OURS + 1})]


def test_start_and_stop(site: CentralSystem, charger: Charger) -> None:
    obey("levity", f"{HERE}/set/start", "start")
    session = site.start(charger)
    obey("levity", f"{HERE}/set/stop", "stop")
    assert sent() == [
        ("RemoteStartTransaction", {"connectorId": 1, "idTag": "anonymous"}),
        ("RemoteStopTransaction", {"transactionId": session}),
    ]


@pytest.mark.parametrize(
    ("topic", "text", "why"),
    [
        (f"{HERE}/set/limit", "much", "not a number"),
        (f"{HERE}/set/limit", "NaN", "between 6 and 80"),
        (f"{HERE}/set/limit", "-1", "between 6 and 80"),
        (f"{HERE}/set/limit", "5", "between 6 and 80"),
        (f"{HERE}/set/limit", "1e9", "between 6 and 80"),
        (f"{HERE}/set/pause", "perhaps", "neither on nor off"),
        (f"{HERE}/set/stop", "", "no session"),
        (f"{HERE}/set/reset", "", "commands are"),
        ("levity/no-site/CP2/1/set/stop", "", "no such connector"),
        ("levity/no-site/CP1/9/set/stop", "", "no such connector"),
        ("other/no-site/CP1/1/set/stop", "", "commands are"),
    ],
)
def test_what_makes_no_sense_is_not_sent(charger: Charger, topic: str, text: str, why: str) -> None:
    with pytest.raises(NotDone, match=why):
        obey("levity", topic, text)
    assert sent() == []


def test_a_message_on_the_broker_is_obeyed(charger: Charger) -> None:
    broker = Broker()
    broker.heard.append((f"{HERE}/set/limit", "12"))
    broker.heard.append((f"{HERE}/set/limit", "nonsense"))
    publish(broker)
    assert [action for action, _ in sent()] == ["SetChargingProfile"]
    config = next(text for topic, text in broker.retained.items() if topic.endswith("/config"))
    assert json.loads(config)["cmps"]["1_limit"]["cmd_t"] == f"{HERE}/set/limit"
