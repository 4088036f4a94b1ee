"""Amounts of money: how many decimals a currency has, and how a sum is rounded and shared out."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

__all__ = ["decimals", "rounded", "shared", "written"]

# ISO 4217. All other currencies have two decimals.
WITHOUT_DECIMALS = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"),
        *("VND", "VUV", "XAF", "XOF", "XPF"),
    )
)
WITH_THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def decimals(currency: str) -> int:
    """How many decimals an amount in this currency (ISO 4217, such as EUR) has."""
    if currency in WITHOUT_DECIMALS:
        return 0
    return 3 if currency in WITH_THREE else 2


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units (cents), a half away from zero: 0.125 EUR is 0.13 EUR."""
    return amount.quantize(_minor_unit(currency), ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """The amount as a decimal string with its currency's decimals: 2.380 of a column is 2.38 EUR,
    2.380 KWD and 2 JPY."""
    return f"{rounded(amount, currency):f}"


def shared(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The total shared out by weight in whole minor units; the shares add up to it exactly.

    Each share is rounded down; what is left goes, a minor unit each, to those that lost most by
    the rounding (largest remainder), the first of them where they lost alike. Weights that are all
    0 share evenly. Raises ValueError for a negative weight, or if there is nobody to share.
    """
    if not weights:
        raise ValueError("nobody to share the amount between")
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is negative")
    unit = _minor_unit(currency)
    sign = -1 if total < 0 else 1
    whole = abs(rounded(total, currency))
    of_all = sum(weights, Decimal())
    exact = [
        whole * weight / of_all if of_all else whole / Decimal(len(weights)) for weight in weights
    ]
    shares = [share.quantize(unit, ROUND_DOWN) for share in exact]
    left = int((whole - sum(shares, Decimal())) / unit)
    by_loss = sorted(range(len(shares)), key=lambda at: (shares[at] - exact[at], at))
    for at in by_loss[:left]:
        shares[at] += unit
    return [sign * share for share in shares]


def _minor_unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-decimals(currency))
