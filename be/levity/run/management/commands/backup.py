"""`levity backup FILE`: a copy of the database while Levity runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.run.backups import BackupError, back_up

__all__ = ["Command"]


class Command(BaseCommand):
    """Everything is in it, passwords of chargers (hashed) and id tags too: keep it as a secret."""

    help = (
        "Back up the database to a new file while Levity runs, and check the copy. Works with "
        "SQLite, and with Postgres if pg_dump is installed. `levity restore` restores it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the backup file; must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            size = back_up(options["file"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {size / 1e6:.1f} MB")
