"""`levity reserve`: keep a connector free for somebody."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.reservations import reserve
from levity.ocpp.decisions.until import EXAMPLES, until_of
from levity.ocpp.models import ChargePoint
from levity.ocpp.wire.fields import zone_of

__all__ = ["Command"]


class Command(BaseCommand):
    """The charger is asked by a running worker; the answer is on the reservation's page."""

    help = "Reserve a connector of a charge point for an id tag."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("charge_point", help="its identity: the last part of its URL")
        parser.add_argument("connector", type=int, help="its number; 0: any of them")
        parser.add_argument("id_tag", help="who may charge there")
        parser.add_argument(
            "--until", default="1h", help=f"by the clock of its site: {EXAMPLES} [1h]"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = ChargePoint.objects.select_related("site")
        charge_point = rows.filter(identity__iexact=options["charge_point"]).first()
        if charge_point is None:
            raise CommandError(f"no charge point {options['charge_point']!r}")
        site = charge_point.site
        zone = zone_of(site.time_zone) if site is not None and site.time_zone else None
        try:
            until = until_of(options["until"], timezone.now(), zone)
            made = reserve(
                charge_point, options["connector"], options["id_tag"], until, None, source="reserve"
            )
        except (Refused, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"queued as reservation {made.pk}")
