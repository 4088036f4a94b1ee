"""A stop ends what it fits, also where that runs no longer, and what comes later sets it right."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from levity.ocpp.models import (
    ChargePoint,
    Connector,
    QuarantinedMessage,
    SessionRepair,
    Transaction,
)
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

pytestmark = pytest.mark.django_db


@pytest.fixture
def charger() -> Charger:
    """On line at twelve."""
    return Charger()


def waiting() -> list[str]:
    """Why messages wait for a person."""
    rows = QuarantinedMessage.objects.filter(resolved_at=None).order_by("id")
    return list(rows.values_list("reason", flat=True))


@pytest.mark.parametrize("named", [-1, 0, None, 4711])
def test_the_stop_of_an_offline_session_comes_while_the_next_one_runs(
    charger: Charger, named: Any
) -> None:
    """It was quarantined, and the session kept 0 Wh: only what runs was looked at."""
    told = {"idTag": "ANNA"} if named == 4711 else {}
    before = charger.started(at(-200), 10_000, when=at(0), idTag="ANNA")
    after = charger.started(at(-20), 24_000, when=at(1), idTag="BOB")
    other = charger.started(at(-190), 800_000, when=at(2), connectorId=2, idTag="EVE")
    charger.stop(named, at(-30), 24_000, when=at(3), **told)
    assert books(before, "state", "energy", "confidence") == ("stopped", Decimal(14_000), "high")
    assert books(after, "state", "energy") == ("active", None)
    charger.stop(after, at(30), 30_000)
    charger.stop(other, at(31), 801_000)
    assert books(after, "state", "energy") == ("stopped", Decimal(6000))
    assert books(other, "state", "energy") == ("stopped", Decimal(1000))
    assert waiting() == []


def test_two_offline_sessions_whose_stops_come_after_both_starts(charger: Charger) -> None:
    """Starts and stops are two queues."""
    first = charger.started(at(-300), 10_000, when=at(0))
    second = charger.started(at(-200), 14_000, when=at(0.1))
    third = charger.started(at(-100), 19_000, when=at(0.2))
    charger.stop(-1, at(-210), 14_000, when=at(1))
    charger.stop(-1, at(-110), 19_000, when=at(1.1))
    charger.stop(-1, at(-10), 25_000, when=at(1.2))
    for session, wh in ((first, 4000), (second, 5000), (third, 6000)):
        assert books(session, "state", "energy") == ("stopped", Decimal(wh))


def test_the_id_of_a_session_without_an_end_and_without_samples(charger: Charger) -> None:
    """Its stop was lost; the next one's names it, with one tag for both: 18,516 Wh at high."""
    before = charger.started(at(0), 10_000)
    running = charger.started(at(60), 18_000)
    charger.stop(before, at(120), 28_000, idTag="tag")
    assert books(running, "state", "energy", "flags") == (
        "stopped",
        Decimal(10_000),
        "id-of-another",
    )
    assert books(before, "state") == "orphaned"


def test_two_starts_on_one_meter_keep_the_end_that_names_each(charger: Charger) -> None:
    """What lies beyond the second start is cut off; nobody has to decide anything."""
    first = charger.started(at(0), 100_000, idTag="ALICE")
    second = charger.started(at(30), 106_000, idTag="BOB")
    charger.stop(second, at(60), 115_000, idTag="BOB")
    charger.stop(first, at(60), 115_000, idTag="ALICE")
    assert books(second, "state", "energy") == ("stopped", Decimal(9000))
    assert books(first, "state", "energy") == ("stopped", Decimal(6000))
    assert waiting() == []


def test_the_same_stop_with_a_few_wh_more_is_not_the_end_of_the_next_session(
    charger: Charger,
) -> None:
    """The next one had begun meanwhile: it was ended after 26 Wh."""
    first = charger.started(at(0), 10_000)
    charger.stop(first, at(60), 14_000)
    second = charger.started(at(65), 14_000)
    charger.stop(first, at(71), 14_026)
    assert books(second, "state") == "active"
    assert waiting() == ["the transaction has already stopped"]


