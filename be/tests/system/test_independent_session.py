"""Whole sessions of a charger that others wrote, on both shapes, and what is on the books then."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpp.v16 import call, datatypes
from ocpp.v16.enums import Measurand, ReadingContext, UnitOfMeasure

from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    Connector,
    FailedMessage,
    Message,
    QuarantinedMessage,
    Transaction,
)
from tests.kept import Samples
from tests.system.chargers import Asked, IndependentCharger, independent_charger
from tests.system.processes import eventually
from tests.system.site import Site

NOW = datetime.now(UTC).replace(microsecond=0)
PLUGGED, STARTED, SAMPLED, STOPPED = (
    (NOW - timedelta(seconds=ago)).isoformat() for ago in (300, 290, 120, 10)
)
moment = datetime.fromisoformat


def just_now() -> str:
    """Not `NOW`, which may be ten minutes ago in a long run: such a Preparing starts nothing."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def sample(value: str, measurand: Measurand, unit: UnitOfMeasure) -> datatypes.SampledValue:
    return datatypes.SampledValue(
        value=value, context=ReadingContext.sample_periodic, measurand=measurand, unit=unit
    )


async def charge(charger: IndependentCharger) -> dict[str, Any]:
    """Plug in, be started by Levity, charge 1.5 kWh, leave; what was said on the way."""
    said: dict[str, Any] = {}
    boot = await charger.call(
        call.BootNotification(
            charge_point_model="Model S1",
            charge_point_vendor="Independent",
            charge_point_serial_number="SN-1",
            firmware_version="1.2.3",
        )
    )
    said["boot"] = (boot.status, boot.interval)
    await charger.call(call.StatusNotification(0, "NoError", "Available", timestamp=PLUGGED))
    await charger.call(call.StatusNotification(1, "NoError", "Preparing", timestamp=just_now()))
    plugged_at = asyncio.get_running_loop().time()
    # Many chargers say it again; that is no second car.
    await charger.call(call.StatusNotification(1, "NoError", "Preparing", timestamp=just_now()))
    [asked] = await charger.until_asked(1)
    said["remote start"] = (asked.action, asked.payload)
    said["seconds until remote start"] = asked.at - plugged_at
    start = await charger.call(call.StartTransaction(1, "anonymous", 1000, STARTED))
    said["start"], transaction_id = start.id_tag_info, start.transaction_id
    said["transaction"] = transaction_id
    await charger.call(call.StatusNotification(1, "NoError", "Charging", timestamp=STARTED))
    await charger.call(
        call.MeterValues(
            connector_id=1,
            transaction_id=transaction_id,
            meter_value=[
                datatypes.MeterValue(
                    timestamp=SAMPLED,
                    sampled_value=[
                        sample("1.75", Measurand.energy_active_import_register, UnitOfMeasure.kwh),
                        sample("7210", Measurand.power_active_import, UnitOfMeasure.w),
                    ],
                )
            ],
        )
    )
    said["heartbeat"] = bool((await charger.call(call.Heartbeat())).current_time)
    data = await charger.call(call.DataTransfer("com.example", message_id="m", data="d"))
    said["data transfer"] = data.status
    await charger.call(call.FirmwareStatusNotification("Idle"))
    await charger.call(call.DiagnosticsStatusNotification("Uploaded"))
    # The card that ends it. (Before the start it would have held the automatic start up.)
    said["authorize"] = (await charger.call(call.Authorize("CARD-1"))).id_tag_info
    stop = await charger.call(
        call.StopTransaction(
            2500, STOPPED, transaction_id, reason="EVDisconnected", id_tag="CARD-1"
        )
    )
    said["stop"] = stop.id_tag_info
    await charger.call(call.StatusNotification(1, "NoError", "Available", timestamp=STOPPED))
    return said


