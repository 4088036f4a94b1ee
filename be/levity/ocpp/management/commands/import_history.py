"""`manage.py import_history`: past sessions of another system from a CSV file."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import CommandError, CommandParser

from levity.explained import ExplainedCommand, add_csv_file, read_file
from levity.ocpp.decisions.history import Imported, import_history
from levity.ocpp.decisions.history_csv import COLUMNS
from levity.ocpp.decisions.spreadsheet_files import BadFile

__all__ = ["Command"]

SHOWN = 100
EXAMPLES = f"""\
columns (the first line names them):
  {",".join(COLUMNS)}
  needed: charge_point (the identity of one that is known), started_at, stopped_at, and either
  energy_kwh (or energy_wh), or meter_start and meter_stop in Wh. Times as 2026-11-03 18:05:00, in
  the time zone ZONE or else in that of the charge point's site, or with an offset: +01:00

A second run of the same file adds nothing. Imported sessions have the flag “imported” and are not
billed unless a person decides so. Queries for SteVe and an earlier Levity: docs/history.md

examples:
  import_history sessions.csv --dry-run
  import_history sessions.csv --tz UTC --skip-errors
"""


class Command(ExplainedCommand):
    """Nothing is written if a line is wrong, unless told otherwise."""

    help = "Import past sessions from CSV. Nothing is imported if any line is wrong."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        add_csv_file(parser)
        parser.add_argument("--tz", metavar="ZONE", help="of times without an offset")
        parser.add_argument(
            "--skip-errors", action="store_true", help="import the valid lines anyway"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, zone = options["file"], options["tz"]
        try:
            imported = import_history(
                read_file(name),
                None,
                zone=ZoneInfo(zone) if zone else None,
                skip_errors=options["skip_errors"],
                dry_run=options["dry_run"],
                progress=self._progress,
            )
        except (ZoneInfoNotFoundError, ValueError):
            raise CommandError(f"{zone!r} is no time zone: give one like Europe/Berlin") from None
        except BadFile as error:
            raise CommandError(f"{name}: {error}") from error
        self._tell(imported, is_trial=options["dry_run"])
        if imported.problems and not options["skip_errors"]:
            raise CommandError(
                "nothing was imported: correct the lines listed above, or use --skip-errors"
            )

    def _tell(self, imported: Imported, *, is_trial: bool) -> None:
        for note in imported.notes:
            self.stderr.write(note)
        for problem in imported.problems[:SHOWN]:
            self.stderr.write(str(problem))
        if (more := len(imported.problems) - SHOWN) > 0:
            self.stderr.write(f"and {more} more lines that are wrong")
        what = f"{imported.added} sessions, {imported.wh / 1000:,.3f} kWh"
        if imported.first and imported.last:
            what += f", from {imported.first:%Y-%m-%d} to {imported.last:%Y-%m-%d}"
        what += f"; {imported.known} were recorded already, {len(imported.problems)} lines wrong"
        if imported.done:
            self.stdout.write(f"imported: {what}")
        elif is_trial:
            self.stdout.write(f"would be imported: {what}")

    def _progress(self, done: int, of: int) -> None:
        self.stderr.write(f"{done} of {of} sessions")
