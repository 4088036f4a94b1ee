"""Lines of a bill as they are stored: JSON that is read back as the same lines."""

import json
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any

from levity.billing.rules.lines import Line

__all__ = ["digest_of", "lines_of", "stored"]

MICRO = Decimal("0.000001")


def stored(lines: Iterable[Line]) -> list[dict[str, str]]:
    """As JSON. A quantity that is no energy (minutes, months) has six decimals."""
    return [
        {
            "kind": line.kind,
            "name": line.name,
            "quantity": str(
                line.quantity
                if line.unit == "kWh"
                else line.quantity.quantize(MICRO, ROUND_HALF_UP)
            ),
            "unit": line.unit,
            "price": str(line.price),
            "amount": str(line.amount),
            "vat": str(line.vat),
        }
        for line in lines
    ]


def lines_of(content: Iterable[Mapping[str, str]]) -> list[Line]:
    """Read back."""
    return [
        Line(
            each["kind"],
            each["name"],
            Decimal(each["quantity"]),
            each["unit"],
            Decimal(each["price"]),
            Decimal(each["amount"]),
            Decimal(each["vat"]),
        )
        for each in content
    ]


def digest_of(*content: Any) -> str:
    """Of JSON values: the same for the same."""
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
