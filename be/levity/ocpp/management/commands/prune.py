"""`manage.py prune`: throw away the old part of the log."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from levity.ocpp.conf import setting
from levity.ocpp.decisions.retention import prune

__all__ = ["Command"]


class Command(BaseCommand):
    """`levity serve` does it once a day; in the fleet shape run it from cron."""

    help = (
        "Delete messages, connection and status history, finished commands, security events, "
        "logins and resolved quarantine messages older than OCPP_MESSAGE_RETENTION_DAYS. "
        "Transactions, meter values and anything awaiting a decision are never deleted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        days = setting("OCPP_MESSAGE_RETENTION_DAYS")
        if not days:
            # Sessions that have ended go in any case.
            prune(timezone.now())
            self.stdout.write("OCPP_MESSAGE_RETENTION_DAYS is 0: nothing is deleted")
            return

        def progress(name: str, count: int) -> None:
            if options["verbosity"] > 1:
                self.stdout.write(f"{name}: {count} deleted so far")

        for name, count in prune(timezone.now(), progress).items():
            self.stdout.write(f"{name}: {count} older than {days} days deleted")
