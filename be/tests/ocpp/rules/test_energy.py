"""Where Start, Stop and the samples contradict each other, the bill follows the evidence."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import ChargePoint
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

FIGURES = ("energy", "energy_source", "confidence", "flags")


def measured(charger: Charger, started: int, *rows: tuple[float, Any], **more: Any) -> None:
    """The register at these minutes."""
    for minute, wh in rows:
        charger.meter(started, meter_value(at(minute), wh, **more), when=at(minute))


LIFETIME = ((10, 909_948), (20, 909_990), (28, 910_020))


def test_a_start_of_0_is_not_billed_as_the_life_of_the_meter(charger: Charger) -> None:
    """Iocharger, citrineos-core#1060: 910 kWh for 83 Wh; it could not read its meter yet."""
    started = charger.started(meter=0)
    measured(charger, started, (1, 0), context="Transaction.Begin")
    measured(charger, started, *LIFETIME)
    assert books(started, "energy", "flags") == (Decimal(72), "register-reset")
    charger.stop(started, at(30), 910_031)
    told = (Decimal(83), "samples", "low", "register-reset start-contradicted")
    assert books(started, *FIGURES) == told


def test_the_same_without_a_sample_of_the_start(charger: Charger) -> None:
    started = charger.started(meter=0)
    measured(charger, started, LIFETIME[0])
    assert books(started, "energy", "flags") == (Decimal(909_948), "implausible-energy")
    measured(charger, started, *LIFETIME[1:])
    assert books(started, "energy", "flags") == (Decimal(72), "start-contradicted")
    charger.stop(started, at(30), 910_031)
    assert books(started, *FIGURES) == (Decimal(83), "samples", "low", "start-contradicted")


def test_the_same_with_one_sample_and_the_stop(charger: Charger) -> None:
    started = charger.started(meter=0)
    measured(charger, started, LIFETIME[0])
    charger.stop(started, at(30), 910_031)
    assert books(started, *FIGURES) == (Decimal(83), "samples", "low", "start-contradicted")


def test_the_same_of_a_nearly_new_meter(charger: Charger) -> None:
    """50 kWh in ten minutes is what some chargers can: it is the one step of its kind."""
    started = charger.started(meter=0)
    measured(charger, started, (0, 0), (10, 50_000), (20, 50_040), (28, 50_070))
    assert books(started, "energy") == Decimal(70)
    charger.stop(started, at(30), 50_080)
    assert books(started, *FIGURES) == (
        Decimal(80),
        "samples",
        "low",
        "register-reset start-contradicted",
    )


def test_the_same_with_the_stop_lost(charger: Charger) -> None:
    started = charger.started(meter=0)
    measured(charger, started, *LIFETIME)
    charger.boot(at(30))
    assert books(started, *FIGURES) == (
        Decimal(72),
        "samples",
        "low",
        "start-contradicted orphaned",
    )


@pytest.mark.parametrize(
    ("stop", "flag"), [(120_000, "below-samples"), (0, "negative-energy"), (99, "negative-energy")]
)
def test_a_stop_that_repeats_the_start_or_is_0_is_not_the_bill(
    charger: Charger, stop: int, flag: str
) -> None:
    """Fronius Wattpilot, steve#1264."""
    started = charger.started(meter=120_000)
    measured(charger, started, *((minute * 15, 120_000 + minute * 1430) for minute in range(1, 8)))
    charger.stop(started, at(110), stop)
    assert books(started, *FIGURES) == (Decimal(10_010), "samples", "low", flag)


def test_a_stop_that_no_connector_can_reach_is_not_the_bill(charger: Charger) -> None:
    started = charger.started(meter=1000)
    measured(charger, started, (10, 2000), (20, 4000), (30, 5000))
    charger.stop(started, at(60), 70_000_000)
    assert books(started, *FIGURES) == (Decimal(4000), "samples", "low", "stop-contradicted")


def test_one_sample_is_not_enough_to_overrule_both_ends(charger: Charger) -> None:
    started = charger.started(meter=1000)
    measured(charger, started, (30, 6000))
    charger.stop(started, at(60), 1000)
    assert books(started, *FIGURES) == (Decimal(0), "registers", "low", "below-samples")


def test_the_samples_of_one_phase_do_not_contradict_the_stop(charger: Charger) -> None:
    """What they leave out is more than they can know."""
    started = charger.started(meter=1000)
    measured(charger, started, (10, 1500), (20, 2000), (30, 2500), phase="L1")
    charger.stop(started, at(31), 5500)
    assert books(started, *FIGURES) == (Decimal(4500), "registers", "high", "")


@pytest.mark.parametrize("profile", [True, False])
def test_a_lifetime_register_is_one_whatever_the_profile_says(
    charger: Charger, profile: bool
) -> None:
    """NEWCOMER B19: 906 kWh, and the first sample dated at the start."""
    if profile:
        ChargePoint.objects.update(quirk_overrides={"session_register": True})
    started = charger.started(meter=900_000)
    measured(charger, started, (0, 900_000), (10, 902_000), (20, 904_000), (30, 906_300))
    assert books(started, "energy", "flags") == (Decimal(6300), "")
    charger.boot(at(31))
    assert books(started, *FIGURES) == (Decimal(6300), "samples", "medium", "orphaned")


