"""`levity accounting`: files of a closed run for accountants."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from levity.billing.accounting.run_files import collected, datev_of, invoices_zip
from levity.billing.choosing_run import run_named
from levity.billing.statements.files import DamagedFile, NoFile
from levity.explained import ExplainedCommand
from levity.ocpp.deciding import Refused

__all__ = ["Command"]

EXAMPLES = """\
examples:
  accounting xrechnung 2026-11 invoices.zip
  accounting facturx 2026-11 invoices.zip
  accounting datev 2026-11 bookings.csv
  accounting debit 2026-11 debits.xml --on 2026-12-20
docs/accounting.md says what has to be entered before.
"""


class Command(ExplainedCommand):
    """The same as on the page of closed statements."""

    help = (
        "Write a file of a closed run: electronic invoices (xrechnung, facturx), bookings (datev), "
        "or direct debits (debit). All but datev need `levity[accounting]`."
    )
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["xrechnung", "facturx", "datev", "debit"])
        parser.add_argument("run", help="its month, its first day, or its number")
        parser.add_argument("file", type=Path, help="must not exist yet")
        parser.add_argument(
            "--on", type=date.fromisoformat, help="debit: the day of collection, as 2026-12-20"
        )
        parser.add_argument(
            "--again", action="store_true", help="debit: the file before never went to the bank"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run, target = run_named(options["run"]), options["file"]
        if target.exists():
            raise CommandError(f"{target} already exists: choose another file")
        try:
            content = self._content(run, options)
            # With names and account numbers of residents.
            target.touch(mode=0o600)
            target.write_bytes(content)
        except (Refused, NoFile, DamagedFile, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"wrote {target}")

    def _content(self, run: Any, options: dict[str, Any]) -> bytes:
        what = options["what"]
        if what == "datev":
            return datev_of(run, None)
        if what != "debit":
            return invoices_zip(run, what, None)
        if options["on"] is None:
            raise CommandError("say when the bank is to collect: --on 2026-12-20")
        made = collected(run, options["on"], None, again=options["again"])
        self.stdout.write(f"{made.payments} direct debits of together {made.total} EUR")
        return bytes(made.content)
