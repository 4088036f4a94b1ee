"""`levity restore FILE`: restore a backup, without assigning a transactionId twice."""

import sys
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from levity.run.backups import BackupError, Settled, restore, settle
from levity.run.cannot_open import CannotOpen
from levity.run.holding import HeldByAnother, holding
from levity_ws.logs import visible

__all__ = ["Command"]

# Sessions that are named one by one.
NAMED = 20


class Command(BaseCommand):
    """Stop Levity first. The old SQLite file is kept next to the new one."""

    help = (
        "Restore the database from a backup made by `levity backup`; everything since then is "
        "lost. Migrates it to this release, advances the transactionId counter past every number "
        "that may have been assigned since, and cancels waiting commands."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("file", type=Path, nargs="?", help="a file written by `levity backup`")
        which.add_argument(
            "--done",
            action="store_true",
            help="the database was already restored with pg_restore: only do the remaining steps",
        )
        parser.add_argument(
            "--gap",
            type=int,
            help="how many transactionIds to skip [enough for all sessions that can have started]",
        )
        parser.add_argument(
            "--no-input", "--noinput", action="store_true", help="do not ask for confirmation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["gap"] is not None and options["gap"] < 0:
            raise CommandError("--gap: must be a number, 0 or more")
        self._ask(options)
        try:
            # Exclusively: a process that uses the old database would continue to use it.
            with holding("levity restore", alone=True):
                settled = self._restored(options)
        except HeldByAnother as error:
            raise CommandError(f"{error} To restore, stop Levity first.") from error
        except (BackupError, CannotOpen, OSError) as error:
            raise CommandError(str(error)) from error
        newest = f"{settled.newest:%Y-%m-%d %H:%M:%S %Z}" if settled.newest else "nothing"
        self.stdout.write(
            f"Restored. Its newest entry: {newest}. The next transactionId is "
            f"{settled.next_transaction}; {settled.cancelled} waiting commands were cancelled."
        )
        if settled.campaigns:
            self.stdout.write(
                f"Paused: {settled.campaigns} firmware campaigns. Chargers may have installed "
                "since the backup what a campaign would send them again: check, then resume or "
                "cancel it."
            )
        for sentence in settled.numbers:
            self.stdout.write(sentence)
        self._say_what_is_uncertain(settled)
        self.stdout.write("Start Levity now.")

    def _say_what_is_uncertain(self, settled: Settled) -> None:
        if settled.newest is None:
            return
        count = len(settled.running)
        if count:
            some = ", ".join(visible(each) for each in settled.running[:NAMED])
            more = f" and {count - NAMED:,} more" if count > NAMED else ""
            self.stdout.write(
                f"{count:,} session{' was' if count == 1 else 's were'} running then and may be "
                f"uncertain, because what came after the backup is missing: {some}{more}."
            )
        self.stdout.write(
            "Sessions that began after the backup was made are not in it: messages of theirs that "
            "still arrive go to the quarantine. The overview links to both for two weeks."
        )

    def _restored(self, options: dict[str, Any]) -> Settled:
        if options["file"]:
            kept = restore(options["file"])
            if kept is not None:
                self.stdout.write(f"The previous database was kept as {kept}")
        call_command("migrate", verbosity=0, interactive=False)
        return settle(timezone.now(), options["gap"])

    def _ask(self, options: dict[str, Any]) -> None:
        if options["no_input"] or options["done"] or not sys.stdin.isatty():
            return
        answer = input("Everything since that backup will be lost. Is Levity stopped? [yes/no] ")
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("nothing was changed")
