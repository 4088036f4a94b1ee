"""`levity bench`: measure Levity, and what this machine could do at most."""

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

__all__ = ["Command"]


class Command(BaseCommand):
    """Uses a database and queues of its own, and removes them; Ctrl-C is safe."""

    help = (
        "Measure throughput, latency, CPU and memory against RabbitMQ (AMQP_URL) and Postgres "
        "(DATABASE_URL, whose user may create databases), beside the most that this machine "
        "could do with one plain INSERT a frame. Takes about five minutes."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=10.0, help="of each round [10]")
        parser.add_argument("--rounds", type=int, default=3, help="of each system [3]")
        parser.add_argument(
            "--charge-points", type=int, metavar="N", help="[200; with --endurance 10,000]"
        )
        parser.add_argument("--workers", type=int, default=2, metavar="N", help="[2]")
        parser.add_argument("--rate", type=float, default=200.0, help="paced messages/s [200]")
        parser.add_argument(
            "--connections", type=int, default=2000, metavar="N", help="idle ones; 0: none [2000]"
        )
        parser.add_argument(
            "--embedded", action="store_true", help="measure `levity serve` on SQLite as well"
        )
        parser.add_argument(
            "--quick",
            action="store_true",
            help="one second of each, two for a minute: does it work at all?",
        )
        parser.add_argument(
            "--scale",
            action="store_true",
            help="instead: what a message costs with 10,000 chargers connected, and beside a "
            "million stored messages",
        )
        parser.add_argument(
            "--endurance",
            type=int,
            default=0,
            metavar="MINUTES",
            help="instead: a car park's life for so long (at least 4), then the edge is killed "
            "under all of them; the chargers' ledgers are held against the database",
        )
        parser.add_argument("--json", metavar="FILE", help="[bench-<date>.json]")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from levity_lab.bench.plan import Options, measure
        except ImportError as error:
            raise CommandError(
                f"the benchmark needs the development packages ({error.name} is missing): make env"
            ) from error
        from levity_lab.bench.processes import BenchError

        if options["endurance"] and options["endurance"] < 4:
            raise CommandError("--endurance: 4 minutes at least, or growth does not show")
        chosen = Options(
            seconds=options["seconds"],
            rounds=options["rounds"],
            charge_points=options["charge_points"] or (10_000 if options["endurance"] else 200),
            workers=options["workers"],
            rate=options["rate"],
            connections=options["connections"],
            embedded=options["embedded"],
            scale=options["scale"],
            endurance=options["endurance"],
        )
        if options["quick"]:
            chosen = Options(1.0, 1, 20, 2, 50.0, 50, options["embedded"])
            chosen = replace(chosen, endurance=options["endurance"], minute=2.0)
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            text, measured = measure(
                chosen,
                os.environ.get("AMQP_URL") or "amqp://guest:guest@localhost:5672/",
                os.environ.get("DATABASE_URL") or "",
                self._say,
            )
        except BenchError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("interrupted; everything is cleaned up", returncode=130) from None
        path = Path(options["json"] or f"bench-{datetime.now(UTC):%Y-%m-%d}.json")
        path.write_bytes(orjson.dumps(measured, option=orjson.OPT_INDENT_2) + b"\n")
        self.stdout.write(text)
        self.stdout.write(f"\nwritten to {path}")

    def _say(self, text: str) -> None:
        self.stderr.write(f"{datetime.now():%H:%M:%S} {text}")  # noqa: DTZ005  # for people


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
