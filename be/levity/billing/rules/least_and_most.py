"""The least and the most that a session costs.

A limit without tax and one with tax are both kept. What a maximum takes off comes off the lines
with the highest tax first; what a minimum adds is taxed as most of the session is. So tax stays a
percentage of a sum of lines, and both limits are met.
"""

from collections.abc import Sequence
from decimal import Decimal

from levity.billing.rules.lines import Line, sums_of
from levity.billing.rules.money import decimals
from levity.billing.rules.tariff import Limit, Tariff

__all__ = ["within_limits"]


def within_limits(lines: Sequence[Line], tariff: Tariff) -> list[Line]:
    """The lines, and those that bring their sum up to the minimum or down to the maximum."""
    bounded = [*lines, *_down_to(tariff.maximum, lines, tariff)]
    return [*bounded, *_up_to(tariff.minimum, bounded, tariff)]


def _down_to(limit: Limit, lines: Sequence[Line], tariff: Tariff) -> list[Line]:
    taken: list[Line] = []
    for of_rate in sums_of(lines, tariff.currency, tariff.gross).by_rate:
        amount = of_rate.gross if tariff.gross else of_rate.net
        most = _excess(limit, [*lines, *taken], of_rate.vat, tariff)
        if (cut := min(amount, most)) > 0:
            taken.append(_line("maximum", -cut, of_rate.vat))
    return taken


def _up_to(limit: Limit, lines: Sequence[Line], tariff: Tariff) -> list[Line]:
    by_rate = sums_of(lines, tariff.currency, tariff.gross).by_rate
    vat = max(by_rate, key=lambda of_rate: of_rate.net).vat if by_rate else _main_vat(tariff)
    short = -_excess(limit, lines, vat, tariff, least=True)
    return [_line("minimum", short, vat)] if short > 0 else []


def _excess(
    limit: Limit, lines: Sequence[Line], vat: Decimal, tariff: Tariff, *, least: bool = False
) -> Decimal:
    """By how much, in a line with this tax, these lines are above the limit; below it: negative.

    The larger excess of the two limits, of a minimum the larger lack.
    """
    sums = sums_of(lines, tariff.currency, tariff.gross)
    with_tax = 1 + vat / 100
    found = []
    if limit.net is not None:
        over = sums.net - limit.net
        found.append(over * with_tax if tariff.gross else over)
    if limit.gross is not None:
        over = sums.gross - limit.gross
        found.append(over if tariff.gross else over / with_tax)
    if not found:
        return Decimal()
    unit = Decimal(1).scaleb(-decimals(tariff.currency))
    exact = min(found) if least else max(found)
    return _away_from_zero(exact, unit)


def _away_from_zero(amount: Decimal, unit: Decimal) -> Decimal:
    whole = (amount / unit).to_integral_value("ROUND_HALF_UP")
    return whole * unit


def _line(kind: str, amount: Decimal, vat: Decimal) -> Line:
    return Line(kind, "", Decimal(1), "session", amount, amount, vat)


def _main_vat(tariff: Tariff) -> Decimal:
    priced = (*tariff.energy, *((tariff.spot,) if tariff.spot else ()), *tariff.minutes)
    return priced[0].vat if priced else Decimal()
