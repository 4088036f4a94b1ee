"""The cases of docs/billing.md, each with its amount."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from levity.billing.rules.bands import Band
from levity.billing.rules.fees import monthly_fee
from levity.billing.rules.money import rounded, shared
from levity.billing.rules.pricing import price
from levity.billing.rules.tariff import (
    EnergyRate,
    IdleFee,
    Limit,
    MinuteRate,
    NoPrice,
    SessionFee,
    SpotPrice,
    Tariff,
    version_at,
)
from levity.billing.rules.usage import Point, Span, checked

BERLIN = ZoneInfo("Europe/Berlin")
NONE = Decimal()


def d(text):
    return Decimal(text)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def even(kwh, start="2026-11-03T10:00", end="2026-11-03T12:00", full=()):
    """A session that takes its energy evenly."""
    begins, ends = local(start), local(end)
    return checked(begins, ends, [Point(begins, NONE), Point(ends, d(kwh) * 1000)], full)


def tariff(*rates, **parts):
    parts = {"currency": "EUR", "zone": BERLIN} | parts
    return Tariff(energy=rates, **parts)


def rate(amount, vat="0", **parts):
    return EnergyRate(d(amount), d(vat), **parts)


def amounts(priced):
    return [line.amount for line in priced.lines]


def test_t1_energy_times_its_price():
    assert price(tariff(rate("0.30")), even("25.347")).sums.gross == d("7.60")


def test_t2_half_a_cent_is_rounded_up():
    assert price(tariff(rate("0.25")), even("0.5")).sums.gross == d("0.13")


def test_t3_two_rates_of_tax_are_reckoned_apart():
    two = tariff(rate("0.25", "10"), session=SessionFee(d("0.50"), d(20)))
    sums = price(two, even("20")).sums
    assert (sums.net, sums.gross) == (d("5.50"), d("6.10"))


def test_t5_energy_is_split_where_a_band_ends():
    bands = tariff(rate("0.40", band=Band(ends=time(22))), rate("0.28", band=Band(begins=time(22))))
    start, end = local("2026-11-03T21:00"), local("2026-11-03T23:00")
    samples = [(0, 0), (45, 8280), (75, 13800), (120, 22080)]
    points = [Point(start + timedelta(minutes=at), d(wh)) for at, wh in samples]
    priced = price(bands, checked(start, end, points))
    assert amounts(priced) == [d("4.42"), d("3.09")]
    assert priced.sums.gross == d("7.51")


def test_t6_the_hour_that_is_missing_in_spring_costs_nothing():
    by_time = tariff(rate("0"), minutes=(MinuteRate(d("0.02"), NONE),))
    (_, time_line) = price(by_time, even("5", "2026-03-29T01:30", "2026-03-29T03:30")).lines
    assert (time_line.quantity, time_line.amount) == (60, d("1.20"))


def test_the_hour_that_comes_twice_in_autumn_costs_twice():
    by_time = tariff(rate("0"), minutes=(MinuteRate(d("0.02"), NONE),))
    (_, time_line) = price(by_time, even("5", "2026-10-25T01:30", "2026-10-25T03:30")).lines
    assert time_line.quantity == 180


def test_t10_the_minimum_is_met_with_and_without_tax():
    least = tariff(rate("0.25", "10"), minimum=Limit(d("0.50"), d("0.55")))
    sums = price(least, even("1.2")).sums
    assert (sums.net, sums.gross) == (d("0.50"), d("0.55"))


@pytest.mark.parametrize(
    ("kwh", "net", "gross"), [("50", "10.00", "11.00"), ("30", "8.00", "8.85")]
)
def test_t11_the_maximum_takes_off_what_is_taxed_most(kwh, net, gross):
    most = tariff(
        rate("0.25", "10"), session=SessionFee(d("0.50"), d(20)), maximum=Limit(d(10), d(11))
    )
    sums = price(most, even(kwh)).sums
    assert (sums.net, sums.gross) == (d(net), d(gross))


def test_t12_tax_is_taken_out_of_a_gross_price():
    sums = price(tariff(rate("0.35", "19"), gross=True), even("123.456")).sums
    assert (sums.gross, sums.net, sums.tax) == (d("43.21"), d("36.31"), d("6.90"))


def test_t14_a_monthly_fee_is_paid_by_the_day():
    fee = monthly_fee(d("12.00"), NONE, "EUR", date(2026, 11, 11), date(2026, 12, 1))
    assert fee is not None
    assert fee.amount == d("8.00")


def test_a_fee_over_two_months_counts_the_days_of_each():
    fee = monthly_fee(d("12.00"), NONE, "EUR", date(2026, 11, 16), date(2026, 12, 1))
    whole = monthly_fee(d("12.00"), NONE, "EUR", date(2024, 2, 1), date(2024, 4, 1))
    assert fee is not None
    assert whole is not None
    assert (fee.amount, whole.amount) == (d("6.00"), d("24.00"))
    assert monthly_fee(d("12.00"), NONE, "EUR", date(2026, 11, 1), date(2026, 11, 1)) is None


def test_t15_the_tiers_of_a_month_go_on_from_session_to_session():
    tiers = tariff(rate("0.25", to_kwh=d(100)), rate("0.35", from_kwh=d(100)))
    assert price(tiers, even("60")).sums.gross == d("15.00")
    assert price(tiers, even("55"), d(60)).sums.gross == d("15.25")
    assert price(tiers, even("15"), d(115)).sums.gross == d("5.25")


def test_t16_spot_prices_may_be_below_zero():
    start = local("2026-11-03T10:00")
    rows = tuple(
        (start + timedelta(hours=at), d(mwh)) for at, mwh in enumerate(["95.10", "-12.40", "0"])
    )
    spot = SpotPrice(rows, start + timedelta(hours=3), d(19), surcharge=d("0.12"))
    registers = [(0, 0), (60, 2760), (120, 5520), (160, 7360)]
    points = [Point(start + timedelta(minutes=at), d(wh)) for at, wh in registers]
    priced = price(tariff(spot=spot), checked(start, points[-1].at, points))
    assert (priced.sums.net, priced.sums.tax) == (d("1.11"), d("0.21"))


def test_an_hour_without_a_spot_price_is_an_error_and_not_free():
    start = local("2026-11-03T10:00")
    spot = SpotPrice(((start, d(90)),), start + timedelta(hours=1), NONE)
    with pytest.raises(NoPrice, match="no spot price for 2026-11-03 11:00"):
        price(tariff(spot=spot), even("10"))


def test_t17_a_session_keeps_the_version_it_began_with():
    old, new = tariff(rate("0.30")), tariff(rate("0.40"))
    midnight = local("2026-11-04T00:00")
    versions = [(local("2026-01-01T00:00"), midnight, old), (midnight, None, new)]
    session = even("30", "2026-11-03T23:30", "2026-11-04T02:00")
    assert price(version_at(versions, session.start), session).sums.gross == d("9.00")


def test_t20_a_currency_without_decimals_and_a_correction():
    yen = tariff(rate("33"), currency="JPY", zone=ZoneInfo("Asia/Tokyo"))
    first, corrected = (price(yen, even(kwh)).sums.gross for kwh in ("12.345", "10.345"))
    assert (first, corrected - first) == (407, -66)


def test_t23_and_t24_shares_add_up_to_the_cent():
    assert shared(d(100), [d(3333), d(3333), d(3334)], "EUR") == [
        d("33.33"),
        d("33.33"),
        d("33.34"),
    ]
    assert shared(d(10), [d(1)] * 3, "EUR") == [d("3.34"), d("3.33"), d("3.33")]
    assert shared(d(-10), [NONE] * 3, "EUR") == [d("-3.34"), d("-3.33"), d("-3.33")]


def test_a_gap_in_a_tariff_is_an_error_and_not_free():
    night = tariff(rate("0.28", band=Band(begins=time(22), ends=time(6))))
    with pytest.raises(NoPrice, match="no price per kWh for 2026-11-03 10:00"):
        price(night, even("10"))
    with pytest.raises(NoPrice, match="no version"):
        version_at([(local("2026-11-04T00:00"), None, night)], local("2026-11-03T00:00"))


def test_a_band_over_midnight_and_one_for_the_weekend_and_one_for_holidays():
    prices = tariff(
        rate("0.10", band=Band(on_holidays=True), name="holiday"),
        rate("0.20", band=Band(weekdays=frozenset({5, 6})), name="weekend"),
        rate("0.28", band=Band(begins=time(22), ends=time(6)), name="night"),
        rate("0.40", name="day"),
        holidays=frozenset({date(2026, 12, 25)}),
    )
    # Friday 25 December is a holiday; Saturday begins at midnight.
    christmas = price(prices, even("4", "2026-12-25T22:00", "2026-12-26T02:00"))
    assert [(line.name, line.quantity) for line in christmas.lines] == [
        ("holiday", 2),
        ("weekend", 2),
    ]
    monday = price(prices, even("12", "2026-11-02T20:00", "2026-11-03T08:00"))
    assert {line.name: line.quantity for line in monday.lines} == {"day": 4, "night": 8}


def test_a_season_over_new_year():
    winter = tariff(rate("0.30", band=Band(season=((10, 1), (3, 31))), name="winter"), rate("0.20"))
    assert price(winter, even("1")).lines[0].name == "winter"
    assert price(winter, even("1", "2026-07-01T10:00", "2026-07-01T11:00")).lines[0].name == ""


def test_a_full_car_pays_after_the_grace_but_not_at_night_and_never_more_than_the_maximum():
    start, end = local("2026-11-03T18:00"), local("2026-11-04T00:00")
    points = [Point(start, NONE), Point(local("2026-11-03T20:00"), d(10000)), Point(end, d(10000))]
    session = checked(start, end, points, [Span(local("2026-11-03T20:00"), end)])
    fee = IdleFee(d("0.05"), NONE, grace_minutes=d(30), quiet=Band(time(22), time(7)))
    (_, idle) = price(tariff(rate("0.30"), idle=fee), session).lines
    assert (idle.kind, idle.quantity, idle.amount) == ("idle", 90, d("4.50"))
    capped = IdleFee(d("0.05"), NONE, d(30), Band(time(22), time(7)), maximum=d(2))
    assert price(tariff(rate("0.30"), idle=capped), session).lines[-1].amount == 2


def test_a_car_that_waits_for_us_pays_no_idle_fee():
    """SuspendedEVSE and our own pauses are no part of `full`."""
    fee = IdleFee(d("0.05"), NONE)
    assert len(price(tariff(rate("0.30"), idle=fee), even("10")).lines) == 1


def test_the_free_quota_of_a_month_comes_first_and_counts_for_the_tiers():
    quota = tariff(rate("0.25", to_kwh=d(100)), rate("0.35", from_kwh=d(100)), free_kwh=d(10))
    lines = price(quota, even("110")).lines
    assert [(line.kind, line.quantity, line.amount) for line in lines] == [
        ("free-energy", 10, 0),
        ("energy", 90, d("22.50")),
        ("energy", 10, d("3.50")),
    ]


def test_a_session_without_energy_pays_no_fee_and_no_minimum():
    fees = tariff(rate("0.30"), session=SessionFee(d(1), NONE), minimum=Limit(net=d(2)))
    assert price(fees, even("0")).lines == ()


def test_a_gross_minimum_of_a_gross_tariff():
    least = tariff(rate("0.25", "19"), gross=True, minimum=Limit(gross=d(1)))
    assert price(least, even("1")).sums.gross == d("1.00")


def test_amounts_below_zero_round_away_from_zero():
    assert rounded(d("-0.125"), "EUR") == d("-0.13")
    assert rounded(d("1.2345"), "KWD") == d("1.235")
