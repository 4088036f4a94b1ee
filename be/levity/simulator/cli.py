"""The command line of the simulator, for `levity simulate` and `python -m levity.simulator`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from levity.simulator.clock import Clock
from levity.simulator.crowd import raise_file_limit, run_loop
from levity.simulator.fleet import Fleet, Summary, uniform_fleet
from levity.simulator.life import EVERYDAY, LIVELY, ONCE, Life
from levity.simulator.load import run_load
from levity.simulator.makes import PROFILES, profile_named
from levity.simulator.statistics import Statistics
from levity.simulator.websocket import WebsocketDialer
from levity.simulator.wire import DialError

__all__ = ["EXAMPLES", "add_arguments", "simulate"]

EXAMPLES = """\
examples:
  ten Grizzl-Es with cars coming and going, until Ctrl-C:
    levity simulate --url ws://localhost:9000/ws --charge-points 10 --profile grizzl-e
  ten chargers with one session each, then a verdict:
    levity simulate --charge-points 10 --once --strict
  a car park's night in ten minutes, with a ledger to compare with the database:
    levity simulate --charge-points 50 --life everyday --speed 60 --duration 600 --ledger ledger
  200 chargers with full sessions, 100 Calls a second in total:
    levity simulate --charge-points 200 --rate 100 --duration 30 --json
"""

_LIVES: dict[str, Life] = {"lively": LIVELY, "everyday": EVERYDAY}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All arguments of `simulate`."""
    add = parser.add_argument
    add("--url", default="ws://localhost:9000/ws", help="the identity is appended (%(default)s)")
    add("--charge-points", type=_positive, default=1, metavar="N", help="how many (%(default)s)")
    add("--profile", default="generic", choices=list(PROFILES), help="make (%(default)s)")
    add("--key", metavar="KEY", help="present this key (HTTP Basic); not with --rate")
    add("--prefix", default="SIM", help="identities are PREFIX-0001, ... (%(default)s)")
    add("--connectors", type=_positive, help="connectors per charger (the make's)")
    add("--life", default="lively", choices=list(_LIVES), help="how busy (%(default)s)")
    add(
        "--file-protocol",
        choices=("http", "ftp"),
        help="transfer files by this one only (all)",
    )
    add("--fail-update-of", type=_positive, metavar="N", help="firmware updates of the Nth fail")
    add("--once", action="store_true", help="one session per connector, then leave")
    add("--duration", type=float, metavar="S", help="real seconds; default: until Ctrl-C")
    add("--speed", type=float, default=1.0, metavar="X", help="compress simulated time X times")
    add("--seed", type=int, default=1, help="same seed, same life (%(default)s)")
    add("--ramp", type=float, default=50.0, metavar="N", help="new connections a second")
    add(
        "--rate",
        type=float,
        metavar="N",
        help="instead of a life: full sessions back to back, N Calls a second in total",
    )
    add(
        "--ledger", type=Path, metavar="DIR", help="append what is sent and answered to DIR/*.jsonl"
    )
    add("--strict", action="store_true", help="exit with 1 if there was a CALLERROR")
    add("--json", action="store_true", help="print the summary as JSON, and no progress")


def simulate(options: argparse.Namespace) -> int:
    """Run what the options say. 0: well; 1: nothing could connect, or --strict and CALLERRORs."""
    raise_file_limit()
    try:
        if options.rate is not None:
            if options.key is not None:
                raise ValueError(
                    "--rate can't be used with --key: set the charge points to profile 0"
                )
            return run_loop(_load(options))
        return run_loop(_fleet(options))
    except ValueError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


