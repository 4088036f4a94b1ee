"""The lines of a CSV file of id tags: read, with every wrong one named, and written.

What `export_lines` writes, `read_lines` reads to the same values.
"""

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from levity.ocpp.decisions.expiry import expiry_text
from levity.ocpp.decisions.id_tag_values import (
    moment,
    spoiled_by_a_spreadsheet,
    status_of,
    type_of,
)
from levity.ocpp.decisions.spreadsheet_cells import (
    plain_cell,
    safe_cell,
    safe_tag_cell,
    tag_in_cell,
)
from levity.ocpp.decisions.spreadsheet_files import (
    COLUMNS,
    BadFile,
    columns_of,
    delimiter_of,
)
from levity.ocpp.models import ChargePoint, IdTag
from levity_ws.frozen import frozen

__all__ = [
    "BATCH",
    "Line",
    "Problem",
    "export_lines",
    "read_lines",
    "sample",
]

BATCH = 500


@frozen
class Problem:
    """A line that can't be imported."""

    line: int
    text: str
    is_known: bool = False
    """Nothing is wrong with it, but such a tag is already recorded."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(slots=True)
class Line:
    """What a line of the file says of its tag."""

    number: int
    id_tag: str
    values: dict[str, Any]
    parent: str | None = None
    """Its group; empty: none; None: the file says nothing of it."""
    places: list[int] | None = None
    """Keys of the charge points it is good at; None: the file says nothing of them."""


def sample() -> str:
    """A file to begin with, which a spreadsheet opens as it should."""
    lines = (
        COLUMNS,
        ("04A1B2C3D4E5F6", "Accepted", "2030-12-31", "", "Anna Müller", "", "1", "flat 5", ""),
        ("04A1B2C3D4E5F7", "Blocked", "", "", "Bob Smith", "", "", "lost in May", ""),
    )
    writer = csv.writer(_Echo())
    return "\ufeff" + "".join(writer.writerow(line) for line in lines)


def export_lines(
    tags: QuerySet[IdTag],
    charge_points: QuerySet[ChargePoint] | None = None,
    groups: QuerySet[IdTag] | None = None,
) -> Iterator[str]:
    """The header, then a line for each tag; of its charge points those among `charge_points`, and
    its group if that is one of `groups`. None: all there are."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    named = ChargePoint.objects.all() if charge_points is None else charge_points
    rows = tags.prefetch_related(
        Prefetch("charge_points", named),
        Prefetch("parent", IdTag.objects.all() if groups is None else groups),
    )
    for tag in rows.iterator(chunk_size=BATCH):
        places = sorted(place.identity for place in tag.charge_points.all())
        yield writer.writerow(
            [
                safe_tag_cell(tag.id_tag),
                tag.status,
                expiry_text(tag.expires_at),
                safe_tag_cell(tag.parent.id_tag) if tag.parent else "",
                safe_cell(tag.owner),
                safe_cell(";".join(places)),
                "" if tag.max_transactions is None else tag.max_transactions,
                safe_cell(tag.notes),
                tag.type,
            ]
        )


class _Echo:
    """What csv writes to: hands the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def read_lines(lines: Iterable[str], problems: list[Problem], notes: list[str]) -> Iterator[Line]:
    """The good lines; to the lists goes what is wrong with the others, and what was assumed.

    `BadFile` where it is no such file at all.
    """
    source = iter(lines)
    first = next(source, "").removeprefix("\ufeff")
    delimiter = delimiter_of(first)
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # So Excel is told, and others that know it.
        delimiter, first = first.strip()[4], next(source, "")
    reader = csv.reader(_chained(first, source), delimiter=delimiter, strict=True)
    try:
        heading = next(reader, [])
        names, is_heading = columns_of(heading)
        if not is_heading:
            shown = ", ".join(names)
            notes.append(f"The first line names no columns; they are assumed to be {shown}.")
        places = {item.identity.lower(): item.pk for item in ChargePoint.objects.only("identity")}
        seen: dict[str, int] = {}
        before = reader.line_num if is_heading else 0
        for row in reader if is_heading else itertools.chain([heading], reader):
            number, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in row):
                continue
            titles = heading if is_heading else names
            line = _line(number, names, titles, row, places, seen, problems)
            if line is not None:
                yield line
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num}: not valid CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise BadFile("this is not UTF-8 text: save it as “CSV UTF-8”") from error


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _line(
    number: int,
    names: list[str],
    titles: list[str],
    row: list[str],
    places: Mapping[str, int],
    seen: dict[str, int],
    problems: list[Problem],
) -> Line | None:
    if len(row) != len(names):
        said = f"{len(row)} values where the first line has {len(names)}"
        problems.append(Problem(number, said))
        return None
    cells = {
        name: tag_in_cell(value) if name in ("id_tag", "parent") else plain_cell(value)
        for name, value in zip(names, row, strict=True)
        if name
    }
    heading = dict(zip(names, titles, strict=True))
    id_tag = cells["id_tag"]
    line = Line(number, id_tag, {})
    wrong = [] if id_tag.strip() else ["no id tag"]
    if len(id_tag) > 255 or "\0" in "".join(row):
        wrong.append("an id tag has at most 255 characters and no NUL")
    if spoiled_by_a_spreadsheet(id_tag.strip()):
        wrong.append(
            f"{id_tag!r} is a long number mangled by a spreadsheet; its last digits are lost: "
            "format that column as text and enter the number again"
        )
    if (earlier := seen.setdefault(id_tag.lower(), number)) != number:
        wrong.append(f"id tag {id_tag!r} is already in line {earlier}")
    for name, value in cells.items():
        try:
            _take(line, name, value, places, heading[name])
        except ValueError as error:
            wrong.append(str(error))
    problems += [Problem(number, text) for text in wrong]
    return None if wrong else line


def _take(line: Line, name: str, value: str, places: Mapping[str, int], heading: str) -> None:
    """Put one cell into the line; ValueError says what is wrong with it."""
    bare = value.strip()
    if name == "status":
        line.values[name] = status_of(bare, heading)
    elif name == "expires_at":
        line.values[name] = moment(bare) if bare else None
    elif name == "max_transactions":
        if bare.startswith("-"):
            bare = ""  # so SteVe says that there is no limit
        if bare and not (bare.isascii() and bare.isdigit() and len(bare) <= 9):
            raise ValueError(f"max_transactions {bare!r} is not a whole number")
        line.values[name] = int(bare) if bare else None
    elif name == "parent":
        if value and value.lower() == line.id_tag.lower():
            raise ValueError("a tag can't be its own parent")
        line.parent = value
    elif name == "charge_points":
        named = [part.strip() for part in value.split(";") if part.strip()]
        unknown = [part for part in named if part.lower() not in places]
        if unknown:
            raise ValueError(f"no charge point {', '.join(map(repr, unknown))}")
        line.places = [places[part.lower()] for part in named]
    elif name == "owner":
        if len(value) > 200:
            raise ValueError("an owner has at most 200 characters")
        line.values[name] = value
    elif name == "notes":
        line.values[name] = value
    elif name == "type":
        line.values[name] = type_of(bare)
