"""OCPI's own examples and those of docs/billing.md, each with its amount."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from levity.billing.rules.bands import Band
from levity.billing.rules.ocpi import (
    Component,
    Element,
    OcpiTariff,
    Restrictions,
    price_by_ocpi,
)
from levity.billing.rules.tariff import Limit
from levity.billing.rules.usage import Point, Span, checked

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def d(text):
    return Decimal(text)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).astimezone(UTC)


def session(start, minutes, *samples, parked_from=None):
    """samples: (minute, Wh)."""
    begins = local(start)
    end = begins + timedelta(minutes=minutes)
    points = [Point(begins + timedelta(minutes=at), d(wh)) for at, wh in [(0, 0), *samples]]
    full = [Span(begins + timedelta(minutes=parked_from), end)] if parked_from else []
    return checked(begins, end, points, full)


def tariff(*elements, **parts):
    return OcpiTariff("EUR", AMSTERDAM, elements, **parts)


def element(*components, **restrictions):
    return Element(components, Restrictions(**restrictions))


def test_t3_a_start_fee_and_energy_with_their_own_tax():
    both = tariff(
        element(Component("FLAT", d("0.50"), d(20))),
        element(Component("ENERGY", d("0.25"), d(10))),
    )
    sums = price_by_ocpi(both, session("2026-11-03T10:00", 60, (60, 20000))).sums
    assert (sums.net, sums.gross) == (d("5.50"), d("6.10"))


def test_t4_parking_is_rounded_up_to_its_step_and_charging_time_is_not():
    by_time = tariff(
        element(Component("TIME", d(3), d(10)), Component("PARKING_TIME", d(5), d(20), 300))
    )
    parked = session("2026-11-03T10:00", 192, (150, 30000), parked_from=150)
    sums = price_by_ocpi(by_time, parked).sums
    assert (sums.net, sums.gross) == (d("11.25"), d("12.75"))


def test_t19_the_last_step_has_the_last_price():
    by_hour = tariff(
        element(Component("TIME", d("1.20"), step_size=1800), band=Band(ends=time(17))),
        element(Component("TIME", d("2.40"), step_size=900), band=Band(begins=time(17))),
    )
    priced = price_by_ocpi(by_hour, session("2026-11-03T16:35", 35, (35, 5000)))
    assert [line.amount for line in priced.lines] == [d("0.50"), d("0.80")]


def test_t19b_energy_is_rounded_up_once_for_the_session():
    by_day = tariff(
        element(Component("ENERGY", d("0.20"), step_size=500), band=Band(ends=time(17))),
        element(Component("ENERGY", d("0.27"), step_size=500), band=Band(begins=time(17))),
    )
    used = session("2026-11-03T16:00", 120, (60, 4300), (120, 5400))
    assert price_by_ocpi(by_day, used).sums.gross == d("1.18")


def test_t21_the_first_half_hour_is_free():
    half_hour = tariff(
        element(Component("ENERGY", d(0)), max_seconds=1800),
        element(Component("ENERGY", d("0.25"))),
    )
    used = session("2026-11-03T10:00", 60, (30, 3000), (60, 4200))
    assert price_by_ocpi(half_hour, used).sums.gross == d("0.30")


def test_a_price_from_an_amount_of_energy_on():
    first_ten = tariff(
        element(Component("ENERGY", d("0.20")), max_kwh=d(10)),
        element(Component("ENERGY", d("0.30"))),
    )
    used = session("2026-11-03T10:00", 60, (60, 15000))
    assert price_by_ocpi(first_ten, used).sums.gross == d("3.50")


def test_what_no_element_names_is_free():
    night = tariff(element(Component("ENERGY", d("0.20")), band=Band(begins=time(22))))
    assert price_by_ocpi(night, session("2026-11-03T10:00", 60, (60, 9000))).lines == ()


def test_a_price_by_power_holds_while_the_car_is_that_fast():
    fast = tariff(
        element(Component("ENERGY", d("0.50")), min_kw=d(20)),
        element(Component("ENERGY", d("0.30"))),
    )
    used = session("2026-11-03T10:00", 60, (30, 15000), (60, 18000))
    assert price_by_ocpi(fast, used).sums.gross == d("8.40")


def test_the_least_price_with_and_without_tax():
    least = tariff(
        element(Component("ENERGY", d("0.25"), d(10))), min_price=Limit(d("0.50"), d("0.55"))
    )
    sums = price_by_ocpi(least, session("2026-11-03T10:00", 60, (60, 1200))).sums
    assert (sums.net, sums.gross) == (d("0.50"), d("0.55"))
