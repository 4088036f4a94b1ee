"""`levity close_statements`: a month's statements, looked at or closed, and its files written."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from levity.billing.choosing_issuer import add_issuer_option, issuer_named
from levity.billing.rules.treatment import REASONS
from levity.billing.statements.checking import how_many_wait, waiting
from levity.billing.statements.closing import close, prepare
from levity.billing.statements.drafting import Draft
from levity.billing.statements.files import NoFile, make_missing, missing, zip_of
from levity.explained import ExplainedCommand
from levity.ocpp.deciding import Refused

__all__ = ["Command"]

EXAMPLES = """\
examples:
  close_statements 2026-11 --dry-run          what would be closed, and what waits
  close_statements 2026-11                    close it
  close_statements 2026-11-15 2026-12-14 --zip statements.zip
  close_statements 2026-11 --issuer "WEG Main Street"
Closed statements are never changed: look with --dry-run first. docs/billing.md has the whole month.
"""


class Command(ExplainedCommand):
    """The same as the page *Statements*."""

    help = "Close the statements of a month or of any days: number them, and make their files."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("first", help="a month, 2026-11, or the first day, 2026-11-01")
        parser.add_argument("last", nargs="?", help="the last day, included")
        add_issuer_option(parser)
        parser.add_argument("--dry-run", action="store_true", help="look only; close nothing")
        parser.add_argument("--zip", metavar="FILE", help="write all files there")

    def handle(self, *args: Any, **options: Any) -> None:
        issuer = issuer_named(options["issuer"])
        first, last = _days(options["first"], options["last"])
        try:
            period, drafts = prepare(issuer, first, last)
            for reason, count in how_many_wait(waiting(period)).items():
                self.stdout.write(f"{count} held back: {REASONS.get(reason, reason)}")
            for draft in drafts:
                self.stdout.write(_line(draft))
            if options["dry_run"]:
                self.stdout.write(f"{len(drafts)} statements would be closed; nothing was")
                return
            run = close(issuer, first, last, None)
            make_missing(missing(run))
            if options["zip"]:
                Path(options["zip"]).write_bytes(zip_of(run))
        except (Refused, NoFile, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"closed {run.statements.count()} statements for {run}")


def _days(first: str, last: str | None) -> tuple[date, date]:
    try:
        if last is None and first.count("-") == 1:
            begin = date.fromisoformat(f"{first}-01")
            return begin, (begin + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        if last is not None:
            return date.fromisoformat(first), date.fromisoformat(last)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{error}: write days as 2026-11-01") from error
    raise CommandError("give a month, 2026-11, or a first and a last day")


def _line(draft: Draft) -> str:
    sums = draft.sums
    count = len(draft.entries)
    kwh = f"{draft.wh / 1000:.3f} kWh"
    return f"{draft.household}: {count} lines, {kwh}, {sums.gross} {draft.currency} with tax"
