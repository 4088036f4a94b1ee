"""`levity unassigned_energy`: what meters recorded in no session, stretch by stretch."""

import csv
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from levity.explained import ExplainedCommand
from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity.ocpp.models import ChargePoint
from levity.ocpp.rules.chain.unassigned import Unassigned
from levity.ocpp.store.loose import (
    Outside,
    is_month,
    month_of,
    outside_sessions,
    zone_of_site,
)

__all__ = ["Command"]

HEADER = (
    *("charge point", "name", "site", "connector", "month", "from (UTC)", "from (local)"),
    *("to (UTC)", "to (local)", "register from (Wh)", "register to (Wh)"),
    *("unassigned energy (kWh)", "shown by", "session before", "session after"),
)
EPILOG = """\
A stretch is what the register of a connector moved between the end of one session and the start of
the next, or in meter values outside sessions. It counts in the month in which it ends, in the time
zone of the site. 10 Wh or less are rounding. The page “Unassigned energy” gives a stretch to an id
tag.

examples:
  unassigned_energy
  unassigned_energy --month 2026-10 --csv october.csv
  unassigned_energy --charge-point garage-1
"""


class Command(ExplainedCommand):
    """It only lists: what is to become of it is decided on the page."""

    help = "List the energy that meters recorded outside sessions, by charge point and connector."
    examples = EPILOG

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", metavar="MONTH", help="such as 2026-11 [the current month]")
        parser.add_argument(
            "--charge-point", metavar="X", help="only this charge point (its identity)"
        )
        parser.add_argument(
            "--csv", metavar="FILE", help='where to write it; "-" is standard output'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = month_of(timezone.now(), timezone.get_current_timezone())
        month = options["month"] or now
        if not is_month(month):
            raise CommandError(f"{month!r} is not a month such as 2026-11")
        chosen = _charge_point(options["charge_point"])
        with ExitStack() as stack:
            write = self._writer(options["csv"], stack)
            places = stretches = 0
            wh = Decimal(0)
            for item in outside_sessions(chosen, month, month):
                places += 1
                stretches += len(item.stretches)
                wh += item.wh
                for stretch in item.stretches:
                    write(item, stretch)
        connectors = f"{places} connector{'' if places == 1 else 's'}"
        parts = f"{stretches} stretch{'' if stretches == 1 else 'es'}"
        self.stderr.write(f"{month}: {wh / 1000:,.3f} kWh in {parts} on {connectors}")

    def _writer(self, name: str | None, stack: ExitStack) -> Any:
        if name is None:
            return lambda item, stretch: self.stdout.write(_line(item, stretch))
        if name == "-":
            file: Any = self.stdout or sys.stdout
        else:
            file = stack.enter_context(_file(name))
        writer = csv.writer(file)
        writer.writerow(HEADER)
        return lambda item, stretch: writer.writerow(list(_cells(item, stretch)))


@contextmanager
def _file(name: str) -> Iterator[TextIO]:
    try:
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise CommandError(f"{name}: {error}") from error


def _charge_point(identity: str | None) -> list[int] | None:
    """None: all of them."""
    if identity is None:
        return None
    found = ChargePoint.objects.filter(identity__iexact=identity).values_list("pk", flat=True)
    if not found:
        raise CommandError(f"no charge point {identity!r}")
    return list(found)


def _line(item: Outside, stretch: Unassigned) -> str:
    zone = zone_of_site(item.charge_point)
    since, until = (
        f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" for at in (stretch.since, stretch.until)
    )
    sessions = [
        f"{word} session {pk}"
        for word, pk in (("after", stretch.before), ("before", stretch.after))
        if pk is not None
    ]
    around = f" ({', '.join(sessions)})" if sessions else ""
    return (
        f"{item.charge_point} · {item.connector or item.evse}: {stretch.wh / 1000:,.3f} kWh, "
        f"{since} to {until}; {stretch.evidence}{around}"
    )


def _cells(item: Outside, stretch: Unassigned) -> Iterator[str]:
    charger, zone = item.charge_point, zone_of_site(item.charge_point)
    yield safe_cell(charger.identity)
    yield safe_cell(charger.name)
    yield safe_cell(charger.site.name if charger.site else "")
    yield str(item.connector or item.evse)
    yield item.month
    for at in (stretch.since, stretch.until):
        yield _text(at.astimezone(UTC))[:19]
        yield _text(at.astimezone(zone))
    yield f"{stretch.wh_from:.3f}"
    yield f"{stretch.wh_until:.3f}"
    yield f"{stretch.wh / 1000:.3f}"
    yield stretch.words
    for pk in (stretch.before, stretch.after):
        yield "" if pk is None else str(pk)


def _text(moment: datetime) -> str:
    return moment.isoformat(" ", "seconds")
