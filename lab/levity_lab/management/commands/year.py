"""`levity year`: what a site's days take on its disk, played and measured."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.models import ChargePoint

__all__ = ["Command"]


class Command(BaseCommand):
    """Fills the database that it is pointed at, which must be empty."""

    help = (
        "Play days of chargers into an empty database (LEVITY_DATA_DIR or DATABASE_URL), with the "
        "housekeeping of a site, and report what they take. A day of 20 chargers takes about 8 "
        "seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chargers", type=int, default=20, metavar="N", help="[20]")
        parser.add_argument("--days", type=int, default=30, metavar="N", help="[30]")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="[1]")
        parser.add_argument("--json", metavar="FILE", help="[year-<date>.json]")

    def handle(self, *args: Any, **options: Any) -> None:
        from levity_lab.year.run import measure, report

        for name in ("chargers", "days"):
            if options[name] < 1:
                raise CommandError(f"--{name} must be 1 or more")
        call_command("migrate", verbosity=0, interactive=False)
        if ChargePoint.objects.exists():
            raise CommandError(
                "this database has charge points: name an empty one (LEVITY_DATA_DIR=/tmp/year, or "
                "DATABASE_URL)"
            )
        _, measured = measure(options["chargers"], options["days"], options["seed"], self._say)
        path = Path(options["json"] or f"year-{datetime.now(UTC):%Y-%m-%d}.json")
        path.write_bytes(orjson.dumps(measured, option=orjson.OPT_INDENT_2, default=str) + b"\n")
        call_command("storage", stdout=self.stdout)
        self.stdout.write(f"\n{report(measured)}\nwritten to {path}")

    def _say(self, text: str) -> None:
        self.stderr.write(f"{datetime.now():%H:%M:%S} {text}")  # noqa: DTZ005  # for people
