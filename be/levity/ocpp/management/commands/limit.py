"""`manage.py limit`: the maximum current of a charger, from the shell."""

import sys
import time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.commands.limits import Verdict, limit_of, remove_limit, set_limit
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint

__all__ = ["Command"]

LOOK = 0.2
DONE = (Verdict.PROVED, Verdict.ACCEPTED, Verdict.REMOVED, Verdict.NONE)


class Command(BaseCommand):
    """Sets it, and asks the charger whether it holds."""

    help = "Set, show or remove the maximum current of a charge point."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("charge_point", help="its identity: the last part of its URL")
        parser.add_argument(
            "amperes", nargs="?", help="A on each phase, in steps of 0.5; left out: show the limit"
        )
        parser.add_argument("--remove", action="store_true", help="remove the limit")
        parser.add_argument(
            "--way", default="", help="charger or session [the one that has worked before]"
        )
        parser.add_argument(
            "--phases", type=int, default=3, help="of the charger, where it knows W only [3]"
        )
        parser.add_argument(
            "--wait", type=float, default=30, metavar="S", help="seconds for the answer [30]"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        identity = options["charge_point"]
        charge_point = ChargePoint.objects.filter(identity__iexact=identity).first()
        if charge_point is None:
            raise CommandError(f"no charge point {identity!r}")
        try:
            self._ask(charge_point, options)
        except Refused as error:
            raise CommandError(error.sentence) from error
        ends = time.monotonic() + options["wait"]
        limit = limit_of(charge_point)
        while limit.is_open and time.monotonic() < ends:
            time.sleep(LOOK)
            limit = limit_of(charge_point)
        self.stdout.write(limit.sentence)
        if limit.verdict not in DONE:
            sys.exit(1)

    def _ask(self, charge_point: ChargePoint, options: dict[str, Any]) -> None:
        if options["remove"]:
            remove_limit(charge_point, None, source="limit")
        elif options["amperes"] is not None:
            try:
                amperes = Decimal(options["amperes"])
            except InvalidOperation:
                raise CommandError(f"{options['amperes']!r} is no number of A") from None
            set_limit(
                charge_point,
                amperes,
                None,
                source="limit",
                way=options["way"],
                phases=options["phases"],
            )
