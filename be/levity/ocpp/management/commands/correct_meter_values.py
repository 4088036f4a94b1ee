"""`manage.py correct_meter_values`: what is recorded otherwise than the current rules say."""

import csv
import sys
import time as clocks
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID, uuid4

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from levity.explained import ExplainedCommand
from levity.ocpp.decisions import corrections
from levity.ocpp.decisions.corrections import Change
from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity.ocpp.models import ChargePoint, MeterValueCorrection

__all__ = ["Command"]

HEADER = (
    "charge point",
    "connector",
    "transaction",
    "meter value",
    "time (UTC)",
    "field",
    "old",
    "new",
    "reason",
)
EXAMPLES = """\
START and END are dates or ISO times, in the site's time zone if they have none; a date as END is
included. For each session that began in that time and has ended, the figures are computed again
from what its charger reported, by the current rules: the session alone, then with its neighbours on
the connector. Only differences to what is recorded are proposed: energy, energy_source, confidence,
flags, and meter_stop of sessions that Levity ended. What a person has decided is left alone, unless
--decided is given.

Single meter values that can't be true (the register falls or rises faster than the connector can
deliver, and the values before and after are plausible) are put on the line between those two, also
outside of sessions. A connector can deliver --max-power, else what the charge point's page says,
else OCPP_MAX_POWER or what the charger itself has shown.

A second run finds nothing more. --undo puts everything back.

examples:
  correct_meter_values 2026-11-01 2026-11-30 --dry-run --csv found.csv
  correct_meter_values 2026-11-01 2026-11-30 --charge-point CP1 --max-power 11000
  correct_meter_values --undo 0b9b8d6e-3c5f-4a55-9d7e-2f6f4c0b6f11
"""


class Command(ExplainedCommand):
    """Every change that it makes can be undone."""

    help = (
        "Compute the figures of past sessions again by the current rules, and correct those that "
        "differ, and meter values that can't be true; every correction can be undone."
    )
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("start", nargs="?", metavar="START", help="such as 2026-11-01")
        parser.add_argument("end", nargs="?", metavar="END", help="such as 2026-11-30")
        parser.add_argument(
            "--charge-point", metavar="X", help="only this charge point (its identity)"
        )
        parser.add_argument(
            "--max-power",
            type=int,
            metavar="W",
            help="the most that one connector can deliver, in W",
        )
        parser.add_argument(
            "--csv", metavar="FILE", help='where to write the findings; "-" is standard output'
        )
        parser.add_argument("--dry-run", action="store_true", help="only report, change nothing")
        parser.add_argument(
            "--decided",
            action="store_true",
            help="also sessions whose figures a person has decided (energy source: corrected)",
        )
        parser.add_argument("--undo", metavar="RUN", help="undo this run's corrections")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["undo"]:
            self._undo(options["undo"])
            return
        if not options["start"] or not options["end"]:
            raise CommandError("give START and END, or --undo RUN (see --help)")
        start, end = _moment(options["start"]), _moment(options["end"], is_end=True)
        if start >= end:
            raise CommandError("START must be before END")
        if options["max_power"] is not None and options["max_power"] <= 0:
            raise CommandError("--max-power is in W and more than 0")
        run = uuid4()
        with ExitStack() as stack:
            writer = self._writer(options["csv"], stack)
            counts = self._correct(start, end, options, run, writer)
        said = f"{counts[0]} samples and {counts[1]} figures of sessions"
        if options["dry_run"]:
            self.stderr.write(f"would be corrected: {said}")
        elif not any(counts):
            self.stderr.write("nothing to correct")
        else:
            self.stderr.write(f"corrected: {said}; undo with --undo {run}")

    def _correct(
        self, start: datetime, end: datetime, options: dict[str, Any], run: UUID, writer: Any
    ) -> tuple[int, int]:
        charger = _charge_point(options["charge_point"])
        samples = figures = 0
        said = clocks.monotonic()
        found = corrections.find(
            start, end, charger, options["max_power"], decided=options["decided"]
        )
        for portions, changes in enumerate(found, 1):
            if changes and not options["dry_run"]:
                corrections.correct(changes, run, None)
            told = [item for item in changes if item.field not in corrections.TRAIL]
            if writer is not None:
                writer.writerows(_row(item) for item in told)
            samples += sum(item.meter_value is not None for item in told)
            figures += sum(item.meter_value is None for item in told)
            if clocks.monotonic() - said > 5:
                said = clocks.monotonic()
                self.stderr.write(f"{portions} portions, {samples + figures} found so far")
        return samples, figures

    def _writer(self, name: str | None, stack: ExitStack) -> Any:
        if name is None:
            return None
        if name == "-":
            writer = csv.writer(self.stdout or sys.stdout)
        else:
            writer = csv.writer(stack.enter_context(_file(name)))
        writer.writerow(HEADER)
        return writer

    def _undo(self, text: str) -> None:
        try:
            run = UUID(text)
        except ValueError as error:
            raise CommandError(
                f"{text!r} is not a run: use the UUID that the run printed"
            ) from error
        if not MeterValueCorrection.objects.filter(run=run).exists():
            raise CommandError(f"no run {run} has corrected anything")
        restored, left = corrections.undo(run, None)
        self.stderr.write(f"restored: {restored} values")
        if left:
            raise CommandError(f"{left} values have changed since and were left as they are")


@contextmanager
def _file(name: str) -> Iterator[TextIO]:
    try:
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise CommandError(f"{name}: {error}") from error


def _row(item: Change) -> list[Any]:
    return [
        safe_cell(item.charge_point),
        item.connector or "",
        item.transaction or "",
        item.meter_value or "",
        item.at.astimezone(UTC).isoformat(),
        item.field,
        "" if item.old is None else item.old,
        item.new,
        safe_cell(item.reason),
    ]


def _charge_point(identity: str | None) -> ChargePoint | None:
    if identity is None:
        return None
    found = ChargePoint.objects.filter(identity__iexact=identity).first()
    if found is None:
        raise CommandError(f"no charge point {identity!r}")
    return found


def _moment(text: str, *, is_end: bool = False) -> datetime:
    try:
        if len(text) <= 10:
            day = date.fromisoformat(text) + timedelta(days=1 if is_end else 0)
            return timezone.make_aware(datetime.combine(day, time()))
        moment = datetime.fromisoformat(text)
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{text!r} is not a date or time such as 2026-11-30") from error
