"""`levity soak`: break everything around Levity, and show that nothing acknowledged is lost."""

import asyncio
import signal
import textwrap
from argparse import RawDescriptionHelpFormatter
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

__all__ = ["Command"]

EXAMPLES = """\
examples:
  every fault once (about half an hour):        levity soak
  only some, twenty seeds each:                 levity soak --faults 'broker-*' --seeds 1-20
  a failing round again:                        levity soak --faults edge-kill --seeds 7
  faults by chance for a night:                 levity soak --length 8h
  what takes minutes:                           levity soak --faults broker-away-5-minutes
  many rounds in several sittings:              levity soak --seeds 1-20 --resume rounds.jsonl
"""


class Command(BaseCommand):
    """Starts a RabbitMQ and a Postgres of its own and harms nothing else; Ctrl-C is safe."""

    help = (
        "Break everything around Levity while simulated chargers work, and hold their ledgers "
        "against the database. Starts RabbitMQ, Postgres, workers and edges of its own, in a "
        "temporary folder and on free ports. Exit status 0 only if nothing was lost, duplicated "
        "or unexpected, no session has another energy than its charger's meter, and all was "
        "normal within 60 s of each fault's end."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With the examples as they are written."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.description = textwrap.fill(self.help, 80)
        parser.epilog = EXAMPLES
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add(
            "--faults",
            nargs="+",
            default=[],
            metavar="NAME",
            help="names or patterns; !NAME leaves out [all but those that take minutes]",
        )
        add("--list", action="store_true", help="list the faults, with the checks they cover")
        add("--seeds", default="1", metavar="N-M", help="one, a range, or a list: 1,5,9 [1]")
        add("--length", metavar="TIME", help="faults by chance for so long: 90s, 45m, 8h")
        add(
            "--resume",
            type=Path,
            metavar="FILE",
            help="keep every round in FILE, and play only those that are not in it yet",
        )
        add("--brief", action="store_true", help="kills, restarts and cuts go on for 4 s only")
        add("--chargers", type=int, default=24, metavar="N", help="[24]")
        add("--factor", type=float, default=60.0, metavar="X", help="compress their time [60]")
        add("--workers", type=int, default=2, metavar="N", help="[2]")
        add("--edges", type=int, default=2, metavar="N", help="[2]")
        add("--stop", action="store_true", help="stop at the first round that fails")
        add(
            "--output",
            type=Path,
            metavar="DIR",
            help="report.html, report.json, ledgers and logs [soak-<date>]",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from levity_lab.soak.faults import FAULTS, chosen
            from levity_lab.soak.programs import SoakError
            from levity_lab.soak.report import write_report
            from levity_lab.soak.run import Options, soak
            from levity_lab.soak.sittings import brief, table
        except ImportError as error:
            raise CommandError(
                f"this needs the development packages ({error.name} is missing): make env"
            ) from error
        if options["list"]:
            for fault in FAULTS.values():
                mark = " (minutes)" if fault.long else ""
                checks = " ".join(fault.checks)
                self.stdout.write(f"{fault.name:<28} {checks:<12} {fault.about}{mark}")
            return
        try:
            folder = options["output"] or Path(f"soak-{datetime.now():%Y-%m-%d-%H%M%S}")  # noqa: DTZ005  # for people
            if options["resume"] and options["length"]:
                raise ValueError("--resume: with --length there is no end that could be resumed")
            faults = chosen(options["faults"])
            plan = Options(
                faults=tuple(map(brief, faults) if options["brief"] else faults),
                seeds=seeds_of(options["seeds"]),
                chargers=_at_least(options["chargers"], 1, "--chargers"),
                factor=options["factor"],
                workers=_at_least(options["workers"], 1, "--workers"),
                edges=_at_least(options["edges"], 1, "--edges"),
                seconds=seconds_of(options["length"]) if options["length"] else None,
                folder=folder,
                stop_at_first=options["stop"],
                resume=options["resume"],
                brief=options["brief"],
            )
            self._say(
                f"{len(plan.faults)} faults, seeds {options['seeds']}, {plan.chargers} chargers, "
                f"their time {plan.factor:g} times as fast; results in {folder}/"
            )
            report = asyncio.run(_cancellable(soak(plan, self._say)))
        except (SoakError, ValueError) as error:
            raise CommandError(str(error)) from error
        path = write_report(report)
        self.stdout.write(f"{table(report.rounds)}\n")
        for line in report.odd:
            self.stdout.write(f"{line}\n")
        self.stdout.write(f"report: {path}\n")
        if report.interrupted:
            raise CommandError("interrupted; everything is stopped", returncode=130)
        if not report.good:
            failed = sorted(
                {f"{each.fault} seed {each.seed}" for each in report.rounds if not each.good}
            )
            raise CommandError(f"FAILED: {'; '.join(failed) or 'see above'}")

    def _say(self, text: str) -> None:
        self.stderr.write(f"{datetime.now():%H:%M:%S} {text}")  # noqa: DTZ005  # for people


async def _cancellable(work: Any) -> Any:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def cancel_once() -> None:
        # A second Ctrl-C must not keep the first from stopping and unmounting everything.
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, cancel_once)
    return await task


def seeds_of(text: str) -> tuple[int, ...]:
    """1-20, or 1,5,9, or 7."""
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            raise ValueError(f"--seeds {text!r}: write 7, 1,5,9 or 1-20")
        seeds += range(int(first), int(last or first) + 1)
    if not seeds:
        raise ValueError(f"--seeds {text!r}: there is none")
    return tuple(seeds)


def seconds_of(text: str) -> float:
    """90s, 45m or 8h in seconds; a bare number is seconds."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    number = text[:-1] if unit else text
    try:
        seconds = float(number) * (unit or 1)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise ValueError(f"--length {text!r}: write 90s, 45m or 8h")
    return seconds


def _at_least(value: int, least: int, name: str) -> int:
    if value < least:
        raise ValueError(f"{name}: {least} or more, not {value}")
    return value