@pytest.mark.parametrize("is_proven", [True, False])
def test_crossed_stops_where_both_registers_fit_are_set_right_by_the_next_start(
    charger: Charger, *, is_proven: bool
) -> None:
    """No tag, no sample, meters near each other: a register begins where it ended, to the Wh."""
    left = charger.started(at(0), 10_000, connectorId=1)
    right = charger.started(at(1), 10_500, connectorId=2)
    charger.stop(left, at(50), 14_321)
    assert books(left, "state", "energy") == ("stopped", Decimal(4321))
    if is_proven:
        begun = charger.started(at(52), 14_321, connectorId=2)
        assert books(right, "state", "energy") == ("stopped", Decimal(3821))
        assert books(left, "state", "stopped_at", "meter_stop") == ("active", None, None)
        assert Connector.objects.get(number=1).transaction_id == left
        charger.stop(right, at(70), 18_765)
        assert books(left, "state", "energy") == ("stopped", Decimal(8765))
        assert books(begun, "state") == "active"
    else:
        charger.stop(right, at(70), 18_765)
        charger.started(at(80), 18_765, connectorId=1)
        assert books(left, "state", "energy") == ("stopped", Decimal(8765))
        assert books(right, "state", "energy") == ("stopped", Decimal(3821))
        assert set(SessionRepair.objects.values_list("transaction", flat=True)) == {left, right}
    assert waiting() == []


def test_one_start_of_another_connector_makes_nobody_pay_more(charger: Charger) -> None:
    """28,263 Wh of 3963: a meterStart of the wrong connector was proof that ends were crossed."""
    left = charger.started(at(0), 1_178_546, connectorId=1)
    right = charger.started(at(86), 1_172_647, connectorId=2)
    charger.stop(left, at(108), 1_182_509)
    charger.stop(right, at(330), 1_206_809)
    after = charger.started(at(550), 1_182_509, connectorId=2)
    assert books(left, "energy", "meter_stop") == (Decimal(3963), Decimal(1_182_509))
    # Which of both starts where is open: each is billed once.
    assert books(right, "energy", "confidence") == (Decimal(9862), "low")
    charger.started(at(560), 1_206_809, connectorId=1)
    # The other connector shows it as well.
    assert books(left, "energy", "meter_stop") == (Decimal(28_263), Decimal(1_206_809))
    assert books(right, "energy", "meter_stop") == (Decimal(9862), Decimal(1_182_509))
    assert books(after, "state") == "active"


def test_an_end_that_the_next_start_confirms_is_given_to_no_other(charger: Charger) -> None:
    """A register that began anew in the other session made 85,829 Wh 12,434, and 70,318 of 17,328.

    Its stop is below its start, and fits the one that had ended hours before.
    """
    left = charger.started(at(0), 0, connectorId=1)
    right = charger.started(at(113), 15_511, connectorId=2)
    charger.stop(left, at(296), 85_829)
    charger.started(at(301), 85_829, connectorId=1)
    charger.stop(right, at(456), 12_434)
    assert books(left, "energy", "meter_stop") == (Decimal(85_829), Decimal(85_829))
    assert books(right, "meter_stop") == Decimal(12_434)


def test_a_wh_below_the_start_ends_the_session_that_is_named(charger: Charger) -> None:
    """Nothing was charged, and the stop ended the session of the connector beside it: 46,750 Wh."""
    left = charger.started(at(0), 3_299_765, connectorId=1)
    right = charger.started(at(57), 3_253_014, connectorId=2)
    charger.stop(left, at(133), 3_299_764)
    assert books(left, "state", "energy") == ("stopped", Decimal(0))
    charger.stop(right, at(306), 3_278_073)
    assert books(right, "state", "energy") == ("stopped", Decimal(25_059))


def test_the_id_of_a_session_without_an_end_of_a_register_that_counts_each(
    charger: Charger,
) -> None:
    """1444 Wh *high* of 857: the car had gone for hours, and the next one was at 1444."""
    ChargePoint.objects.update(quirk_overrides={"session_register": True})
    before = charger.started(at(0), 0, idTag="ANNA")
    for minute, wh in ((1, 20), (20, 430), (40, 850), (42, 857)):
        charger.meter(before, meter_value(at(minute), wh), when=at(minute))
    running = charger.started(at(400), 0, idTag="BOB")
    for minute, wh in ((401, 30), (410, 700), (425, 1430), (430, 1444)):
        charger.meter(running, meter_value(at(minute), wh), when=at(minute))
    charger.stop(before, at(431), 1444)
    assert books(running, "state", "energy", "flags") == (
        *("stopped", Decimal(1444), "session-register id-of-another"),
    )
    assert books(before, "state", "energy") == ("orphaned", Decimal(857))


