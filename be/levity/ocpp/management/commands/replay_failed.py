"""`manage.py replay_failed`: take parked frames again, once what they failed at is mended."""

from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from levity.ocpp.attempts import replayed_event
from levity.ocpp.models import FailedMessage
from levity.ocpp.pipeline import Pipeline
from levity_ws.rpc.envelope import Batch

__all__ = ["Command"]


class Command(BaseCommand):
    """Idempotent: what is on the books already (a transaction, say) is found, not made twice."""

    help = (
        "Take failed messages again. Their effects go on the books as of the time they came; "
        "the charger, which was answered at the time, hears nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="of failed messages [all open ones]")
        parser.add_argument("--dry-run", action="store_true", help="only list them")

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
            event = replayed_event(item)
            pipeline.take(Batch("replay", str(uuid4()), (event,)), "")
            failed_again = FailedMessage.objects.filter(
                connection=event.connection, seq=event.seq
            ).first()
            if failed_again is None:
                FailedMessage.objects.filter(pk=item.pk).update(replayed_at=timezone.now())
                self.stdout.write(f"{label}: on the books")
                done += 1
            else:
                last = failed_again.traceback.strip().rpartition("\n")[2]
                FailedMessage.objects.filter(pk=item.pk).update(
                    attempts=item.attempts + 1, traceback=failed_again.traceback
                )
                failed_again.delete()
                self.stdout.write(f"{label}: failed again: {last}")
                again += 1
        if not options["dry_run"]:
            self.stdout.write(f"{done} on the books, {again} failed again")