def test_the_stop_shows_that_the_profile_is_wrong(charger: Charger) -> None:
    """A meter that is nearly new: one sample might count from the session's start."""
    ChargePoint.objects.update(quirk_overrides={"session_register": True})
    started = charger.started(meter=500)
    measured(charger, started, (10, 1500))
    assert books(started, "energy", "flags") == (Decimal(1500), "session-register")
    # It rises by 100 a minute, so it began at 500.
    measured(charger, started, (20, 2500), (30, 3000))
    assert books(started, "energy", "flags") == (Decimal(2500), "")
    charger.stop(started, at(31), 3100)
    assert books(started, *FIGURES) == (Decimal(2600), "registers", "high", "")


def test_one_value_of_0_does_not_make_it_a_register_of_the_session(charger: Charger) -> None:
    """ATTACK B9: 56 kWh for 8; the first sample of a meter that did not answer."""
    started = charger.started(meter=48_000)
    measured(charger, started, (1, 0), (15, 50_000), (30, 53_000), (45, 56_000))
    assert books(started, "energy", "flags") == (Decimal(8000), "")
    charger.boot(at(60))
    assert books(started, "energy", "confidence") == (Decimal(8000), "medium")


def test_one_wild_sample_that_could_be_true_is_one(charger: Charger) -> None:
    """ATTACK B9: 200 kWh in twelve hours; Start, Stop and six samples said 10."""
    started = charger.started(meter=1000)
    rows = [(120 * number, 1000 + 1500 * number) for number in range(1, 7)]
    rows[2] = (360, 201_000)
    measured(charger, started, *rows)
    assert books(started, "energy", "flags") == (Decimal(9000), "")
    charger.stop(started, at(720), 11_000)
    assert books(started, *FIGURES) == (Decimal(10_000), "registers", "high", "")


def test_a_last_sample_that_is_far_above_the_stop_and_all_before_is_a_wild_one(
    charger: Charger,
) -> None:
    """Registers that begin at 0 with each session: no next start showed it. 10,127 Wh."""
    started = charger.started(meter=0)
    rows = [(15 * number, 880 * number) for number in range(1, 7)]
    measured(charger, started, *rows, (105, 10_127))
    charger.stop(started, at(115), 6740)
    assert books(started, *FIGURES) == (Decimal(6740), "registers", "medium", "below-samples")


def test_one_sample_too_low_is_no_register_that_began_anew(charger: Charger) -> None:
    """It can have flowed since by what AC delivers, but not as it did before: 12,643 Wh."""
    started = charger.started(meter=0)
    rows = [(15 * number, 530 * number) for number in range(1, 11)]
    measured(charger, started, *rows, (165, 2900), (180, 6360), (195, 6890))
    charger.stop(started, at(200), 7000)
    assert books(started, "energy", "energy_source") == (Decimal(7000), "registers")


def test_a_meter_that_began_anew_below_the_start_is_not_high(charger: Charger) -> None:
    """ATTACK B8: 4,000 *high*; it rose by 2,000 and by 5,000."""
    started = charger.started(meter=1000)
    measured(charger, started, (10, 3000), (20, 500))
    charger.stop(started, at(40), 5000)
    assert books(started, *FIGURES) == (
        Decimal(7000),
        "samples",
        "low",
        "register-reset below-samples",
    )


@pytest.mark.parametrize(
    ("meter", "before", "after", "stop", "figures"),
    [
        # FIRMWARE 6: MicroOcpp with a meter that forgets, the three cases of a lost power.
        (392, [407], [15, 30], 42, (57, "samples", "low", "register-reset")),
        (66, [], [15], 19, (19, "samples", "low", "register-reset")),
        (152, [], [], 16, (16, "registers", "low", "register-reset")),
        (392, [407], [], 16, (31, "samples", "low", "register-reset")),
    ],
)
def test_power_lost_in_a_session_and_the_meter_begins_anew(
    charger: Charger, meter: int, before: list[int], after: list[int], stop: int, figures: Any
) -> None:
    """What rose before the boot, and what the register shows after it."""
    started = charger.started(meter=meter)
    for number, wh in enumerate(before):
        measured(charger, started, (number + 1, wh))
    charger.boot(at(5))
    charger.status("Charging", at(5))
    for number, wh in enumerate(after):
        measured(charger, started, (number + 6, wh))
    charger.stop(started, at(10), stop)
    energy, source, confidence, flag = figures
    known = books(started, *FIGURES)
    assert known[:3] == (Decimal(energy), source, confidence)
    assert flag in known[3].split()
    assert "session-register" not in known[3]


def test_a_start_that_is_told_after_the_boot(charger: Charger) -> None:
    """Begun offline, then power was lost: by the charger's times the boot lies in between."""
    charger.boot(at(5))
    started = charger.started(at(0), 152, when=at(6))
    charger.stop(started, at(10), 16)
    assert books(started, *FIGURES) == (Decimal(16), "registers", "low", "register-reset")


