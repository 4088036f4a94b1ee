"""`manage.py replay_failed`: take parked frames again, once what they failed at is fixed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from levity.ocpp.changes import missed, tell_again
from levity.ocpp.models import FailedMessage
from levity.ocpp.worker.pipeline import Pipeline
from levity.ocpp.worker.replay import take_again

__all__ = ["Command"]


class Command(BaseCommand):
    """Idempotent: what is already recorded (a transaction, say) is found, not made twice."""

    help = (
        "Process failed messages again. They are recorded with their original time; the charger, "
        "which was answered then, is not notified."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids", nargs="*", type=int, help="ids of failed messages [all open ones]"
        )
        parser.add_argument("--dry-run", action="store_true", help="only list the messages")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = FailedMessage.objects.filter(replayed_at__isnull=True).order_by("received_at")
        if options["ids"]:
            failed = failed.filter(pk__in=options["ids"])
        pipeline = Pipeline()
        done = again = 0
        for item in failed.iterator():
            label = f"{item.pk}: {item.identity} {item.action} of {item.received_at:%F %T} UTC"
            if options["dry_run"]:
                self.stdout.write(label)
                continue
            why = take_again(item, pipeline, None)
            self.stdout.write(f"{label}: failed again: {why}" if why else f"{label}: recorded")
            done, again = (done, again + 1) if why else (done + 1, again)
        if not options["dry_run"]:
            self.stdout.write(f"{done} recorded, {again} failed again")
        if not options["ids"]:
            self._changes(dry_run=options["dry_run"])

    def _changes(self, *, dry_run: bool) -> None:
        """Changes of sessions that a receiver failed at; workers tell them again by themselves."""
        told = 0 if dry_run else tell_again()
        if told:
            self.stdout.write(f"{told} changes of sessions told to receivers that had missed them")
        for receiver, count, why in missed():
            self.stdout.write(f"{receiver}: {count} changes of sessions wait: {why}")
