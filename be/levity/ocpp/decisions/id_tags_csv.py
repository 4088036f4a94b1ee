"""Id tags as CSV: in, with every wrong line named, and out, safe to open in a spreadsheet.

What `export_lines` writes, `import_lines` reads to the same rows.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Lower

from levity.ocpp.decisions.expiry import expiry_text
from levity.ocpp.decisions.id_tag_files import (
    COLUMNS,
    BadFile,
    columns_of,
    decode,
    delimiter_of,
    moment,
    same_card,
    spoiled_by_a_spreadsheet,
    status_of,
)
from levity.ocpp.models import ChargePoint, IdTag
from levity.ocpp.rules.id_tags import spellings
from levity_ws.frozen import frozen

__all__ = [
    "COLUMNS",
    "BadFile",
    "Imported",
    "Problem",
    "export_lines",
    "import_file",
    "import_lines",
    "safe_cell",
    "sample",
]

# A cell that begins so is a formula in a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = (*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20")
# Behind these a new cell begins where the spreadsheet's separator is another one than ours, as in
# Excel where numbers have a decimal comma: there quotes don't hold together what we wrote.
CELL_ENDS = ";\t\r\n"
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
class Imported:
    """What an import did, or would do."""

    created: int = 0
    updated: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was assumed, and what a person should look at."""
    done: bool = False
    """False: nothing was written, for it was a trial or a line was wrong."""


@dataclass(slots=True)
class _Line:
    number: int
    id_tag: str
    values: dict[str, Any]
    parent: str | None = None
    places: list[int] | None = None


def import_file(data: bytes, **rules: bool) -> Imported:
    """`import_lines` of a file as it is, whatever saved it; the notes say what was assumed."""
    decoded = decode(data)
    imported = import_lines(io.StringIO(decoded.text, newline=""), **rules)
    if decoded.note:
        imported.notes.insert(0, decoded.note)
    return imported


def sample() -> str:
    """A file to begin with, which a spreadsheet opens as it should."""
    lines = (
        COLUMNS,
        ("04A1B2C3D4E5F6", "Accepted", "2030-12-31", "", "Anna Müller", "", "1", "flat 5"),
        ("04A1B2C3D4E5F7", "Blocked", "", "", "Bob Smith", "", "", "lost in May"),
    )
    writer = csv.writer(_Echo())
    return "\ufeff" + "".join(writer.writerow(line) for line in lines)


