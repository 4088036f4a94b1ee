"""Charge points as CSV: out, and in after a look at what would change.

What `export_lines` writes, `read_charge_points` reads to the same values; the columns that chargers
report are for people, and are not read. Nothing is written if a line is wrong.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from levity.ocpp.audit import Noted, Who, note_each
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.decisions.charge_point_values import checked
from levity.ocpp.decisions.charge_points import CHANGE, NO_SITE, add_all, may_add
from levity.ocpp.decisions.spreadsheet_cells import plain_cell, safe_cell
from levity.ocpp.decisions.spreadsheet_files import BadFile, decode, delimiter_of
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity.ocpp.visibility import is_limited, visible

__all__ = [
    "COLUMNS",
    "BadFile",
    "Read",
    "csv_lines",
    "export_lines",
    "import_charge_points",
    "read_charge_points",
    "text_of",
]

COLUMNS = (
    *("identity", "name", "site", "authorization", "time_zone", "quirk_profile", "max_power_w"),
    *("heartbeat_interval_s", "ping_interval_s", "call_timeout_s", "notes"),
)
"""Those that are read; only the identity is needed."""
REPORTED = (
    *("security_profile", "registration", "vendor", "model", "serial_number"),
    *("firmware_version", "created_at", "retired_at"),
)
FIELDS = {
    "max_power_w": "max_power",
    "heartbeat_interval_s": "heartbeat_interval",
    "ping_interval_s": "ping_interval",
    "call_timeout_s": "call_timeout",
}
WRITTEN = tuple(FIELDS.get(name, name) for name in COLUMNS if name != "identity")
MOST_LINES, BATCH = 5_000, 500
LARGEST = 2**31 - 1
LONGEST_NOTES = 10_000


@dataclass(slots=True)
class Line:
    """What one line would do to a charge point: field -> before and after, as the file has them."""

    number: int
    row: ChargePoint
    is_new: bool
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """`site: none → Garage`, for people."""
        said = [f"{name}: {_shown(old)} → {_shown(new)}" for name, (old, new) in self._named()]
        return "; ".join(said)

    def _named(self) -> Iterator[tuple[str, tuple[Any, Any]]]:
        back = {column: name for name, column in FIELDS.items()}
        for column, values in self.changes.items():
            yield back.get(column, column), values


@dataclass(slots=True)
class Read:
    """What a file would do, or has done."""

    lines: list[Line] = field(default_factory=list)
    """Those that change something."""
    same: int = 0
    problems: list[str] = field(default_factory=list)
    """Each wrong line, with its number."""
    notes: list[str] = field(default_factory=list)
    """What was assumed."""
    done: bool = False

    @property
    def new(self) -> int:
        """How many charge points are added."""
        return sum(line.is_new for line in self.lines)

    @property
    def changed(self) -> int:
        """How many others are changed."""
        return len(self.lines) - self.new


def export_lines(rows: QuerySet[ChargePoint]) -> Iterator[list[str]]:
    """The heading, then a line for each, safe to open in a spreadsheet."""
    yield [*COLUMNS, *REPORTED]
    for row in rows.select_related("site").iterator(chunk_size=BATCH):
        values = {name: getattr(row, FIELDS.get(name, name)) for name in (*COLUMNS, *REPORTED)}
        values["created_at"] = row.created_at.isoformat(timespec="seconds")
        values["retired_at"] = row.retired_at and row.retired_at.isoformat(timespec="seconds")
        yield [safe_cell("" if value is None else str(value)) for value in values.values()]


def csv_lines(rows: QuerySet[ChargePoint]) -> Iterator[str]:
    """The same as lines of a file."""
    writer = csv.writer(_Echo())
    for row in export_lines(rows):
        yield writer.writerow(row)


class _Echo:
    """What csv writes to: hands the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def text_of(data: bytes) -> tuple[str, str]:
    """The text of a file as a spreadsheet saves it, and what was assumed of it."""
    decoded = decode(data)
    return decoded.text, str(decoded.note)


def import_charge_points(text: str, who: Who) -> Read:
    """Write what this file says, or nothing if a line is wrong; see `read_charge_points`."""
    with transaction.atomic():
        read = read_charge_points(text, who, lock=True)
        if read.problems:
            return read
        changed = [line for line in read.lines if not line.is_new]
        add_all([line.row for line in read.lines if line.is_new], who)
        ChargePoint.objects.bulk_update([line.row for line in changed], WRITTEN, batch_size=BATCH)
        note_each(who, [_noted(line) for line in changed])
        read.done = True
    return read


def read_charge_points(text: str, who: Who, *, lock: bool = False) -> Read:
    """What this file would do, and every line that is wrong.

    A column that the file does not have stays as it is; an empty cell empties the field. Raises
    `NotAllowed` for who may change none, `BadFile` for what is no such file.
    """
    if who is not None and not who.has_perm(CHANGE):
        raise NotAllowed(f"your role, or your token's scope, lacks the permission {CHANGE}")
    read = Read()
    text = text.removeprefix("\ufeff")
    first, _, _ = text.partition("\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(first), strict=True)
    try:
        names = _columns(next(reader, []))
        lines = _cells(reader, names, read)
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num}: not valid CSV: {error}") from error
    _Reading(who, lines, read, lock=lock).run()
    return read


