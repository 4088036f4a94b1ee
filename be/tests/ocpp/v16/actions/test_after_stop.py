"""A charger that charges on under the id of a session which it has stopped."""

from decimal import Decimal

import pytest

from levity.ocpp.models import SessionRepair, Transaction
from levity.ocpp.rules.flags import LOOK, class_of
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

SHOWN = ("state", "energy", "confidence", "flags")


@pytest.fixture
def stopped(charger: Charger) -> int:
    """A session of 5,000 Wh that an emergency stop has ended."""
    charger.status("Preparing", at(0))
    started = charger.started(at(0), 10_000)
    charger.meter(started, meter_value(at(15), 12_500), when=at(15))
    charger.stop(started, at(30), 15_000, reason="EmergencyStop")
    assert books(started, *SHOWN) == ("stopped", Decimal(5000), "high", "")
    return started


def test_what_is_charged_after_an_emergency_stop_is_seen(charger: Charger, stopped: int) -> None:
    """The button is let go, and it charges on with the same transactionId: 4,000 Wh were lost in
    "samples arrived after the stop"."""
    charger.status("Charging", at(31))
    for number in range(1, 5):
        value = meter_value(at(31 + 15 * number), 15_000 + 1000 * number)
        charger.meter(stopped, value, when=at(31 + 15 * number))
    assert books(stopped, *SHOWN) == (
        "stopped",
        Decimal(5000),
        "medium",
        "charging-after-stop:4000",
    )
    assert class_of(books(stopped, "flags"), "medium") == LOOK
    repair = SessionRepair.objects.get()
    assert (repair.old_energy, repair.new_energy) == (Decimal(5000), Decimal(5000))
    assert (repair.old_confidence, repair.new_confidence) == ("high", "medium")
    assert "after its stop" in repair.reason
    assert "rose by 1000 Wh after the stop" in Transaction.objects.get().checks
    assert Samples.objects.filter(transaction=stopped).count() == 5
    # The next session on the connector does not make it sure again, and is not touched by it.
    charger.status("Preparing", at(120))
    following = charger.started(at(120), 19_000)
    charger.stop(following, at(180), 25_000)
    assert books(stopped, "energy", "confidence") == (Decimal(5000), "medium")
    assert books(following, "energy") == Decimal(6000)


@pytest.mark.parametrize(
    ("minute", "register"),
    [
        (30, 15_000),
        (31, 15_040),
        # Taken before the stop, and told after it.
        (20, 13_000),
        # No power leads there in a minute: a wild value, or another meter.
        (31, 95_000),
    ],
)
def test_closing_samples_say_nothing_of_the_kind(
    charger: Charger, stopped: int, minute: float, register: int
) -> None:
    """As before: kept, and flagged as late."""
    for _ in range(2):
        charger.meter(stopped, meter_value(at(minute), register), when=at(32))
    assert books(stopped, *SHOWN) == ("stopped", Decimal(5000), "high", "samples-after-stop")
    assert SessionRepair.objects.count() == 0


def test_what_another_session_charges_is_not_charged_after_the_stop(
    charger: Charger, stopped: int
) -> None:
    """A new session runs there; only the id is the old one's."""
    following = charger.started(at(40), 15_000, idTag="other")
    charger.meter(following, meter_value(at(60), 17_000), when=at(60))
    charger.meter(stopped, meter_value(at(62), 17_100), when=at(62))
    assert not books(stopped, "flags").startswith("charging-after-stop")


def test_a_register_that_falls_back_leaves_what_was_seen(charger: Charger, stopped: int) -> None:
    """An older sample that comes late takes nothing back."""
    charger.meter(stopped, meter_value(at(60), 17_000), when=at(60))
    charger.meter(stopped, meter_value(at(50), 16_200), when=at(61))
    charger.meter(stopped, meter_value(at(30), 15_000), when=at(62))
    assert books(stopped, "flags") == "charging-after-stop:2000"
