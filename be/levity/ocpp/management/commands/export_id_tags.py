"""`manage.py export_id_tags`: all tags as CSV, as `import_id_tags` reads them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models.functions import Lower

from levity.ocpp.decisions.id_tags_csv import export_lines
from levity.ocpp.models import IdTag

__all__ = ["Command"]


class Command(BaseCommand):
    """Safe to open in a spreadsheet."""

    help = "Export the id tags as CSV, to a file or standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="[standard output]")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = export_lines(IdTag.objects.order_by(Lower("id_tag")))
        if not options["file"]:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        count = -1
        try:
            with Path(options["file"]).open("w", encoding="utf-8", newline="") as file:
                for line in lines:
                    file.write(line)
                    count += 1
        except OSError as error:
            raise CommandError(f"{options['file']}: {error}") from error
        self.stdout.write(f"{count} id tags in {options['file']}")
