"""`levity backup FILE`: a copy of the database while Levity runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.run.backups import BackupError, back_up, check

__all__ = ["Command"]


class Command(BaseCommand):
    """Everything is in it, passwords of chargers (hashed) and id tags too: keep it as a secret."""

    help = (
        "Back up the database to a new file while Levity runs, and read the copy back. Works with "
        "SQLite, and with Postgres if pg_dump is installed. `levity restore` restores it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="the backup file; must not exist yet, but for --check"
        )

        parser.add_argument(
            "--check", action="store_true", help="only read a backup that was made before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            copy = check(options["file"]) if options["check"] else back_up(options["file"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {copy}, read back and whole")
