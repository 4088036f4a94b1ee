"""A stop that says with which register its session began, and names another session."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import QuarantinedMessage
from tests.ocpp.ledger_chargers import Charger, at, books, iso

SHOWN = ("state", "energy", "confidence", "flags")
REGISTER = {"unit": "Wh", "measurand": "Energy.Active.Import.Register"}


def _data(begin: int, end: int) -> list[dict[str, Any]]:
    said = (("Transaction.Begin", begin, at(40)), ("Transaction.End", end, at(41)))
    return [
        {"timestamp": iso(when), "sampledValue": [{"value": str(wh), "context": name, **REGISTER}]}
        for name, wh, when in said
    ]


@pytest.fixture
def carols(charger: Charger) -> int:
    """On connector 2, whose register counts for life."""
    return charger.started(at(0), 8_326_900, connectorId=2, idTag="CAROL")


def test_it_ends_the_session_that_began_so(charger: Charger, carols: int) -> None:
    """12,320 Wh were billed to CAROL, as `session-register`, harmless."""
    dave = charger.started(at(40), 12_240, idTag="DAVE")
    charger.stop(carols, at(41), 12_320, transactionData=_data(12_240, 12_320))
    assert books(dave, *SHOWN) == ("stopped", Decimal(80), "medium", "id-of-another")
    assert books(carols, "state") == "active"


def test_it_ends_no_session_where_none_began_so(charger: Charger, carols: int) -> None:
    charger.stop(carols, at(41), 12_320, transactionData=_data(12_240, 12_320))
    assert books(carols, "state") == "active"
    reason = "what this stop ends began with another meter value than the session with this id"
    assert QuarantinedMessage.objects.get().reason == reason


@pytest.mark.parametrize(
    ("begin", "end", "stop"),
    [(0, 5000, 5000), (8_326_900, 8_331_900, 8_331_900), (8327, 8332, 8_331_900)],
)
def test_a_begin_that_may_be_its_own_changes_nothing(
    charger: Charger, carols: int, begin: int, end: int, stop: int
) -> None:
    """One that counts the session, the very start, and the start in kWh."""
    charger.stop(carols, at(41), stop, transactionData=_data(begin, end))
    assert books(carols, "state", "energy") == ("stopped", Decimal(5000))
