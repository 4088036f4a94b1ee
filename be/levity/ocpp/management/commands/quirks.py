"""`levity quirks`: what Levity knows of makes of chargers, and which profile fits one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.chargers.quirks.matching import all_profiles, match_of
from levity.ocpp.chargers.quirks.profile import DEFAULT, BadQuirk
from levity.ocpp.chargers.quirks.tables import markdown_tables, settings_of, table

__all__ = ["Command"]


class Command(BaseCommand):
    """Needs no database."""

    help = "List the quirk profiles, or show which one fits a charger and why."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("vendor", nargs="?", help="as in BootNotification")
        parser.add_argument("model", nargs="?", default="")
        parser.add_argument("firmware", nargs="?", default="")
        parser.add_argument(
            "--markdown", action="store_true", help="the tables of docs/chargers.md"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            profiles = (*all_profiles(), DEFAULT)
        except BadQuirk as error:
            raise CommandError(str(error)) from error
        if options["vendor"] is not None:
            self._matched(options["vendor"], options["model"], options["firmware"])
            return
        for line in (markdown_tables if options["markdown"] else table)(profiles):
            self.stdout.write(line)

    def _matched(self, vendor: str, model: str, firmware: str) -> None:
        match = match_of(vendor, model, firmware)
        profile = match.profile
        self.stdout.write(f"{profile.title} ({profile.name}, {profile.grade}): {match.why}")
        self.stdout.write(f"  {profile.facts}")
        for name, value, meaning in settings_of(profile):
            self.stdout.write(f"  {name} = {value!r}: {meaning}")
