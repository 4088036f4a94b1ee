"""A connector with all that a chain can show, in November 2026 at home in Berlin."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from levity.ocpp.models import ChargePoint, Connector, Site, Transaction
from levity.ocpp.rules.readings import REGISTER
from tests.kept import keep

__all__ = ["DAY", "a_chain", "sample", "session"]

DAY = datetime(2026, 11, 24, tzinfo=UTC)


def session(connector: Connector, hours: float, lasting: float, **values: Any) -> Transaction:
    """One that began so many hours after `DAY`."""
    began = DAY + timedelta(hours=hours)
    ended = began + timedelta(hours=lasting)
    fields: dict[str, Any] = {
        "charge_point": connector.charge_point,
        "connector": connector.number,
        "id_tag": "04A1B2C312",
        "started_at": began,
        "start_received_at": began,
        "stopped_at": ended,
        "stop_received_at": ended,
        "state": "stopped",
        "energy_source": "registers",
        "confidence": "high",
    }
    values = {name: Decimal(v) if name.startswith("meter_") else v for name, v in values.items()}
    if {"meter_start", "meter_stop"} <= values.keys():
        fields["energy"] = values["meter_stop"] - values["meter_start"]
    return Transaction.objects.create(**{**fields, **values})


def sample(connector: Connector, hours: float, wh: int) -> None:
    """The register in no session."""
    at = DAY + timedelta(hours=hours)
    said = {"measurand": REGISTER, "unit": "Wh", "raw_value": str(wh)}
    keep(connector.charge_point, at, said, connector=connector.number)


def a_chain(charger: ChargePoint) -> Connector:
    """Sessions of each confidence, energy in none and in two, and a register that begins anew."""
    charger.site = Site.objects.create(name="Home", time_zone="Europe/Berlin")
    charger.save()
    connector = charger.connectors.get()
    session(connector, 7, 3, meter_start=4_210_000, meter_stop=4_232_000)
    session(connector, 18, 2.5, meter_start=4_232_000, meter_stop=4_249_500, confidence="medium")
    for number in range(9):
        sample(connector, 22 + number * 0.5, 4_249_500 + 400 * number)
    session(connector, 31, 6, meter_start=4_252_700, meter_stop=4_290_000)
    twice = {"flags": "overlaps-previous", "confidence": "low", "id_tag": "BOB"}
    session(connector, 34, 5, meter_start=4_276_000, meter_stop=4_298_000, **twice)
    session(connector, 55, 1, meter_start=4_299_000, meter_stop=4_306_000, flags="orphaned")
    # A new meter.
    session(connector, 80, 4, meter_start=0, meter_stop=31_000)
    session(connector, 103, 3, meter_start=31_000, meter_stop=52_000)
    session(
        connector,
        128,
        1,
        meter_start=52_000,
        meter_last=58_000,
        state="active",
        stopped_at=None,
        energy_source="",
        confidence="",
        energy=Decimal(6_000),
    )
    return connector
