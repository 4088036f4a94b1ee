"""`levity send_statements`: the statements of a closed run, by mail."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from levity.billing.choosing_run import run_named
from levity.billing.models import StatementMail
from levity.billing.statements.mails import order, send_due, to_print, to_send
from levity.explained import ExplainedCommand
from levity.ocpp.deciding import Refused

__all__ = ["Command"]

PAUSE = 0.2
"""Seconds between two mails."""
EXAMPLES = """\
examples:
  send_statements 2026-11 --dry-run    who would get one, and who has no address
  send_statements 2026-11              send them
  send_statements 7                    of the run with the number 7 (in the address of its page)
What was sent is not sent again; what was refused is. docs/billing.md has the whole month.
"""


class Command(ExplainedCommand):
    """The same as the page *Send by mail*."""

    help = "Send the statements of a closed run to the households that have an e-mail address."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", help="its month, its first day, or its number")
        parser.add_argument("--dry-run", action="store_true", help="list only; send nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        run = run_named(options["run"])
        for row in to_print(run):
            self.stdout.write(f"{row.label}: no address, print it: {row.household}")
        if options["dry_run"]:
            rows = list(to_send(run))
            for row in rows:
                self.stdout.write(f"{row.label}: to {row.household.email}, {row.household}")
            self.stdout.write(f"{len(rows)} would be sent; nothing was")
            return
        try:
            order(run, None, timezone.now())
        except Refused as error:
            raise CommandError(str(error)) from error
        done = []
        while found := send_due(
            timezone.now(), run=run, breathe=lambda: time.sleep(PAUSE), budget=60.0
        ):
            done += found
            for mail in found:
                label, state = mail.statement.label, mail.get_state_display()
                said = f": {mail.error}" if mail.error else ""
                self.stdout.write(f"{label}: to {mail.address}, {state}{said}")
        count = sum(mail.state == StatementMail.State.SENT for mail in done)
        self.stdout.write(f"{count} sent")
        if count < len(done):
            raise CommandError(
                f"{len(done) - count} could not be sent; what waits is tried again by `serve`"
            )
