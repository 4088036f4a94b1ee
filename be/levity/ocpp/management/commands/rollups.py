"""`levity rollups`: sessions by the hour, which the overview adds up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from levity.ocpp.models import SessionHour, Transaction
from levity.ocpp.store.hours import count_all, waiting

__all__ = ["Command"]


class Command(BaseCommand):
    """Says how it stands; counts all again if told to."""

    help = (
        "Show how far the hourly sums behind the overview are, and with --recount count all "
        "sessions again, from their meter values. A worker does it for the sessions that change; "
        "a recount changes nothing unless the sums were wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and from where."""
        parser.add_argument("--recount", action="store_true", help="count all sessions again")
        parser.add_argument(
            "--after",
            type=int,
            default=0,
            metavar="NUMBER",
            help="only sessions with a higher number: goes on after an interruption",
        )

    def handle(self, *args: Any, recount: bool, after: int, **options: Any) -> None:
        """Do it."""
        if not recount:
            changed, running = waiting(timezone.now())
            self.stdout.write(
                f"{SessionHour.objects.count():,} hours of sessions are counted; waiting: "
                f"{changed:,} changes, {running:,} running sessions."
            )
            return
        total = Transaction.objects.filter(pk__gt=after).count()
        done = 0
        for last, count in count_all(timezone.now(), after):
            done += count
            if done % 1_000 < count or done == total:
                self.stdout.write(f"{done:,} of {total:,} sessions, up to #{last}")
                self.stdout.flush()
        self.stdout.write(f"Counted {done:,} sessions.")
