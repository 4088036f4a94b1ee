"""What Home Assistant asks of a device that is announced over MQTT, as facts in our own words.

Read in `components/mqtt` and `components/sensor` of the package homeassistant 2026.2.3. It raises
AssertionError where Home Assistant would refuse the announcement.
"""

import json
import re
from typing import Any

__all__ = ["check_device"]

TOPIC = re.compile(r"[^/]+/device/[a-zA-Z0-9_-]+/config")
DEVICE_KEYS = {"ids", "name", "mf", "mdl", "sw", "sn", "sa"}
COMMON = {"p", "uniq_id", "name", "avty", "ent_cat", "dev_cla"}
PLATFORMS = {
    "sensor": (COMMON | {"stat_t", "unit_of_meas", "stat_cla", "ops"}, {"stat_t"}),
    "binary_sensor": (COMMON | {"stat_t", "pl_on", "pl_off"}, {"stat_t"}),
    "number": (
        COMMON | {"stat_t", "cmd_t", "min", "max", "step", "unit_of_meas"},
        {"cmd_t"},
    ),
    "switch": (COMMON | {"cmd_t", "pl_on", "pl_off", "stat_t"}, {"cmd_t"}),
    "button": (COMMON | {"cmd_t", "pl_prs"}, {"cmd_t"}),
}
UNITS = {"energy": {"Wh", "kWh", "MWh"}, "power": {"W", "kW"}, "current": {"A", "mA"}}
CLASSES = {"energy": {"total", "total_increasing"}, "power": {"measurement"}}
CATEGORIES = {"diagnostic", "config"}


def check_device(topic: str, message: str) -> None:
    """Hold this announcement against the rules."""
    assert TOPIC.fullmatch(topic), topic
    said: dict[str, Any] = json.loads(message)
    assert set(said) <= {"dev", "o", "cmps", "avty", "avty_mode", "qos", "stat_t", "cmd_t"}
    assert set(said["dev"]) <= DEVICE_KEYS
    assert all(isinstance(text, str) and text for text in said["dev"]["ids"])
    assert said["dev"]["ids"], "a device needs an identifier"
    assert said["o"]["name"], "an origin needs a name"
    assert said["o"]["url"].startswith("https://")
    assert said["avty_mode"] in ("all", "any", "latest")
    for item in said["avty"]:
        check_topic(item["t"])
    ids = [component["uniq_id"] for component in said["cmps"].values()]
    assert len(set(ids)) == len(ids), "every entity has an id of its own"
    for component in said["cmps"].values():
        check_component(component)


def check_component(component: dict[str, Any]) -> None:
    """One entity."""
    allowed, needed = PLATFORMS[component["p"]]
    assert set(component) <= allowed, set(component) - allowed
    assert needed <= set(component)
    assert component["name"]
    for key in ("stat_t", "cmd_t"):
        if key in component:
            check_topic(component[key])
    assert component.get("ent_cat", "diagnostic") in CATEGORIES
    kind, unit = component.get("dev_cla"), component.get("unit_of_meas")
    if kind in UNITS:
        assert unit in UNITS[kind]
    state = component.get("stat_cla")
    if kind in CLASSES:
        assert state in CLASSES[kind]
    if "ops" in component:
        assert component["ops"], "options must not be empty"
        assert kind == "enum"
        assert unit is None
        assert state is None
    if component["p"] == "number":
        assert component["min"] <= component["max"]
        assert component["step"] >= 1e-3


def check_topic(topic: str) -> None:
    """A topic without wildcards."""
    assert 0 < len(topic.encode()) <= 65535
    assert not set(topic) & set("+#\0")
    assert not any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in topic)
