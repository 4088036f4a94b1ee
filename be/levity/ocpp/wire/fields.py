"""Reading what chargers write: one function for each kind of field, tolerant and bounded.

A field that can't be read raises `OcppError` with the code of OCPP-J 1.6, table 7.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from levity.ocpp.wire.frames import ErrorCode, OcppError

__all__ = [
    "decimal_of",
    "energy",
    "integer",
    "known_energy",
    "readable",
    "text",
    "time_of",
    "timestamp",
    "wire_time",
    "zone_of",
]

INT4_MAX = 2**31 - 1
# No charge point has more; a larger number is a broken frame and would only fill the tables.
MAX_CONNECTOR = 1000
FULL_TAG = 20
# More than any meter will ever count, little enough for every column and sum: 10^12 Wh.
MAX_ENERGY = Decimal(10) ** 12
# As many decimals as a double is written with: 0.30000000000000004 has 17.
# SQLite keeps decimals as doubles: 10^18 - 1 comes back as 10^18, one digit more than the column
# has, and every page that shows it would fail.
MAX_NUMBER = 10**17
PLAIN_DIGITS = 17
# So many digits before and behind the point. The exponent has two: Decimal("1e999999") is a
# number, and its digits would fill the memory.
WHOLE_DIGITS, DECIMALS, EXPONENT = 18, 24, 2
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MILLI = Decimal("0.001")


def text(payload: Mapping[str, Any], name: str, limit: int = 255) -> str:
    """A text field, cut to `limit` characters; "" where it is missing or null."""
    value = payload.get(name)
    if type(value) is str:
        return value[:limit]
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)[:limit]
    raise OcppError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, f"{name}: not a string")


def readable(payload: Mapping[str, Any], name: str) -> str | None:
    """The same; None where it is missing, null, true or false, or no text and no number."""
    if payload.get(name) is None or isinstance(payload[name], bool):
        return None
    try:
        return text(payload, name)
    except OcppError:
        return None


def same_tag(one: str, other: str) -> bool:
    """True if these are one id tag: CiString, so in any case.

    Ocular gives a tag of 20 characters, the most that OCPP 1.6 (7.28) knows, back with two more.
    """
    one, other = one.lower(), other.lower()
    if one == other:
        return True
    return min(len(one), len(other)) >= FULL_TAG and (
        one.startswith(other) or other.startswith(one)
    )


def integer(payload: Mapping[str, Any], name: str, low: int, high: int = INT4_MAX) -> int:
    """A whole number from `low` to `high`, also where it is written as a string or as 1.0."""
    value = payload.get(name)
    if value is None:
        raise OcppError(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, f"{name}: missing")
    if type(value) is str:
        value = decimal_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise OcppError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, f"{name}: not a number")
    if value != int(value):
        raise OcppError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, f"{name}: not a whole number")
    if not low <= value <= high:
        raise OcppError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name}: out of range")
    return int(value)


def energy(payload: Mapping[str, Any], name: str) -> Decimal:
    """A register value in Wh; fractions are kept to a thousandth."""
    value = payload.get(name)
    if value is None:
        raise OcppError(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, f"{name}: missing")
    number = decimal_of(value)
    if number is None:
        raise OcppError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, f"{name}: not a number")
    if abs(number) >= MAX_ENERGY:
        raise OcppError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name}: out of range")
    return number.quantize(_MILLI)


def known_energy(payload: Mapping[str, Any], name: str) -> Decimal | None:
    """The same; None where there is no number that can be a register."""
    number = decimal_of(payload.get(name))
    return None if number is None or abs(number) >= MAX_ENERGY else number.quantize(_MILLI)


def decimal_of(value: Any) -> Decimal | None:
    """The number in this JSON number or string; None where there is none that can be kept."""
    if type(value) is int:
        return Decimal(value) if abs(value) < MAX_NUMBER else None
    if type(value) is float:
        value = repr(value)
    if type(value) is not str:
        return None
    digits = value.replace(".", "", 1)
    if len(digits) <= PLAIN_DIGITS and digits.isdigit() and digits.isascii():
        return Decimal(value)  # nearly all
    if not _is_number(value := value.strip()):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if abs(number) < MAX_NUMBER else None


def _is_number(text: str) -> bool:
    """Digits with or without a sign, a point and an exponent, of bounded length."""
    if len(text) > WHOLE_DIGITS + DECIMALS + EXPONENT + 4 or not text.isascii():
        return False
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    mantissa, letter, exponent = unsigned.replace("E", "e", 1).partition("e")
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if letter and not (power.isdigit() and len(power) <= EXPONENT):
        return False
    whole, _, part = mantissa.partition(".")
    if (whole and not whole.isdigit()) or (part and not part.isdigit()):
        return False
    return len(whole) <= WHOLE_DIGITS and len(part) <= DECIMALS and bool(whole or part)


def timestamp(
    payload: Mapping[str, Any], name: str, zone: tzinfo = UTC, *, always_local: bool = False
) -> datetime | None:
    """The time in this field in UTC; None where there is none that can be true."""
    return time_of(payload.get(name), zone, always_local=always_local)


def time_of(
    value: Any, zone: tzinfo = UTC, *, always_local: bool = False, fold: int = 0
) -> datetime | None:
    """The time in this text in UTC; without an offset it is a time in `zone`.

    `always_local`: it is one in any case (there are chargers that label local time with Z).
    `fold`: of an hour that comes twice when clocks are set back, 0 is the first, 1 the second.

    None for anything that is no time between 1970 and 2100: the year 10,000 can't be shown in
    every time zone, and no charger has been there.
    """
    if type(value) is not str or len(value) > 40:
        return None
    try:
        read = _read_time(value)
        if read.tzinfo is None or always_local:
            read = read.replace(tzinfo=zone, fold=fold)
        read = read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if _EARLIEST <= read < _LATEST else None


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(_tidied(text))


def _tidied(text: str) -> str:
    """A time as ISO 8601 has it, of what says the same in another spelling.

    A small z or t (RFC 3339, 5.6), a space before the offset, one digit for two, and milliseconds
    behind a colon.
    """
    date, _, rest = text.strip().upper().replace("T", " ", 1).partition(" ")
    rest = rest.strip()
    zone_at = max(rest.rfind(sign) for sign in "Z+-")
    zone = rest[zone_at:] if zone_at >= 0 else ""
    clock = (rest[:zone_at] if zone else rest).strip().split(":")
    if len(clock) == 4:
        clock[2:] = [f"{clock[2]}.{clock[3]}"]
    padded = (part if part.partition(".")[0][1:] else f"0{part}" for part in clock)
    return f"{'-'.join(part.zfill(2) for part in date.split('-'))}T{':'.join(padded)}{zone}"


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo:
    """The time zone of this name (Europe/Berlin); without or with an unknown one UTC."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def wire_time(moment: datetime) -> str:
    """The moment as chargers like it best: UTC, milliseconds, Z."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
