"""What the samples of a session come to."""

from datetime import timedelta
from decimal import Decimal

from levity.ocpp.rules.lives import NO_TRAIL, follow
from levity.ocpp.rules.readings import Reading
from levity.ocpp.rules.sampled import Meter, charged
from levity.ocpp.testing import NOW, running
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


def test_a_value_that_is_too_low_by_a_little_is_no_energy_twice() -> None:
    """A register of four million kWh can't have begun anew and be there again in five minutes."""
    meter, start = Meter(43_000), Decimal(4_284_305_891)
    transaction = running(meter_start=start)
    trail = NO_TRAIL
    for minutes, wh in ((10, 2000), (60, 24_565), (65, 23_389), (70, 28_197), (75, 28_900)):
        moment = NOW + timedelta(minutes=minutes)
        trail = follow(trail, [Reading(moment, start + wh)], moment, meter.max_power)
    found = charged(transaction, trail, meter)
    assert found is not None
    assert found.wh == 28_900
