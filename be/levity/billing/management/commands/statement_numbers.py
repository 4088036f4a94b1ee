"""`levity statement_numbers`: which number the next statement gets, and, after a restore, which was
posted last."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.billing.choosing_issuer import add_issuer_option, issuer_named
from levity.billing.models import Issuer
from levity.billing.statements.numbers import confirm, label, must_confirm, number_of
from levity.ocpp.deciding import Refused

__all__ = ["Command"]


class Command(BaseCommand):
    """The same as on the page where statements are closed."""

    help = (
        "Print which number the next statement of each issuer gets, and the numbers that were left "
        "out. With --last, say which number was posted last: after a restore, nothing is closed "
        "until somebody has."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_issuer_option(parser)
        parser.add_argument(
            "--last", metavar="NUMBER", help="the highest number that was posted, as it is printed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["last"] is not None:
            issuer = issuer_named(options["issuer"])
            try:
                confirm(issuer, number_of(issuer, options["last"]), None)
            except Refused as error:
                raise CommandError(str(error)) from error
        rows = Issuer.objects.select_related("site").prefetch_related("gaps").order_by("pk")
        for row in rows:
            self.stdout.write(f"{row}: the next number is {label(row, row.next_number)}")
            for gap in row.gaps.all():
                self.stdout.write(f"  left out: {gap}, {gap.reason}")
            if must_confirm(row):
                self.stdout.write("  to be confirmed by --last: the database was restored")
