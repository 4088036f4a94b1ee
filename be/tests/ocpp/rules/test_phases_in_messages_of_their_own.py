"""Chargers that tell each phase of the register in a message of its own, seconds apart."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import Transaction
from levity.ocpp.rules import trail
from tests.ocpp.ledger_chargers import Charger, at, books, iso

FIGURES = ("energy", "energy_source", "confidence", "flags")
SECOND = 1 / 60


def told(charger: Charger, named: int | None, minute: float, wh: float, **more: Any) -> None:
    """One value of the register, in a message."""
    sample = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh", **more}
    charger.meter(named, {"timestamp": iso(at(minute)), "sampledValue": [sample]}, when=at(minute))


def phases(
    charger: Charger,
    named: int | None,
    minute: float,
    wh: float,
    names: Sequence[str] = ("L1", "L2", "L3"),
    apart: float = SECOND,
) -> None:
    """The same value for each of these phases."""
    for number, name in enumerate(names):
        told(charger, named, minute + number * apart, wh, phase=name)


@pytest.mark.parametrize("names", [("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"), ("L3", "L1")])
@pytest.mark.parametrize("apart", [0, SECOND, 4 * SECOND])
@pytest.mark.parametrize("named", [True, False])
def test_the_phases_of_three_messages_are_added_up(
    charger: Charger, names: Sequence[str], apart: float, named: bool
) -> None:
    """They were taken one after the other for a register that counts from the session's start."""
    lines = len(names)
    started = charger.started(meter=1000 * lines)
    for minute in (5, 10, 15):
        phases(charger, started if named else None, minute, 1000 + 100 * minute, names, apart)
        trail._recent.clear()  # as another worker reads it
        assert books(started, "energy", "flags") == (Decimal(100 * minute * lines), "")
    assert books(started, "meter_last") == Decimal(2500 * lines)
    charger.boot(at(20))
    told_at_last = (Decimal(1500 * lines), "samples", "medium", "orphaned")
    assert books(started, *FIGURES) == told_at_last


@pytest.mark.parametrize(
    ("stop", "figures"),
    [
        (9000, (Decimal(6000), "registers", "high", "")),
        (3000, (Decimal(4500), "samples", "low", "below-samples")),
    ],
)
def test_the_stop_is_held_against_their_sum(charger: Charger, stop: int, figures: Any) -> None:
    started = charger.started(meter=3000)
    for minute in (5, 10, 15):
        phases(charger, started, minute, 1000 + 100 * minute)
    charger.stop(started, at(20), stop)
    assert books(started, *FIGURES) == figures


@pytest.mark.parametrize("order", ["before", "after", "only once"])
def test_a_total_beside_them_counts_and_they_do_not(charger: Charger, order: str) -> None:
    started = charger.started(meter=3000)
    for minute in (5, 10, 15):
        total = 3000 + 300 * minute
        if order == "before":
            told(charger, started, minute, total)
        phases(charger, started, minute + SECOND, 1000 + 100 * minute)
        if order == "after" or (order == "only once" and minute == 5):
            told(charger, started, minute + 5 * SECOND, total)
    charger.boot(at(20))
    # (It is the sum in any case.)
    assert books(started, *FIGURES) == (Decimal(4500), "samples", "medium", "orphaned")


def test_phases_that_count_from_the_sessions_start(charger: Charger) -> None:
    started = charger.started(meter=3_000_000)
    for minute in (5, 10, 15):
        phases(charger, started, minute, 100 * minute)
    charger.boot(at(20))
    assert books(started, *FIGURES) == (
        Decimal(4500),
        "session-register",
        "medium",
        "session-register orphaned",
    )


@pytest.mark.parametrize("lost", [("L1", "L3"), ("L2",), ()])
@pytest.mark.parametrize("minute", [5, 10])
def test_a_message_that_is_lost_moves_nothing(
    charger: Charger, lost: Sequence[str], minute: int
) -> None:
    """Nor does it make a phase that comes for the first time count with its whole life."""
    started = charger.started(meter=3_000_000)
    for each in (5, 10, 15):
        names = lost if each == minute else ("L1", "L2", "L3")
        phases(charger, started, each, 1_000_000 + 100 * each, names)
    assert books(started, "energy", "flags") == (Decimal(4500), "")


def test_what_is_late_is_not_added(charger: Charger) -> None:
    started = charger.started(meter=3000)
    for minute in (5, 10, 3):
        phases(charger, started, minute, 1000 + 100 * minute)
    assert books(started, "energy", "flags") == (Decimal(3000), "")


def test_they_show_that_the_session_goes_on_after_a_boot(charger: Charger) -> None:
    """One phase is less than the sum was, and yet no other register."""
    started = charger.started(meter=3_000_000)
    for minute in (5, 10):
        phases(charger, None, minute, 1_000_000 + 100 * minute)
    charger.boot(at(12))
    charger.status("Charging", at(13))
    for minute in (15, 20):
        phases(charger, None, minute, 1_000_000 + 100 * minute)
    assert books(started, "state", "energy", "flags") == ("active", Decimal(6000), "continued")


def test_a_release_before_can_read_the_trail(charger: Charger) -> None:
    """Workers of two releases run side by side while one is rolled out."""
    started = charger.started(meter=3000)
    phases(charger, started, 5, 1500)
    text = Transaction.objects.get(pk=started).lives
    head, life = text.split(";")
    assert len(head.split(",")) == 3
    assert len(life.split(",")) == 11
    known = trail.read(text)
    trail._recent.clear()
    assert trail.read(text) == known