class _Reading:
    """The lines against what is recorded, in a number of statements that does not grow."""

    def __init__(
        self, who: Who, lines: list[tuple[int, dict[str, str]]], read: Read, *, lock: bool
    ) -> None:
        self._lines, self._read, self._who = lines, read, who
        sites = Site.objects.all() if who is None else visible(Site.objects.all(), who)
        self._sites = {site.name.lower(): site for site in sites}
        self._known = dict(_known({cells["identity"].lower() for _, cells in lines}, who, lock))

    def run(self) -> None:
        """Into the lists of what was read."""
        seen: dict[str, int] = {}
        for number, cells in self._lines:
            identity = cells["identity"]
            earlier = seen.setdefault(identity.lower(), number)
            if earlier != number:
                self._wrong(number, f"{identity} is already in line {earlier}")
                continue
            row = self._known.get(identity.lower())
            if row is None:
                if not may_add(self._who):
                    self._wrong(
                        number,
                        f"there is no charge point {identity!r} that you see, and only a user of "
                        "all sites who may add charge points can add it",
                    )
                    continue
                row = ChargePoint(identity=identity)
            self._take(number, row, cells)

    def _take(self, number: int, row: ChargePoint, cells: Mapping[str, str]) -> None:
        values: dict[str, Any] = {} if row.pk else {"identity": cells["identity"]}
        wrong: list[str] = []
        for name, cell in cells.items():
            if name == "identity":
                continue
            try:
                values[FIELDS.get(name, name)] = self._value(name, cell)
            except ValueError as error:
                wrong.append(f"{name}: {error}")
        try:
            values = checked(values, row)
        except ValidationError as error:
            wrong += [f"{name}: {' '.join(said)}" for name, said in error.message_dict.items()]
        for text in wrong:
            self._wrong(number, text)
        if wrong:
            return
        line = Line(number, row, is_new=row.pk is None)
        for name, value in values.items():
            was = getattr(row, name)
            if was != value:
                line.changes[name] = was, value
                setattr(row, name, value)
        if line.changes or line.is_new:
            self._read.lines.append(line)
        else:
            self._read.same += 1

    def _value(self, name: str, cell: str) -> Any:
        if name == "notes":
            return _short(cell, LONGEST_NOTES)
        text = cell.strip()
        if name == "site":
            if text and text.lower() not in self._sites:
                raise ValueError(f"there is no site {text!r}")
            if not text and is_limited(self._who):
                raise ValueError(NO_SITE)
            return self._sites.get(text.lower())
        if name in FIELDS:
            return _number(text)
        if name == "authorization":
            return _rule(text)
        return _short(text, 100 if name == "name" else 64)

    def _wrong(self, number: int, text: str) -> None:
        self._read.problems.append(f"line {number}: {text}")


def _known(keys: set[str], who: Who, lock: bool) -> Iterator[tuple[str, ChargePoint]]:
    rows = ChargePoint.objects.all() if who is None else visible(ChargePoint.objects.all(), who)
    wanted = sorted(keys)
    for start in range(0, len(wanted), BATCH):
        found = rows.annotate(key=Lower("identity")).filter(key__in=wanted[start : start + BATCH])
        if lock:
            found = found.select_for_update(of=("self",), no_key=True)
        for row in found.select_related("site").order_by("pk"):
            yield row.identity.lower(), row


def _columns(heading: list[str]) -> list[str]:
    names = ["_".join(cell.strip().lower().replace("_", " ").split()) for cell in heading]
    if unknown := [name for name in names if name not in (*COLUMNS, *REPORTED)]:
        raise BadFile(
            f"unknown column “{unknown[0]}”: the first line names the columns, which are "
            f"{', '.join(COLUMNS)}"
        )
    if "identity" not in names:
        raise BadFile("the first line names no column identity")
    for name in names:
        if names.count(name) > 1:
            raise BadFile(f"two columns are called {name}: delete one")
    return names


def _cells(reader: Any, names: list[str], read: Read) -> list[tuple[int, dict[str, str]]]:
    found: list[tuple[int, dict[str, str]]] = []
    before = reader.line_num
    for cells in reader:
        number, before = before + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(found) >= MOST_LINES:
            raise BadFile(f"the file has more than {MOST_LINES:,} lines: split it")
        if len(cells) != len(names):
            said = f"{len(cells)} values where the first line has {len(names)}"
            read.problems.append(f"line {number}: {said}")
            continue
        plain = {
            name: plain_cell(cell)
            for name, cell in zip(names, cells, strict=True)
            if name in COLUMNS
        }
        if "\0" in "".join(cells):
            read.problems.append(f"line {number}: a NUL character can't be stored")
            continue
        plain["identity"] = plain["identity"].strip()
        found.append((number, plain))
    return found


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= LARGEST):
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(text)


def _rule(text: str) -> str:
    if text and text.lower() not in Authorization.values:
        raise ValueError(
            f"{text[:40]!r} is none of {', '.join(Authorization.values)} (empty: the site's rule)"
        )
    return text.lower()


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise ValueError(f"it has {len(text):,} characters; at most {most:,} fit")
    return text


def _shown(value: Any) -> str:
    return "none" if value in (None, "") else str(value)


def _noted(line: Line) -> Noted:
    names = [name for name in line.changes if name != "notes"]
    return Noted(
        line.row,
        f"changed by a CSV import: {', '.join(line.changes)}",
        {name: _kept(line.changes[name][0]) for name in names},
        {name: _kept(line.changes[name][1]) for name in names},
    )


def _kept(value: Any) -> Any:
    return value.name if isinstance(value, Site) else value