def test_a_grizzl_e_that_boots_in_a_session_goes_on_counting_it(charger: Charger) -> None:
    ChargePoint.objects.update(quirk_overrides={"session_register": True})
    started = charger.started(meter=900_000)
    charger.boot(at(2))
    charger.status("Charging", at(2))
    measured(charger, started, (5, 500), (10, 1000))
    assert books(started, "energy") == Decimal(1000)
    assert set(books(started, "flags").split()) == {"session-register", "continued"}


def test_what_comes_for_connector_0_and_names_the_session_is_another_meter(
    charger: Charger,
) -> None:
    """ABB Terra AC, evcc#6817: register-reset, until then."""
    started = charger.started(meter=1000)
    measured(charger, started, (10, 2000))
    charger.meter(started, meter_value(at(11), 139), when=at(11), connectorId=0)
    charger.meter(started, meter_value(at(12), 900_000), when=at(12), connectorId=0)
    assert books(started, "energy", "flags") == (Decimal(1000), "")
    assert Samples.objects.filter(transaction=started).count() == 1
    # Where it goes on from what the session has shown, it is the session's.
    charger.meter(started, meter_value(at(13), 2200), when=at(13), connectorId=0)
    assert books(started, "energy", "flags") == (Decimal(1200), "")


def test_a_dc_charger_tells_its_own_power(charger: Charger) -> None:
    """OCPP.Core#47: 60 kWh in 15 minutes; 43 kW is no law."""
    started = charger.started(meter=8_000_000)
    for minute in range(1, 15):
        power = {"measurand": "Power.Active.Import", "value": "240000", "unit": "W"}
        value = meter_value(at(minute), 8_000_000 + minute * 4000, location="Outlet")
        value["sampledValue"] += [
            power,
            {**power, "measurand": "Power.Offered", "value": "300000"},
        ]
        charger.meter(started, value, when=at(minute))
    assert books(started, "energy", "flags") == (Decimal(56_000), "")
    charger.stop(started, at(15), 8_060_000)
    assert books(started, *FIGURES) == (Decimal(60_000), "registers", "high", "")
    # It is known from now on: also where no sample says it.
    assert ChargePoint.objects.get().learned_power == 300_000
    later = charger.started(at(60), 8_060_000)
    charger.stop(later, at(75), 8_120_000)
    assert books(later, *FIGURES) == (Decimal(60_000), "registers", "high", "")


@pytest.mark.parametrize("by", ["register", "current"])
def test_a_dc_charger_shows_its_power_in_other_ways(charger: Charger, by: str) -> None:
    """By how its register always rises, or by volts and amperes."""
    started = charger.started(meter=0)
    for minute in range(1, 15):
        value = meter_value(at(minute), minute * 4000)
        if by == "current":
            value["sampledValue"] += [
                {"measurand": "Voltage", "value": "800", "unit": "V"},
                {"measurand": "Current.Import", "value": "300", "unit": "A"},
            ]
        charger.meter(started, value, when=at(minute))
    charger.stop(started, at(15), 60_000)
    assert books(started, *FIGURES) == (Decimal(60_000), "registers", "high", "")


@pytest.mark.parametrize("power", ["9000000", "-5", "x"])
def test_a_power_that_no_charger_has_teaches_nothing(charger: Charger, power: str) -> None:
    started = charger.started(meter=0)
    for minute in (1, 2, 3):
        value = meter_value(at(minute), minute * 100)
        value["sampledValue"].append({"measurand": "Power.Active.Import", "value": power})
        charger.meter(started, value, when=at(minute))
    one = {"measurand": "Power.Active.Import", "value": "300000"}
    value = meter_value(at(4), 400)
    value["sampledValue"].append(one)
    charger.meter(started, value, when=at(4))
    assert ChargePoint.objects.get().learned_power is None


def test_a_stop_far_above_the_samples_does_not_count_where_all_begin_at_0(charger: Charger) -> None:
    """A misread stop, 248 kWh after 48: a register that begins with the session says so, too,
    and no next start will tell its end."""
    started = charger.started(meter=0)
    measured(charger, started, *((15 * step, 2000 * step) for step in range(1, 25)))
    charger.stop(started, at(365), 248_000)
    energy, source, confidence, flags = books(started, *FIGURES)
    assert (energy, source, confidence) == (Decimal(48_000), "samples", "low")
    assert "stop-contradicted" in flags.split()


def test_samples_that_count_from_the_session_do_not_make_its_stop_a_far_one(
    charger: Charger,
) -> None:
    """Start and Stop are of the meter's total."""
    started = charger.started(meter=5_000_000)
    measured(charger, started, *((15 * step, 1500 * step) for step in range(1, 16)))
    charger.stop(started, at(230), 5_023_000)
    energy, *_, flags = books(started, *FIGURES)
    assert energy == Decimal(23_000)
    assert "stop-far-off" not in flags.split()