def test_the_second_of_two_crossed_stops_shows_that_the_first_was_taken_wrongly(
    charger: Charger,
) -> None:
    """The first fits both; the second fits only the one that has ended."""
    left = charger.started(at(0), 10_000, connectorId=1)
    right = charger.started(at(1), 12_000, connectorId=2)
    charger.stop(left, at(30), 14_000)
    charger.stop(right, at(60), 11_000)
    assert books(left, "state", "energy", "flags") == (
        "stopped",
        Decimal(1000),
        "id-of-another",
    )
    assert books(right, "state", "energy", "meter_stop") == (
        "stopped",
        Decimal(2000),
        Decimal(14_000),
    )
    [repair] = SessionRepair.objects.filter(transaction=left)
    assert (repair.old_energy, repair.new_energy) == (Decimal(4000), Decimal(1000))
    assert waiting() == []


def test_its_own_stop_replaces_one_that_named_none(charger: Charger) -> None:
    """A start was lost, its stop named none and fitted the session of the other connector."""
    mine = charger.started(at(0), 10_000)
    charger.stop(-1, at(30), 13_000)
    assert books(mine, "state", "energy") == ("stopped", Decimal(3000))
    charger.stop(mine, at(90), 21_000)
    assert books(mine, "state", "energy", "flags") == ("stopped", Decimal(11_000), "")
    [repair] = SessionRepair.objects.all()
    assert repair.reason.startswith("Its own stop came later")
    assert waiting() == [f"no such transaction; it had been taken for the end of #{mine}"]


def test_a_start_that_comes_late_takes_its_stop_back_from_the_session_before(
    charger: Charger,
) -> None:
    """Both sessions have one tag; the stop names none, and comes before its start."""
    before = charger.started(at(0), 10_000)
    charger.meter(before, meter_value(at(20), 12_000), when=at(20))
    charger.stop(None, at(90), 18_000, when=at(100))
    assert books(before, "state") == "stopped"
    begun = charger.started(at(40), 13_000, when=at(101))
    assert books(begun, "state", "energy", "meter_stop") == (
        "stopped",
        Decimal(5000),
        Decimal(18_000),
    )
    assert books(before, "state", "meter_stop") == ("orphaned", Decimal(13_000))


def test_a_stop_without_an_id_that_no_ac_connector_could_have_charged_waits(
    charger: Charger,
) -> None:
    """Two million Wh in five hours: with a charger of unknown power it went for DC."""
    running = charger.started(at(0), 28_887, connectorId=2)
    charger.stop(0, at(300), 2_087_910)
    assert books(running, "state") == "active"
    assert waiting() == ["no such transaction"]


def test_the_ids_of_all_that_may_be_meant_stand_in_the_reason(charger: Charger) -> None:
    """It stays as short as the column."""
    sessions = [charger.started(at(0), 1000, connectorId=place) for place in range(1, 40)]
    charger.stop(-1, at(30), 3000)
    [reason] = waiting()
    assert reason.startswith("no such transaction; it may be the end of #")
    assert reason.endswith(f"#{sessions[-1]}")
    assert len(reason) <= 255


def test_a_stop_that_might_have_been_two_sessions_is_still_the_end_of_a_later_start(
    charger: Charger,
) -> None:
    """The candidates in the reason hid it."""
    for place in (1, 2):
        charger.started(at(0), 1000, connectorId=place)
    charger.stop(-1, at(30), 3000, when=at(31))
    late = charger.started(at(10), 2500, when=at(32), connectorId=3)
    assert books(late, "state", "energy") == ("stopped", Decimal(500))
    assert waiting() == []


def test_crossed_ids_where_both_sessions_began_at_zero(charger: Charger) -> None:
    """Registers that count from each session's start: samples go by their connector."""
    left = charger.started(at(0), 0, connectorId=1, idTag="ALICE")
    right = charger.started(at(1), 0, connectorId=2, idTag="BOB")
    for minute in (10, 20, 30):
        charger.meter(right, meter_value(at(minute), 40 * minute), when=at(minute), connectorId=1)
        charger.meter(left, meter_value(at(minute), 90 * minute), when=at(minute), connectorId=2)
    charger.stop(right, at(35), 1400, idTag="ALICE")
    charger.stop(left, at(36), 3240, idTag="BOB")
    assert books(left, "state", "energy", "confidence") == ("stopped", Decimal(1400), "high")
    assert books(right, "state", "energy", "confidence") == ("stopped", Decimal(3240), "high")


