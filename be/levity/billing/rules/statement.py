"""The arithmetic of a statement: sessions, corrections and fees in, sums out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from levity.billing.rules.lines import Line, Sums, sums_of
from levity_ws.frozen import frozen

__all__ = ["Band", "Position", "all_lines", "bands_of", "statement_sums"]


@frozen
class Position:
    """A session on a statement, or one that is taken back."""

    lines: tuple[Line, ...]
    wh: Decimal
    sign: int = 1
    """-1: what an earlier statement said is taken back."""

    @property
    def signed(self) -> list[Line]:
        """Its lines; taken back, their amounts and quantities are below zero."""
        return [
            replace(line, quantity=line.quantity * self.sign, amount=line.amount * self.sign)
            for line in self.lines
        ]

    @property
    def amount(self) -> Decimal:
        """The sum of its lines, rounded as they are."""
        return sum((line.amount for line in self.signed), Decimal())

    @property
    def signed_wh(self) -> Decimal:
        return self.wh * self.sign


@frozen
class Band:
    """All lines of one kind and price."""

    kind: str
    name: str
    unit: str
    price: Decimal
    vat: Decimal
    quantity: Decimal
    amount: Decimal


def all_lines(positions: Iterable[Position], fees: Iterable[Line]) -> list[Line]:
    """Of which the statement is the sum."""
    return [*(line for position in positions for line in position.signed), *fees]


def bands_of(lines: Iterable[Line]) -> list[Band]:
    """Quantities and amounts by kind and price, in the order in which they first come. (The mean
    price of a spot price is no band's: those lines are one.)"""
    found: dict[tuple[object, ...], Band] = {}
    for line in lines:
        price = Decimal() if line.kind in ("spot", "maximum", "minimum") else line.price
        key = line.kind, line.name, line.unit, price, line.vat
        band = found.get(key) or Band(*key, Decimal(), Decimal())
        found[key] = replace(
            band, quantity=band.quantity + line.quantity, amount=band.amount + line.amount
        )
    return list(found.values())


def statement_sums(
    positions: Sequence[Position], fees: Sequence[Line], currency: str, gross: bool
) -> Sums:
    """Net, tax and gross; tax once for each rate, on the sum of its lines (EN 16931)."""
    return sums_of(all_lines(positions, fees), currency, gross)
