"""Clocks that begin at their firmware's date whenever the charger is switched on (ATTACK B10).

The date is less than a year ago, so that nothing in it shows that it is none. The second session
began in the words of the first one, and was taken for the same start again: 7,000 of 16,000 Wh.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levity.ocpp.chargers.clocks import Lag
from levity.ocpp.effects import BY_BOOT
from levity.ocpp.models import Transaction
from levity.ocpp.request import ConnectorState, TransactionState
from levity.ocpp.rules.same_start import is_sent_again
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso, meter_value
from tests.ocpp.states import charge_point

FIRMWARE = NOW - timedelta(days=100)


def power_on(charger: Charger, minute: float, *, shows: str = "Preparing", dated: bool) -> None:
    """A boot and the status of the connector, five seconds after its clock has begun."""
    charger.connect()
    charger.boot(at(minute))
    told = {"timestamp": iso(FIRMWARE + timedelta(seconds=5))} if dated else {}
    charger.status(shows, at(minute + 0.1), **told)


def start(charger: Charger, minute: float, register: int = 0) -> int:
    """Ten seconds after its clock has begun."""
    begun = FIRMWARE + timedelta(seconds=10)
    return charger.started(begun, register, when=at(minute + 0.2))


def stop(charger: Charger, transaction: int, minute: float, hours: float, register: int) -> None:
    charger.stop(transaction, FIRMWARE + timedelta(hours=hours), register, when=at(minute))


def ledger(*names: str) -> list[object]:
    """The sessions."""
    return list(Transaction.objects.order_by("id").values_list(*names))


@pytest.mark.parametrize("shows", ["Preparing", "Charging", "Available"])
@pytest.mark.parametrize("dated", [True, False])
def test_the_session_after_a_power_cut_is_another_one(
    charger: Charger, shows: str, *, dated: bool
) -> None:
    """Both are charged in full."""
    power_on(charger, 0, shows=shows, dated=dated)
    first = start(charger, 0)
    stop(charger, first, 240, 4, 7000)
    power_on(charger, 600, shows=shows, dated=dated)
    second = start(charger, 600)
    assert start(charger, 601) == second, "its answer was lost"
    stop(charger, second, 900, 5, 9000)
    power_on(charger, 1200, shows=shows, dated=dated)
    third = start(charger, 1200)
    stop(charger, third, 1260, 1, 500)
    assert ledger("id", "state", "energy", "occurrence", "flags") == [
        (first, "stopped", Decimal(7000), 0, ""),
        (second, "stopped", Decimal(9000), 1, "start-clock-unset stop-clock-unset"),
        (third, "stopped", Decimal(500), 2, "start-clock-unset stop-clock-unset"),
    ]


def test_a_register_that_never_moves_tells_nothing(charger: Charger) -> None:
    """A make whose meter always says 4711: the sessions are two all the same."""
    power_on(charger, 0, dated=True)
    first = start(charger, 0, 4711)
    stop(charger, first, 240, 4, 4711)
    power_on(charger, 600, dated=True)
    assert start(charger, 600, 4711) != first


def test_the_session_that_a_power_cut_ended_is_not_gone_on_with(charger: Charger) -> None:
    """Its stop was lost with the power; what was charged in it stays its own."""
    power_on(charger, 0, dated=True)
    first = start(charger, 0)
    charger.meter(first, meter_value(FIRMWARE + timedelta(hours=1), 7000), when=at(60))
    power_on(charger, 600, dated=True)
    second = start(charger, 600)
    stop(charger, second, 900, 5, 9000)
    assert ledger("id", "state", "energy") == [
        (first, "orphaned", Decimal(7000)),
        (second, "stopped", Decimal(9000)),
    ]


def test_a_session_that_a_power_cut_ended_at_0_wh_goes_on(charger: Charger) -> None:
    """The power failed before it charged anything; nothing is lost by one session for both."""
    power_on(charger, 0, dated=True)
    first = start(charger, 0)
    power_on(charger, 10, dated=True)
    assert start(charger, 10) == first
    stop(charger, first, 300, 5, 9000)
    assert ledger("state", "energy") == [("stopped", Decimal(9000))]


@pytest.mark.parametrize("dated", [True, False])
def test_a_lost_answer_is_no_second_session(charger: Charger, *, dated: bool) -> None:
    """Told again after a minute, after a new connection, after a status that says it charges."""
    power_on(charger, 0, dated=dated)
    first = start(charger, 0)
    assert start(charger, 1) == first
    charger.connect()
    told = {"timestamp": iso(FIRMWARE + timedelta(minutes=3))} if dated else {}
    charger.status("Charging", at(3), **told)
    assert start(charger, 5) == first
    stop(charger, first, 240, 4, 7000)
    assert start(charger, 241) == first
    assert ledger("energy") == [(Decimal(7000),)]


@pytest.mark.parametrize("register", [0, 4711])
@pytest.mark.parametrize("days", [0, 0.2, 3, 300])
@pytest.mark.parametrize("dated", [True, False])
def test_a_right_clock_tells_its_sessions_again_after_a_boot(
    charger: Charger, days: float, register: int, *, dated: bool
) -> None:
    """A queue that survives the power cut, though all of it was answered: nothing is new in it.

    Undated, a backlog of days is the one case that nothing tells from a clock that begins anew: it
    becomes an empty session, and what was charged stays where it was.
    """
    begun = NOW - timedelta(days=days)
    first = charger.started(begun, register, when=at(0))
    charger.stop(first, begun + timedelta(minutes=5), register + 500, when=at(6))
    charger.connect()
    charger.boot(at(60))
    told = {"timestamp": iso(at(60.1))} if dated else {}
    charger.status("Available", at(60.1), **told)
    again = charger.started(begun, register, when=at(61))
    is_told_apart = dated or days < 1 or register > 0
    assert (again == first) == is_told_apart
    charger.stop(first, begun + timedelta(minutes=5), register + 500, when=at(62))
    assert books(first, "state", "energy") == ("stopped", Decimal(500))
    assert ledger("energy")[1:] == ([] if is_told_apart else [(None,)])


HOURS = st.floats(0.1, 60)


@given(
    off=st.integers(3, 300 * 86_400),
    wrong_by=st.integers(0, 300 * 86_400),
    charged=HOURS,
    pause=HOURS,
    until_start=st.integers(1, 3000),
    since_change=st.floats(0, 1),
    status=st.sampled_from(["Available", "Preparing", "Charging", "Finishing"]),
    ended=st.sampled_from(["stopped", "orphaned"]),
    is_new=st.booleans(),
)
def test_two_sessions_are_two_and_one_is_one_by_what_the_clock_shows_since(
    off: int,
    wrong_by: int,
    charged: float,
    pause: float,
    until_start: int,
    since_change: float,
    status: str,
    ended: str,
    is_new: bool,
) -> None:
    """A boot in between, then a dated status, then the words of the first session.

    New: the clock has begun at the same date again. The same again: it has run on, right or wrong
    by some days, whenever it is told; and the status is dated now, or when it became so.
    """
    begun = NOW
    wrong = timedelta(seconds=off if is_new else wrong_by)
    said = begun - wrong
    booted = begun + timedelta(hours=charged + pause)
    told_at = booted + timedelta(seconds=1)
    if is_new:
        # So long after the power as the first time.
        told = said - timedelta(seconds=until_start - 1)
    else:
        told = told_at - wrong - since_change * timedelta(hours=pause)
    energy = Decimal(7000)
    known = TransactionState(
        id=7,
        charge_point_id=1,
        connector=1,
        state=ended,
        id_tag="TAG",
        started_at=said,
        meter_start=Decimal(0),
        stopped_at=said + timedelta(hours=charged),
        meter_last_at=said + timedelta(hours=charged),
        meter_stop=energy if ended == "stopped" else None,
        meter_last=energy,
        energy=energy,
        flags="orphaned" if ended == "orphaned" else "",
        stop_reason=BY_BOOT if ended == "orphaned" else "Local",
        start_received_at=begun + timedelta(seconds=1),
    )
    shown = charge_point(
        booted_at=booted,
        connectors={(0, 1): ConnectorState(1, status, told_at, None, status_at=told)},
        lag=Lag().after(begun - wrong, begun).after(told, told_at),
    )
    assert is_sent_again(known, shown) == (not is_new)


def test_what_was_told_before_the_boot_shows_no_clock_of_now() -> None:
    """No word of the connector since: the start is of before."""
    begun = datetime(2026, 3, 9, 12, tzinfo=NOW.tzinfo)
    known = TransactionState(
        7, 1, 1, "stopped", "TAG", FIRMWARE, Decimal(0), start_received_at=begun
    )
    booted = begun + timedelta(hours=9)
    for connectors in (
        {},
        {(0, 1): ConnectorState(1, "", None, None)},
        {(0, 1): ConnectorState(1, "Preparing", begun, None)},
    ):
        shown = charge_point(booted_at=booted, connectors=connectors)
        assert is_sent_again(known, shown)


@pytest.mark.parametrize("dated", ["1970-01-01T00:00:00Z", "", None])
def test_a_status_without_a_date_that_can_be_shows_no_clock(
    charger: Charger, dated: str | None
) -> None:
    """The start has a right one: told again after a boot, it is the same session."""
    first = charger.started(at(0), 0)
    charger.stop(first, at(30), 7000)
    charger.boot(at(60))
    charger.status("Available", at(61), timestamp=dated)
    assert charger.started(at(0), 0, when=at(62)) == first
