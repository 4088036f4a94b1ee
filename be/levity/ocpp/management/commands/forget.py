"""`levity forget`: a person who must be forgotten."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.forgetting import forget

__all__ = ["Command"]

QUESTION = "Replace it everywhere? This cannot be undone [y/N] "


class Command(BaseCommand):
    """Asks before it does anything, for nobody can undo it."""

    help = (
        "Replace an id tag with a pseudonym in sessions, messages (packed ones, too), commands, "
        "quarantine, the audit and the list of id tags, and delete its owner and notes. Sessions "
        "and their energy are kept. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id_tag", metavar="ID_TAG")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be changed")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        id_tag = options["id_tag"]
        try:
            would = forget(id_tag, None, dry_run=True)
            self._say(would.counts)
            if options["dry_run"]:
                return
            if not any(would.counts.values()):
                raise CommandError(f"{id_tag} was not found anywhere; nothing was changed")
            if not options["yes"] and input(QUESTION).lower() not in ("y", "yes"):
                raise CommandError("nothing was changed")
            done = forget(id_tag, None)
        except Refused as refused:
            raise CommandError(f"{refused.sentence} Nothing was changed.") from refused
        self.stdout.write(f"it is {done.pseudonym} now")

    def _say(self, counts: dict[str, int]) -> None:
        for what, count in counts.items():
            self.stdout.write(f"{what}: {count:,}")
