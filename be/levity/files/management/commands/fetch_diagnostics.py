"""`levity fetch_diagnostics CP1`: what the button does."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.files import jobs
from levity.files.telling import is_over, told
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, FileJob

__all__ = ["Command"]


class Command(BaseCommand):
    """Levity (`serve`, or the web pages and `file_server`) must run: it takes the file."""

    help = "Let a charger upload its diagnostics or a log to Levity, and say what becomes of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identity", help="the charge point")
        parser.add_argument("--log", choices=jobs.LOGS, help="a log (security extension) instead")
        parser.add_argument("--protocol", choices=("http", "https", "ftp"), default="")
        parser.add_argument("--wait", type=float, default=0, metavar="S", help="seconds to wait")

    def handle(self, *args: Any, **options: Any) -> None:
        row = ChargePoint.objects.filter(identity__iexact=options["identity"]).first()
        if row is None:
            raise CommandError(f"There is no charge point {options['identity']}")
        asking = jobs.Asking(protocol=options["protocol"])
        try:
            job = (
                jobs.fetch_log(row, options["log"], None, asking)
                if options["log"]
                else jobs.fetch_diagnostics(row, None, asking)
            )
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        self.stdout.write(f"Job {job.pk}: {job.location}")
        until = time.monotonic() + options["wait"]
        while not is_over(job) and time.monotonic() < until:
            time.sleep(0.5)
            job = FileJob.objects.select_related("charge_point", "drop__firmware").get(pk=job.pk)
        said = told(job, job.drop)
        self.stdout.write(f"{said.text} {said.next}".strip())
        for file in job.files.order_by("pk"):
            self.stdout.write(f"{file.name}, {file.size:,} bytes, SHA-256 {file.sha256}")
        if said.level == "bad":
            raise CommandError("No file has arrived" if not job.arrived else said.text)
