"""What people and other systems write into the cells of id tags: status, kind, time, number."""

from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from levity.ocpp.decisions.expiry import FIRST_YEAR, LAST_YEAR, end_of
from levity.ocpp.models import IdTag
from levity.writing import Worded, gettext_noop

__all__ = [
    "STATUSES",
    "BadCell",
    "moment",
    "same_card",
    "spoiled_by_a_spreadsheet",
    "status_of",
    "type_of",
    "without_separators",
]


ACCEPTED, BLOCKED, RECORDED = "Accepted", "Blocked", "Recorded"
STATUSES = {
    "accepted": ACCEPTED,
    "blocked": BLOCKED,
    "recorded": RECORDED,
    "active": ACCEPTED,
    "enabled": ACCEPTED,
    "inactive": BLOCKED,
    "disabled": BLOCKED,
    "aktiv": ACCEPTED,
    "gesperrt": BLOCKED,
}
# In a column called "active"; the other way round in one called "blocked".
YES, NO = ("1", "true", "yes", "ja", "y", "x"), ("0", "false", "no", "nein", "n", "")
HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
SHORTEST_CARD = 8  # digits: a UID of four bytes
NO_DAY = gettext_noop("%(name)s %(said)s is not a date or time such as 2026-12-31")
EITHER = gettext_noop(
    "%(name)s %(said)s: %(first)s and %(second)s can be either day or month; write %(one)s or "
    "%(other)s"
)


class BadCell(Worded, ValueError):
    """A cell that can't be meant so; `name` among its words is the column's."""


def status_of(text: str, heading: str) -> str:
    """Accepted, Blocked or Recorded; ValueError. `heading`: how the file calls the column."""
    bare = text.strip().lower()
    is_turned = any(word in heading.lower() for word in ("block", "gesperrt"))
    if any(word in heading.lower() for word in ("active", "enabled", "aktiv")) or is_turned:
        if bare in YES:
            return BLOCKED if is_turned else ACCEPTED
        if bare in NO:
            return ACCEPTED if is_turned or not bare else BLOCKED
    if bare and bare not in STATUSES:
        raise ValueError(f"status {text.strip()!r} is none of {ACCEPTED}, {BLOCKED}, {RECORDED}")
    return STATUSES.get(bare, ACCEPTED)


def type_of(text: str) -> str:
    """The kind of token, as OCPP 2.0.1 spells it; empty: any. ValueError."""
    kinds = {kind.lower(): kind for kind in IdTag.Type.values}
    bare = text.strip()
    if bare and bare.lower() not in kinds:
        raise ValueError(f"type {bare!r} is none of {', '.join(kinds.values())}")
    return kinds.get(bare.lower(), "")


def moment(text: str) -> datetime:
    """A time, in the site's zone if it names none; a date is good to its last moment.

    ISO 8601, or day, month and year as in 31.12.2030; `BadCell` for everything else, and where
    day and month could be either.
    """
    found, day = None, None
    try:
        found = parse_datetime(text) if len(text) > 10 else None
        day = None if found else parse_date(text)
        if found is None and day is None:
            found, day = _as_people_write(text)
    except OverflowError:
        found = day = None
    except BadCell:
        raise
    except ValueError:
        found = day = None
    if day is not None and FIRST_YEAR <= day.year < LAST_YEAR:
        found = end_of(day)
    if found is None or not FIRST_YEAR < found.year < LAST_YEAR:
        raise BadCell(NO_DAY, name="expires_at", said=repr(text))
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _as_people_write(text: str) -> tuple[datetime | None, datetime | None]:
    """(time, date) of 31.12.2030, 31/12/2030 or 12/31/2030, with 16:00 or 16:00:00 behind it."""
    date, _, clock = text.partition(" ")
    sign = next((sign for sign in "./-" if date.count(sign) == 2), None)
    parts = date.split(sign) if sign else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None, None
    first, second, year = map(int, parts)
    if len(parts[2]) == 2:
        year += 2000
    if sign != "." and first <= 12 and second <= 12 and first != second:
        raise BadCell(
            EITHER,
            name="expires_at",
            said=repr(text),
            first=first,
            second=second,
            one=f"{year}-{second:02}-{first:02}",
            other=f"{year}-{first:02}-{second:02}",
        )
    if second > 12 and sign != ".":
        first, second = second, first
    day = datetime(year, second, first)  # noqa: DTZ001  # the site's zone, by the caller
    if not clock.strip():
        return None, day
    hour, minute, *rest = (int(part) for part in clock.strip().split(":"))
    return day.replace(hour=hour, minute=minute, second=rest[0] if rest else 0), None


def spoiled_by_a_spreadsheet(id_tag: str) -> bool:
    """True for 4.11E+13: what a spreadsheet makes of a long number. Its last digits are lost."""
    mantissa, sign, exponent = id_tag.upper().partition("E+")
    digits = mantissa.replace(".", "", 1).replace(",", "", 1)
    return bool(sign) and digits.isdigit() and exponent.isdigit() and len(mantissa) > len(digits)


def without_separators(id_tag: str) -> str:
    """04:65:6B:82 and 04 65 6B 82 as 04656B82; other texts as they are."""
    for sign in (":", "-", " "):
        parts = id_tag.strip().split(sign)
        if len(parts) > 3 and all(len(part) == 2 and set(part) <= HEXADECIMAL for part in parts):
            return "".join(parts)
    return id_tag


def same_card(id_tag: str) -> set[str]:
    """Other ways in which people and chargers write the number of this card, in lower case."""
    bare = without_separators(id_tag).strip().lower()
    if len(bare) < SHORTEST_CARD or len(bare) % 2 or not set(bare) <= HEXADECIMAL:
        return set()
    pairs = [bare[place : place + 2] for place in range(0, len(bare), 2)]
    return {bare, *(sign.join(pairs) for sign in (":", "-", " "))} - {id_tag.lower()}
