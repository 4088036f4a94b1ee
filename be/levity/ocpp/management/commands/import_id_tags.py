"""`manage.py import_id_tags`: tags from a CSV file."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from levity.explained import ExplainedCommand, add_csv_file, read_file
from levity.ocpp.decisions.id_tags import import_tags
from levity.ocpp.decisions.id_tags_import import Imported
from levity.ocpp.decisions.spreadsheet_files import COLUMNS, BadFile

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


class Command(ExplainedCommand):
    """All or nothing, unless told otherwise."""

    help = "Import id tags from CSV. Nothing is imported if any line is wrong."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        add_csv_file(parser)
        parser.add_argument("--update", action="store_true", help="update existing tags")
        parser.add_argument(
            "--skip-errors", action="store_true", help="import the valid lines anyway"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            imported = self._import(options)
        except BadFile as error:
            raise CommandError(f"{options['file']}: {error}") from error
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
        return import_tags(read_file(options["file"]), None, **rules)
