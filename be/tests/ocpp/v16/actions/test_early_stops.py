"""Stops that name no session and come before starts: which start may take one."""

import json
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import QuarantinedMessage
from levity.ocpp.rules.flags import HARMLESS, LOOK, class_of
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

SHOWN = ("state", "energy", "confidence", "flags")
IN_QUEUE = "its StartTransaction came later"


def _waiting() -> list[Any]:
    """The meterStop of each stop that waits."""
    rows = QuarantinedMessage.objects.filter(resolved_at=None).order_by("id")
    return [json.loads(row.payload)["meterStop"] for row in rows]


def test_a_start_takes_no_stop_of_its_very_second_that_shows_kilowatt_hours(
    charger: Charger,
) -> None:
    """The start of the other connector's session was lost, and a power cut ended it."""
    charger.stop(-1, at(25), 15_156, reason="HardReset")
    started = charger.started(at(25), 0, connectorId=2, idTag="ALICE", when=at(26))
    charger.meter(started, meter_value(at(40), 500), connectorId=2, when=at(40))
    assert books(started, *SHOWN) == ("active", Decimal(500), "", "")
    assert _waiting() == [15_156]


def test_its_tag_shows_that_it_is_its_own(charger: Charger) -> None:
    """A charger that dates both by when it sends them."""
    charger.stop(-1, at(25), 15_156, idTag="ALICE")
    started = charger.started(at(25), 0, idTag="ALICE", when=at(26))
    assert books(started, *SHOWN[:2]) == ("stopped", Decimal(15_156))


@pytest.mark.parametrize("number", [-1, 0])
def test_a_stop_that_is_given_back_waits_again(charger: Charger, number: int) -> None:
    """With id 0 it came back in the words in which it had waited, and stayed resolved."""
    charger.stop(number, at(0), 60_000, idTag="ALICE", reason="HardReset")
    started = charger.started(at(-60), 55_000, idTag="ALICE", when=at(1))
    assert books(started, "energy") == Decimal(5000)
    charger.stop(started, at(-30), 57_000, idTag="ALICE", when=at(2))
    assert books(started, *SHOWN) == ("stopped", Decimal(2000), "high", "")
    [row] = QuarantinedMessage.objects.filter(resolved_at=None)
    said = f"no such transaction; it had been taken for the end of #{started}"
    assert (row.reason, row.resolution, row.resolved_to_id) == (said, "", None)


def _two_wait(charger: Charger) -> None:
    """The stops of both connectors, kept while the charger was away, the newest last."""
    charger.stop(-1, at(100), 4826, when=at(240), reason="HardReset")
    charger.stop(-1, at(200), 436, when=at(240), reason="PowerLoss")


def test_a_stop_that_may_be_of_either_connector_is_for_a_person_to_look_at(
    charger: Charger,
) -> None:
    """436 Wh were CAROL's: her start took the first that could be its own, 4,826 Wh, at high."""
    for number in (1, 2):
        charger.status("Available", at(0), connectorId=number)
    _two_wait(charger)
    carol = charger.started(at(90), 0, connectorId=2, idTag="CAROL", when=at(241))
    flags = "stop-came-first ids-may-be-swapped"
    assert books(carol, *SHOWN) == ("stopped", Decimal(4826), "medium", flags)
    assert class_of(flags, "medium") == LOOK


def test_a_stop_that_fits_an_open_session_as_well_is_for_a_person_to_look_at(
    charger: Charger,
) -> None:
    for number in (1, 2):
        charger.status("Available", at(0), connectorId=number)
    for number, tag in ((1, "ALICE"), (2, "BOB")):
        charger.started(at(10), 1000, connectorId=number, idTag=tag)
    charger.stop(-1, at(60), 3000, when=at(61))
    assert _waiting() == [3000]
    later = charger.started(at(30), 1500, connectorId=2, idTag="DAVE", when=at(62))
    assert books(later, "confidence", "flags") == ("medium", "stop-came-first ids-may-be-swapped")


def test_on_the_only_connector_the_first_of_several_is_its_own(charger: Charger) -> None:
    """One after the other, each as sure as before."""
    charger.status("Available", at(0))
    charger.stop(-1, at(100), 4826, when=at(240))
    charger.stop(-1, at(200), 9000, when=at(240))
    first = charger.started(at(30), 1000, idTag="CAROL", when=at(241))
    second = charger.started(at(120), 4826, idTag="BOB", when=at(241))
    assert books(first, *SHOWN) == ("stopped", Decimal(3826), "high", "stop-came-first")
    assert books(second, *SHOWN) == ("stopped", Decimal(4174), "high", "stop-came-first")
    assert class_of("stop-came-first", "high") == HARMLESS
    assert set(QuarantinedMessage.objects.values_list("resolution", flat=True)) == {IN_QUEUE}
