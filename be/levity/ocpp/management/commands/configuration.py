"""`levity configuration`: the configuration keys of a charger, on the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.configuration import change, read_again, values_of
from levity.ocpp.models import ChargePoint
from levity.ocpp.rules.configuration import same_value
from levity.ocpp.versions import version_of

__all__ = ["Command"]


class Command(BaseCommand):
    """What is known; a charger answers a worker, not this command."""

    help = (
        "List the configuration keys of a charge point as they were read last; --read asks it for "
        "all of them, --set changes one, --compare shows what differs from another charge point."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identity", metavar="IDENTITY", help="such as garage-1")
        parser.add_argument("--read", action="store_true", help="ask the charger for all keys")
        parser.add_argument("--set", nargs=2, metavar=("KEY", "VALUE"), help="change a key")
        parser.add_argument(
            "--sure", action="store_true", help="also where that may cut the charger off"
        )
        parser.add_argument("--compare", metavar="IDENTITY", help="with this charge point")

    def handle(self, *args: Any, **options: Any) -> None:
        row = _charge_point(options["identity"])
        try:
            if options["set"]:
                key, value = options["set"]
                done = change(row, key, value, None, sure=options["sure"])
                self.stdout.write(
                    f"queued as command {done.command.pk}; it is read back afterwards"
                )
            elif options["read"]:
                self.stdout.write(f"queued as command {read_again(row, None).command.pk}")
            elif options["compare"]:
                self._compare(row, _charge_point(options["compare"]))
            else:
                self._list(row)
        except Refused as error:
            hint = " (--sure)" if "Confirm it" in error.sentence else ""
            raise CommandError(f"{error.sentence}{hint}") from error

    def _list(self, row: ChargePoint) -> None:
        values = values_of(row, spelled=True)
        if not values:
            self.stdout.write("nothing is known of its configuration: --read asks the charger")
        for key, value in values.items():
            self.stdout.write(f"{key} = {'' if value is None else value}")

    def _compare(self, row: ChargePoint, other: ChargePoint) -> None:
        about = version_of(row.subprotocol).configuration.about
        left, right = values_of(row), values_of(other)
        names = {key.lower(): key for key in values_of(other, spelled=True)}
        names |= {key.lower(): key for key in values_of(row, spelled=True)}
        differing = [
            name
            for name in sorted(names)
            if (name in left) != (name in right)
            or not same_value(about(name), left.get(name), right.get(name))
        ]
        for name in differing:
            one, two = _shown(left, name), _shown(right, name)
            self.stdout.write(f"{names[name]}: {one} at {row}, {two} at {other}")
        self.stdout.write(f"{len(differing)} of {len(names)} keys differ")


def _shown(values: dict[str, str | None], name: str) -> str:
    return f"{values[name]!r}" if name in values else "not there"


def _charge_point(identity: str) -> ChargePoint:
    row = ChargePoint.objects.filter(identity__iexact=identity).first()
    if row is None:
        raise CommandError(f"no charge point is called {identity}")
    return row
