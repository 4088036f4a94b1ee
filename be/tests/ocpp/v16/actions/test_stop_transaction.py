"""StopTransaction (OCPP 1.6, 4.10)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pytest

from levity.ocpp.effects import (
    NoteSecurityEvent,
    Quarantine,
    RecordMeterValues,
    Sample,
    StopTransaction,
)
from levity.ocpp.request import Request, Response
from levity.ocpp.v16.actions.stop_transaction import ON_THE_BOOKS
from levity.ocpp.v16.actions.stop_transaction import stop_transaction as stopped
from tests.ocpp.charger import at, wire
from tests.ocpp.states import charge_point, request, running

USUAL = {"transactionId": 7, "meterStop": 6000, "timestamp": wire(3600)}
LATER = at(3601)


def ended(**other: Any) -> StopTransaction:
    """The usual end."""
    usual: dict[str, Any] = {
        "transaction_id": 7,
        "meter_stop": Decimal(6000),
        "stopped_at": at(3600),
        "energy": Decimal(5000),
        "reason": "Local",
        "energy_source": "registers",
        "confidence": "high",
    }
    return StopTransaction(**{**usual, **other})


def stop_transaction(request: Request) -> Response:
    """The response, without what its figures were held against."""
    response = stopped(request)
    effects = (
        replace(effect, checks="") if isinstance(effect, StopTransaction) else effect
        for effect in response.effects
    )
    return replace(response, effects=tuple(effects))


@pytest.mark.parametrize(
    ("payload", "answer", "other"),
    [
        ({}, {}, {}),
        ({"reason": "EVDisconnected"}, {}, {"reason": "EVDisconnected"}),
        ({"reason": "Banana"}, {}, {"reason": "Banana"}),
        ({"idTag": "T"}, {"idTagInfo": {"status": "Accepted"}}, {"id_tag": "T"}),
        # Wallbox
        ({"idTag": ""}, {}, {}),
        # libocpp#638
        (
            {"meterStop": 6000.25},
            {},
            {"meter_stop": Decimal("6000.25"), "energy": Decimal("5000.25")},
        ),
        ({"timestamp": "?"}, {}, {"stopped_at": LATER, "flags": ("no-stop-time",)}),
        # Huawei: 1 Wh below its start.
        (
            {"meterStop": 999},
            {},
            {
                "meter_stop": Decimal(999),
                "energy": Decimal(0),
                "energy_source": "none",
                "confidence": "low",
                "flags": ("negative-energy",),
            },
        ),
        # Grizzl-E 05.653 dates its stop before its start.
        ({"timestamp": wire(-5)}, {}, {"stopped_at": at(-5), "flags": ("stop-before-start",)}),
    ],
)
def test_a_session_ends_as_the_charger_says(
    payload: dict[str, Any], answer: dict[str, Any], other: dict[str, Any]
) -> None:
    """Odd things are flagged, and never make negative energy."""
    response = stop_transaction(
        request("StopTransaction", {**USUAL, **payload}, transaction=running(), received_at=LATER)
    )
    assert response == Response(answer, (ended(**other),))


def test_the_samples_in_it_belong_to_the_transaction() -> None:
    """Grizzl-E: without context or format."""
    data = [{"timestamp": wire(3600), "sampledValue": [{"value": "6", "unit": "kWh"}]}]
    response = stop_transaction(
        request(
            "StopTransaction",
            {**USUAL, "transactionData": data},
            transaction=running(connector=2),
            received_at=LATER,
        )
    )
    sample = Sample(at(3600), "Energy.Active.Import.Register", "6", Decimal(6000), "kWh")
    assert response == Response({}, (ended(), RecordMeterValues(2, 7, (sample,))))


@pytest.mark.parametrize("transaction_id", [8, 2**31 - 1])
def test_an_id_that_nobody_knows_is_quarantined(transaction_id: int) -> None:
    """D-08: also where one runs; the charger named another one."""
    busy = charge_point(active={(0, 1): running()})
    payload = {**USUAL, "transactionId": transaction_id}
    assert stop_transaction(
        request("StopTransaction", payload, charge_point=busy, received_at=LATER)
    ) == Response({}, (Quarantine("no such transaction"),))


@pytest.mark.parametrize("transaction_id", [0, -1, None, "-1"])
def test_no_id_means_the_only_one_that_runs(transaction_id: Any) -> None:
    """Hager after ConcurrentTx; offline starts (libocpp#495, steve#292)."""
    busy = charge_point(active={(0, 1): running()})
    payload = {**USUAL, "transactionId": transaction_id}
    assert stop_transaction(
        request("StopTransaction", payload, charge_point=busy, received_at=LATER)
    ) == Response({}, (ended(flags=("matched-by-connector",)),))


def test_another_charge_points_session_goes_on() -> None:
    """D-10."""
    theirs = running(charge_point_id=2)
    detail = "StopTransaction for transaction 7 of another charge point"
    assert stop_transaction(request("StopTransaction", USUAL, transaction=theirs)) == Response(
        {},
        (
            Quarantine("the transaction belongs to another charge point"),
            NoteSecurityEvent("ForeignTransaction", detail),
        ),
    )


def test_the_first_end_counts() -> None:
    """D-09: the same again is a repetition, other figures are a person's business."""
    over = running(state="stopped", meter_stop=Decimal(6000), stopped_at=at(3600))
    usual = request("StopTransaction", USUAL, transaction=over, received_at=LATER)
    same = Quarantine("the transaction has already stopped, as it says", 7, ON_THE_BOOKS)
    assert stop_transaction(usual) == Response({}, (same,))
    other = request("StopTransaction", {**USUAL, "meterStop": 7000}, transaction=over)
    assert stop_transaction(other) == Response(
        {}, (Quarantine("the transaction has already stopped", 7),)
    )


def test_the_chargers_own_end_replaces_ours() -> None:
    """It was closed at a boot; what was noted of it stays."""
    orphan = running(state="orphaned", stopped_at=at(60), flags="no-start-time orphaned")
    assert stop_transaction(
        request("StopTransaction", USUAL, transaction=orphan, received_at=LATER)
    ) == Response({}, (ended(flags=("no-start-time", "late-stop")),))


def test_what_the_figures_were_held_against_is_told() -> None:
    response = stopped(request("StopTransaction", USUAL, transaction=running(), received_at=LATER))
    [end] = response.effects
    assert isinstance(end, StopTransaction)
    assert orjson.loads(end.checks) == {
        "checks": [
            ["start-stop", "agrees", "meterStop - meterStart is 5,000 Wh"],
            ["samples", "silent", "no meter value reports the register"],
            ["power", "silent", "no power was reported"],
            ["limit", "bounds", "at 43,000 W at most 47,400 Wh can have flowed"],
            ["clock", "agrees", "it lasted 1 h 00 min"],
        ]
    }
