"""Sessions at random over bands, tiers, seasons, holidays and both daylight-saving nights."""

import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from levity.billing.rules.bands import Band
from levity.billing.rules.money import rounded
from levity.billing.rules.pricing import price
from levity.billing.rules.tariff import EnergyRate, MinuteRate, SpotPrice, Tariff
from levity.billing.rules.usage import Point, checked

# `make prices` tries 10,000.
SESSIONS = int(os.environ.get("LEVITY_PRICED_SESSIONS", "300"))
BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]

clocks = st.one_of(st.none(), st.times().map(lambda clock: clock.replace(microsecond=0)))
days_of_year = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda d: (d.month, d.day))
bands = st.builds(
    Band,
    clocks,
    clocks,
    st.one_of(st.none(), st.frozensets(st.integers(0, 6), min_size=1)),
    st.one_of(st.none(), st.tuples(days_of_year, days_of_year)),
    st.one_of(st.none(), st.booleans()),
)
prices = st.decimals(0, 2, places=6)
vats = st.sampled_from([Decimal(), Decimal(7), Decimal(19)])
kwh = st.decimals(0, 80, places=3)
rates = st.lists(
    st.builds(EnergyRate, prices, vats, bands, kwh, st.one_of(st.none(), kwh)), max_size=4
)


@st.composite
def tariffs(draw):
    rest = EnergyRate(draw(prices), draw(vats))
    return Tariff(
        "EUR",
        BERLIN,
        gross=draw(st.booleans()),
        energy=(*draw(rates), rest),
        minutes=(MinuteRate(draw(prices), draw(vats)),),
        free_kwh=draw(st.one_of(st.just(Decimal()), kwh)),
        holidays=frozenset({date(2026, 3, 29)}),
    )


@st.composite
def sessions(draw):
    start = draw(st.sampled_from(NIGHTS)) + timedelta(seconds=draw(st.integers(0, 86400)))
    steps = draw(
        st.lists(st.tuples(st.integers(1, 7200), st.integers(0, 11000)), min_size=1, max_size=12)
    )
    points = [Point(start, Decimal(draw(st.integers(0, 10**9))))]
    for seconds, wh in steps:
        points.append(Point(points[-1].at + timedelta(seconds=seconds), points[-1].wh + wh))
    return checked(start, points[-1].at, points)


@pytest.mark.slow
@settings(max_examples=SESSIONS, deadline=None)
@given(tariffs(), sessions(), kwh)
def test_every_wh_is_on_exactly_one_line(tariff, session, before):
    priced = price(tariff, session, before)
    energy = [line for line in priced.lines if line.unit == "kWh"]
    assert sum(line.quantity for line in energy) * 1000 == session.wh
    for line in priced.lines:
        assert line.amount == rounded(line.quantity * line.price, "EUR")
    sums = priced.sums
    assert sums.net + sums.tax == sums.gross
    told = sum((line.amount for line in priced.lines), Decimal())
    assert told == (sums.gross if tariff.gross else sums.net)
    assert price(tariff, session, before) == priced


@settings(max_examples=100, deadline=None)
@given(sessions(), st.integers(1, 90))
def test_minutes_are_real_ones_in_both_nights(session, split):
    by_time = Tariff(
        "EUR",
        BERLIN,
        energy=(EnergyRate(Decimal(), Decimal()),),
        minutes=(
            MinuteRate(Decimal(1), Decimal(), Band(time(2, split % 60), time(3))),
            MinuteRate(Decimal(1), Decimal()),
        ),
    )
    told = sum(line.quantity for line in price(by_time, session).lines if line.unit == "min")
    lasted = session.end - session.start
    assert not session.wh or round(told * 60) == lasted.total_seconds()


@settings(max_examples=100, deadline=None)
@given(sessions(), st.lists(st.decimals(-500, 900, places=2), min_size=30, max_size=30))
def test_spot_prices_by_the_quarter_hour_cover_every_wh(session, per_mwh):
    rows = tuple(
        (session.start.replace(minute=0, second=0) + timedelta(minutes=60 * at), amount)
        for at, amount in enumerate(per_mwh)
    )
    spot = SpotPrice(rows, rows[-1][0] + timedelta(hours=1), Decimal(19))
    lines = price(Tariff("EUR", BERLIN, spot=spot), session).lines
    assert sum(line.quantity for line in lines) * 1000 == session.wh
