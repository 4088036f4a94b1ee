"""Households from a spreadsheet: a line each, with their cards and charge points.

Excel's own encodings and separators are understood, and German, French and Dutch names of columns.
Nothing is written if a line is wrong.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from levity.billing.households import ALL_SITES
from levity.billing.models import Assignment, Household
from levity.billing.rules.payer import Held
from levity.ocpp.audit import Noted, Who, note_each
from levity.ocpp.deciding import NotAllowed, check
from levity.ocpp.decisions.id_tag_values import BadCell, moment, spoiled_by_a_spreadsheet
from levity.ocpp.decisions.spreadsheet_cells import plain_cell, safe_cell
from levity.ocpp.decisions.spreadsheet_files import BadFile, decode, delimiter_of
from levity.ocpp.models import ChargePoint, Site
from levity.ocpp.visibility import is_limited
from levity.writing import Phrase, gettext_noop

__all__ = ["COLUMNS", "BadFile", "Read", "export_lines", "import_households", "read_households"]

COLUMNS = (
    *("name", "flat", "parking", "site", "email", "language", "members", "id_tags"),
    *("charge_points", "first_day", "last_day", "notes"),
)
# Letters alone, in lower case.
OTHER_NAMES = {
    "name": "household resident owner tenant haushalt bewohner mieter eigentümer nom menage naam",
    "flat": "apartment unit wohnung appartement logement woning",
    "parking": "parkingspace bay stellplatz place parkplaats",
    "site": "garage standort",
    "email": "mail emailaddress adresse courriel",
    "language": "lang sprache langue taal",
    "members": "persons personen membres leden",
    "id_tags": "idtag idtags tag tags card cards rfid karte karten carte cartes pas passen",
    "charge_points": "chargepoint chargepoints charger chargers ladepunkt ladepunkte borne bornes "
    "laadpaal laadpalen",
    "first_day": "firstday from since movein einzug ab von dès vanaf",
    "last_day": "lastday until to moveout auszug bis jusqu tot",
    "notes": "note notes comment bemerkung remarque opmerking",
}
NAMES = {
    **{name.replace("_", ""): name for name in COLUMNS},
    **{word: name for name, words in OTHER_NAMES.items() for word in words.split()},
}
LANGUAGES = {
    **{code: code for code in Household.Language.values},
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "français": "fr",
    "dutch": "nl",
    "nederlands": "nl",
    "": "en",
}
LONGEST = {"name": 200, "flat": 100, "parking": 100, "members": 2000, "notes": 2000}
MOST_LINES = 5_000
LINE = gettext_noop("line %(number)s")
WRONG = gettext_noop("line %(number)s: %(what)s")
TOO_LONG = gettext_noop("the file has more than %(most)s lines: split it")
NO_CSV = gettext_noop("this is no CSV: %(why)s")
NO_NAMES = gettext_noop("the first line must name the columns, at least name: %(columns)s")
UNKNOWN = gettext_noop("unknown column %(unknown)s: rename it to one of %(columns)s, or delete it")
TWICE = gettext_noop("two columns mean %(name)s: delete one")
TURNED_ROUND = gettext_noop("the last day is before the first day")
LONG = gettext_noop("%(name)s has more than %(most)s characters")
NO_LANGUAGE = gettext_noop("language %(said)s is none of en, de, fr, nl")
SPOILED = gettext_noop(
    "id tag %(said)s has lost its last digits in a spreadsheet: format the column as text and "
    "enter the number again"
)
NO_CONNECTOR = gettext_noop("%(said)s: write the connector as garage-1#2")
FROM_ONE = gettext_noop("%(said)s: connectors are numbered from 1")
TAKEN = gettext_noop("%(thing)s is already %(whose)s's on these days")


@dataclass(slots=True)
class Line:
    """What a line says of a household."""

    number: int
    values: dict[str, Any]
    things: list[Assignment] = field(default_factory=list)


@dataclass(slots=True)
class Read:
    """What a file would do."""

    lines: list[Line] = field(default_factory=list)
    problems: list[Phrase] = field(default_factory=list)
    notes: list[Phrase | str] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    assignments: int = 0


def read_households(data: bytes | str) -> Read:
    """What the file says, and every line that is wrong. Raises `BadFile` if it is no such file."""
    read = Read()
    text = data if isinstance(data, str) else _text(data, read)
    first, _, _ = text.partition("\n")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(first))
    try:
        names = _columns(next(rows, []))
        known = _Known()
        for number, cells in enumerate(rows, 2):
            if number > MOST_LINES:
                raise BadFile(TOO_LONG, most=f"{MOST_LINES:,}")
            if any(cell.strip() for cell in cells):
                _read_line(number, dict(zip(names, cells, strict=False)), known, read)
    except csv.Error as error:
        raise BadFile(NO_CSV, why=str(error)) from error
    _check_each_thing_is_one_households(read, known)
    read.new = sum(line.values["pk"] is None for line in read.lines)
    read.changed = len(read.lines) - read.new
    read.assignments = sum(len(line.things) for line in read.lines)
    return read


def import_households(data: bytes | str, who: Who) -> Read:
    """Write the households of this file, or none of them if there are problems.

    A household with the same name and flat is changed; assignments that it has already stay.
    """
    if who is not None and is_limited(who):
        raise NotAllowed(ALL_SITES)
    check(Household(), who, "billing.add_household", "billing.change_household")
    with transaction.atomic():
        # Two imports of one file at once would make each household twice.
        list(Household.objects.select_for_update().values_list("pk"))
        read = read_households(data)
        if not read.problems:
            note_each(who, list(_write(read)))
    return read


def export_lines(rows: Any) -> Iterator[list[str]]:
    """The header, then each household; its assignments in lines of their own where days differ."""
    yield list(COLUMNS)
    for item in rows.select_related("site").prefetch_related("assignments__charge_point"):
        days: dict[tuple[Any, Any], list[Assignment]] = {}
        for each in item.assignments.all():
            days.setdefault((each.first_day, each.last_day), []).append(each)
        for (first, last), things in days.items() or {(None, None): []}.items():
            yield [
                *map(safe_cell, (item.name, item.flat, item.parking)),
                safe_cell(item.site.name if item.site else ""),
                safe_cell(item.email),
                item.language,
                safe_cell("; ".join(item.members.split("\n"))),
                safe_cell(";".join(each.id_tag for each in things if each.id_tag)),
                safe_cell(";".join(_place(each) for each in things if each.charge_point)),
                first.isoformat() if first else "",
                last.isoformat() if last else "",
                safe_cell(item.notes),
            ]


class _Known:
    """What lines may name."""

    def __init__(self) -> None:
        self.sites = {site.name.lower(): site for site in Site.objects.all()}
        rows = ChargePoint.objects.only("pk", "identity", "name")
        self.chargers = {row.identity.lower(): row for row in rows}
        self.households = {
            (row.name.lower(), row.flat.lower()): row for row in Household.objects.all()
        }
        self.assignments = list(
            Assignment.objects.select_related("household", "charge_point").order_by("pk")
        )


def _text(data: bytes, read: Read) -> str:
    decoded = decode(data)
    if decoded.note:
        read.notes.append(decoded.note)
    return decoded.text


def _columns(cells: list[str]) -> list[str]:
    words = ["".join(filter(str.isalpha, cell)).lower() for cell in cells]
    found = [NAMES.get(word, "") for word in words]
    unknown = [f"“{cell.strip()}”" for cell, name in zip(cells, found, strict=True) if not name]
    if "name" not in found:
        raise BadFile(NO_NAMES, columns=", ".join(COLUMNS))
    if unknown:
        raise BadFile(UNKNOWN, unknown=", ".join(unknown), columns=", ".join(COLUMNS))
    if twice := next((name for name in found if found.count(name) > 1), None):
        raise BadFile(TWICE, name=twice)
    return found


def _read_line(number: int, cells: Mapping[str, str], known: _Known, read: Read) -> None:
    line = Line(number, {"pk": None})
    for name, cell in cells.items():
        try:
            _take(line, name, plain_cell(cell).strip(), known)
        except BadCell as error:
            read.problems.append(_problem(number, error.text, **error.words))
            return
    if not line.values.get("name"):
        read.problems.append(_problem(number, gettext_noop("there is no name")))
        return
    days = line.values.pop("first_day", None), line.values.pop("last_day", None)
    for thing in line.things:
        thing.first_day, thing.last_day = days[0] or timezone.localdate(), days[1]
        if thing.last_day and thing.last_day < thing.first_day:
            read.problems.append(_problem(number, TURNED_ROUND))
            return
    key = line.values["name"].lower(), line.values.get("flat", "").lower()
    if row := known.households.get(key):
        line.values["pk"] = row.pk
    elif "site" not in cells and len(known.sites) == 1:
        # Whose else: without a site its monthly fee would be on no statement.
        [line.values["site"]] = known.sites.values()
    read.lines.append(line)


def _take(line: Line, name: str, text: str, known: _Known) -> None:
    if len(text) > LONGEST.get(name, 10_000):
        raise BadCell(LONG, name=name, most=LONGEST[name])
    if "\0" in text:
        raise BadCell(gettext_noop("%(name)s contains a NUL character"), name=name)
    if name == "site":
        if text and text.lower() not in known.sites:
            raise BadCell(gettext_noop("no site %(said)s"), said=repr(text))
        line.values["site"] = known.sites.get(text.lower())
    elif name == "email":
        line.values[name] = _email(text)
    elif name == "language":
        if text.lower() not in LANGUAGES:
            raise BadCell(NO_LANGUAGE, said=repr(text))
        line.values[name] = LANGUAGES[text.lower()]
    elif name == "members":
        line.values[name] = "\n".join(part.strip() for part in text.split(";") if part.strip())
    elif name == "id_tags":
        line.things += [Assignment(id_tag=_card(part)) for part in _parts(text)]
    elif name == "charge_points":
        line.things += [_at_place(part, known) for part in _parts(text)]
    elif name in ("first_day", "last_day"):
        line.values[name] = _day(name, text)
    else:
        line.values[name] = text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _card(text: str) -> str:
    if spoiled_by_a_spreadsheet(text):
        raise BadCell(SPOILED, said=repr(text))
    if len(text) > 255:
        raise BadCell(gettext_noop("an id tag has more than 255 characters"))
    return text


def _at_place(text: str, known: _Known) -> Assignment:
    identity, _, connector = text.partition("#")
    charger = known.chargers.get(identity.strip().lower())
    if charger is None:
        raise BadCell(gettext_noop("no charge point %(said)s"), said=repr(identity.strip()))
    if connector and not (connector.strip().isascii() and connector.strip().isdigit()):
        raise BadCell(NO_CONNECTOR, said=repr(text))
    number = int(connector) if connector else None
    if number is not None and not 0 < number < 1000:
        raise BadCell(FROM_ONE, said=repr(text))
    return Assignment(charge_point=charger, connector=number)


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        # A day is good to its last moment: that is midnight.
        return timezone.localtime(moment(text) - timedelta(seconds=1)).date()
    except BadCell as error:
        words: dict[str, Any] = {**error.words, "name": name}
        raise BadCell(error.text, **words) from None


def _email(text: str) -> str:
    try:
        if text:
            validate_email(text)
    except ValidationError:
        raise BadCell(gettext_noop("%(said)s is no e-mail address"), said=repr(text)) from None
    return text


def _check_each_thing_is_one_households(read: Read, known: _Known) -> None:
    there: list[tuple[object, Any, Held]] = [
        (str(each.household), each.household_id, each.held) for each in known.assignments
    ]
    for line in read.lines:
        key = line.values["pk"] or f"line {line.number}"
        kept = []
        for thing in line.things:
            mine = _held(thing, 0)
            met = [found for found in there if found[2].meets(mine)]
            if foreign := next((found for found in met if found[1] != key), None):
                words = {"thing": thing.thing, "whose": foreign[0]}
                read.problems.append(_problem(line.number, TAKEN, **words))
            elif not met:
                kept.append(thing)
                there.append((Phrase(LINE, number=line.number), key, mine))
        line.things = kept


def _problem(number: int, text: str, **words: object) -> Phrase:
    return Phrase(WRONG, number=number, what=Phrase(text, **words))


def _held(thing: Assignment, household: int) -> Held:
    return Held(
        household,
        thing.first_day,
        thing.last_day,
        thing.id_tag,
        thing.charge_point_id,
        thing.connector,
    )


def _write(read: Read) -> Iterator[Noted]:
    new: list[Household] = []
    things: list[Assignment] = []
    by_key: dict[tuple[str, str], Household] = {}
    for line in read.lines:
        values = {name: value for name, value in line.values.items() if name != "pk"}
        key = values["name"].lower(), values.get("flat", "").lower()
        row = by_key.get(key)
        if line.values["pk"] is not None:
            Household.objects.filter(pk=line.values["pk"]).update(**values)
            row = Household(pk=line.values["pk"], **values)
            yield Noted(row, "changed by a CSV import", {}, _plain(values))
        elif row is None:
            row = by_key[key] = Household(**values)
            new.append(row)
        for thing in line.things:
            thing.household = row
            things.append(thing)
    Household.objects.bulk_create(new, batch_size=500)
    for thing in things:
        thing.household_id = thing.household.pk
    Assignment.objects.bulk_create(things, batch_size=500)
    for row in new:
        yield Noted(row, "added by a CSV import", {}, {"name": row.name, "flat": row.flat})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.pk if isinstance(value, Site) else value
        for name, value in values.items()
        if name != "notes"
    }


def _place(each: Assignment) -> str:
    connector = f"#{each.connector}" if each.connector else ""
    return f"{each.charge_point.identity}{connector}" if each.charge_point else ""
