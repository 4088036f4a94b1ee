"""What Home Assistant is told of a charger: one device, with its entities as components.

Facts of Home Assistant 2026.2: a retained message at `<discovery>/device/<object id>/config` with
`dev`, `o` and `cmps`; each component has a platform `p` and a `uniq_id`. An enum sensor needs
options and has no unit; `total_increasing` never falls. An empty message removes the device.
"""

from typing import Any

from levity.integrations.mqtt.state import STATUSES, ChargerNow, ConnectorNow
from levity.integrations.mqtt.topics import slug
from levity_ws import __version__

__all__ = ["config_topic", "device", "object_id"]

WEBSITE = "https://github.com/keeth/levity"


def object_id(prefix: str, charge_point: int) -> str:
    """The id of a charger's device: its key, because names change."""
    return f"{slug(prefix)}_{charge_point}"


def config_topic(discovery: str, prefix: str, charge_point: int) -> str:
    """Where its device is announced."""
    return f"{discovery}/device/{object_id(prefix, charge_point)}/config"


def device(charger: ChargerNow, prefix: str, *, takes_commands: bool) -> dict[str, Any]:
    """The announcement."""
    own = object_id(prefix, charger.pk)
    base = f"{prefix}/{charger.base}"
    about = {
        "ids": [own],
        "name": charger.name,
        "mf": charger.vendor,
        "mdl": charger.model,
        "sw": charger.firmware,
        "sn": charger.serial,
        "sa": charger.site,
    }
    components: dict[str, Any] = {
        "online": {
            "p": "binary_sensor",
            "uniq_id": f"{own}_online",
            "name": "Connection",
            "dev_cla": "connectivity",
            "ent_cat": "diagnostic",
            "stat_t": f"{base}/availability",
            "pl_on": "online",
            "pl_off": "offline",
            # It says itself that the charger is away.
            "avty": [{"t": f"{prefix}/status"}],
        }
    }
    several = len(charger.connectors) > 1
    for connector in charger.connectors:
        components |= _of_connector(
            connector, own, base, several=several, takes_commands=takes_commands
        )
    return {
        "dev": {name: value for name, value in about.items() if value},
        "o": {"name": "Levity", "sw": __version__, "url": WEBSITE},
        "avty": [{"t": f"{prefix}/status"}, {"t": f"{base}/availability"}],
        "avty_mode": "all",
        "qos": 1,
        "cmps": components,
    }


def _of_connector(
    connector: ConnectorNow, own: str, base: str, *, several: bool, takes_commands: bool
) -> dict[str, Any]:
    here = f"{base}/{connector.name}"
    before = f"Connector {connector.name} " if several else ""

    def entity(key: str, name: str, platform: str, **more: Any) -> tuple[str, dict[str, Any]]:
        said = f"{before}{name}"
        which = f"{slug(connector.name)}_{key}"
        found = {
            "p": platform,
            "uniq_id": f"{own}_{which}",
            "name": said[:1].upper() + said[1:].lower() if several else said,
            **more,
        }
        return which, found

    def sensor(key: str, name: str, topic: str, **more: Any) -> tuple[str, dict[str, Any]]:
        return entity(key, name, "sensor", stat_t=f"{here}/{topic}", **more)

    measured = {"stat_cla": "measurement"}
    found = [
        sensor("status", "Status", "status", dev_cla="enum", ops=list(STATUSES)),
        sensor("power", "Power", "power", dev_cla="power", unit_of_meas="W", **measured),
        sensor(
            *("energy", "Energy", "energy"),
            dev_cla="energy",
            unit_of_meas="Wh",
            stat_cla="total_increasing",
        ),
        *(
            sensor(
                *(f"current_{phase}", f"Current {phase.upper()}", f"current/{phase}"),
                dev_cla="current",
                unit_of_meas="A",
                **measured,
            )
            for phase in ("l1", "l2", "l3")
        ),
        sensor("reason", "Reason", "reason", ent_cat="diagnostic"),
        sensor("session", "Session", "session", ent_cat="diagnostic"),
    ]
    limit = {"dev_cla": "current", "unit_of_meas": "A"}
    if takes_commands:
        found += [
            entity(
                *("limit", "Limit", "number"),
                stat_t=f"{here}/limit",
                cmd_t=f"{here}/set/limit",
                min=6,
                max=80,
                step=0.5,
                **limit,
            ),
            entity(
                *("pause", "Pause", "switch"), cmd_t=f"{here}/set/pause", pl_on="on", pl_off="off"
            ),
            entity("start", "Start", "button", cmd_t=f"{here}/set/start", pl_prs="start"),
            entity("stop", "Stop", "button", cmd_t=f"{here}/set/stop", pl_prs="stop"),
        ]
    else:
        found.append(sensor("limit", "Limit", "limit", **limit, **measured))
    return dict(found)
