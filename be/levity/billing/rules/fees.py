"""What a household pays each month whether it charges or not."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from levity.billing.rules.lines import Line
from levity.billing.rules.money import rounded

__all__ = ["monthly_fee"]

DAY = timedelta(days=1)


def monthly_fee(
    price: Decimal, vat: Decimal, currency: str, begins: date, ends: date, name: str = ""
) -> Line | None:
    """The fee for the days from `begins` to `ends` (excluded): of each month its share of days.

    From the 11th of a month of 30 days on, 20/30 of the fee. None if there is no day.
    """
    months = Decimal()
    day = begins
    while day < ends:
        length = monthrange(day.year, day.month)[1]
        following = date(day.year, day.month, length) + DAY
        months += Decimal((min(following, ends) - day).days) / length
        day = following
    if not months:
        return None
    amount = rounded(price * months, currency)
    return Line("monthly-fee", name, months, "month", price, amount, vat)
