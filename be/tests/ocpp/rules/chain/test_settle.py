"""Sessions of one connector held against each other: no database."""

import random
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.books import written as own_written
from levity.ocpp.rules.chain.settle import Settled, settle, settled_claims
from levity.ocpp.rules.lives import NO_TRAIL, follow, written
from levity.ocpp.rules.readings import Reading
from levity.ocpp.testing import at

POWER = 43_000


def session(pk: int, start: float, begun: float, stop: float | None, ended: float, **other: Any):
    """One that charged from `start` to `stop` Wh, from `begun` to `ended` seconds."""
    wh = None if stop is None else Decimal(stop) - Decimal(start)
    usual: dict[str, Any] = {
        "id": pk,
        "charge_point_id": 1,
        "connector": 1,
        "state": "active" if stop is None else "stopped",
        "id_tag": f"TAG-{pk}",
        "started_at": at(begun),
        "start_received_at": at(begun + 1),
        "meter_start": Decimal(start),
        "stopped_at": None if stop is None else at(ended),
        "stop_received_at": None if stop is None else at(ended + 1),
        "meter_stop": None if stop is None else Decimal(stop),
        "energy": wh,
        "energy_source": "" if stop is None else "registers",
        "confidence": "" if stop is None else "high",
    }
    return RecordedSession(**{**usual, **other})


def sampled(*readings: tuple[float, float]) -> str:
    """The lives of a session with these samples: (seconds, Wh)."""
    trail = NO_TRAIL
    for seconds, wh in readings:
        moment: datetime = at(seconds)
        trail = follow(trail, [Reading(moment, Decimal(wh))], moment, POWER)
    return written(trail)


def orphaned(pk: int, start: float, begun: float, last: float, seen: float, **other: Any):
    """One without a Stop, with its last sample."""
    return session(
        pk,
        start,
        begun,
        last,
        seen,
        **{
            "state": "orphaned",
            "energy_source": "samples",
            "confidence": "medium",
            "flags": "orphaned",
            "lives": sampled((begun + 60, start + 100), (seen, last)),
            "meter_last": Decimal(last),
            "meter_last_at": at(seen),
            **other,
        },
    )


def figures(*sessions: RecordedSession) -> list[tuple[Decimal | None, str, str]]:
    """(Wh, confidence, flags of the chain) of each, in the order of the sessions."""
    found = {item.session.id: item for item in settle(sessions, POWER)}
    return [
        (found[item.id].wh, found[item.id].confidence, _of_chain(found[item.id]))
        for item in sessions
    ]


def _of_chain(item: Settled) -> str:
    return " ".join(flag for flag in item.flags if flag != "orphaned")


def test_neighbours_that_follow_from_each_other_stay_high() -> None:
    """And what lies in between is nobody's."""
    one = session(1, 1000, 0, 6000, 3600)
    other = session(2, 6200, 7200, 9000, 9000)
    assert figures(one, other) == [(5000, "high", ""), (2800, "high", "")]


def test_two_starts_on_one_meter_are_cut_at_the_second() -> None:
    """B4: Start 100000, Start 106000, both Stop 115000: 15,000 + 9,000 Wh of 15,000."""
    one = session(1, 100_000, 0, 115_000, 7200, flags="late-stop")
    other = session(2, 106_000, 3600, 115_000, 7200)
    assert figures(one, other) == [
        (6000, "medium", "late-stop overlaps-next"),
        (9000, "medium", "overlaps-previous"),
    ]


def test_a_register_that_counts_each_session_is_no_overlap() -> None:
    """Two Grizzl-E sessions from 0 to 40330 and from 0 to 640."""
    one = session(1, 0, 0, 40_330, 20_000)
    other = session(2, 0, 40_000, 640, 41_000)
    assert figures(one, other) == [(40_330, "high", ""), (640, "high", "")]