async def _fleet(options: argparse.Namespace) -> int:
    profile = profile_named(options.profile)
    if options.connectors is not None:
        profile = replace(profile, connectors=options.connectors)
    if options.file_protocol is not None:
        profile = replace(profile, file_protocols=(options.file_protocol,))
    members = list(uniform_fleet(options.prefix, options.charge_points, profile))
    if (failing := options.fail_update_of) is not None and failing <= len(members):
        failed = replace(profile, fails_updates=True)
        members[failing - 1] = replace(members[failing - 1], profile=failed)
    fleet = Fleet(
        WebsocketDialer(options.url, key=options.key),
        members,
        life=ONCE if options.once else _LIVES[options.life],
        clock=Clock.that_ends_now(speed=options.speed, seconds=options.duration or 3600.0),
        seed=options.seed,
        ramp=options.ramp,
        ledger_directory=options.ledger,
    )
    tty = sys.stderr.isatty()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    run = asyncio.ensure_future(
        fleet.run(
            duration=options.duration,
            report=None if options.json else _reporter(options, tty),
            report_every=1.0 if tty else 5.0,
        )
    )
    _on_signals(run.cancel)
    watch = asyncio.ensure_future(_stop_if_nobody_answers(fleet.statistics, run))
    try:
        summary = await run
    except asyncio.CancelledError:
        summary = fleet.summary(loop.time() - begun)
    finally:
        watch.cancel()
    if tty and not options.json:
        print(file=sys.stderr)
    return _verdict(options, summary)


def _on_signals(end: Callable[[], object]) -> None:
    """End in good order on Ctrl-C and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(
            NotImplementedError, RuntimeError, ValueError
        ):  # Windows, or not the main thread
            asyncio.get_running_loop().add_signal_handler(number, end)


async def _stop_if_nobody_answers(statistics: Statistics, run: "asyncio.Future[Summary]") -> None:
    """A wrong URL is said at once; a server that goes away later is only waited for."""
    while statistics.connects == 0:
        await asyncio.sleep(0.2)
        if statistics.refused >= 2 and statistics.connects == 0:
            run.cancel()
            return


def _verdict(options: argparse.Namespace, summary: Summary) -> int:
    if options.json:
        print(orjson.dumps(summary.as_dict()).decode())
    else:
        print(
            f"{summary.connects} connections, {summary.messages} Calls, {summary.results} results, "
            f"{sum(summary.call_errors.values())} CALLERRORs, {summary.timeouts} time-outs, "
            f"{summary.lost} lost, {summary.dropped} given up; "
            f"{summary.started} sessions started, {summary.stopped} stopped; "
            f"p50 {summary.p50_ms:g} ms, p99 {summary.p99_ms:g} ms; {summary.seconds:.0f} s"
        )
        for code, count in summary.call_errors.items():
            print(f"  CALLERROR {code}: {count}")
    if summary.connects == 0:
        print(_nobody_answers(options.url, summary.last_refusal), file=sys.stderr)
        return 1
    return 1 if options.strict and summary.call_errors else 0


def _nobody_answers(url: str, reason: str) -> str:
    return (
        f"No charge point could connect to {url}: {reason or 'no answer yet'}\n"
        "Is the central system running (levity serve)? Are port and path right: "
        "ws://HOST:9000/ws, without the identity?\n"
        "With HTTP 401 or 403 it refuses these identities; with 503 it is overloaded or starting."
    )


def _reporter(options: argparse.Namespace, tty: bool) -> Callable[[Statistics, float], None]:
    last = [0, 0.0]

    def report(counted: Statistics, seconds: float) -> None:
        rate = (counted.messages - last[0]) / max(0.001, seconds - last[1])
        last[:] = [counted.messages, seconds]
        line = (
            f"{seconds:5.0f} s  {counted.connected}/{options.charge_points} connected  "
            f"{counted.messages} Calls ({rate:.0f}/s)  "
            f"{counted.started - counted.stopped} charging  "
            f"{counted.call_errors.total()} CALLERRORs  "
            f"p99 {counted.latency.percentile(0.99) * 1000:.0f} ms"
        )
        print(
            f"\r{line}\x1b[K" if tty else line, end="" if tty else "\n", file=sys.stderr, flush=True
        )

    return report


async def _load(options: argparse.Namespace) -> int:
    try:
        result = await run_load(
            options.url,
            charge_points=options.charge_points,
            seconds=options.duration or 30.0,
            rate=options.rate,
            prefix=options.prefix,
            connected=_on_signals,
        )
    except DialError as error:
        print(_nobody_answers(options.url, str(error)), file=sys.stderr)
        return 1
    if options.json:
        print(orjson.dumps(asdict(result)).decode())
    else:
        print(
            f"{result.messages} Calls in {result.seconds:g} s ({result.rate:g}/s), "
            f"{result.call_errors} CALLERRORs, {result.disconnects} disconnects; "
            f"p50 {result.p50_ms:g} ms, p99 {result.p99_ms:g} ms"
        )
    return 1 if options.strict and result.call_errors else 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number
