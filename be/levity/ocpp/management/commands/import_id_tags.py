"""`manage.py import_id_tags`: tags from a CSV file."""

import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.id_tags import COLUMNS, BadFile, Imported, import_lines

__all__ = ["Command"]

EXAMPLES = f"""\
columns (the first line names them; only id_tag is needed):
  {",".join(COLUMNS)}
  status is Accepted, Blocked or Recorded; expires_at a date or an ISO time; charge_points are
  identities separated by ";" (none: everywhere); case does not count

examples:
  import_id_tags tags.csv --dry-run
  import_id_tags tags.csv --update
  export_id_tags | ssh other levity import_id_tags -
"""


class Command(BaseCommand):
    """All or nothing, unless told otherwise."""

    help = "Import id tags from CSV. Nothing is imported if any line is wrong."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs.setdefault("epilog", EXAMPLES)
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help='CSV in UTF-8; "-" is standard input')
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--update", action="store_true", help="change tags that are known")
        parser.add_argument(
            "--skip-errors", action="store_true", help="import the good lines all the same"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            imported = self._import(options)
        except (OSError, BadFile, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        for problem in imported.problems:
            self.stderr.write(str(problem))
        what = f"{imported.created} new, {imported.updated} changed"
        if imported.done:
            self.stdout.write(f"imported: {what}, {len(imported.problems)} lines skipped")
        elif options["dry_run"]:
            self.stdout.write(f"would be imported: {what}; {len(imported.problems)} wrong")
        if imported.problems and not options["skip_errors"]:
            raise CommandError("nothing was imported: mend the lines named above")

    def _import(self, options: dict[str, Any]) -> Imported:
        rules = {name: options[name] for name in ("update", "skip_errors", "dry_run")}
        if options["file"] == "-":
            return import_lines(sys.stdin, **rules)
        with Path(options["file"]).open(encoding="utf-8-sig", newline="") as file:
            return import_lines(file, **rules)
