"""Which days are proposed for the next statements."""

from datetime import date

import pytest

from levity.billing.statements.periods import next_period

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("closed_until", "proposed"),
    [
        (None, (date(2026, 10, 1), date(2026, 10, 31))),
        (date(2026, 8, 31), (date(2026, 10, 1), date(2026, 10, 31))),
        (date(2026, 10, 14), (date(2026, 10, 15), date(2026, 10, 31))),
        (date(2026, 10, 31), (date(2026, 11, 1), date(2026, 11, 30))),
        (date(2026, 12, 31), (date(2027, 1, 1), date(2027, 1, 31))),
    ],
)
def test_a_month_that_was_closed_was_proposed_again(
    closed_until: date | None, proposed: tuple[date, date]
) -> None:
    """October was closed, and the page of the next statements began with an error about it."""
    assert next_period(TODAY, closed_until) == proposed
