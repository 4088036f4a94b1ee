"""The lines of a CSV file of past sessions: read, with every wrong one named.

Names of columns are understood as other systems spell them; numbers as spreadsheets do.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from levity.ocpp.decisions.id_tag_values import spoiled_by_a_spreadsheet
from levity.ocpp.decisions.id_tags_csv import Problem
from levity.ocpp.decisions.spreadsheet_cells import plain_cell, tag_in_cell
from levity.ocpp.decisions.spreadsheet_files import BadFile, decode, delimiter_of
from levity.ocpp.models import ChargePoint
from levity.ocpp.wire.fields import zone_of
from levity_ws.frozen import frozen

__all__ = ["COLUMNS", "MOST_LINES", "PastSession", "ReadHistory", "read_history"]

COLUMNS = (
    *("charge_point", "connector", "id_tag", "started_at", "stopped_at", "meter_start"),
    *("meter_stop", "energy_wh", "energy_kwh", "stop_reason", "number"),
)
NEEDED = ("charge_point", "started_at", "stopped_at")
# Letters and digits alone, in lower case.
OTHER_NAMES = {
    "charge_point": "chargepoint chargepointid chargeboxid chargebox charger identity station",
    "connector": "connectorid connectornumber outlet",
    "id_tag": "idtag tag idtoken card rfid uid",
    "started_at": "start starttime starttimestamp started begin startutc startedutc",
    "stopped_at": "stop end endtime stoptime stoptimestamp stopped stoputc stoppedutc",
    "meter_start": "startvalue meterstartwh registerstart",
    "meter_stop": "stopvalue meterstopwh registerstop meterend",
    "energy_wh": "wh energywh",
    "energy_kwh": "kwh energykwh energycharged consumption",
    "stop_reason": "reason",
    "number": "id transaction transactionid transactionpk session sessionid",
}
NAMES = {
    **{name.replace("_", ""): name for name in COLUMNS},
    **{word: name for name, words in OTHER_NAMES.items() for word in words.split()},
}
# What databases print where there is no value.
UNKNOWN = ("NULL", "\\N")
MOST_LINES = 200_000
MOST_CONNECTOR = 2**31 - 1
MOST_WH = Decimal(10) ** 14
FIRST_YEAR = 2000
LONGEST = timedelta(days=366)
DIGITS = 22


@frozen
class PastSession:
    """What a line says; Wh, and times with a zone."""

    line: int
    charge_point: ChargePoint
    connector: int | None
    id_tag: str
    started_at: datetime
    stopped_at: datetime
    meter_start: Decimal | None
    meter_stop: Decimal | None
    energy: Decimal
    stop_reason: str
    number: str
    """What the other system called it."""

    @property
    def has_registers(self) -> bool:
        """The meter at both ends is known, and says the energy."""
        return self.meter_start is not None and self.meter_stop is not None


class ReadHistory:
    """What a file says: good lines, what is wrong with the others, and what was assumed."""

    def __init__(self) -> None:
        self.sessions: list[PastSession] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []


def read_history(data: bytes, zone: tzinfo | None) -> ReadHistory:
    """All lines. Times without an offset are in `zone`, or else in that of the charger's site.
    Raises `BadFile` where it is no such file at all."""
    read = ReadHistory()
    decoded = decode(data)
    if decoded.note:
        read.notes.append(str(decoded.note))
    first, _, _ = decoded.text.partition("\n")
    rows = csv.reader(io.StringIO(decoded.text, newline=""), delimiter=delimiter_of(first))
    try:
        names = _columns(next(rows, []), read.notes)
        chargers = {row.identity.lower(): row for row in ChargePoint.objects.select_related("site")}
        before = rows.line_num
        for count, cells in enumerate(rows):
            number, before = before + 1, rows.line_num
            if count >= MOST_LINES:
                raise BadFile(f"the file has more than {MOST_LINES:,} lines: split it")
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                said = f"{len(cells)} values where the first line has {len(names)}"
                read.problems.append(Problem(number, said))
                continue
            try:
                line = dict(zip(names, cells, strict=True))
                read.sessions.append(_session(number, line, chargers, zone))
            except ValueError as error:
                read.problems.append(Problem(number, str(error)))
    except csv.Error as error:
        raise BadFile(f"this is no CSV: {error}") from error
    return read


def _columns(cells: list[str], notes: list[str]) -> list[str]:
    words = ["".join(filter(str.isalnum, cell)).lower() for cell in cells]
    found = [NAMES.get(word, "") for word in words]
    if lacking := [name for name in NEEDED if name not in found]:
        raise BadFile(
            f"the first line must name the columns; there is none for {', '.join(lacking)}. Known "
            f"are: {', '.join(COLUMNS)}"
        )
    if twice := next((name for name in found if name and found.count(name) > 1), None):
        raise BadFile(f"two columns mean {twice}: delete one")
    pairs = zip(cells, found, strict=True)
    if unknown := [f"“{cell.strip()[:40]}”" for cell, name in pairs if not name]:
        notes.append(f"Columns that are not known are left out: {', '.join(unknown)}.")
    return found


def _session(
    number: int,
    cells: Mapping[str, str],
    chargers: Mapping[str, ChargePoint],
    zone: tzinfo | None,
) -> PastSession:
    """Raises ValueError with what is wrong, and what to do."""
    said = {name: plain_cell(cell).strip() for name, cell in cells.items() if name}
    said = {name: "" if text in UNKNOWN else text for name, text in said.items()}
    if any("\0" in text for text in said.values()):
        raise ValueError("there is a NUL character in it")
    charger = chargers.get(said["charge_point"].lower())
    if charger is None:
        raise ValueError(
            f"no charge point {said['charge_point'][:60]!r}: add it first (“levity charge_points”)"
        )
    where = zone or _zone_of(charger)
    started_at = _moment("started_at", said["started_at"], where)
    stopped_at = _moment("stopped_at", said["stopped_at"], where)
    if stopped_at < started_at:
        raise ValueError("it stopped before it started")
    if stopped_at - started_at > LONGEST:
        raise ValueError("it lasted more than a year: is one of the times wrong?")
    if stopped_at > timezone.now():
        raise ValueError("it stopped in the future: past sessions only")
    return PastSession(
        number,
        charger,
        _connector(said.get("connector", "")),
        _id_tag(cells.get("id_tag", "")),
        started_at,
        stopped_at,
        *_energy(said),
        said.get("stop_reason", "")[:64],
        said.get("number", "")[:40],
    )


def _zone_of(charger: ChargePoint) -> tzinfo:
    named = charger.site.time_zone if charger.site else ""
    return (zone_of(named) if named else None) or timezone.get_default_timezone()


def _moment(name: str, text: str, zone: tzinfo) -> datetime:
    """ISO 8601, also with a blank, as databases write it."""
    if not text:
        raise ValueError(f"there is no {name}: only sessions that are over can be imported")
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year < 9000:
        raise ValueError(f"{name} {text[:40]!r} is no time such as 2026-11-03 18:05:00+01:00")
    if timezone.is_aware(found):
        return found.astimezone(UTC)
    first, second = (found.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        night = "comes twice or not at all in the night in which the clock is changed"
        raise ValueError(f"{name} {text!r} {night}: write it with its offset, such as +01:00")
    return first.astimezone(UTC)


def _connector(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) <= MOST_CONNECTOR):
        raise ValueError(f"connector {text[:20]!r} is no number from 1")
    return int(text)


def _id_tag(cell: str) -> str:
    found = tag_in_cell(cell)
    if spoiled_by_a_spreadsheet(found.strip()):
        raise ValueError(
            f"id tag {found!r} has lost its last digits in a spreadsheet: format the column as "
            "text and export it again"
        )
    if len(found) > 255:
        raise ValueError("an id tag has at most 255 characters")
    return found


def _energy(said: Mapping[str, str]) -> tuple[Decimal | None, Decimal | None, Decimal]:
    """(meter at the start, at the stop, energy), Wh."""
    start, stop = (_number(name, said.get(name, "")) for name in ("meter_start", "meter_stop"))
    wh, kwh = (_number(name, said.get(name, "")) for name in ("energy_wh", "energy_kwh"))
    if wh is None and kwh is not None:
        wh = kwh * 1000
    if start is None or stop is None:
        if wh is None:
            raise ValueError(
                "there is neither energy_kwh (or energy_wh) nor the meter at both ends"
            )
        stop = None
    elif stop < start:
        raise ValueError("the meter at the stop is below the one at the start")
    elif wh is None:
        wh = stop - start
    elif abs(stop - start - wh) > 1000:
        raise ValueError(
            f"the meter says {stop - start} Wh, and energy {wh} Wh: correct one, or leave it out"
        )
    if wh < 0:
        raise ValueError("the energy is below zero")
    return start, stop, wh


def _number(name: str, text: str) -> Decimal | None:
    if not text:
        return None
    try:
        bare = text.removeprefix("-").replace(",", ".", 1).replace(".", "", 1)
        if not (bare.isascii() and bare.isdigit() and len(bare) <= DIGITS):
            raise InvalidOperation
        found = Decimal(text.replace(",", ".")).quantize(Decimal("0.001"))
    except InvalidOperation:
        raise ValueError(
            f"{name} {text[:30]!r} is no number such as 12.345 (without signs for thousands)"
        ) from None
    if abs(found) >= MOST_WH:
        raise ValueError(f"{name} {text[:30]!r} is too large")
    return found


def by_charger(sessions: list[PastSession]) -> Iterator[list[PastSession]]:
    """Those of one charge point together, in the order of time."""
    found: dict[int, list[PastSession]] = {}
    for session in sessions:
        found.setdefault(session.charge_point.pk, []).append(session)
    for mine in found.values():
        yield sorted(mine, key=lambda session: (session.started_at, session.line))
