"""How long a car kept the place after its session."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from levity.billing.rules.pricing import price
from levity.billing.rules.stay import Stay, stay_of
from levity.billing.rules.tariff import IdleFee
from levity.billing.rules.usage import STAY, Point, Span, checked
from tests.billing.rules.test_pricing import rate, tariff

START = datetime(2026, 11, 3, 18, tzinfo=UTC)
END = START + timedelta(hours=2)
LATER = END + timedelta(days=99)


def at(minutes):
    return START + timedelta(minutes=minutes)


def test_the_plug_stays_in_after_the_stop_until_the_connector_is_available():
    statuses = [(at(-5), "Charging"), (at(121), "Finishing"), (at(300), "Available")]
    found = stay_of(START, END, statuses, None, LATER)
    assert found == Stay((Span(at(121), at(300)),), at(300))
    points = [Point(START, Decimal()), Point(END, Decimal(10_000))]
    fee = tariff(rate("0.30"), idle=IdleFee(Decimal("0.05"), Decimal(), Decimal(30)))
    (_, idle) = price(fee, checked(START, END, points, found.full)).lines
    # From 20:30, the end of the grace after the last energy, to 23:00.
    assert (idle.quantity, idle.amount) == (150, Decimal("7.50"))


def test_a_car_that_is_still_there_has_not_left_and_one_that_nobody_saw_leave_has_one_day():
    statuses = [(at(-5), "Charging"), (at(90), "SuspendedEV")]
    now = END + timedelta(days=1)
    assert stay_of(START, END, statuses, None, now) == Stay((Span(at(90), END),), None)
    lost = stay_of(START, END, statuses, None, LATER)
    assert lost == Stay((Span(at(90), END + STAY),), END + STAY)


def test_the_next_session_on_the_connector_ends_the_stay_and_its_own_suspension_is_not_counted():
    statuses = [(at(121), "Finishing"), (at(400), "SuspendedEV"), (at(500), "Available")]
    assert stay_of(START, END, statuses, at(200), LATER).full == (Span(at(121), at(200)),)


def test_a_pause_by_the_charger_or_a_fault_is_no_stay():
    for other in ("SuspendedEVSE", "Faulted", "Unavailable", "Available", "Preparing"):
        statuses = [(at(-5), "Charging"), (at(121), other), (at(130), "Finishing")]
        assert stay_of(START, END, statuses, None, LATER).full == ()


def test_without_statuses_nobody_waits():
    assert stay_of(START, END, [], None, START) == Stay((), END)


def test_a_price_asked_for_by_hand_looks_at_two_weeks_after_the_end_only():
    points = [Point(START, Decimal()), Point(END, Decimal(1))]
    (span,) = checked(START, END, points, [Span(at(-90), at(10**9))]).full
    assert span == Span(START, END + STAY)
