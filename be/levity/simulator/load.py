"""The load generator of the benchmark: as many full sessions as the central system can take.

    python -m levity.simulator.load --url ws://localhost:9000/ws --charge-points 200 --json
    python -m levity.simulator.load --url ... --charge-points 200 --rate 200 --json
    python -m levity.simulator.load --url ... --charge-points 5000 --idle --json

Closed loop: each charger sends its next Call as soon as the last one is answered. Paced (`--rate`):
each Call has a moment at which it is due, and its latency counts from that moment, also where the
charger could not send it yet; so a stall of the server is felt by every Call that it delayed.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from levity.simulator.crowd import Crowd, raise_file_limit, run_loop
from levity.simulator.script import CALLS_PER_SESSION, SessionFrames, boot_frame
from levity.simulator.wire import DialError

__all__ = ["LoadResult", "main", "run_load"]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one run measured. Counts are of the measured window: neither ramp nor warm-up."""

    mode: str
    """closed or paced"""
    charge_points: int
    messages: int
    """Calls that were answered with a CALLRESULT."""
    seconds: float
    rate: float
    """messages / seconds"""
    p50_ms: float
    p99_ms: float
    max_ms: float
    call_errors: int
    call_errors_by_code: dict[str, int] = field(default_factory=dict)
    messages_by_action: dict[str, int] = field(default_factory=dict)
    calls_received: int = 0
    """The central system's own Calls in between; all were answered Accepted."""
    disconnects: int = 0
    unanswered: int = 0
    """Calls without an answer when the window closed (at most one for each charger)."""
    connect_seconds: float = 0.0
    """For all connections and their BootNotifications."""
    cpu_seconds: float = 0.0
    """Of this process, in the window."""
    cpu_ms_per_message: float = 0.0
    opened_at: float = 0.0
    """When the window opened, in POSIX seconds; it closed `seconds` later."""


class _Window:
    """What all chargers of a run count together."""

    def __init__(self) -> None:
        self.open = False
        self.closes = float("inf")
        self.latencies = array("d")
        self.actions: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.calls_received = 0
        self.disconnects = 0


class _Charger:
    """One connection in the load. `exchange` sends one Call and waits for its answer."""

    def __init__(
        self, connection: ClientConnection, number: int, window: _Window, plugged_status: str
    ) -> None:
        self._connection = connection
        self._window = window
        self._frames = SessionFrames(number, plugged_status=plugged_status)
        self.number = number

    async def boot(self) -> None:
        await self._connection.send(boot_frame(self.number), text=True)
        answer = orjson.loads(await self._answer(b'"0"'))
        if answer[0] != 3 or answer[2].get("status") != "Accepted":
            raise DialError(f"BootNotification was not accepted: {answer!r:.200}")

    async def exchange(self, due: float | None) -> None:
        """Send the next Call; its latency counts from `due`, or from now if that is None."""
        action, unique_id, frame = self._frames.next()
        begun = time.perf_counter() if due is None else due
        await self._connection.send(frame, text=True)
        answer = await self._answer(unique_id)
        latency = time.perf_counter() - begun
        if answer.startswith(b"[3"):
            if action == "StartTransaction":
                self._frames.transaction_id = orjson.loads(answer)[2]["transactionId"]
            if self._window.open:
                self._window.latencies.append(latency)
                self._window.actions[action] += 1
        elif self._window.open:
            self._window.errors[f"{action}: {orjson.loads(answer)[2]}"] += 1

    async def _answer(self, unique_id: bytes) -> bytes:
        while True:
            text: bytes = await self._connection.recv(decode=False)
            if text[:2] == b"[2":
                if self._window.open:
                    self._window.calls_received += 1
                asked = orjson.dumps(orjson.loads(text)[1])
                await self._connection.send(b"[3," + asked + b',{"status":"Accepted"}]', text=True)
            elif text[3 : 3 + len(unique_id)] == unique_id or unique_id in text[:64]:
                return text

    async def closed_loop(self) -> None:
        while time.perf_counter() < self._window.closes:
            await self.exchange(None)

    async def paced(self, begin: float, first: float, every: float) -> None:
        # Spread the chargers over the session, so that every second holds every kind of Call.
        for _ in range(self.number % CALLS_PER_SESSION):
            await self.exchange(None)
        due = begin + first
        while due < self._window.closes:
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            await self.exchange(due)
            due += every

    async def run(self, begin: float, first: float, every: float | None) -> None:
        try:
            if every is None:
                await self.closed_loop()
            else:
                await self.paced(begin, first, every)
        except ConnectionClosed:
            self._window.disconnects += 1


