"""`levity storage`: what is kept where, how much it is, and for how long."""

import shutil
import time
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from levity.installation import data_dir
from levity.ocpp.conf import setting
from levity.ocpp.store.growth import bytes_a_day
from levity.ocpp.store.inventory import Inventory, Part, inventory, kept_elsewhere
from levity.ocpp.store.waiting import Waiting, waiting

__all__ = ["Command"]

MANY = 5_000
"""Rows that a worker packs within seconds are not worth an estimate."""
PACE_SECONDS = 12
"""Longer than a worker's pause while chargers send."""
_YEAR = 365
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


class Command(BaseCommand):
    """Reads; changes nothing."""

    help = (
        "List what the database keeps: messages and meter values, recent ones and packed ones, "
        "sessions; how much of each, from when to when, its size on the disk, and how long it is "
        "kept. On a large SQLite file this takes some seconds."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = inventory()
        self.stdout.write(f"Database: {_where()}, {_bytes(found.size)}{_free(found)}")
        self.stdout.write("")
        for line in _table(found):
            self.stdout.write(line)
        self.stdout.write("")
        for line in _kept():
            self.stdout.write(line)
        if growth := _growth(found):
            self.stdout.write(growth)
        for _, said in kept_elsewhere.send(sender=None):
            if said:
                self.stdout.write(said)
        self._say_what_waits()

    def _say_what_waits(self) -> None:
        left = waiting(timezone.now())
        if not left.rows:
            return
        self.stdout.write("")
        self.stdout.write(f"Waiting to be packed: {_waits(left)}.")
        if left.rows < MANY:
            return
        self.stdout.write(f"Looking how fast that goes takes {PACE_SECONDS} s ...")
        self.stdout.flush()
        time.sleep(PACE_SECONDS)
        moved = left.rows - waiting(timezone.now()).rows
        self.stdout.write(_pace(left.rows - moved, moved))


def _waits(left: Waiting) -> str:
    counts = (
        (left.exchanges, "exchanges"),
        (left.meter_values, "meter values"),
        (left.samples, "samples of an earlier release"),
    )
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def _pace(left: int, moved: int) -> str:
    if moved <= 0:
        return (
            "Nothing was packed meanwhile. A worker (serve, consume_rpc_queue) does it, from a "
            "minute after its start."
        )
    an_hour = moved * 3600 / PACE_SECONDS
    minutes = max(1, round(left / an_hour * 60))
    plural = "s" * (minutes != 1)
    return f"At this pace ({an_hour:,.0f} an hour) it takes about {minutes} minute{plural} more."


def _where() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['NAME']} on {settings['HOST'] or 'this machine'}"


def _free(found: Inventory) -> str:
    return f" ({_bytes(found.free)} of it free for new rows)" if found.free else ""


def _table(found: Inventory) -> list[str]:
    rows = [("", "how many", "from", "to", "size", "each")]
    rows += [_row(part) for part in found.parts]
    rest = "?" if found.rest is None else _bytes(found.rest)
    rows.append(("everything else", "", "", "", rest, ""))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    ]


def _row(part: Part) -> tuple[str, str, str, str, str, str]:
    size = "?" if part.size is None else _bytes(part.size)
    each = "" if part.each is None else f"{part.each:.0f} bytes"
    count = f"{part.count:,} {part.unit}"
    return part.name, count, _day(part.first), _day(part.last), size, each


def _day(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}" if moment else ""


def _kept() -> list[str]:
    days, rows = setting("OCPP_MESSAGE_RETENTION_DAYS"), setting("OCPP_MESSAGE_ROW_DAYS")
    years = setting("OCPP_LEDGER_FRAMES_YEARS")
    packed = f"packed after {_days(rows)}" if rows else "never packed"
    messages = f"deleted after {_days(days)}" if days else "never deleted"
    lines = [f"Messages are {packed} and {messages} (OCPP_MESSAGE_RETENTION_DAYS)."]
    if days:
        kept = f"for {years} years" if years else "for ever"
        lines.append(
            f"Those behind the figures of sessions stay {kept} (OCPP_LEDGER_FRAMES_YEARS)."
        )
    lines.append("Sessions and their meter values are never deleted.")
    return lines


def _growth(found: Inventory) -> str:
    """How fast it grows and, where the disk is this machine's, for how long that is good."""
    a_day = bytes_a_day(found)
    if a_day is None:
        return ""
    said = f"It grows by about {_bytes(a_day)} a day, as in the last days that are packed"
    if connection.vendor != "sqlite":
        return f"{said}."
    free = found.free + shutil.disk_usage(data_dir()).free
    return f"{said}: the {_bytes(free)} that are free are enough for {_for(free / a_day)}."


def _for(days: float) -> str:
    if days >= 2 * _YEAR:
        return f"{days / _YEAR:.0f} years" if days < 100 * _YEAR else "more than 100 years"
    return _days(int(days))


def _days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


def _bytes(size: float) -> str:
    for factor, unit in _UNITS:
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"
