"""`levity cancel_reservation`: free a connector again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.reservations import cancel
from levity.ocpp.models import Reservation

__all__ = ["Command"]


class Command(BaseCommand):
    """The charger is asked by a running worker."""

    help = "Cancel a reservation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reservation", type=int, help="its number, as “levity reserve” prints it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = Reservation.objects.filter(pk=options["reservation"]).first()
        if found is None:
            raise CommandError(f"no reservation {options['reservation']}")
        try:
            row = cancel(found, None, source="cancel_reservation")
        except Refused as error:
            raise CommandError(str(error)) from error
        is_over = row.state == Reservation.State.CANCELLED
        self.stdout.write("cancelled" if is_over else "the charger is asked to cancel it")
