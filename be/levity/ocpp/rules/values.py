"""What a sampled value comes to in base units (Wh, W, A, V, ...): the one rule for it.

Rows and traces keep what was sent; what it comes to is worked out again when it is read. Only where
something else was recorded (a charger's quirk, a correction) is that kept beside it.
"""

from decimal import Decimal
from functools import lru_cache

from levity.ocpp.wire.fields import MAX_NUMBER, decimal_of

__all__ = ["MICRO", "SIGNED", "base_value", "scale_of"]

MICRO = Decimal("0.000001")
SIGNED = "SignedData"
# Units in which a base unit is counted by the thousand (7.47 UnitOfMeasure), however they are
# spelled.
KILO = frozenset({"kwh", "kvarh", "kw", "kva", "kvar"})
# A charger shows the same again and again: 0 W, 230 V. Longer texts are no numbers.
_LONGEST, _KNOWN = 32, 8192


@lru_cache(maxsize=1024)
def scale_of(unit: str) -> int:
    """How many base units one of this unit is."""
    return 1_000 if unit.lower() in KILO else 1_000_000 if unit == "MWh" else 1


def base_value(raw_value: str, unit: str, sample_format: str) -> Decimal | None:
    """The value in base units, to a millionth; None for what is signed or no number."""
    if sample_format == SIGNED:
        return None
    if len(raw_value) > _LONGEST:
        return _number(raw_value, scale_of(unit))
    return _known_number(raw_value, scale_of(unit))


def _number(raw_value: str, scale: int) -> Decimal | None:
    value = decimal_of(raw_value)
    if value is None:
        return None
    if scale != 1:
        value *= scale
    return value.quantize(MICRO) if abs(value) < MAX_NUMBER else None


_known_number = lru_cache(maxsize=_KNOWN)(_number)