def test_a_lost_stop_ends_where_the_next_start_is() -> None:
    """The energy between the last sample and the end that nobody told."""
    one = orphaned(1, 1000, 0, 5000, 3600)
    other = session(2, 5800, 7200, 9000, 9000)
    assert figures(one, other)[0] == (4800, "medium", "ends-at-next-start")
    # Not what its car can't have charged: that is nobody's.
    far = session(2, 25_000, 7200, 29_000, 9000)
    assert figures(one, far)[0] == (4000, "medium", "")


def test_a_start_that_is_too_old_counts_from_the_last_stop() -> None:
    """16,000 Wh for 6,000: meterStart is what the session before began with."""
    one = session(1, 95_000, 0, 105_000, 7200)
    other = session(
        2, 95_000, 10_000, 111_000, 14_000, lives=sampled((10_900, 106_000), (13_000, 110_000))
    )
    assert figures(one, other) == [
        (10_000, "high", ""),
        (6000, "medium", "starts-at-last-stop"),
    ]


def test_a_start_of_0_from_which_no_power_leads_to_the_stop_counts_from_the_last_stop() -> None:
    before = session(1, 6_110_000, 0, 6_119_254, 60)
    zero = session(2, 0, 120, 6_122_746, 3600, confidence="low", flags="implausible-energy")
    assert figures(before, zero)[1] == (
        Decimal(3492),
        "low",
        "implausible-energy starts-at-last-stop",
    )


def test_a_start_of_0_that_ends_where_the_register_would_have_gone_on_is_doubted() -> None:
    """Nothing tells whether it began anew at 0; of registers that count each session, it did."""
    before = session(1, 20_000, 0, 24_000, 60)
    assert figures(before, session(2, 0, 120, 27_000, 3600))[1] == (
        # What it moved either way.
        Decimal(3000),
        "low",
        "starts-at-last-stop neighbours-disagree",
    )
    young = session(1, 0, 0, 640, 60)
    assert figures(young, session(2, 0, 120, 27_000, 3600))[1] == (Decimal(27_000), "high", "")


def test_a_clock_that_is_hours_behind_for_a_while_takes_no_energy() -> None:
    """The second told times of before the first; the register, and our clock, tell the order."""
    one = session(1, 21_072, 0, 21_523, 1200)
    behind = {"started_at": at(-900), "stopped_at": at(800)}
    other = session(2, 21_523, 3600, 22_374, 5300, **behind)
    assert figures(one, other) == [(451, "high", ""), (851, "high", "")]


def test_a_clock_that_begins_with_the_firmwares_date_each_time_takes_no_energy() -> None:
    """Each session of the same minute, by the charger's clock."""
    same = {"started_at": at(-(10**7)), "stopped_at": at(-(10**7) + 3000)}
    one = session(1, 44_621, 0, 45_636, 3000, **same)
    other = session(2, 55_566, 10_000, 60_773, 13_000, **{**same, "started_at": at(-(10**7) - 20)})
    assert figures(one, other) == [(1015, "high", ""), (5207, "high", "")]


def test_a_start_that_is_told_again_with_another_time_is_one_session() -> None:
    """Its answer was lost; the samples until then named the first."""
    one = orphaned(1, 4_121_657, 0, 4_121_681, 36, id_tag="TAG", lives=sampled((36, 4_121_681)))
    other = session(2, 4_121_657, 60, 4_123_889, 2900, id_tag="TAG")
    assert figures(one, other) == [(0, "low", "started-again"), (2232, "high", "")]


def test_a_start_that_is_told_again_a_little_later_on_the_register_is_one_session() -> None:
    """The register had moved when it was told again; nobody charged in the first."""
    none = {"energy_source": "none", "confidence": "low", "lives": "", "meter_last": None}
    one = orphaned(1, 0, 0, 0, 0, id_tag="TAG", **none, meter_stop=None, meter_last_at=None)
    other = session(2, 54, 60, 3626, 1900, id_tag="TAG")
    assert figures(one, other) == [
        (0, "low", "started-again"),
        (3626, "medium", "starts-at-last-stop"),
    ]


