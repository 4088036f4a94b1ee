"""A session whose stop is lost, another car on its connector, and a charger that goes on with the
old id."""

from decimal import Decimal

import pytest

from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.rules.flags import HARMLESS, LOOK, class_of
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, iso, meter_value

SHOWN = ("state", "energy", "confidence", "flags")
CAME = int(at(36).timestamp())
ENDED = ("orphaned", Decimal(2000), "medium")


@pytest.fixture
def alices(charger: Charger) -> int:
    """2,000 Wh until minute 30; her car leaves at minute 31, and her stop is lost."""
    charger.status("Preparing", at(0))
    started = charger.started(at(0), 100_000, idTag="ALICE")
    charger.status("Charging", at(1))
    charger.meter(started, meter_value(at(30), 102_000), when=at(30))
    charger.status("Finishing", at(31))
    charger.status("Available", at(31))
    return started


@pytest.mark.parametrize("boots", [False, True])
@pytest.mark.parametrize("has_samples", [False, True])
@pytest.mark.parametrize("tag", [{}, {"idTag": "BOB"}])
def test_what_the_next_car_charges_is_not_hers(
    charger: Charger, alices: int, *, boots: bool, has_samples: bool, tag: dict[str, str]
) -> None:
    """The start of the next session was lost; all of it was billed to ALICE, at high."""
    if boots:
        charger.boot(at(32))
        charger.status("Available", at(33))
    charger.status("Preparing", at(36))
    charger.call("Authorize", {"idTag": "BOB"})
    charger.status("Charging", at(37))
    if has_samples:
        charger.meter(alices, meter_value(at(66), 105_000), when=at(66))
    charger.stop(alices, at(71), 105_500, **tag)
    assert books(alices, *SHOWN[:3]) == ENDED
    assert set(books(alices, "flags").split()) == {"orphaned", f"next-car:{CAME}"}
    assert class_of(books(alices, "flags"), "medium") == LOOK
    reason = "another car had come to the connector before this end of the session with this id"
    assert QuarantinedMessage.objects.get(resolved_at=None).reason == reason
    assert Transaction.objects.count() == 1
    assert Samples.objects.filter(transaction=None).exists() == has_samples


def test_her_own_stop_counts_though_it_comes_after_the_next_car(
    charger: Charger, alices: int
) -> None:
    """It was told late, and is dated before; or it is dated anew, and names her tag."""
    charger.status("Preparing", at(36))
    charger.stop(alices, at(31), 102_100, when=at(40))
    assert books(alices, *SHOWN) == ("stopped", Decimal(2100), "high", "late-stop")
    assert class_of("late-stop", "high") == HARMLESS


def test_a_stop_with_her_tag_is_hers_whenever_it_comes(charger: Charger, alices: int) -> None:
    charger.status("Preparing", at(36))
    charger.stop(alices, at(60), 104_000, idTag="Alice")
    assert books(alices, *SHOWN) == ("stopped", Decimal(4000), "high", "late-stop")


@pytest.mark.parametrize("boots", [False, True])
def test_a_connector_that_is_free_for_seconds_has_the_same_car(
    charger: Charger, alices: int, *, boots: bool
) -> None:
    if boots:
        charger.boot(at(31.1))
        charger.status("Available", at(31.2))
    charger.status("Preparing", at(31.5))
    charger.status("Charging", at(31.6))
    charger.meter(alices, meter_value(at(45), 103_000), when=at(45))
    charger.stop(alices, at(60), 104_000)
    assert books(alices, *SHOWN) == ("stopped", Decimal(4000), "high", "continued")


def test_another_tag_ends_a_session_that_was_closed_for_a_person_to_look_at(
    charger: Charger, alices: int
) -> None:
    """The next car came within seconds, and only its tag tells."""
    charger.status("Preparing", at(31.5))
    charger.meter(alices, meter_value(at(45), 103_000), when=at(45))
    charger.stop(alices, at(60), 104_000, idTag="BOB")
    flags = "continued stopped-by-other-tag"
    assert books(alices, *SHOWN) == ("stopped", Decimal(4000), "medium", flags)
    assert class_of(flags, "medium") == LOOK


def test_statuses_that_were_kept_tell_by_their_own_times_how_long_it_was_free(
    charger: Charger,
) -> None:
    started = charger.started(at(0), 100_000, idTag="ALICE")
    charger.meter(started, meter_value(at(30), 102_000), when=at(30))
    charger.status("Available", at(60), timestamp=iso(at(31)))
    charger.status("Preparing", at(60), timestamp=iso(at(36)))
    charger.stop(started, at(71), 105_500)
    assert books(started, *SHOWN[:3]) == ENDED
