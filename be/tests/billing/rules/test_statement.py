"""A statement is the sum of its sessions, to the cent and the Wh."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from levity.billing.rules.bands import Band
from levity.billing.rules.curve import curve
from levity.billing.rules.lines import Line
from levity.billing.rules.pricing import price
from levity.billing.rules.statement import Position, all_lines, bands_of, statement_sums
from levity.billing.rules.tariff import EnergyRate, SessionFee, Tariff
from levity.billing.rules.usage import Point, checked
from levity.billing.stored_lines import lines_of, stored

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Band(time(22), time(6))
SUMMER = Band(season=((4, 1), (9, 30)))
# Around both nights on which the clocks change, and the seasons.
MOMENTS = st.sampled_from(
    [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]
)


def tariff(gross, cents, night, fee):
    vat = Decimal(19)
    return Tariff(
        "EUR",
        BERLIN,
        gross,
        (
            EnergyRate(Decimal(night) / 100, vat, NIGHT, name="night"),
            EnergyRate(Decimal(cents + 1) / 100, Decimal(7), SUMMER),
            EnergyRate(Decimal(cents) / 100, vat),
        ),
        session=SessionFee(Decimal(fee) / 100, vat) if fee else None,
    )


@given(
    gross=st.booleans(),
    cents=st.integers(0, 99),
    night=st.integers(0, 99),
    fee=st.integers(0, 99),
    sessions=st.lists(
        st.tuples(
            MOMENTS,
            st.integers(0, 48 * 60),
            st.integers(1, 24 * 60),
            st.integers(0, 90_000),
            st.lists(st.tuples(st.integers(0, 1440), st.integers(0, 90_000)), max_size=3),
            st.booleans(),
        ),
        max_size=6,
    ),
)
@settings(deadline=None, max_examples=60)
def test_the_lines_of_a_statement_are_those_of_its_sessions(gross, cents, night, fee, sessions):
    positions, again = [], []
    version = tariff(gross, cents, night, fee)
    for base, after, lasted, wh, samples, is_taken_back in sessions:
        start = base + timedelta(minutes=after)
        end = start + timedelta(minutes=lasted)
        readings = [Point(start + timedelta(minutes=at), Decimal(value)) for at, value in samples]
        points = curve(start, end, Decimal(wh), None, readings)
        for found in (positions, again):
            priced = price(version, checked(start, end, points))
            kept = tuple(lines_of(stored(priced.lines)))
            assert kept == priced.lines
            found.append(Position(kept, Decimal(wh), -1 if is_taken_back else 1))
    assert positions == again
    lines = all_lines(positions, ())
    sums = statement_sums(positions, (), "EUR", gross)
    total = sum((position.amount for position in positions), Decimal())
    assert total == (sums.gross if gross else sums.net)
    assert sums.net + sums.tax == sums.gross
    bands = bands_of(lines)
    assert sum((band.amount for band in bands), Decimal()) == total
    kwh = sum((band.quantity for band in bands if band.unit == "kWh"), Decimal())
    assert kwh * 1000 == sum((position.signed_wh for position in positions), Decimal())


def test_what_is_taken_back_leaves_nothing():
    line = Line("energy", "", Decimal("12.345"), "kWh", Decimal(33), Decimal(407), Decimal(10))
    both = [Position((line,), Decimal(12345)), Position((line,), Decimal(12345), -1)]
    assert statement_sums(both, (), "JPY", True).gross == 0
    (band,) = bands_of(all_lines(both, ()))
    assert (band.quantity, band.amount) == (0, 0)


def test_a_correction_is_the_difference():  # T20
    def line(kwh, amount):
        return Line("energy", "", Decimal(kwh), "kWh", Decimal(33), Decimal(amount), Decimal(0))

    positions = [
        Position((line("12.345", 407),), Decimal(12345), -1),
        Position((line("10.345", 341),), Decimal(10345)),
    ]
    assert statement_sums(positions, (), "JPY", True).gross == -66