def test_samples_that_name_the_session_before_without_an_end_are_the_next_ones(
    charger: Charger,
) -> None:
    """They moved the end of the one before, and the one that runs showed nothing."""
    before = charger.started(at(0), 10_000, idTag="ALICE")
    charger.meter(before, meter_value(at(20), 12_000), when=at(20))
    running = charger.started(at(30), 13_000, idTag="BOB")
    charger.meter(before, meter_value(at(40), 15_000), when=at(40))
    assert books(running, "energy") == Decimal(2000)
    assert books(before, "meter_stop") == Decimal(13_000)


def test_an_unknown_id_hours_after_the_start_is_no_id_of_the_chargers_own(
    charger: Charger,
) -> None:
    """Restored from a copy that was made just after a start: what it names came later."""
    restored = charger.started(at(0), 10_000)
    charger.meter(4711, meter_value(at(200), 31_000), when=at(200))
    assert books(restored, "energy", "flags") == (None, "")


def test_of_several_near_sessions_the_next_one_on_its_connector_is_meant(
    charger: Charger,
) -> None:
    """Its id is that of the session before, whose stop was lost; four meters are near."""
    before = charger.started(at(0), 18_000, connectorId=3)
    charger.started(at(5), 14_000, connectorId=4)
    running = charger.started(at(300), 75_000, connectorId=3)
    charger.stop(before, at(400), 80_000)
    assert books(running, "state", "energy") == ("stopped", Decimal(5000))
    assert books(before, "state") == "orphaned"


def test_an_unknown_id_ends_no_session_whose_samples_came_with_another(charger: Charger) -> None:
    """After a restore: the next session is unknown, and has the same tag."""
    restored = charger.started(at(0), 10_000)
    charger.meter(restored, meter_value(at(20), 12_000), when=at(20))
    charger.stop(restored + 7, at(90), 21_000, idTag="tag")
    assert books(restored, "state", "energy") == ("active", Decimal(2000))
    assert waiting() == ["no such transaction"]


def test_an_id_of_its_own_without_a_tag_ends_where_the_next_session_began(
    charger: Charger,
) -> None:
    """To the Wh, and within its time."""
    before = charger.started(at(-60), 10_000, when=at(0))
    after = charger.started(at(-5), 14_321, when=at(0.1))
    charger.stop(4711, at(-9), 14_321, when=at(1))
    assert books(before, "state", "energy") == ("stopped", Decimal(4321))
    assert books(after, "state") == "active"


@pytest.mark.parametrize("told", ["", "tags", "samples", "start"])
def test_ends_that_may_be_each_others_are_both_doubted(charger: Charger, told: str) -> None:
    """Unless a tag, a sample or the next start tells them apart."""
    tags = ("ALICE", "BOB") if told == "tags" else ("HOME", "HOME")
    left = charger.started(at(0), 10_000, connectorId=1, idTag=tags[0])
    right = charger.started(at(1), 10_500, connectorId=2, idTag=tags[1])
    if told == "samples":
        charger.meter(right, meter_value(at(30), 13_000), when=at(30), connectorId=2)
    charger.stop(left, at(50), 14_321, idTag=tags[0])
    if told == "start":
        charger.started(at(55), 14_321, connectorId=1)
    charger.stop(right, at(60), 15_000, idTag=tags[1])
    expected = ("medium", "ids-may-be-swapped") if not told else ("high", "")
    assert books(left, "state", "energy") == ("stopped", Decimal(4321))
    assert books(left, "confidence", "flags") == expected
    assert books(right, "confidence", "flags") == expected


def test_a_backlog_with_a_clock_that_was_set_back_in_the_session_ends_it(charger: Charger) -> None:
    """c18c: start and stop are told within a second, and the stop is dated hours before."""
    mine = charger.started(at(-60), 300_000, when=at(0), idTag="ANNA")
    charger.stop(mine, at(-1200), 302_000, when=at(0.01), idTag="ANNA")
    assert books(mine, "state", "energy") == ("stopped", Decimal(2000))


