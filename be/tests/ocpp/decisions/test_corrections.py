"""Registers that jump: what is found, what stands there afterwards, and the way back."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from levity.ocpp.decisions import corrections
from levity.ocpp.models import AuditEntry, MeterValue, MeterValueCorrection, Transaction
from levity.ocpp.rules.plausibility import Reading, judge
from tests.kept import Samples
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso, meter_value

POWER = 11_000
FIGURES = ("energy", "energy_source", "confidence")


def readings(*wh: int) -> list[Reading]:
    """One a minute."""
    return [Reading(number + 1, at(number), Decimal(value)) for number, value in enumerate(wh)]


@pytest.mark.parametrize(
    ("series", "corrected"),
    [
        # Nothing to say.
        ((0, 100, 200, 300), {}),
        # 1 Wh down is rounding.
        ((1000, 999, 1100), {}),
        # One value far off, up or down: on the line between its neighbours.
        ((0, 100, 9_000_000, 300, 400), {3: 200}),
        ((5000, 5100, 0, 5300, 5400), {3: 5200}),
        ((0, 100, 9_000_000, 0, 400, 500), {3: 200, 4: 300}),
        # The last one may be wrong, or the first of a register that goes on from there.
        ((0, 100, 200, 9_000_000), {}),
        # The register begins anew and goes on from there.
        ((5000, 5100, 0, 100, 200), {}),
        # It jumps to another level and stays.
        ((5000, 5100, 80_000, 80_100, 80_200), {}),
        # The first one was wrong.
        ((0, 800_000, 800_100), {}),
        # More than any register shows.
        ((0, 10**13, 100), {2: 50}),
        ((), {}),
        ((7,), {}),
    ],
)
def test_what_can_be_true(series: tuple[int, ...], corrected: dict[int, int]) -> None:
    found = judge(readings(*series), POWER)
    assert {item.reading.id: item.wh for item in found} == corrected


def test_whole_kwh_between_start_and_stop_to_the_wh_are_no_jumps() -> None:
    """8,765 kWh after 8,765,432 Wh is the same, and 1 kWh more may be 1 Wh more."""
    start, stop = (Reading(0, at(m), Decimal(wh)) for m, wh in ((0, 8_765_432), (5, 8_766_290)))
    told = ((1, 8_765_000), (2, 8_765_000), (3, 8_766_000), (4, 8_767_000))
    samples = [Reading(m, at(m), Decimal(wh), 1000) for m, wh in told]
    assert judge([start, *samples, stop], POWER) == []
    wild = replace(samples[2], wh=Decimal(8_775_000))
    assert [item.reading for item in judge([start, *samples[:2], wild, stop], POWER)] == [wild]


def test_the_time_decides_how_far_a_register_may_rise() -> None:
    # 11 kW for an hour and the tolerance of a tenth and 100 Wh.
    for wh, findings in ((12_200, 0), (12_201, 1)):
        series = [
            Reading(1, NOW, Decimal(0)),
            Reading(2, at(60), Decimal(wh)),
            Reading(3, at(120), Decimal(12_201)),
        ]
        assert len(judge(series, POWER)) == findings


def test_an_endless_series_of_nonsense_is_not_held_in_memory() -> None:
    # After a thousand in doubt the next one is taken for the register.
    wild = [Reading(number, at(number), Decimal(number * 10**9)) for number in range(1002)]
    follows = Reading(2000, at(2000), Decimal(100))
    assert len(judge([*wild[:1001], follows], POWER)) == 1000
    assert judge([*wild, follows], POWER) == []


def by_registers(started: int, energy: int) -> None:
    """On the books as a release put it there that believed Start and Stop in any case."""
    Transaction.objects.filter(pk=started).update(
        energy=energy,
        energy_source="registers",
        confidence="low",
        flags="implausible-energy",
        lives="",
    )


def wild(charger: Charger) -> int:
    """A session of an hour with one wild sample and a wild stop."""
    started = charger.started(at(0), 1000)
    for minute, wh in ((10, 2000), (20, 9_000_000), (30, 4000), (40, 5000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(60), 70_000_000)
    by_registers(started, 69_999_000)
    return started


def everything() -> Any:
    return (list(Transaction.objects.values()), list(Samples.objects.order_by("pk").values()))


def run(*args: str, **options: Any) -> str:
    """The CSV that the command writes."""
    out = io.StringIO()
    call_command("correct_meter_values", *args, csv="-", stdout=out, stderr=out, **options)
    return out.getvalue()


def test_session_and_samples_are_corrected_with_a_trail_and_come_back(charger: Charger) -> None:
    """D-16"""
    started = wild(charger)
    before = everything()
    assert books(started, *FIGURES) == (Decimal(69_999_000), "registers", "low")
    dry = run("2026-03-09", "2026-03-09", max_power=POWER, dry_run=True)
    assert everything() == before
    done = run("2026-03-09", "2026-03-09", max_power=POWER)
    assert dry.splitlines()[:-1] == done.splitlines()[:-1]
    rows = list(csv.reader(io.StringIO(done)))[1:-1]
    assert [(row[0], row[2], row[5], row[6], row[7]) for row in rows] == [
        ("CP1", str(started), "value", "9000000.000000", "3000.000000"),
        ("CP1", str(started), "energy", "69999000.000", "4000.000"),
        ("CP1", str(started), "energy_source", "registers", "samples"),
        ("CP1", str(started), "flags", "implausible-energy", "stop-contradicted"),
    ]
    assert rows[0][8] == "rises by 8998000 Wh in 600 s; at most 2117 can"
    # As the pipeline says it: what comes later still repairs it.
    assert books(started, *FIGURES) == (Decimal(4000), "samples", "low")
    kept = Samples.objects.order_by("sampled_at").values_list("value", "raw_value")
    assert list(kept)[1] == (Decimal(3000), "9000000")
    trail = MeterValueCorrection.objects.all()
    assert len({item.run for item in trail}) == 1
    # With what the samples have shown, and the figures of the session alone.
    told = ["value", "energy", "energy_source", "flags", "checks", "lives"]
    assert sorted(item.field for item in trail) == sorted(told)
    [entry] = AuditEntry.objects.all()
    assert (entry.what, entry.who_name) == (f"figures corrected, run {trail[0].run}", "")
    # A second run finds nothing more.
    after = everything()
    assert "nothing to correct" in run("2026-03-09", "2026-03-09", max_power=POWER)
    assert everything() == after
    call_command("correct_meter_values", undo=str(trail[0].run))
    assert everything() == before
    assert not MeterValueCorrection.objects.filter(undone_at=None).exists()


def test_a_wild_sample_between_good_ones_leaves_a_good_session_alone(charger: Charger) -> None:
    started = charger.started(at(0), 1000)
    for minute, wh in ((10, 2000), (20, 9_000_000), (30, 4000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(60), 6000)
    before = books(started, *FIGURES)
    run("2026-03-09", "2026-03-10", max_power=POWER)
    assert books(started, *FIGURES) == before
    assert [item.field for item in MeterValueCorrection.objects.all()] == ["value"]


def test_samples_of_the_present_do_not_correct_a_session_of_the_backlog(charger: Charger) -> None:
    """They went to the session that ran in the books, which had ended long before."""
    first = charger.started(at(-300), 10_000, when=at(0))
    charger.meter(first, *(meter_value(at(-290 + 10 * n), 10_300 + 300 * n) for n in range(4)))
    charger.meter(None, meter_value(at(1), 16_000), when=at(1))
    charger.stop(first, at(-240), 11_600, when=at(2), idTag="tag")
    charger.started(at(-60), 11_600, when=at(3))
    before = books(first, *FIGURES)
    assert before[0] == Decimal(1600)
    run("2026-03-09", "2026-03-10", max_power=POWER)
    assert books(first, *FIGURES) == before


@pytest.mark.parametrize(
    ("samples", "figures"),
    [
        ((1_234_000, 1_242_000), (Decimal(8000), "samples", "low")),
        ((1_242_000,), (Decimal(8), "registers", "low")),
    ],
    ids=["both ends", "one end"],
)
def test_start_and_stop_in_kwh_do_not_correct_the_samples(
    charger: Charger, samples: tuple[int, ...], figures: tuple[Any, ...]
) -> None:
    """Nor do they take back what the samples said."""
    started = charger.started(at(0), 1234)
    moments = [at(0), at(60)][-len(samples) :]
    data = [meter_value(moment, wh) for moment, wh in zip(moments, samples, strict=True)]
    charger.stop(started, at(60), 1242, transactionData=data)
    assert books(started, *FIGURES, "flags") == (*figures, "registers-in-kwh")
    before = everything()
    assert "nothing to correct" in run("2026-03-09", "2026-03-09", max_power=POWER)
    assert everything() == before


def test_a_wild_sample_is_corrected_where_start_and_stop_are_in_kwh(charger: Charger) -> None:
    started = charger.started(at(0), 1234)
    rows = ((0, 1_234_000), (20, 99_000_000), (60, 1_242_000))
    data = [meter_value(at(minute), wh) for minute, wh in rows]
    charger.stop(started, at(60), 1242, transactionData=data)
    before = books(started, *FIGURES)
    assert before == (Decimal(8000), "samples", "low")
    run("2026-03-09", "2026-03-09", max_power=POWER)
    assert [item.field for item in MeterValueCorrection.objects.all()] == ["value"]
    assert books(started, *FIGURES) == before


def test_the_end_that_levity_made_of_a_wild_sample_is_corrected(charger: Charger) -> None:
    """Boot in the middle: the last sample had been believed. Nothing follows it, so it stays."""
    started = charger.started(at(0), 1000)
    charger.meter(started, meter_value(at(10), 2000), when=at(10))
    charger.meter(started, meter_value(at(20), 9_000_000), when=at(20))
    charger.boot(at(30))
    by_registers(started, 8_999_000)
    Transaction.objects.update(
        energy_source="samples", meter_last=9_000_000, meter_last_at=at(20), meter_stop=9_000_000
    )
    before = everything()
    run("2026-03-09", "2026-03-09", max_power=POWER)
    assert books(started, *FIGURES, "meter_last", "meter_stop") == (
        Decimal(1000),
        "samples",
        "low",
        Decimal(9_000_000),
        Decimal(9_000_000),
    )
    corrections.undo(MeterValueCorrection.objects.all()[0].run, None)
    assert everything() == before


def test_samples_outside_of_sessions_are_looked_at_too(charger: Charger) -> None:
    for minute, wh in ((0, 1000), (1, 5), (2, 1000)):
        charger.meter(None, meter_value(at(minute), wh), when=at(minute))
    run("2026-03-09", "2026-03-09")
    values = Samples.objects.order_by("sampled_at").values_list("value", flat=True)
    assert list(values) == [Decimal(1000)] * 3


def test_only_the_charge_point_and_the_days_that_are_meant(charger: Charger) -> None:
    wild(charger)
    wild(Charger("CP2", charger.pipeline))
    before = everything()
    run("2026-03-10", "2026-03-11", max_power=POWER)
    run("2026-03-09T12:01", "2026-03-10", max_power=POWER)
    assert everything() == before
    done = run("2026-03-09", "2026-03-09", max_power=POWER, charge_point="cp2")
    assert {row[0] for row in list(csv.reader(io.StringIO(done)))[1:-1]} == {"CP2"}


def test_the_power_of_the_charge_point_is_the_limit(charger: Charger) -> None:
    started = charger.started(at(0), 0)
    charger.stop(started, at(60), 5_000_000)
    assert books(started, *FIGURES, "flags") == (
        Decimal(5_000_000),
        "registers",
        "low",
        "implausible-energy",
    )
    assert "would be corrected: 0 samples and 0" in run("2026-03-09", "2026-03-09", dry_run=True)
    charger.row.__class__.objects.update(max_power=5_000_000)
    run("2026-03-09", "2026-03-09")
    figures = (Decimal(5_000_000), "registers", "high", "")
    assert books(started, *FIGURES, "flags") == figures


def test_what_some_charger_can_deliver_is_left_to_a_person(charger: Charger) -> None:
    """OCPP.Core#47: a session of a DC charger became 0 Wh; nothing is known but both ends."""
    started = charger.started(at(0), 8_000_000)
    charger.stop(started, at(15), 8_060_000)
    assert books(started, "energy", "flags") == (Decimal(60_000), "above-ac")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")
    # Who says what the connector can deliver is believed.
    done = run("2026-03-09", "2026-03-09", max_power=POWER, dry_run=True)
    assert "confidence,medium,low" in done
    assert "would be corrected: 0 samples and 2" in done