def import_lines(
    lines: Iterable[str],
    *,
    update: bool = False,
    skip_errors: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Add the tags of this CSV, all or (with `skip_errors`) the good ones; raises `BadFile`.

    `update`: tags that are known get the columns that the file has. Case does not count.
    """
    with transaction.atomic():
        imported = Imported()
        read = list(_read(lines, imported))
        keys = {line.id_tag.lower() for line in read}
        parents = {line.parent.lower() for line in read if line.parent}
        known = _known(keys | parents)
        good = []
        for line in read:
            if line.id_tag.lower() in known and not update:
                said = f"id tag {line.id_tag!r} already exists"
                imported.problems.append(Problem(line.number, said, is_known=True))
            else:
                good.append(line)
        good = _with_parents(good, known, imported.problems)
        imported.notes += _written_otherwise(good, known)
        imported.problems.sort(key=lambda item: item.line)
        imported.created = sum(line.id_tag.lower() not in known for line in good)
        imported.updated = len(good) - imported.created
        if dry_run or (imported.problems and not skip_errors):
            return imported
        _write(good, known)
        imported.done = True
    return imported


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
                _tag_cell(tag.id_tag),
                tag.status,
                expiry_text(tag.expires_at),
                _tag_cell(tag.parent.id_tag) if tag.parent else "",
                safe_cell(tag.owner),
                safe_cell(";".join(places)),
                "" if tag.max_transactions is None else tag.max_transactions,
                safe_cell(tag.notes),
            ]
        )


class _Echo:
    """What csv writes to: hands the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def safe_cell(text: str) -> str:
    """A text that a spreadsheet takes for text; `_plain` gives it back as it was.

    Also behind each sign that may end a cell: `a;=1+1;b` becomes `a;'=1+1;b`.
    """
    return _quoted(text, is_start=True)


def _quoted(text: str, is_start: bool) -> str:
    signs = []
    for at, sign in enumerate(text):
        if is_start and (sign in FORMULA_STARTS or _is_quote(text, at)):
            signs.append("'")
        signs.append(sign)
        is_start = sign in CELL_ENDS
    return "".join(signs)


def _plain(text: str, is_start: bool = True) -> str:
    signs: list[str] = []
    is_kept = False
    for at, sign in enumerate(text):
        if is_start and not is_kept and _is_quote(text, at):
            is_kept = True
            continue
        signs.append(sign)
        is_start, is_kept = sign in CELL_ENDS, False
    return "".join(signs)


def _is_quote(text: str, at: int) -> bool:
    """Whether here is a ' that was put before a sign, or could be taken for one."""
    following = text[at + 1 : at + 2]
    return text[at] == "'" and (following == "'" or following in FORMULA_STARTS)


def _tag_cell(id_tag: str) -> str:
    """The same for a tag, and a mark that blanks around it are a part of it; see `_tag`."""
    is_marked = _is_padded(id_tag) or (id_tag.startswith("'") and _is_padded(id_tag[1:]))
    return f"'{_quoted(id_tag, is_start=False)}" if is_marked else safe_cell(id_tag)


def _tag(cell: str) -> str:
    """The tag in this cell.

    Blanks around it are a slip of a person's, and no charger would send them; where one does, the
    export has put a ' before them.
    """
    if cell.startswith("'") and _is_padded(cell[1:]):
        return _plain(cell[1:], is_start=False)
    if cell and _is_quote(cell, 0):
        return _plain(cell)
    return _plain(cell.strip(), is_start=False)


def _is_padded(text: str) -> bool:
    return text != text.strip()


def _read(lines: Iterable[str], imported: Imported) -> Iterator[_Line]:
    problems = imported.problems
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
            imported.notes.append(
                f"The first line names no columns; they are assumed to be {shown}."
            )
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


def _written_otherwise(lines: list[_Line], known: Mapping[str, IdTag]) -> list[str]:
    """Cards that stand in the list twice, with and without colons: a charger sends one of them."""
    new = {line.id_tag.lower(): line for line in lines if line.id_tag.lower() not in known}
    others = {key: same_card(line.id_tag) for key, line in new.items()}
    there = {**_known(set[str]().union(*others.values())), **known} if others else known
    notes = []
    for key, line in new.items():
        twins = [there[other].id_tag for other in others[key] if other in there]
        twins += [new[other].id_tag for other in others[key] if other in new and other < key]
        notes += [
            f"Line {line.number}: {line.id_tag!r} and {twin!r} look like the same card in two "
            "spellings. They count as two tags here: keep the one that your chargers send (see "
            "Messages, Authorize)."
            for twin in twins
        ]
    return notes


def _line(
    number: int,
    names: list[str],
    titles: list[str],
    row: list[str],
    places: Mapping[str, int],
    seen: dict[str, int],
    problems: list[Problem],
) -> _Line | None:
    if len(row) != len(names):
        said = f"{len(row)} values where the first line has {len(names)}"
        problems.append(Problem(number, said))
        return None
    cells = {
        name: _tag(value) if name in ("id_tag", "parent") else _plain(value)
        for name, value in zip(names, row, strict=True)
        if name
    }
    heading = dict(zip(names, titles, strict=True))
    id_tag = cells["id_tag"]
    line = _Line(number, id_tag, {})
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


def _take(line: _Line, name: str, value: str, places: Mapping[str, int], heading: str) -> None:
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


def _with_parents(
    lines: list[_Line], known: Mapping[str, IdTag], problems: list[Problem]
) -> list[_Line]:
    """Without those whose parent is neither recorded nor in a good line."""
    while True:
        there = {line.id_tag.lower() for line in lines} | set(known)
        lost = [line for line in lines if line.parent and line.parent.lower() not in there]
        if not lost:
            return lines
        problems += [Problem(line.number, f"unknown parent {line.parent!r}") for line in lost]
        gone = {line.number for line in lost}
        lines = [line for line in lines if line.number not in gone]


def _known(keys: Iterable[str]) -> dict[str, IdTag]:
    found: dict[str, IdTag] = {}
    wanted = sorted(set[str]().union(*map(spellings, keys)))
    for start in range(0, len(wanted), BATCH):
        rows = IdTag.objects.annotate(key=Lower("id_tag")).select_for_update(of=("self",))
        for tag in rows.filter(key__in=wanted[start : start + BATCH]):
            found[tag.id_tag.lower()] = tag
    return found


def _write(lines: list[_Line], known: dict[str, IdTag]) -> None:
    new, changed = [], []
    for line in lines:
        tag = known.get(line.id_tag.lower())
        if tag is None:
            tag = known[line.id_tag.lower()] = IdTag(id_tag=line.id_tag)
            new.append(tag)
        else:
            changed.append(tag)
        for name, value in line.values.items():
            setattr(tag, name, value)
    IdTag.objects.bulk_create(new, batch_size=BATCH)
    for line in lines:
        if line.parent is not None:
            tag = known[line.id_tag.lower()]
            tag.parent = known[line.parent.lower()] if line.parent else None
    IdTag.objects.bulk_update(
        [*changed, *new],
        ["status", "expires_at", "parent", "owner", "max_transactions", "notes"],
        batch_size=BATCH,
    )
    allowed = IdTag.charge_points.through
    placed = [line for line in lines if line.places is not None]
    ids = [known[line.id_tag.lower()].pk for line in placed]
    for start in range(0, len(ids), BATCH):
        allowed.objects.filter(idtag__in=ids[start : start + BATCH]).delete()
    allowed.objects.bulk_create(
        [
            allowed(idtag_id=known[line.id_tag.lower()].pk, chargepoint_id=pk)
            for line in placed
            for pk in dict.fromkeys(line.places or ())
        ],
        batch_size=BATCH,
    )