def test_samples_of_the_next_session_take_nothing_from_it() -> None:
    """A backlog beside samples of now, without an id: they ran on under the session before."""
    lives = sampled((600, 891_600), (5000, 899_600), (14_000, 902_714))
    one = orphaned(1, 891_250, 0, 902_714, 14_000, lives=lives, start_received_at=at(20_000))
    lives = sampled((5700, 899_800), (9000, 900_900), (20_000, 904_200))
    other = session(2, 899_693, 5400, 904_222, 20_060, lives=lives, start_received_at=at(20_500))
    assert figures(one, other) == [
        (8443, "medium", "overlaps-next"),
        (4529, "medium", "overlaps-previous"),
    ]


def test_another_meter_in_between_is_no_overlap() -> None:
    """Both sessions have samples that lead from their start to their end."""
    lives = sampled((600, 27_000), (20_000, 148_000))
    one = session(1, 26_607, 0, 149_120, 20_400, lives=lives)
    other = session(
        2, 39_816, 40_000, 46_313, 50_000, lives=sampled((41_000, 40_500), (49_000, 46_000))
    )
    assert figures(one, other) == [(122_513, "high", ""), (6497, "high", "")]


def test_a_row_that_is_damaged_does_not_stop_its_neighbours() -> None:
    """Its lives can't be read: it is as if it had told no samples."""
    one = session(1, 1000, 0, 6000, 3600, lives="damaged")
    other = session(2, 6200, 7200, 9000, 9000, lives="1,2,3;x", checks="{")
    assert figures(one, other) == [(5000, "high", ""), (2800, "high", "")]


def test_a_stop_below_its_start_is_right_where_the_next_one_goes_on_from_it() -> None:
    """0 Wh by itself; the register began anew in it, and proves what was charged since."""
    none = {"energy": Decimal(0), "energy_source": "none", "confidence": "low"}
    one = session(1, 28_942, 0, 11_212, 11_000, **none, flags="negative-energy")
    other = session(2, 11_212, 20_000, 15_000, 22_000)
    assert figures(one, other) == [
        (11_212, "low", "negative-energy ends-at-next-start"),
        (3788, "high", ""),
    ]


def test_a_stop_below_a_start_of_another_connector_counts_from_the_session_before() -> None:
    """14,957 Wh: the register had not begun anew, but gone on from 7421."""
    one = session(1, 5977, 0, 7421, 8000)
    none = {"energy": Decimal(0), "energy_source": "none", "confidence": "low"}
    other = session(2, 46_646, 21_000, 14_957, 31_000, **none, flags="negative-energy")
    third = session(3, 14_957, 52_000, 18_879, 63_000)
    assert figures(one, other, third) == [
        (1444, "high", ""),
        (7536, "low", "negative-energy starts-at-last-stop neighbours-disagree"),
        (3922, "high", ""),
    ]


def test_a_start_of_another_meter_and_samples_that_go_on_from_the_session_before() -> None:
    """10,794 Wh: its samples, which are below its start, were thought to count from 0."""
    one = session(1, 2634, 0, 6010, 10_000)
    other = session(
        *(2, 8_781_232, 10_400, 10_794, 23_700),
        energy=Decimal(10_794),
        energy_source="session-register",
        confidence="medium",
        flags="session-register",
        lives=sampled((10_800, 6150), (11_700, 6500), (22_800, 10_500)),
    )
    third = session(3, 10_794, 33_000, 31_443, 50_000)
    assert figures(one, other, third) == [
        (3376, "medium", ""),
        (4784, "low", "session-register starts-at-last-stop neighbours-disagree"),
        (20_649, "high", ""),
    ]


def test_a_far_stop_is_cut_at_the_next_start_though_samples_nearly_lead_there() -> None:
    """34,493 Wh: meterStop was another connector's, and no other meter came in between."""
    one = session(
        *(1, 12_758, 0, 47_251, 12_751),
        confidence="medium",
        flags="stop-far-off",
        lives=sampled((900, 15_000), (2700, 20_000), (6000, 30_000), (12_300, 45_600)),
    )
    other = session(
        *(2, 46_017, 13_100, 57_818, 20_600),
        lives=sampled((13_700, 46_900), (14_600, 48_300), (20_000, 56_900)),
    )
    assert figures(one, other) == [
        (33_259, "medium", "stop-far-off overlaps-next"),
        (11_801, "medium", "overlaps-previous"),
    ]


