"""Files of id tags as people have them: saved by Excel, exported by other systems, typed by hand.

Here bytes become text, and the first line becomes our names of columns; `id_tags_csv.py` reads on.
Sources of other systems' names: SteVe (its database and web API), the LITE-ON IC3 manual p. 62 (no
first line at all), be.ENERGISED and SAP E-Mobility (their help on importing).
"""

import codecs
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from levity.ocpp.decisions.expiry import FIRST_YEAR, LAST_YEAR, end_of
from levity_ws.frozen import frozen

__all__ = [
    "COLUMNS",
    "BadFile",
    "Decoded",
    "columns_of",
    "decode",
    "delimiter_of",
    "moment",
    "same_card",
    "spoiled_by_a_spreadsheet",
    "status_of",
]

COLUMNS = (
    "id_tag",
    "status",
    "expires_at",
    "parent",
    "owner",
    "charge_points",
    "max_transactions",
    "notes",
)
IGNORED = ""
# Letters and digits alone, in lower case: "Card ID-Tag" is cardidtag.
OTHER_NAMES = {
    "id_tag": (
        "tag idtoken token tokenuid uid rfid rfidtag rfiduid rfidid rfidnumber rfidcard tagid "
        "taguid authid authorizationid card cardid cardidtag carduid cardno cardserialnumber "
        "chipid chipuid ocppidtag karte kartenid kartennummer rfidnummer"
    ),
    "status": "cardstatus tagstatus state authorizationstatus active isactive enabled blocked "
    "isblocked aktiv gesperrt",
    "expires_at": "expires expiry expirydate expirydatetime expiration expirationdate validuntil "
    "validto enddate ablaufdatum gültigbis gueltigbis",
    "parent": "parentidtag parentcardidtag parentid parenttag group groupid groupidtag gruppe",
    "owner": "ownername name fullname user username holder cardholder customer driver drivername "
    "displayname label cardlabel alias inhaber besitzer benutzer fahrer",
    "charge_points": "chargepoint chargepointid chargers charger chargebox chargeboxid "
    "chargingstation chargingstations ladepunkt ladepunkte",
    "max_transactions": "maxtransaction maxactivetransactioncount maxactivetransactions",
    "notes": "note comment comments remark remarks description cardnumber visualnumber "
    "printednumber bemerkung bemerkungen notiz notizen kommentar beschreibung",
    # What other systems keep for themselves.
    IGNORED: "ocpptagpk pk createdat updatedat intransaction activetransactioncount companyid",
}
NAMES = {
    **{name.replace("_", ""): name for name in COLUMNS},
    **{word: name for name, words in OTHER_NAMES.items() for word in words.split()},
}
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


# .xlsx and .ods are ZIP files; .xls is an OLE2 file.
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class BadFile(Exception):
    """It is no CSV of id tags at all; the text says why."""


@frozen
class Decoded:
    """The text of a file, and what was assumed of it where that is not certain."""

    text: str
    note: str = ""


def decode(data: bytes) -> Decoded:
    """UTF-8, UTF-16 (Excel's "Unicode text") or a code page of Windows, whichever it is."""
    if data.startswith(WORKBOOKS):
        raise BadFile(
            "This is a workbook (such as .xlsx, .ods or .xls), not CSV: open it in a spreadsheet "
            "program and save the sheet with the id tags as “CSV UTF-8”."
        )
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Decoded(_decoded(data, "utf-16"))
    if data[1:200:2].count(0) > data[:200:2].count(0):
        return Decoded(_decoded(data, "utf-16-le"))
    if data[:200:2].count(0):
        return Decoded(_decoded(data, "utf-16-be"))
    try:
        return Decoded(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        pass
    for encoding, called in (("cp1252", "Windows-1252"), ("cp850", "DOS, code page 850")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return Decoded(text, f"The file is not in UTF-8 and was read as {called}{_example(text)}.")
    raise BadFile("this is not text in UTF-8, UTF-16 or Windows-1252: save it as “CSV UTF-8”")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadFile(f"this UTF-16 file is incomplete ({error.reason}): save it anew") from error


def _example(text: str) -> str:
    """A word by which a person sees whether that was right."""
    for word in text.replace(";", " ").replace(",", " ").split():
        if not word.isascii():
            return f", for example “{word[:40]}”: if that looks wrong, save it as “CSV UTF-8”"
    return ""


def delimiter_of(line: str) -> str:
    """The sign between two cells: the most frequent of three in the first line."""
    return max(",;\t", key=line.count)


def columns_of(first: list[str]) -> tuple[list[str], bool]:
    """Our name of each column, "" for one that is left out; and whether the line is a heading.

    A file without a heading is understood where there is one meaning; `BadFile` else.
    """
    words = ["".join(filter(str.isalnum, cell)).lower() for cell in first]
    if words == ["id"]:
        return ["id_tag"], True
    found = [NAMES.get(word) for word in words]
    if not any(found):
        return _without_heading([cell.strip() for cell in first]), False
    unknown = [cell.strip() for cell, name in zip(first, found, strict=True) if name is None]
    if unknown:
        shown = ", ".join(f"“{name}”" for name in unknown)
        raise BadFile(
            f"unknown column {shown}: rename it in the first line to one of {', '.join(COLUMNS)}, "
            "or delete it"
        )
    names = [name for name in found if name is not None]
    if "id_tag" not in names:
        raise BadFile(f"the first line names no id tag column; found: {_all()}")
    for name in names:
        if name and names.count(name) > 1:
            raise BadFile(f"two columns mean {name}: delete one")
    return names, True


def _without_heading(cells: list[str]) -> list[str]:
    match cells:
        case [tag] if _looks_like_a_card(tag):
            return ["id_tag"]
        case [tag, other] if _looks_like_a_card(tag) and not _looks_like_a_card(other):
            return ["id_tag", "owner"]
        case [other, tag] if _looks_like_a_card(tag) and not _looks_like_a_card(other):
            return ["owner", "id_tag"]
        case [tag, until, _, status] if tag and status.lower() in STATUSES and _is_moment(until):
            return ["id_tag", "expires_at", "parent", "status"]
    if (
        len(cells) == 1
        and len(cells[0].split()) == 2
        and any(map(_looks_like_a_card, cells[0].split()))
    ):
        raise BadFile(
            f"“{cells[0]}” contains a card and a name in one cell: separate them with a comma"
        )
    raise BadFile(f"the first line must name the columns, at least id_tag; found: {_all()}")


def _looks_like_a_card(text: str) -> bool:
    bare = without_separators(text)
    return len(bare) >= 4 and any(map(str.isdigit, bare)) and " " not in bare and bare.isalnum()


def _is_moment(text: str) -> bool:
    try:
        return not text or bool(moment(text))
    except ValueError:
        return False


def _all() -> str:
    return ", ".join(COLUMNS)


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


def moment(text: str) -> datetime:
    """A time, in the site's zone if it names none; a date is good to its last moment.

    ISO 8601, or day, month and year as in 31.12.2030; ValueError for everything else, and where
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
    except ValueError as error:
        if "either" in str(error):
            raise
        found = day = None
    if day is not None and FIRST_YEAR <= day.year < LAST_YEAR:
        found = end_of(day)
    if found is None or not FIRST_YEAR < found.year < LAST_YEAR:
        raise ValueError(f"expires_at {text!r} is not a date or time such as 2026-12-31")
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
        raise ValueError(
            f"expires_at {text!r}: {first} and {second} can be either day or month; write "
            f"{year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}"
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
