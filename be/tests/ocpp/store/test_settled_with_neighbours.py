"""What a message changes on its connector's chain, from the frame to the rows."""

from decimal import Decimal

import pytest

from levity.ocpp.models import SessionRepair, Transaction
from levity.ocpp.testing import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


def rows() -> list[tuple[Decimal | None, str, str]]:
    """(Wh, confidence, flags) of each session."""
    columns = "energy", "confidence", "flags"
    return list(Transaction.objects.order_by("id").values_list(*columns))


def test_two_starts_on_one_meter_are_billed_once() -> None:
    """B4: both stop at 115,000; the first one's Stop comes late."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger, idTag="ALICE", meterStart=100_000)
    charger.now = 3600
    second = site.start(charger, idTag="BOB", meterStart=106_000, timestamp=wire(3600))
    charger.now = 7200
    site.result(charger.stops(second, meterStop=115_000, timestamp=wire(7200)))
    site.result(charger.stops(first, meterStop=115_000, timestamp=wire(7200)))
    assert rows() == [
        (Decimal(6000), "medium", "late-stop overlaps-next"),
        (Decimal(9000), "medium", "overlaps-previous"),
    ]


def test_the_next_start_tells_what_a_lost_stop_would_have_told() -> None:
    """With a trail: what it was, what it is, and why."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger, idTag="ALICE", meterStart=1000)
    for seconds, register in ((60, 1100), (1800, 4600)):
        charger.now = seconds
        site.result(charger.measures(first, register, wire(seconds)))
    charger.now = 7200
    site.start(charger, idTag="BOB", meterStart=5500, timestamp=wire(7200))
    assert rows()[0] == (Decimal(4500), "medium", "orphaned ends-at-next-start")
    # Closed and settled in one breath: there was no other figure of its end before.
    assert not SessionRepair.objects.exists()
    # Its own Stop counts after all.
    site.result(charger.stops(first, meterStop=5000, timestamp=wire(2400)))
    assert rows()[0] == (Decimal(4000), "high", "late-stop")


def test_a_backlog_moves_the_end_of_the_session_before() -> None:
    """A session that a boot closed is settled when the next start comes, and leaves a trail."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger, idTag="ALICE", meterStart=1000)
    for seconds, register in ((60, 1100), (1800, 4600)):
        charger.now = seconds
        site.result(charger.measures(first, register, wire(seconds)))
    charger.now = 2400
    site.take(charger.boots())
    assert rows() == [(Decimal(3600), "medium", "orphaned")]
    charger.now = 7200
    site.start(charger, idTag="BOB", meterStart=5500, timestamp=wire(7200))
    assert rows()[0] == (Decimal(4500), "medium", "orphaned ends-at-next-start")
    repair = SessionRepair.objects.get()
    assert (repair.transaction_id, repair.old_energy, repair.new_energy) == (first, 3600, 4500)
    assert repair.reason == "The next start shows 900 Wh more."


def test_nobody_is_given_what_sessions_moved_that_are_not_in_the_window() -> None:
    """Stop 12 of 40 comes late; session 18, the last that is loaded behind it, has no own stop, and
    19 to 34 are not loaded."""
    site, charger = CentralSystem(), Charger()
    ids: list[int] = []
    for place in range(40):
        begun, register = place * 7200, 100_000 + place * 4000
        charger.now = begun
        ids.append(site.start(charger, meterStart=register, timestamp=wire(begun)))
        for seconds in (60, 1800):
            charger.now = begun + seconds
            site.result(charger.measures(ids[-1], register + seconds, wire(begun + seconds)))
        if place not in (11, 17):
            charger.now = begun + 3600
            stop = charger.stops(ids[-1], meterStop=register + 4000, timestamp=wire(begun + 3600))
            site.result(stop)
    before = rows()
    assert before[17] == (Decimal(4000), "medium", "orphaned ends-at-next-start")
    charger.now = 40 * 7200
    site.result(charger.stops(ids[11], meterStop=147_990, timestamp=wire(11 * 7200 + 3500)))
    assert rows() == [*before[:11], (Decimal(3990), "high", "late-stop"), *before[12:]]


def test_a_row_that_is_damaged_stops_no_message_of_its_charger() -> None:
    """Neither a Stop without an id, which may mean its session, nor its own late words."""
    site, charger = CentralSystem(), Charger()
    damaged = site.start(charger, meterStart=1000)
    charger.now = 3600
    site.result(charger.stops(damaged, meterStop=4000, timestamp=wire(3600)))
    Transaction.objects.update(lives="damaged", checks='{"own": ["x", "registers", "high", 1]}')
    charger.now = 7200
    site.result(charger.stops(damaged, meterStop=4000, timestamp=wire(3600)))
    site.result(charger.measures(damaged, 4000, wire(3600)))
    site.start(charger, meterStart=4000, timestamp=wire(7200))
    charger.now = 10_800
    site.result(charger.stops(-1, meterStop=6000, timestamp=wire(10_800)))
    assert [(wh, sure) for wh, sure, _ in rows()] == [
        (Decimal(3000), "high"),
        (Decimal(2000), "high"),
    ]


def test_a_stop_below_zero_of_a_register_of_the_session_is_no_negative_energy() -> None:
    site, charger = CentralSystem(), Charger()
    session = site.start(charger, meterStart=2_147_483_647)
    charger.now = 1800
    site.result(charger.measures(session, 0, wire(1800)))
    charger.now = 3600
    site.result(charger.stops(session, meterStop=-1, timestamp=wire(3600)))
    [(wh, _, _)] = rows()
    assert wh == 0


def test_a_batch_that_is_delivered_again_adjusts_nothing_again() -> None:
    """Its worker died after the commit: one trail, and the figures as they were."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger, idTag="ALICE", meterStart=1000)
    for seconds, register in ((60, 1100), (1800, 4600)):
        charger.now = seconds
        site.result(charger.measures(first, register, wire(seconds)))
    charger.now = 2400
    site.take(charger.boots())
    charger.now = 7200
    start = charger.starts(idTag="BOB", meterStart=5500, timestamp=wire(7200))
    site.take(start)
    before = rows(), list(SessionRepair.objects.values())
    for deliveries in (0, 1, 2):
        site.take(start, deliveries=deliveries)
    assert (rows(), list(SessionRepair.objects.values())) == before
    assert len(before[1]) == 1
