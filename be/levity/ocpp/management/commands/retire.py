"""`levity retire`: charge points that are gone for good."""

from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.module_loading import import_string

from levity.ocpp.deciding import Decided
from levity.ocpp.decisions.retiring import CONNECTED, DEMO, bring_back, retire
from levity.ocpp.models import ChargePoint

__all__ = ["Command"]

HOOK = "levity_demo_retired"


class Command(BaseCommand):
    """No charge point is deleted. What else the demo has made is taken out by those who made it:
    functions that an `AppConfig` names in `levity_demo_retired`; each says in lines what it did."""

    help = (
        "Remove charge points that are gone for good, or the demo's ten, from lists, counts and "
        "alerts. Their sessions are kept; a charge point that connects again is brought back into "
        "use. --demo also removes the demo's households, cards and tariff, as far as no closed "
        "statement names them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identities", nargs="*", metavar="IDENTITY", help="such as garage-1")
        parser.add_argument(
            "--demo", action="store_true", help="all that `levity serve --demo` has made"
        )
        parser.add_argument("--back", action="store_true", help="bring them back into use")

    def handle(self, *args: Any, **options: Any) -> None:
        names = [*options["identities"], *(DEMO if options["demo"] else ())]
        if not names:
            raise CommandError(
                "name the charge points, as in “levity retire garage-1 garage-2”, or use --demo "
                "for the demo's"
            )
        known = {row.identity.lower(): row for row in ChargePoint.objects.all()}
        unknown = [name for name in options["identities"] if name.lower() not in known]
        if unknown:
            raise CommandError(
                f"no charge point {', '.join(unknown)}; nothing was changed. "
                + _like(unknown, known)
            )
        keys = {known[name.lower()].pk for name in names if name.lower() in known}
        rows = ChargePoint.objects.filter(pk__in=keys)
        if options["back"]:
            self._say(bring_back(rows, None), "in use again")
            return
        if not keys:
            self.stdout.write("none of the demo's charge points is in this database")
            return
        decided = retire(rows, None, timezone.now())
        self._say(decided, "retired; their sessions are kept, and --back brings them back into use")
        for left in decided.left:
            if left.why != CONNECTED:
                continue
            shown = ", ".join(left.names) + (" and more" if left.count > len(left.names) else "")
            raise CommandError(
                f"connected, so not retired: {shown}. Switch them off (or stop the demo) first"
            )
        if options["demo"]:
            for config in apps.get_app_configs():
                if name := getattr(config, HOOK, None):
                    for line in import_string(name)():
                        self.stdout.write(line)

    def _say(self, decided: Decided, what: str) -> None:
        already = [left for left in decided.left if left.why != CONNECTED]
        rest = "".join(f"; {left.count} {left.why}" for left in already)
        self.stdout.write(f"{decided.count} {what}{rest}")


def _like(unknown: list[str], known: dict[str, ChargePoint]) -> str:
    """What may have been meant."""
    near = get_close_matches(unknown[0].lower(), known, n=3)
    names = ", ".join(known[name].identity for name in near)
    return f"Did you mean {names}?" if names else "The page “Charge points” lists all identities"