def test_a_dc_charger_is_left_alone(charger: Charger) -> None:
    """OCPP.Core#47, with its samples: 14 of them would have been flattened."""
    started = charger.started(at(0), 8_000_000)
    for minute in range(1, 15):
        charger.meter(started, meter_value(at(minute), 8_000_000 + 4000 * minute), when=at(minute))
    charger.stop(started, at(15), 8_060_000)
    assert books(started, "energy", "confidence", "flags") == (Decimal(60_000), "high", "")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")


def test_samples_of_after_the_stop_are_not_the_sessions(charger: Charger) -> None:
    """EN+ goes on with the old id, evcc#14673: 1100 Wh would have become 3100."""
    first = charger.started(at(0), 0)
    charger.stop(first, at(30), 1100)
    for minute in (35, 40, 45):
        charger.meter(first, meter_value(at(minute), "1100.0"), when=at(minute))
    second = charger.started(at(60), 1100)
    charger.meter(first, meter_value(at(90), "3100.0"), when=at(90))
    charger.stop(second, at(120), 5100)
    assert books(first, "energy", "confidence") == (Decimal(1100), "high")
    assert books(second, "energy", "confidence") == (Decimal(4000), "high")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")
    # Nor where nothing else speaks for it.
    Transaction.objects.update(confidence="medium", lives="")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")


