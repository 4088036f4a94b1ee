"""`manage.py import_id_tags`: tags from a CSV file."""

import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.decisions.id_tag_files import COLUMNS, BadFile
from levity.ocpp.decisions.id_tags import import_tags
from levity.ocpp.decisions.id_tags_import import Imported

__all__ = ["Command"]

EXAMPLES = f"""\
columns (the first line names them; only id_tag is needed):
  {",".join(COLUMNS)}
  status is Accepted, Blocked or Recorded; expires_at a date (2030-12-31, 31.12.2030) or an ISO
  time; charge_points are identities separated by ";" (none: everywhere); case does not count.
  The names of SteVe and other systems are understood, too, and a plain list of cards

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
        parser.add_argument("file", help='CSV as Excel saves it; "-" is standard input')
        parser.add_argument("--dry-run", action="store_true", help="only report what would be done")
        parser.add_argument("--update", action="store_true", help="update existing tags")
        parser.add_argument(
            "--skip-errors", action="store_true", help="import the valid lines anyway"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            imported = self._import(options)
        except (OSError, BadFile) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise CommandError(f"{options['file']}: {why}") from error
        for note in imported.notes:
            self.stderr.write(note)
        for problem in imported.problems:
            hint = " (--update changes it)" if problem.is_known else ""
            self.stderr.write(f"{problem}{hint}")
        what = f"{imported.created} new, {imported.updated} changed"
        if imported.done:
            self.stdout.write(f"imported: {what}, {len(imported.problems)} lines skipped")
        elif options["dry_run"]:
            self.stdout.write(f"would be imported: {what}; {len(imported.problems)} wrong")
        if imported.problems and not options["skip_errors"]:
            raise CommandError("nothing was imported: correct the lines listed above")

    def _import(self, options: dict[str, Any]) -> Imported:
        rules = {name: options[name] for name in ("update", "skip_errors", "dry_run")}
        if options["file"] == "-":
            return import_tags(sys.stdin.buffer.read(), None, **rules)
        return import_tags(Path(options["file"]).read_bytes(), None, **rules)