def test_stops_that_fitted_two_are_told_apart_by_the_next_starts(charger: Charger) -> None:
    """They waited for a person though each session's end showed a minute later."""
    left = charger.started(at(0), 10_000, connectorId=1)
    right = charger.started(at(1), 10_500, connectorId=2)
    charger.stop(None, at(50), 14_321)
    assert len(waiting()) == 1
    charger.started(at(52), 14_321, connectorId=2)
    assert books(right, "state", "energy") == ("stopped", Decimal(3821))
    assert books(left, "state") == "active"
    assert waiting() == []


def displaced() -> list[dict[str, Any]]:
    """The ends that wait for a person because they were recorded with another session."""
    rows = QuarantinedMessage.objects.filter(reason__contains="it had been taken for").order_by(
        "id"
    )
    return [orjson.loads(row.payload) for row in rows]


def test_a_stop_that_gave_way_to_the_sessions_own_waits_for_a_person(charger: Charger) -> None:
    """It had vanished: nobody's session ended with it, and no message waited."""
    mine = charger.started(at(0), 10_000)
    charger.stop(-1, at(30), 13_000, idTag="tag", reason="EVDisconnected")
    charger.stop(mine, at(90), 21_000)
    assert books(mine, "state", "energy") == ("stopped", Decimal(11_000))
    [payload] = displaced()
    assert payload["transactionId"] == 0
    assert (payload["meterStop"], payload["idTag"]) == (13_000, "tag")
    assert payload["timestamp"].startswith(at(30).isoformat()[:19])
    assert payload["reason"] == "EVDisconnected"
    # Its start comes late.
    late = charger.started(at(10), 12_500, when=at(95), connectorId=2)
    assert books(late, "state", "energy") == ("stopped", Decimal(500))
    assert waiting() == []


def test_the_end_of_a_lost_start_leaves_the_session_before_its_own(charger: Charger) -> None:
    """A later start shows that the end is of its connector, whose session before has its own."""
    before = charger.started(at(0), 10_000, connectorId=2)
    charger.stop(before, at(20), 12_000)
    running = charger.started(at(30), 5000, connectorId=1)
    # (A start on connector 2 was lost.)
    charger.stop(0, at(90), 12_900)
    assert books(running, "state", "energy") == ("stopped", Decimal(7900))
    charger.started(at(95), 12_900, connectorId=2)
    assert books(before, "state", "energy", "meter_stop") == (
        "stopped",
        Decimal(2000),
        Decimal(12_000),
    )
    assert books(running, "state") == "active"
    assert [item["meterStop"] for item in displaced()] == [12_900]
    charger.stop(running, at(120), 9000)
    assert books(running, "state", "energy", "flags") == ("stopped", Decimal(4000), "")


def test_the_own_stop_of_a_session_register_replaces_one_that_named_none(
    charger: Charger,
) -> None:
    """Its register says nothing of what it fits, but its id does."""
    ChargePoint.objects.update(quirk_overrides={"session_register": True})
    mine = charger.started(at(0), 0)
    charger.stop(-1, at(30), 6301)
    charger.stop(mine, at(60), 2165)
    assert books(mine, "state", "energy") == ("stopped", Decimal(2165))
    assert [item["meterStop"] for item in displaced()] == [6301]


def test_samples_that_ran_past_the_end_of_a_session_leave_its_stop_right(
    charger: Charger,
) -> None:
    """The backlog came slowly, and what flowed by then named no session."""
    first = charger.started(at(-300), 10_000, when=at(0))
    charger.meter(None, meter_value(at(1), 16_000), when=at(1))
    charger.stop(first, at(-240), 11_600, when=at(2), idTag="tag")
    second = charger.started(at(-60), 11_600, when=at(3))
    charger.meter(None, meter_value(at(4), 17_000), when=at(4))
    charger.stop(second, at(30), 21_000, idTag="tag")
    assert books(first, "state", "energy", "meter_stop") == (
        "stopped",
        Decimal(1600),
        Decimal(11_600),
    )
    assert books(second, "state", "energy") == ("stopped", Decimal(9400))
    assert waiting() == []


def test_a_stop_without_its_tag_does_not_outweigh_the_samples(charger: Charger) -> None:
    """The id alone may be another's."""
    first = charger.started(at(-300), 10_000, when=at(0))
    charger.meter(first, meter_value(at(1), 16_000), when=at(1))
    charger.stop(first, at(-240), 11_600, when=at(2))
    assert (books(first, "state"), len(waiting())) == ("active", 1)