def test_start_and_stop_that_agree_are_not_corrected_by_samples_in_kwh(charger: Charger) -> None:
    """ATTACK B6: 65.4 kWh would have become 54.5 Wh."""
    started = charger.started(at(0), 0)
    for number in range(1, 6):
        value = {"timestamp": iso(at(60 * number)), "sampledValue": [{"value": f"{10.9 * number}"}]}
        charger.meter(started, value, when=at(60 * number))
    charger.stop(started, at(360), 65_400)
    assert books(started, "energy", "confidence") == (Decimal(65_400), "high")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")
    # Nor in a session of a release before, nor where the limit is given.
    Transaction.objects.update(lives="")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09", max_power=POWER)


@pytest.mark.parametrize("stopped", [-600, -5, 5])
def test_a_stop_with_a_bad_clock_is_left_alone(charger: Charger, stopped: int) -> None:
    """ATTACK B6: 12 kWh would have become 8."""
    started = charger.started(at(0), 0)
    for minute, wh in ((20, 4000), (40, 8000), (55, 11_000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(stopped), 12_000, when=at(60))
    assert books(started, "energy") == Decimal(12_000)
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")


def test_a_clock_that_went_back_is_left_alone(charger: Charger) -> None:
    """In the order of time its register would fall and rise; it came in the order of its values."""
    started = charger.started(at(0), 0)
    for ours, theirs, wh in ((10, 10, 1000), (20, 20, 2000), (30, 5, 3000), (40, 15, 4000)):
        charger.meter(started, meter_value(at(theirs), wh), when=at(ours))
    charger.stop(started, at(45), 4500)
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")


def test_two_places_and_the_value_of_the_start_are_no_jumps(charger: Charger) -> None:
    """Growatt, and a charger that tells of the body as well."""
    started = charger.started(at(0), 157_440)
    register = {"measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    for minute, wh in ((10, 1000), (20, 2000), (30, 3000)):
        value = meter_value(at(minute), 157_440 + wh, location="Outlet")
        value["sampledValue"] += [
            {**register, "value": "157440", "context": "Transaction.Begin", "location": "Outlet"},
            {**register, "value": str(wh), "location": "Body"},
            {**register, "value": "16", "unit": "A"},
        ]
        charger.meter(started, value, when=at(minute))
    charger.stop(started, at(40), 161_440)
    assert books(started, "energy", "confidence") == (Decimal(4000), "high")
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")


@pytest.mark.parametrize("stop", [120_000, 0, 70_000_000])
def test_what_the_evidence_has_decided_is_not_decided_again(charger: Charger, stop: int) -> None:
    started = charger.started(at(0), 120_000)
    for number in range(1, 8):
        charger.meter(
            started, meter_value(at(15 * number), 120_000 + number * 1430), when=at(15 * number)
        )
    charger.stop(started, at(110), stop)
    before = books(started, *FIGURES)
    assert before == (Decimal(10_010), "samples", "low")
    run("2026-03-09", "2026-03-09")
    assert books(started, *FIGURES) == before


def test_a_session_that_changes_meanwhile_is_left_as_it_is(charger: Charger) -> None:
    started = wild(charger)
    found = [item for some in corrections.find(at(-60), at(60), None, POWER) for item in some]
    Transaction.objects.filter(pk=started).update(energy=2)
    before = everything()
    corrections.correct(found, uuid4(), None)
    assert everything() == before
    assert not MeterValueCorrection.objects.exists()


def test_what_a_person_has_decided_is_left_alone_unless_it_is_asked_for(charger: Charger) -> None:
    started = wild(charger)
    Transaction.objects.filter(pk=started).update(energy=7, energy_source="corrected")
    before = everything()
    assert "nothing to correct" in run("2026-03-09", "2026-03-09", max_power=POWER)
    assert everything() == before
    run("2026-03-09", "2026-03-09", max_power=POWER, decided=True)
    assert books(started, *FIGURES) == (Decimal(4000), "samples", "low")


def test_a_session_of_which_the_samples_are_forgotten_keeps_what_they_showed(
    charger: Charger,
) -> None:
    started = charger.started(at(0), 1000)
    for minute, wh in ((10, 2000), (20, 3000), (30, 4000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(60), 0)
    assert books(started, *FIGURES) == (Decimal(3000), "samples", "low")
    MeterValue.objects.all().delete()
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")


def test_what_another_release_kept_of_a_register_is_read_anew_from_the_samples(
    charger: Charger,
) -> None:
    started = wild(charger)
    Transaction.objects.filter(pk=started).update(lives="2;words of another release")
    run("2026-03-09", "2026-03-09", max_power=POWER)
    assert books(started, *FIGURES) == (Decimal(4000), "samples", "low")


def test_neighbours_bound_each_other_as_they_do_when_messages_arrive(charger: Charger) -> None:
    """The same Wh twice, as a release before has recorded it."""
    first = charger.started(at(0), 100_000, idTag="A")
    second = charger.started(at(60), 106_000, idTag="B")
    charger.stop(first, at(120), 115_000, idTag="A")
    charger.stop(second, at(121), 115_000, idTag="B")
    figures = (*FIGURES, "flags", "checks")
    by_pipeline = [books(pk, *figures) for pk in (first, second)]
    assert sum(energy for energy, *_ in by_pipeline) == 15_000
    for pk, wh in ((first, 15_000), (second, 9000)):
        Transaction.objects.filter(pk=pk).update(energy=wh, confidence="high", flags="", checks="")
    before = everything()
    said = run("2026-03-09", "2026-03-09")
    assert "are the next session's: cut at its start." in said
    now = [books(pk, *FIGURES) for pk in (first, second)]
    assert now == [tuple(item[:3]) for item in by_pipeline]
    # Their own figures are kept: settled again, nothing is cut twice.
    assert "nothing to correct" in run("2026-03-09", "2026-03-09")
    call_command("correct_meter_values", undo=str(MeterValueCorrection.objects.all()[0].run))
    assert everything() == before


def test_undo_leaves_what_has_changed_since(charger: Charger) -> None:
    started = wild(charger)
    run("2026-03-09", "2026-03-09", max_power=POWER)
    Transaction.objects.filter(pk=started).update(energy=1)
    with pytest.raises(CommandError, match="3 values have changed"):
        call_command("correct_meter_values", undo=str(MeterValueCorrection.objects.all()[0].run))
    # All figures of a session or none: this energy is not the one that the registers said.
    assert books(started, *FIGURES) == (Decimal(1), "samples", "low")


def test_two_runs_on_one_session_are_undone_from_the_last_to_the_first(charger: Charger) -> None:
    started = charger.started(at(0), 0)
    for minute, wh in ((10, 1000), (20, 5000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(60), 90_000)
    by_registers(started, 90_000)
    raw, runs, states = everything(), [], []
    for power in (22_000, 7_000):
        run("2026-03-09", "2026-03-09", max_power=power)
        runs.append(str(MeterValueCorrection.objects.all()[0].run))
        states.append(everything())
    assert books(started, *FIGURES) == (Decimal(1000), "samples", "low")
    # The first one can't be undone below the second; nothing is half undone, and nothing lost.
    with pytest.raises(CommandError, match="3 values have changed"):
        call_command("correct_meter_values", undo=runs[0])
    assert everything() == states[1]
    assert not MeterValueCorrection.objects.exclude(undone_at=None).exists()
    call_command("correct_meter_values", undo=runs[1])
    assert everything() == states[0]
    call_command("correct_meter_values", undo=runs[0])
    assert everything() == raw


def test_days_are_those_of_the_site(charger: Charger, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    started = charger.started(datetime(2026, 3, 8, 12, tzinfo=UTC), 0)
    charger.stop(started, datetime(2026, 3, 8, 13, tzinfo=UTC), 900_000)
    Transaction.objects.update(confidence="high", flags="")
    assert "and 0 figures" in run("2026-03-08", "2026-03-08", dry_run=True)
    assert "and 2 figures" in run("2026-03-09", "2026-03-09", dry_run=True)


@pytest.mark.parametrize(
    ("args", "options", "why"),
    [
        ((), {}, "give START and END"),
        (("2026-03-09",), {}, "give START and END"),
        (("2026-03-10", "2026-03-08"), {}, "START must be before END"),
        (("yesterday", "2026-03-08"), {}, "'yesterday' is not a date"),
        (("2026-03-09", "2026-03-09"), {"charge_point": "CP9"}, "no charge point 'CP9'"),
        (("2026-03-09", "2026-03-09"), {"max_power": 0}, "more than 0"),
        ((), {"undo": "x"}, "is not a run"),
        ((), {"undo": str(uuid4())}, "has corrected anything"),
    ],
)
def test_what_can_not_be_done_is_said(
    charger: Charger, args: tuple[str, ...], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("correct_meter_values", *args, **options)


def test_no_cell_is_a_formula(charger: Charger, tmp_path: Path) -> None:
    charger.row.__class__.objects.update(identity="=1+1")
    started = charger.started
    charger.identity = "=1+1"
    begun = started(at(0), 0)
    charger.stop(begun, at(1), 900_000)
    Transaction.objects.update(confidence="high", flags="")
    file = tmp_path / "found.csv"
    call_command("correct_meter_values", "2026-03-09", "2026-03-09", csv=str(file), dry_run=True)
    rows = list(csv.reader(io.StringIO(file.read_text(), newline="")))
    assert {row[0] for row in rows[1:]} == {"'=1+1"}


@pytest.mark.slow
def test_many_sessions_take_few_statements(
    charger: Charger, django_assert_max_num_queries: Any
) -> None:
    rows = [
        Transaction(
            charge_point=charger.row,
            connector=1,
            state="stopped",
            started_at=at(number),
            stopped_at=at(number) + timedelta(minutes=1),
            meter_start=0,
            meter_stop=900_000,
            energy=900_000,
        )
        for number in range(300)
    ]
    Transaction.objects.bulk_create(rows)
    with django_assert_max_num_queries(60):
        assert "300" not in run("2026-03-09", "2026-03-09", dry_run=True)[:10]
        run("2026-03-09", "2026-03-09")
    assert Transaction.objects.filter(confidence="low").count() == 300
