"""`levity price`: what a session costs by a tariff, computed by anyone, stored nowhere."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from levity.explained import ExplainedCommand

__all__ = ["Command"]

EXAMPLES = """\
a tariff, tariff.json:
  {"currency": "EUR", "time_zone": "Europe/Berlin", "vat_percent": "19",
   "energy": [{"price_per_kwh": "0.28", "from": "22:00", "to": "06:00", "name": "night"},
              {"price_per_kwh": "0.40"}]}
a session, session.json:
  {"start": "2026-11-03T21:00:00+01:00", "end": "2026-11-03T23:00:00+01:00", "energy_wh": "22080"}

examples:
  price tariff.json session.json
  price tariff.json - < session.json
  price ocpi-tariff.json session.json --time-zone Europe/Amsterdam
All fields are described in docs/billing.md. An OCPI 2.2.1 tariff is known by its elements.
"""


class Command(ExplainedCommand):
    """The same arithmetic as on a statement."""

    help = "Compute what a session costs by a tariff; both are JSON files. Nothing is stored."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tariff", help='file; "-" is standard input')
        parser.add_argument("session", help='file; "-" is standard input')
        parser.add_argument("--time-zone", help="of the place; for OCPI tariffs")
        parser.add_argument("--json", action="store_true", help="print the lines as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        # Reading documents takes a library that nothing else needs at the start of a command.
        from levity.billing.computing import CannotPrice, price_document

        if options["tariff"] == options["session"] == "-":
            raise CommandError("only one of the two can come from standard input")
        tariff, session = (_json_of(options[name]) for name in ("tariff", "session"))
        try:
            priced = price_document(tariff, session, options["time_zone"])
        except CannotPrice as error:
            problems = "\n".join(f"  {where}: {what}" for where, what in error.problems)
            raise CommandError(f"this can't be priced:\n{problems}") from error
        if options["json"]:
            self.stdout.write(json.dumps(priced, indent=2))
            return
        for line in _table(priced):
            self.stdout.write(line)


def _json_of(name: str) -> Any:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig")
        return json.loads(text)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{name}: this is no JSON: {error}") from error


def _table(priced: dict[str, Any]) -> list[str]:
    currency = priced["currency"]
    rows = [
        (
            " ".join(filter(None, (line["kind"], line["name"]))),
            f"{line['quantity']} {line['unit']}",
            f"{line['price']} {currency}/{line['unit']}",
            f"{line['amount']} {currency}",
            f"{line['vat_percent']} % VAT",
        )
        for line in priced["lines"]
    ]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(5)]
    lines = [
        "  ".join(
            (
                row[0].ljust(widths[0]),
                *(row[at].rjust(widths[at]) for at in range(1, 5)),
            )
        )
        for row in rows
    ]
    sums = f"net {priced['net']}, tax {priced['tax']}, gross {priced['gross']} {currency}"
    return [*lines, *([""] if lines else []), sums]