def test_samples_that_count_the_session_end_where_the_next_one_begins() -> None:
    """Its own samples show how much; where on the meter's register, the next start shows better.

    A second start, of which nothing more was said, was given all samples of the first.
    """
    one = session(1, 39_123, 0, 41_084, 1348, flags="session-register")
    ghost = orphaned(
        *(2, 39_374, 120, 1960, 1290),
        id_tag="TAG-1",
        energy=Decimal(1960),
        energy_source="session-register",
        flags="session-register orphaned",
        lives=sampled((150, 332), (700, 1690), (1290, 1960)),
    )
    after = session(
        *(3, 41_084, 7500, 42_837, 10_000),
        flags="session-register",
        lives=sampled((7600, 50), (8000, 600), (9900, 1700)),
    )
    assert figures(one, ghost, after) == [
        (251, "medium", "session-register overlaps-next"),
        (1710, "medium", "session-register overlaps-previous ends-at-next-start"),
        (1753, "high", "session-register"),
    ]


def test_a_start_of_another_connector_takes_nothing_from_the_session_before() -> None:
    """It lies below that one's start, and its stop above that one's stop."""
    one = session(1, 29_980, 0, 36_603, 4700)
    other = session(2, 21_929, 5200, 42_800, 25_000)
    third = session(3, 42_800, 26_000, 45_177, 30_000)
    assert figures(one, other, third) == [
        (6623, "high", ""),
        (6197, "medium", "starts-at-last-stop"),
        (2377, "high", ""),
    ]


@pytest.mark.parametrize(
    ("lives", "checks"),
    [
        ("0,0,0;NaN,1,1,1,1,1,1,1,2,0,0", ""),
        ("0,0,0;1,inf,1,1,1,1,nan,1,2,0,0", ""),
        ("0,0,0:1:2", ""),
        ("", '{"own": ["x", "registers", "high", "6000"]}'),
        ("", '{"own": ["NaN", "registers", "high", "Infinity"]}'),
        ("", '{"own": [[], {}, 3, null]}'),
        ("", '{"own": [{}, "registers", "high", []], "checks": [[1, 2, 3], "x", null]}'),
        ("", '{"own": ["5000", null, "high", "6000"], "checks": {}}'),
        ("", "[]"),
    ],
)
def test_numbers_that_are_none_do_not_stop_the_neighbours(lives: str, checks: str) -> None:
    """What is recorded of the damaged row counts."""
    one = session(1, 1000, 0, 6000, 3600, lives=lives, checks=checks)
    other = session(2, 6200, 7200, 9000, 9000)
    assert figures(one, other) == [(5000, "high", ""), (2800, "high", "")]


def test_a_session_whose_register_began_anew_is_cut_as_well() -> None:
    """Its energy is not the difference of its ends: what it has to give is taken from it."""
    lives = sampled((600, 101_000), (1800, 103_000), (3000, 1000), (7000, 6500))
    one = session(
        *(1, 100_000, 0, 9000, 9000),
        energy=Decimal(12_000),
        energy_source="samples",
        confidence="low",
        flags="register-reset",
        lives=lives,
    )
    other = session(2, 7000, 7200, 15_000, 14_000)
    assert figures(one, other) == [
        (10_000, "low", "register-reset overlaps-next"),
        (8000, "medium", "overlaps-previous"),
    ]


def test_two_that_claim_the_same_energy_one_after_the_other_are_both_doubted() -> None:
    """And the sum is no more than the register moved."""
    one = session(1, 100_000, 0, 115_000, 3600)
    other = session(2, 106_000, 7200, 116_000, 9000)
    (first, _, _), (second, *_) = found = figures(one, other)
    assert [item[1:] for item in found] == [
        ("low", "overlaps-next neighbours-disagree"),
        ("low", "neighbours-disagree"),
    ]
    assert (first or 0) + (second or 0) == 16_000


