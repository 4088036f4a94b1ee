"""What the samples of a session come to."""

from decimal import Decimal

from tests.ocpp.ledger_chargers import Charger, at, books, meter_value


def test_a_clock_that_goes_back_does_not_stop_the_energy(charger: Charger) -> None:
    """The newest is what came last; a sample that is late rises no further."""
    started = charger.started(meter=0)
    for ours, theirs, wh in ((10, 10, 1000), (20, 20, 2000), (30, 5, 3000), (40, 15, 4000)):
        charger.meter(started, meter_value(at(theirs), wh), when=at(ours))
    assert books(started, "energy", "meter_last", "flags") == (Decimal(4000), Decimal(4000), "")
    charger.meter(started, meter_value(at(14), 3900), when=at(41))
    assert books(started, "energy", "meter_last") == (Decimal(4000), Decimal(4000))


def test_samples_kept_while_offline_move_nothing_back(charger: Charger) -> None:
    started = charger.started(meter=0)
    for theirs, ours in ((10, 10), (50, 50), (20, 51), (30, 51), (40, 51)):
        charger.meter(started, meter_value(at(theirs), theirs * 100), when=at(ours))
    assert books(started, "energy", "meter_last_at", "flags") == (Decimal(5000), at(50), "")
