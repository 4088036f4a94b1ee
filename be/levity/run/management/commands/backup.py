"""`levity backup FILE`: a copy of the database while Levity runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.run.backups import BackupError, back_up

__all__ = ["Command"]


class Command(BaseCommand):
    """Everything is in it, passwords of chargers (hashed) and id tags too: keep it as a secret."""

    help = (
        "Write a copy of the database to a new file, whole and checked, while Levity runs. "
        "SQLite, or Postgres where pg_dump is installed. `levity restore` is the way back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            size = back_up(options["file"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {size / 1e6:.1f} MB")