async def run_load(
    url: str,
    *,
    charge_points: int = 200,
    seconds: float = 20.0,
    rate: float | None = None,
    warm_up: float = 1.0,
    prefix: str = "LOAD",
    plugged_status: str = "Preparing",
    addresses: int | None = None,
    connected: Callable[[Callable[[], None]], None] | None = None,
) -> LoadResult:
    """Run the load and measure `seconds` of it, after `warm_up`. `rate` is Calls a second in total.

    `connected` is called when all chargers are, with what ends the load sooner: it then returns
    what it has measured by that time. Raises DialError if a charger cannot connect or is not
    accepted.
    """
    begun = time.perf_counter()
    crowd = Crowd(url, addresses=addresses)
    window = _Window()
    enough = asyncio.Event()
    try:
        connections = await crowd.connect(prefix, charge_points)
        chargers = [
            _Charger(connection, number, window, plugged_status)
            for number, connection in enumerate(connections, start=1)
        ]
        for start in range(0, len(chargers), 50):
            await asyncio.gather(*(each.boot() for each in chargers[start : start + 50]))
        ready = time.perf_counter()
        if connected is not None:
            connected(enough.set)
        # Paced, the chargers first spread over the session; that is no part of the pace.
        begin = ready + (0.5 if rate else 0.0)
        opens, window.closes = begin + warm_up, begin + warm_up + seconds
        every = None if rate is None else charge_points / rate
        tasks = [
            asyncio.ensure_future(each.run(begin, (each.number - 1) / rate if rate else 0.0, every))
            for each in chargers
        ]
        await _until(opens, enough)
        window.open, cpu, opened = True, time.process_time(), time.perf_counter()
        opened_at = time.time()
        await _until(window.closes, enough)
        window.open, cpu = False, time.process_time() - cpu
        window.closes = time.perf_counter()
        measured = window.closes - opened
        _done, late = await asyncio.wait(tasks, timeout=5.0)
        for task in late:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
    finally:
        await crowd.disperse()
    latencies = sorted(window.latencies)
    messages = len(latencies)
    return LoadResult(
        mode="closed" if rate is None else "paced",
        charge_points=charge_points,
        messages=messages,
        seconds=round(measured, 3),
        rate=round(messages / measured, 1),
        p50_ms=_milliseconds(latencies, 0.50),
        p99_ms=_milliseconds(latencies, 0.99),
        max_ms=_milliseconds(latencies, 1.0),
        call_errors=window.errors.total(),
        call_errors_by_code=dict(window.errors),
        messages_by_action=dict(window.actions),
        calls_received=window.calls_received,
        disconnects=window.disconnects,
        unanswered=len(late),
        connect_seconds=round(ready - begun, 3),
        cpu_seconds=round(cpu, 3),
        cpu_ms_per_message=round(cpu / messages * 1000, 4) if messages else 0.0,
        opened_at=opened_at,
    )


async def _until(moment: float, enough: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(enough.wait(), max(0.0, moment - time.perf_counter()))


def _milliseconds(ordered: list[float], share: float) -> float:
    if not ordered:
        return 0.0
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 3)


async def _idle(options: argparse.Namespace) -> None:
    crowd = Crowd(options.url, addresses=options.addresses)
    begun = time.perf_counter()
    try:
        connections = await crowd.connect(options.prefix, options.charge_points)
        if options.boot:
            window = _Window()
            chargers = [
                _Charger(each, number, window, "Preparing")
                for number, each in enumerate(connections, start=1)
            ]
            for start in range(0, len(chargers), 50):
                await asyncio.gather(*(each.boot() for each in chargers[start : start + 50]))
        ready = {
            "connected": len(connections),
            "connect_seconds": round(time.perf_counter() - begun, 3),
        }
        print(orjson.dumps(ready).decode(), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        await crowd.disperse()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m levity.simulator.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--charge-points", type=int, default=200, metavar="N")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before it")
    parser.add_argument("--rate", type=float, help="Calls a second in total; default: closed loop")
    parser.add_argument("--prefix", default="LOAD", help="identities are PREFIX-000001, ...")
    parser.add_argument(
        "--plugged-status",
        default="Preparing",
        help="status that begins a session; Charging keeps auto remote start quiet",
    )
    parser.add_argument(
        "--addresses", type=int, help="loopback source addresses (default: one for 100 chargers)"
    )
    parser.add_argument(
        "--idle",
        action="store_true",
        help="open the connections, print a line of JSON, hold until stdin closes",
    )
    parser.add_argument("--boot", action="store_true", help="with --idle: boot every charger")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The command line. 0: measured; 1: no connection, or CALLERRORs."""
    options = _arguments().parse_args(arguments)
    raise_file_limit()
    try:
        if options.idle:
            run_loop(_idle(options))
            return 0
        result = run_loop(
            run_load(
                options.url,
                charge_points=options.charge_points,
                seconds=options.seconds,
                rate=options.rate,
                warm_up=options.warm_up,
                prefix=options.prefix,
                plugged_status=options.plugged_status,
                addresses=options.addresses,
            )
        )
    except (DialError, ValueError) as error:
        print(f"{options.url}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(orjson.dumps(asdict(result)).decode())
    else:
        print(
            f"{result.messages} messages in {result.seconds:g} s: {result.rate:g}/s, "
            f"p50 {result.p50_ms:g} ms, p99 {result.p99_ms:g} ms, "
            f"{result.call_errors} CALLERRORs, {result.cpu_ms_per_message:g} ms CPU each"
        )
    return 1 if result.call_errors else 0


if __name__ == "__main__":
    sys.exit(main())
