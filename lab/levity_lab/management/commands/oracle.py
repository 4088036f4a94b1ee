"""`levity oracle`: random charger lives whose true energy is known, held against the ledger."""

import os
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

if TYPE_CHECKING:
    from levity_lab.oracle.run import Run

__all__ = ["Command"]


class Command(BaseCommand):
    """Uses a database of its own and removes it."""

    help = (
        "Play random chargers whose sessions' true energy is known by meters of their own, and "
        "hold every session that Levity recorded against them. SQLite in memory, or a database of "
        "its own beside DATABASE_URL. Exit status 0 only if nothing was lost or doubled, nothing "
        "wrong is at high or without a flag where the frames tell better, and no connector is "
        "billed more than its meter moved."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--sessions", type=int, default=2_000, metavar="N", help="at least so many [2,000]")
        add("--seed", type=int, default=1, metavar="N", help="[1]")
        add(
            "--only", nargs="+", default=[], metavar="CAUSE", help="names or patterns [all of them]"
        )
        add("--mixed", action="store_true", help="several oddities in each charger's life")
        add(
            "--shape",
            default="direct",
            choices=("direct", "serve", "fleet"),
            help="direct: in this process; serve, fleet: real processes that are killed [direct]",
        )
        add(
            "--correct",
            action="store_true",
            help="run correct_meter_values afterwards, and judge again: it must spoil nothing",
        )
        add("--unassigned", action="store_true", help="compare energy of no session, too")
        add("--factor", type=float, default=600.0, metavar="X", help="of their time [600]")
        add("--kill-every", type=float, default=10.0, metavar="SECONDS", help="0: no kills [10]")
        add("--list", action="store_true", help="list the causes")
        add(
            "--all",
            action="store_true",
            help="show the causes that are all right in the table, too",
        )
        add(
            "--show",
            nargs="+",
            default=[],
            metavar="CAUSE",
            help="frames and rows of what is not right of these causes (names or patterns)",
        )
        add("--json", metavar="FILE", help="write the figures to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        from levity_lab.oracle.oddities import ODDITIES
        from levity_lab.oracle.run import Plan, run

        if options["list"]:
            for oddity in ODDITIES.values():
                end = f" (nothing on the wire tells: {oddity.untellable})" * bool(oddity.untellable)
                self.stdout.write(f"{oddity.name:<28} {oddity.about}{end}")
            return
        patterns = options["only"]
        only = tuple(name for name in ODDITIES if any(fnmatch(name, each) for each in patterns))
        if patterns and not only:
            raise CommandError(f"--only {' '.join(patterns)}: no such cause; see --list")
        for each in options["show"]:
            if not (options["mixed"] or any(fnmatch(name, each) for name in ODDITIES)):
                raise CommandError(f"--show {each}: no such cause; see --list")
        if options["sessions"] < 1 or options["factor"] <= 0 or options["kill_every"] < 0:
            raise CommandError("--sessions and --factor are more than 0, --kill-every not less")
        if options["json"] and not Path(options["json"]).parent.is_dir():
            raise CommandError(f"--json {options['json']}: no such folder")
        if options["shape"] == "fleet" and not os.environ.get("DATABASE_URL"):
            raise CommandError("--shape fleet: needs DATABASE_URL (and AMQP_URL)")
        if options["shape"] == "serve" and os.environ.get("DATABASE_URL"):
            raise CommandError("--shape serve: is on SQLite, leave DATABASE_URL out")
        plan = Plan(
            options["sessions"],
            options["seed"],
            only,
            options["mixed"],
            options["correct"],
            options["unassigned"],
            options["shape"],
            options["factor"],
            options["kill_every"],
        )
        done = run(plan, self._say)
        self._report(done, options)
        if options["json"]:
            Path(options["json"]).write_bytes(
                orjson.dumps(done.as_json(), option=orjson.OPT_INDENT_2) + b"\n"
            )
        if not done.is_good:
            raise CommandError("FAILED: wrong figures that nothing marks, see above")

    def _report(self, done: "Run", options: dict[str, Any]) -> None:
        from levity_lab.oracle.table import table

        self.stdout.write(table(done.tallies.values(), everything=options["all"]))
        if done.plan.shape != "direct":
            self.stdout.write(f"{done.kills} kill -9 in {done.seconds:.0f} s")
        if done.errors:
            told = ", ".join(f"{code} {count}" for code, count in sorted(done.errors.items()))
            self.stdout.write(f"CALLERRORs: {told}")
        for also in (done.corrected, done.unassigned):
            if also is not None:
                self.stdout.write(str(also))
        if done.corrected is not None and options["show"]:
            self.stdout.write("\n".join(done.corrected.examples))
        for line in done.over[:20]:
            self.stdout.write(f"billed more than moved: {line}")
        for (cause, kind), examples in sorted(done.examples.items()):
            if any(fnmatch(cause.removesuffix("; neighbours"), each) for each in options["show"]):
                self.stdout.write(f"\n{cause}: {kind}")
                for each in examples:
                    self.stdout.write(f"{each}\n")

    def _say(self, text: str) -> None:
        self.stderr.write(f"{datetime.now():%H:%M:%S} {text}")  # noqa: DTZ005  # for people
