"""Files of id tags as people have them: saved by Excel, exported by other systems, typed by hand.

Here bytes become text, and the first line becomes our names of columns; `id_tags_csv.py` reads on.
Sources of other systems' names: SteVe (its database and web API), the LITE-ON IC3 manual p. 62 (no
first line at all), be.ENERGISED and SAP E-Mobility (their help on importing).
"""

import codecs

from levity.ocpp.decisions.id_tag_values import STATUSES, moment, without_separators
from levity.writing import Phrase, Worded, gettext_noop
from levity_ws.frozen import frozen

__all__ = [
    "COLUMNS",
    "BadFile",
    "Decoded",
    "columns_of",
    "decode",
    "delimiter_of",
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
    "type",
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
    "type": "tokentype idtokentype idtype tagtype cardtype",
    # What other systems keep for themselves.
    IGNORED: "ocpptagpk pk createdat updatedat intransaction activetransactioncount companyid",
}
NAMES = {
    **{name.replace("_", ""): name for name in COLUMNS},
    **{word: name for name, words in OTHER_NAMES.items() for word in words.split()},
}


# .xlsx and .ods are ZIP files; .xls is an OLE2 file.
NO_TEXT = gettext_noop("this is not text in UTF-8, UTF-16 or Windows-1252: save it as “CSV UTF-8”")
CUT_SHORT = gettext_noop("this UTF-16 file is incomplete (%(why)s): save it anew")
READ_AS = gettext_noop("The file is not in UTF-8 and was read as %(encoding)s.")
READ_AS_SUCH = gettext_noop(
    "The file is not in UTF-8 and was read as %(encoding)s, for example “%(word)s”: if that looks "
    "wrong, save it as “CSV UTF-8”."
)
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class BadFile(Worded):
    """It is no such file at all; the text says why."""


@frozen
class Decoded:
    """The text of a file, and what was assumed of it where that is not certain."""

    text: str
    note: Phrase | str = ""


def decode(data: bytes) -> Decoded:
    """UTF-8, UTF-16 (Excel's "Unicode text") or a code page of Windows, whichever it is."""
    if data.startswith(WORKBOOKS):
        raise BadFile(
            gettext_noop(
                "This is a workbook (such as .xlsx, .ods or .xls), not CSV: open it in a "
                "spreadsheet program and save the sheet with the id tags as “CSV UTF-8”."
            )
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
        return Decoded(text, _read_as(called, text))
    raise BadFile(NO_TEXT)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadFile(CUT_SHORT, why=error.reason) from error


def _read_as(encoding: str, text: str) -> Phrase:
    """With a word by which a person sees whether that was right."""
    for word in text.replace(";", " ").replace(",", " ").split():
        if not word.isascii():
            return Phrase(READ_AS_SUCH, encoding=encoding, word=word[:40])
    return Phrase(READ_AS, encoding=encoding)


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