def test_its_own_stop_replaces_one_that_named_another(charger: Charger) -> None:
    """6468 Wh *high* of 494: its own stop waited for a person."""
    ChargePoint.objects.update(quirk_overrides={"session_register": True})
    session = charger.started(at(-280), 0, when=at(1), idTag="ANNA")
    charger.stop(session, at(0), 6468, when=at(2))
    Transaction.objects.filter(pk=session).update(flags="session-register id-of-another")
    charger.stop(session, at(-255), 494, when=at(3))
    assert books(session, "state", "energy", "meter_stop") == (
        *("stopped", Decimal(494), Decimal(494)),
    )
    assert len(waiting()) == 1


def test_its_own_stop_replaces_one_that_came_with_the_samples_of_now(charger: Charger) -> None:
    """The present is told while the queue comes: all of it went to the session of hours ago."""
    first = charger.started(at(-300), 10_000, when=at(0))
    charger.meter(first, meter_value(at(-280), 10_600), when=at(1))
    charger.meter(-1, meter_value(at(1.5), 16_000), when=at(1.5))
    charger.meter(first, meter_value(at(-250), 11_500), when=at(2))
    charger.stop(-1, at(3), 16_100, when=at(3))
    charger.stop(first, at(-240), 11_600, when=at(4))
    assert books(first, "energy", "meter_stop") == (Decimal(1600), Decimal(11_600))
    second = charger.started(at(-60), 11_600, when=at(5))
    assert books(second, "state", "energy") == ("stopped", Decimal(4500))
    assert waiting() == []


def test_its_own_stop_replaces_one_that_came_before_its_start(charger: Charger) -> None:
    """Registers begin at 0 with each session: a stop without an id fits all that begin."""
    charger.stop(-1, at(1), 700)
    first = charger.started(at(-200), 0, when=at(2))
    charger.meter(first, meter_value(at(-190), 800), when=at(3))
    charger.stop(first, at(-150), 6900, when=at(4))
    assert books(first, "energy", "confidence") == (Decimal(6900), "high")
    assert len(waiting()) == 1


def test_another_stop_that_fits_as_well_leaves_neither_sure(charger: Charger) -> None:
    """The first named the session as well, and was another connector's: nobody knows which."""
    pk = charger.started(at(0), 10_000)
    charger.stop(pk, at(30), 14_000)
    assert books(pk, "energy", "confidence") == (Decimal(4000), "high")
    charger.stop(pk, at(36), 11_000)
    assert waiting() == ["the transaction has already stopped"]
    assert books(pk, "energy", "confidence", "flags") == (
        Decimal(4000),
        "medium",
        "stopped-again",
    )
    repair = SessionRepair.objects.get()
    assert repair.reason == (
        "Another stop of this session, with another meter value, fits it as well."
    )
    # The next start does not make it sure again, as long as it stands where the other stop was.
    charger.started(at(60), 14_000)
    assert books(pk, "energy", "confidence") == (Decimal(4000), "medium")


def test_another_stop_nearer_to_the_samples_of_a_register_of_the_session_does_so_too(
    charger: Charger,
) -> None:
    """Registers of two connectors count from 0 each time: only its own samples tell."""
    pk = charger.started(at(0), 0)
    for minute in range(1, 26):
        charger.meter(pk, meter_value(at(minute), 18 * minute), when=at(minute))
    charger.stop(pk, at(26), 1_400)
    before = books(pk, "energy", "confidence")
    assert before == (Decimal(1400), "high")
    charger.stop(pk, at(33), 455)
    assert books(pk, "energy", "confidence", "flags") == (
        Decimal(1400),
        "medium",
        "stopped-again",
    )


def test_a_stray_stop_with_the_id_of_the_session_before_casts_no_doubt_on_it(
    charger: Charger,
) -> None:
    """Its register lies above the start of the next session, which it can't be below."""
    first = charger.started(at(0), 10_000)
    charger.stop(first, at(30), 14_000)
    charger.started(at(40), 14_000)
    charger.stop(first, at(41), 14_600, idTag="NOBODY")
    assert books(first, "energy", "confidence", "flags") == (Decimal(4000), "high", "")