def test_what_a_person_decided_stays() -> None:
    """The neighbour gives way."""
    one = session(1, 100_000, 0, 115_000, 3600, energy_source="corrected")
    other = session(2, 106_000, 3000, 118_000, 9000)
    assert figures(one, other) == [
        (15_000, "high", ""),
        (3000, "low", "starts-at-last-stop neighbours-disagree"),
    ]


def test_settling_what_is_settled_changes_nothing() -> None:
    """Figures are found from the sessions' own each time."""
    one = session(1, 100_000, 0, 115_000, 7200)
    other = session(2, 106_000, 3600, 115_000, 7200)
    first = settle([one, other], POWER)
    again = settle([_recorded(item) for item in first], POWER)
    assert [(item.wh, item.confidence, item.flags) for item in again] == [
        (item.wh, item.confidence, item.flags) for item in first
    ]
    assert not any(item.is_other for item in again)


def _recorded(item: Settled) -> RecordedSession:
    return replace(
        item.session,
        energy=item.wh,
        energy_source=item.source,
        confidence=item.confidence,
        flags=" ".join(item.flags),
        meter_stop=item.meter_stop,
        checks=own_written(item.own),
    )


@st.composite
def chains(draw: st.DrawFn) -> list[RecordedSession]:
    """Sessions of one connector of which the registers are as odd as can be."""
    found: list[RecordedSession] = []
    register, seconds = draw(st.integers(0, 200_000)), 0
    for pk in range(1, draw(st.integers(1, 6)) + 1):
        seconds += draw(st.integers(0, 20_000))
        low = max(register + draw(st.sampled_from([0, 0, 0, 1, 500, -3, -4000, -50_000])), 0)
        lasting = draw(st.integers(60, 20_000))
        high = low + draw(st.integers(0, 15_000))
        make = draw(st.sampled_from([session, orphaned]))
        found.append(make(pk, low, seconds, high, seconds + lasting))
        register = draw(st.sampled_from([high, high, high, low, 0]))
        seconds += draw(st.sampled_from([lasting, lasting, lasting // 2]))
    return found


@settings(max_examples=300, deadline=None)
@given(chains(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_books(
    sessions: list[RecordedSession], chance: random.Random
) -> None:
    """Whatever came first."""
    shuffled = sessions.copy()
    chance.shuffle(shuffled)
    assert settle(sessions, POWER) == settle(shuffled, POWER)


def test_a_session_that_moved_nothing_is_given_nothing_by_a_register_that_began_anew() -> None:
    """Its start and stop are the same 101 Wh, below the end of the one before."""
    there = [
        orphaned(1, 0, 0, 4101, 86),
        session(2, 101, 86, 101, 146),
        session(3, 101, 146, 101, 206),
    ]
    assert [item.wh for item in settle(there, POWER)] == [4101, 0, 0]


@settings(max_examples=500, deadline=None)
@given(chains())
def test_no_energy_is_billed_twice(sessions: list[RecordedSession]) -> None:
    """Within a segment, what the sessions come to is at most what the register moved."""
    claims = settled_claims(sessions, POWER)
    low = high = None
    billed = Decimal(0)
    for claim, item in zip(claims, settle(sessions, POWER), strict=True):
        assert claim.low is not None
        assert claim.high is not None
        if low is None or high is None or claim.low < high:
            low, billed = claim.low, Decimal(0)
        high = claim.high
        billed += item.wh or 0
        assert billed <= high - low, (claim, billed)


@settings(max_examples=300, deadline=None)
@given(chains())
def test_no_confidence_is_lost_without_a_word(sessions: list[RecordedSession]) -> None:
    """Whoever is less sure than by itself has a flag or a check that says why."""
    for item in settle(sessions, POWER):
        if item.confidence != item.session.confidence:
            assert set(item.flags) - set(item.session.flags.split()) or any(
                check.verdict == "contradicts" for check in item.checks
            )
