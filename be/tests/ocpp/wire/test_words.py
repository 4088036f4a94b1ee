"""Enumerations as chargers spell them: one meaning, whatever the letters."""

import pytest

from levity.ocpp.effects import (
    AUTOMATIC,
    ConnectorStatus,
    FileReported,
    RecordMeterValues,
    SendCall,
    StopTransaction,
    UpdateChargePoint,
)
from levity.ocpp.middleware.auto_remote_start import AutoRemoteStart
from levity.ocpp.request import Result
from levity.ocpp.v16.actions.firmware_status_notification import firmware_status_notification
from levity.ocpp.v16.actions.meter_values import meter_values
from levity.ocpp.v16.actions.status_notification import status_notification
from levity.ocpp.v16.actions.stop_transaction import stop_transaction
from levity.ocpp.v16.evidence import confirmation
from levity.ocpp.v16.results.remote_start_transaction import remote_start_transaction
from levity.ocpp.wire import words
from tests.ocpp.charger import NOW, at
from tests.ocpp.states import charge_point, request, running

ALL = [getattr(words, name) for name in words.__all__ if name != "Words"]


@pytest.mark.parametrize("kind", ALL)
def test_every_word_in_any_letters_with_blanks_and_signs_is_itself(kind: words.Words) -> None:
    """preparing, PREPARING, " Preparing\\n", SAMPLE_CLOCK, suspended evse."""
    for word in kind.known - {"MWh"}:
        for said in (word, word.lower(), word.upper(), f" {word}\n"):
            assert kind.meant(said) == word
        for sign in "_ -":
            assert kind.meant(word.replace(".", sign)) == word


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("said", ["", " ", "Banana", "Error", "Occupied?!x", "\x00", "ß" * 64])
def test_what_is_no_word_stays_what_it_is(kind: words.Words, said: str) -> None:
    """Legrand's errorCode `Error` is none of the sixteen."""
    assert kind.meant(said) == said


@pytest.mark.parametrize(
    ("said", "unit"), [("C", "Celsius"), ("%", "Percent"), ("MWh", "MWh"), ("mWh", "mWh")]
)
def test_a_unit_is_what_it_means(said: str, unit: str) -> None:
    """C: OpenEVSE. A thousandth is no million."""
    assert words.UNITS.meant(said) == unit


@pytest.mark.parametrize("said", ["preparing", "PREPARING", " Preparing "])
def test_preparing_in_small_letters_starts_the_car(said: str) -> None:
    """It started nothing: the status was compared letter by letter."""
    payload = {"connectorId": 1, "errorCode": "noError", "status": said}
    response = AutoRemoteStart(status_notification)(request("StatusNotification", payload))
    shown, start = response.effects
    assert shown == ConnectorStatus(1, "Preparing", "NoError")
    assert isinstance(start, SendCall)
    assert start.source == AUTOMATIC


def test_a_firmware_status_and_a_reason_in_other_letters() -> None:
    """INSTALLED; EvDisconnected."""
    said = request("FirmwareStatusNotification", {"status": "INSTALLED"})
    assert firmware_status_notification(said).effects == (
        UpdateChargePoint({"firmware_status": "Installed"}),
        FileReported(("firmware", "signed_firmware"), "Installed", "done", None),
    )
    stop = {"transactionId": 7, "meterStop": 2000, "timestamp": at(3600).isoformat()}
    told = request(
        "StopTransaction",
        {**stop, "reason": "EvDisconnected"},
        transaction=running(),
        received_at=at(3600),
    )
    [ended] = stop_transaction(told).effects
    assert isinstance(ended, StopTransaction)
    assert ended.reason == "EVDisconnected"


@pytest.mark.parametrize("unit", ["Hertz", "hertz", "Hz", " hz"])
def test_a_frequency_without_its_measurand_is_no_energy(unit: str) -> None:
    """50 Hertz (erratum 4.0, Viridian) counted as 50 Wh of the register."""
    payload = {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "50", "unit": unit}]}]}
    [kept] = meter_values(request("MeterValues", payload)).effects
    assert isinstance(kept, RecordMeterValues)
    assert [item.measurand for item in kept.samples] == ["Frequency"]


def test_an_answer_in_small_letters_holds_the_connector() -> None:
    """`accepted` to a RemoteStartTransaction."""
    sent = {"idTag": "ANNA", "connectorId": 1}
    answer = {"status": "accepted"}
    status = words.ANSWERS.meant("accepted")
    [told] = remote_start_transaction(Result(sent, 1, charge_point(), NOW, answer, status))
    assert isinstance(told, UpdateChargePoint)


@pytest.mark.parametrize(
    ("action", "asked", "said", "payload"),
    [
        ("Reset", {"type": "Soft"}, "StopTransaction", {"reason": "softreset"}),
        (
            "ChangeAvailability",
            {"connectorId": 1, "type": "Inoperative"},
            "StatusNotification",
            {"connectorId": 1, "status": "unavailable"},
        ),
        ("UnlockConnector", {}, "StopTransaction", {"reason": "Unlock_Command"}),
    ],
)
def test_what_shows_that_a_call_was_carried_out_may_be_in_small_letters(
    action: str, asked: dict[str, object], said: str, payload: dict[str, object]
) -> None:
    """The charger's answer was lost."""
    assert confirmation(action, asked, NOW, said, payload, at(5))
