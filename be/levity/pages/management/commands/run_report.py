"""`manage.py run_report`: what happened in a period, as CSV on standard output."""

import csv
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.module_loading import import_string

from levity.explained import ExplainedCommand
from levity.ocpp.models import Transaction
from levity.pages.chargers.csv_export import rows_of
from levity.pages.chargers.owners import with_owner
from levity.pages.kit import hooks

__all__ = ["Command"]

SESSIONS = "transaction"
EPILOG = """\
START is included, END is not: for all of November, give 2026-11-01 and 2026-12-01. Both are dates,
or times such as 2026-11-01T06:00, in the time zone ZONE; local times in the report are, too.

transaction: a row for each session that began then, with the columns of the CSV of the page
Transactions. The others are those of the page Reports, of whole days: energy, sessions, duration
and amounts by charger, resident (household), tag or month; availability and faults by charger.

examples:
  run_report transaction 2026-11-01 2026-12-01 --tz Europe/Berlin > november.csv
  run_report resident 2026-11-01 2026-12-01 --tz Europe/Berlin
  run_report transaction 2026-11-30T00:00 2026-11-30T12:00 --charge-point garage-1
"""


class Command(ExplainedCommand):
    """It only reads."""

    help = "Print a report as CSV: a row for each session that began in a period, or sums of them."
    examples = EPILOG

    def add_arguments(self, parser: CommandParser) -> None:
        choices = [SESSIONS, *hooks.reports()]
        parser.add_argument("report", choices=choices, help="what the rows are")
        parser.add_argument("start", metavar="START", help="such as 2026-11-01")
        parser.add_argument("end", metavar="END", help="such as 2026-12-01; not included")
        parser.add_argument(
            "--tz",
            metavar="ZONE",
            help=f"such as Europe/Berlin [{timezone.get_default_timezone_name()}]",
        )
        parser.add_argument("--charge-point", metavar="X", help="only this one (its identity)")
        parser.add_argument("--output", metavar="FILE", help="where to write it [standard output]")

    def handle(self, *args: Any, **options: Any) -> None:
        zone = _zone(options["tz"])
        start, end = (_moment(options[name], zone) for name in ("start", "end"))
        if start >= end:
            raise CommandError("START must be before END, which is not included")
        name, identity = options["report"], options["charge_point"]
        if name == SESSIONS:
            rows, what = _sessions(start, end, zone, identity), "session"
        elif identity:
            raise CommandError("--charge-point is for the report of sessions only")
        else:
            make, what = import_string(hooks.reports()[name]), "row"
            try:
                rows = iter(list(make(name, start, end, zone)))
            except ValueError as error:
                raise CommandError(str(error)) from error
        if options["output"]:
            try:
                with Path(options["output"]).open("w", encoding="utf-8", newline="") as file:
                    count = _write(rows, file)
            except OSError as error:
                raise CommandError(f"{options['output']}: {error.strerror}") from error
        else:
            count = _write(rows, self.stdout or sys.stdout)
        self.stderr.write(f"{count} {what}{'' if count == 1 else 's'}")


def _sessions(
    start: datetime, end: datetime, zone: tzinfo, identity: str | None
) -> Iterator[list[str]]:
    found = Transaction.objects.filter(started_at__gte=start, started_at__lt=end)
    if identity:
        found = found.filter(charge_point__identity__iexact=identity)
    return rows_of(with_owner(found.order_by("started_at", "pk"), None), zone)


def _write(rows: Iterator[list[str]], file: Any) -> int:
    writer = csv.writer(file)
    count = -1
    for row in rows:
        writer.writerow(row)
        count += 1
    return count


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return timezone.get_default_timezone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"{name!r} is no time zone: give one like Europe/Berlin") from None


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        if len(text) == len("2026-11-01"):
            return datetime.combine(date.fromisoformat(text), time(), zone)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no date such as 2026-11-01, and no time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
