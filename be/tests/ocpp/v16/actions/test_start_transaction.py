"""StartTransaction (OCPP 1.6, 4.8)."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.effects import ReservationUsed, StartTransaction, UpdateTransaction
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.start_transaction import start_transaction
from levity.ocpp.wire.frames import OcppError
from tests.ocpp.charger import NOW, at, wire
from tests.ocpp.states import charge_point, request, running

USUAL = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": wire(-5)}


def answer(transaction_id: int) -> dict[str, Any]:
    """What the charger is told."""
    return {"transactionId": transaction_id, "idTagInfo": {"status": "Accepted"}}


def begun(**other: Any) -> StartTransaction:
    """The usual one."""
    usual: dict[str, Any] = {
        "transaction_id": 41,
        "connector": 1,
        "id_tag": "TAG",
        "meter_start": Decimal(1000),
        "started_at": at(-5),
    }
    return StartTransaction(**{**usual, **other})


@pytest.mark.parametrize(
    ("payload", "other"),
    [
        ({}, {}),
        ({"reservationId": 7}, {"reservation_id": 7}),
        ({"reservationId": "7"}, {}),
        ({"meterStart": 0.5}, {"meter_start": Decimal("0.5")}),
        # Zaptec Go 2: over 2^32.
        ({"meterStart": 4296944685}, {"meter_start": Decimal(4296944685)}),
        ({"meterStart": -1}, {"meter_start": Decimal(-1), "flags": ("negative-meter-start",)}),
        ({"meterStart": None}, {"meter_start": Decimal(0), "flags": ("no-meter-start",)}),
        ({"meterStart": "much"}, {"meter_start": Decimal(0), "flags": ("no-meter-start",)}),
        ({"meterStart": 10**12}, {"meter_start": Decimal(0), "flags": ("no-meter-start",)}),
        # Wallbox, started offline.
        ({"idTag": "NoAuthorization"}, {"id_tag": "NoAuthorization"}),
        ({"idTag": ""}, {"id_tag": ""}),
        ({"idTag": None}, {"id_tag": "", "flags": ("no-id-tag",)}),
        ({"idTag": {}}, {"id_tag": "", "flags": ("no-id-tag",)}),
        ({"idTag": ["TAG"]}, {"id_tag": "", "flags": ("no-id-tag",)}),
        ({"idTag": 4711}, {"id_tag": "4711"}),
        # Ocular: 22 characters.
        ({"idTag": "x" * 22}, {"id_tag": "x" * 22}),
        ({"timestamp": "when?"}, {"started_at": NOW, "flags": ("no-start-time",)}),
    ],
)
def test_a_session_begins_as_the_charger_says(
    payload: dict[str, Any], other: dict[str, Any]
) -> None:
    """With the id that was reserved for it."""
    response = start_transaction(request("StartTransaction", {**USUAL, **payload}))
    named = begun(**other).reservation_id
    used = (ReservationUsed(named, 41),) if named else ()
    assert response == Response(answer(41), (begun(**other), *used))


def test_one_that_is_on_the_books_is_answered_and_that_is_all() -> None:
    """D-01."""
    response = start_transaction(request("StartTransaction", USUAL, repeated=running()))
    assert response == Response(answer(7))


def test_one_that_is_over_is_answered_and_the_repetition_noted() -> None:
    """D-04: it stays stopped."""
    over = running(state="stopped", meter_stop=Decimal(5), stopped_at=NOW)
    response = start_transaction(request("StartTransaction", USUAL, repeated=over))
    assert response == Response(answer(7), (UpdateTransaction(7, flags=("start-after-stop",)),))


def test_one_without_a_time_is_the_one_that_runs_if_all_else_fits() -> None:
    """There is nothing else to tell them apart."""
    busy = charge_point(active={(0, 1): running()})
    payload = {**USUAL, "timestamp": ""}
    assert start_transaction(request("StartTransaction", payload, charge_point=busy)) == Response(
        answer(7)
    )
    payload["meterStart"] = 1001
    response = start_transaction(request("StartTransaction", payload, charge_point=busy))
    assert response.payload == answer(41)


@pytest.mark.parametrize(
    "payload",
    [
        {"connectorId": 0},
        {"connectorId": None},
        {"connectorId": {}, "idTag": {}},
    ],
)
def test_what_can_not_go_on_the_books_is_said(payload: dict[str, Any]) -> None:
    """The pipeline makes a result and a row in the quarantine of it."""
    with pytest.raises(OcppError):
        start_transaction(request("StartTransaction", {**USUAL, **payload}))