def test_independent_charger_charges_and_is_on_the_books(site: Site) -> None:
    identity = "IND-1"

    async def play() -> tuple[dict[str, Any], list[Asked]]:
        async with independent_charger(site.url(), identity) as charger:
            said = await charge(charger)
            return said, charger.asked

    said, asked = asyncio.run(play())
    after = said.pop("seconds until remote start")
    transaction_id = said.pop("transaction")
    assert said == {
        "boot": ("Accepted", 300),
        "authorize": {"status": "Accepted"},
        "remote start": ("RemoteStartTransaction", {"connector_id": 1, "id_tag": "anonymous"}),
        "start": {"status": "Accepted"},
        "heartbeat": True,
        "data transfer": "UnknownVendorId",
        "stop": {"status": "Accepted"},
    }
    assert 0.9 < after < 5
    assert len(asked) == 1

    books = site.books
    mine = {"charge_point__identity": identity}
    # The close comes after the last answer.
    assert eventually(
        lambda: books.rows(ConnectionEvent, "kind", "code", "subprotocol", **mine),
        [("connected", None, "ocpp1.6"), ("disconnected", 1000, "")],
    ) == [("connected", None, "ocpp1.6"), ("disconnected", 1000, "")]
    assert books.row(
        ChargePoint,
        *("vendor", "model", "serial_number", "firmware_version", "registration"),
        *("firmware_status", "diagnostics_status", "connection", "edge"),
        identity=identity,
    ) == {
        "vendor": "Independent",
        "model": "Model S1",
        "serial_number": "SN-1",
        "firmware_version": "1.2.3",
        "registration": "Accepted",
        "firmware_status": "Idle",
        "diagnostics_status": "Uploaded",
        "connection": None,
        "edge": None,
    }
    assert books.rows(
        Connector, "number", "status", "error_code", "status_at", "transaction", **mine
    ) == [
        (0, "Available", "NoError", moment(PLUGGED), None),
        (1, "Available", "NoError", moment(STOPPED), None),
    ]
    assert books.row(
        Transaction,
        *("id", "connector", "state", "id_tag", "started_at", "meter_start"),
        *("stopped_at", "meter_stop", "stop_reason", "stop_id_tag", "energy", "flags"),
        *("energy_source", "confidence"),
        **mine,
    ) == {
        "id": transaction_id,
        "connector": 1,
        "state": "stopped",
        "id_tag": "anonymous",
        "started_at": moment(STARTED),
        "meter_start": Decimal(1000),
        "stopped_at": moment(STOPPED),
        "meter_stop": Decimal(2500),
        "stop_reason": "EVDisconnected",
        "stop_id_tag": "CARD-1",
        "energy": Decimal(1500),
        "flags": "",
        "energy_source": "registers",
        "confidence": "high",
    }
    assert books.rows(
        Samples, "transaction", "sampled_at", "measurand", "raw_value", "unit", "value", **mine
    ) == [
        (
            transaction_id,
            moment(SAMPLED),
            "Energy.Active.Import.Register",
            "1.75",
            "kWh",
            Decimal(1750),
        ),
        (transaction_id, moment(SAMPLED), "Power.Active.Import", "7210", "W", Decimal(7210)),
    ]
    messages = books.rows(
        Message, "sender", "action", "transaction", "response", "error_code", **mine
    )
    assert [(sender, action, number) for sender, action, number, _, _ in messages] == [
        ("cp", "BootNotification", None),
        ("cp", "StatusNotification", None),
        ("cp", "StatusNotification", None),
        ("cp", "StatusNotification", None),
        ("cs", "RemoteStartTransaction", None),
        ("cp", "StartTransaction", transaction_id),
        ("cp", "StatusNotification", None),
        ("cp", "MeterValues", transaction_id),
        ("cp", "Heartbeat", None),
        ("cp", "DataTransfer", None),
        ("cp", "FirmwareStatusNotification", None),
        ("cp", "DiagnosticsStatusNotification", None),
        ("cp", "Authorize", None),
        ("cp", "StopTransaction", transaction_id),
        ("cp", "StatusNotification", None),
    ]
    assert [error for *_, error in messages] == [""] * len(messages)
    assert [bool(response) for *_, response, _ in messages] == [True] * len(messages)
    assert books.rows(Command, "action", "state", "result_status", "source", **mine) == [
        ("RemoteStartTransaction", "answered", "Accepted", "AutoRemoteStart")
    ]
    assert books.count(QuarantinedMessage, **mine) == 0
    assert books.count(FailedMessage, **mine) == 0
