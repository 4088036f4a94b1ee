"""Lines of a bill, and the sums under them.

A line is rounded to the currency's minor unit; tax is reckoned once for each rate, on the sum of
its lines (EN 16931). Where prices include the tax, the net amount is taken out of that sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from levity.billing.rules.money import rounded
from levity_ws.frozen import frozen

__all__ = ["Line", "Sums", "TaxSum", "sums_at", "sums_of"]


@frozen
class Line:
    """One line of a bill."""

    kind: str
    """energy, spot, free-energy, time, idle, session, monthly-fee, minimum, maximum."""
    name: str
    """What the tariff calls it; empty where it has no name."""
    quantity: Decimal
    unit: str
    """kWh, min, session, month."""
    price: Decimal
    """For one unit; of several prices (spot) the mean, rounded to six decimals."""
    amount: Decimal
    """Rounded, net or gross as the tariff's prices are."""
    vat: Decimal
    """Percent."""


@frozen
class TaxSum:
    """The sum of the lines with one rate of tax."""

    vat: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


@frozen
class Sums:
    """What a bill comes to."""

    by_rate: tuple[TaxSum, ...]
    """Highest rate first."""
    net: Decimal
    tax: Decimal
    gross: Decimal


def sums_of(lines: Iterable[Line], currency: str, gross: bool) -> Sums:
    """Net, tax and gross of these lines, whose amounts are gross or net."""
    amounts: dict[Decimal, Decimal] = {}
    for line in lines:
        amounts[line.vat] = amounts.get(line.vat, Decimal()) + line.amount
    return sums_at(amounts, currency, gross)


def sums_at(amounts: Mapping[Decimal, Decimal], currency: str, gross: bool) -> Sums:
    """The same of amounts that are added up by their rate of tax, in percent."""
    by_rate = tuple(
        _tax_sum(vat, amounts[vat], currency, gross) for vat in sorted(amounts, reverse=True)
    )
    return Sums(by_rate, *(_total(by_rate, which) for which in ("net", "tax", "gross")))


def _tax_sum(vat: Decimal, amount: Decimal, currency: str, gross: bool) -> TaxSum:
    if gross:
        net = rounded(amount * 100 / (100 + vat), currency)
        return TaxSum(vat, net, amount - net, amount)
    tax = rounded(amount * vat / 100, currency)
    return TaxSum(vat, amount, tax, amount + tax)


def _total(sums: Sequence[TaxSum], which: str) -> Decimal:
    return sum((getattr(of_rate, which) for of_rate in sums), Decimal())
