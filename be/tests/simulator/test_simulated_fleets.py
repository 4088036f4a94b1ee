"""Fleets, load and command line; over real websockets where the socket matters."""

import argparse
import asyncio
import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from levity.run.management.commands.simulate import Command
from levity.simulator.charge_point import ChargePoint
from levity.simulator.cli import add_arguments, simulate
from levity.simulator.clock import Clock
from levity.simulator.fleet import Fleet, demo_fleet, uniform_fleet
from levity.simulator.life import LIVELY, ONCE
from levity.simulator.load import run_load
from levity.simulator.makes import PROFILES
from levity.simulator.memory import MemoryDialer
from levity.simulator.script import CALLS_PER_SESSION, SessionFrames, boot_frame
from levity.simulator.statistics import Histogram
from levity.simulator.websocket import WebsocketDialer, charge_point_url
from tests.simulator.scripted import EPOCH, PLAIN, Refusal, ScriptedSystem, in_virtual_time


class Socket:
    """A ServerConnection as the scripted system wants it."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def recv(self) -> str:
        return str(await self._connection.recv())

    async def send(self, text: str) -> None:
        await self._connection.send(text)


class Site:
    """A real websocket server in front of a scripted system."""

    def __init__(self) -> None:
        self.system = ScriptedSystem()
        self.requests: list[Any] = []
        self.url = ""

    async def __aenter__(self) -> "Site":
        async def handle(connection: ServerConnection) -> None:
            self.requests.append(connection.request)
            await self.system.accept("", PLAIN, Socket(connection))  # type: ignore[arg-type]  # duck

        def choose(_connection: ServerConnection, offered: Any) -> Any:
            return "ocpp1.6" if offered else None

        self._server = await serve(
            handle, "127.0.0.1", 0, select_subprotocol=choose, subprotocols=["ocpp1.6"]
        )
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        await self._server.wait_closed()


async def fleet_ledgers(seed: int) -> list[Any]:
    system = ScriptedSystem()
    makes = ("generic", "grizzl-e", "alfen", "zaptec")
    members = [
        replace(uniform_fleet(make, 1, PROFILES[make])[0], identity=f"CP-{make}") for make in makes
    ]
    fleet = Fleet(
        MemoryDialer(system.accept),
        members,
        life=replace(LIVELY, sessions=8, power_loss_share=0.2, offline_share=0.2),
        clock=Clock(epoch=EPOCH),
        seed=seed,
        keep_ledgers=True,
    )
    summary = await fleet.run()
    assert summary.started == summary.stopped >= 24
    assert summary.call_errors == {}
    return [each.ledger.entries for each in fleet.charge_points]


def test_same_seed_plays_the_same_fleet():
    first, again = in_virtual_time(fleet_ledgers(3)), in_virtual_time(fleet_ledgers(3))
    assert first == again
    assert in_virtual_time(fleet_ledgers(4)) != first


def test_demo_shows_sessions_a_fault_and_reboots_within_a_minute():
    async def demo() -> tuple[Fleet, ScriptedSystem]:
        system = ScriptedSystem()
        fleet = demo_fleet("ws://localhost:1/ws")
        for charge_point in fleet.charge_points:
            charge_point._dialer = MemoryDialer(system.accept)
        await fleet.run(duration=75.0)
        return fleet, system

    fleet, system = in_virtual_time(demo())
    heard = set(system.actions())
    assert {"1 Preparing", "1 Charging", "1 Faulted", "1 Available", "1 Finishing"} <= heard
    assert {"StartTransaction", "MeterValues", "StopTransaction"} <= heard
    assert fleet.statistics.started >= 8
    assert fleet.statistics.boots > len(fleet.charge_points)


def test_fleet_over_real_websockets_lives_one_session_each():
    async def run() -> None:
        async with Site() as site:
            fleet = Fleet(
                WebsocketDialer(site.url),
                uniform_fleet("SIM", 5, PROFILES["generic"]),
                life=ONCE,
                clock=Clock(speed=500.0),
                ramp=1000.0,
            )
            summary = await fleet.run(duration=20.0)
            assert (summary.connects, summary.started, summary.stopped) == (5, 5, 5)
            assert (summary.messages, summary.call_errors) == (summary.results, {})
            assert summary.p99_ms > 0.0
            paths = sorted(request.path for request in site.requests)
            assert paths == [f"/ws/SIM-000{number}" for number in range(1, 6)]

    asyncio.run(run())


def test_grizzl_e_offers_no_subprotocol_and_breaks_on_two_frames_in_one_segment():
    async def run() -> None:
        async with Site() as site:
            dialer = WebsocketDialer(site.url)
            charge_point = ChargePoint("G1", PROFILES["grizzl-e"], dialer, chance=Random(1))
            living = asyncio.ensure_future(charge_point.run())
            await charge_point.ready()
            request = site.requests[0]
            assert request.headers.get_all("Sec-WebSocket-Protocol") == []
            assert request.headers["User-Agent"] == "TinyWebsockets Client"
            link = site.system.link
            assert link is not None
            transport = link._connection.transport  # type: ignore[attr-defined]  # our Socket
            frame = b'[2,"a","ClearCache",{}]'
            transport.write((b"\x81" + bytes([len(frame)]) + frame) * 2)
            await charge_point._until(lambda: charge_point.statistics.disconnects == 1, 10)
            assert charge_point.statistics.disconnects == 1
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)

    asyncio.run(run())


def test_identity_is_percent_encoded():
    url = charge_point_url("ws://h:9000/ws/", "A/B %|:é")
    assert url == "ws://h:9000/ws/A%2FB%20%25%7C%3A%C3%A9"


# The rate is measured: nothing may run beside it.
@pytest.mark.parametrize("rate", [None, pytest.param(400.0, marks=pytest.mark.exclusive)])
def test_load_plays_whole_sessions_and_measures_them(rate):
    async def run() -> None:
        async with Site() as site:
            result = await run_load(site.url, charge_points=10, seconds=1, rate=rate, warm_up=0.05)
            assert result.call_errors == 0
            assert result.disconnects == 0
            assert result.messages == sum(result.messages_by_action.values()) > 50
            assert set(result.messages_by_action) == {
                "StatusNotification",
                "Authorize",
                "StartTransaction",
                "MeterValues",
                "StopTransaction",
                "Heartbeat",
            }
            assert 0 < result.p50_ms <= result.p99_ms <= result.max_ms
            known = range(1, site.system.transactions + 1)
            stops = site.system.of("StopTransaction")
            assert all(each.payload["transactionId"] in known for each in stops)
            if rate is not None:
                assert 300 < result.rate < 500

    asyncio.run(run())


def test_load_frames_are_json_and_a_session_is_eleven_calls():
    frames = SessionFrames(7)
    frames.transaction_id = 42
    session = [frames.next() for _ in range(CALLS_PER_SESSION)]
    parsed = [orjson.loads(frame) for _action, _unique_id, frame in session]
    assert [each[2] for each in parsed] == [action for action, _, _ in session]
    assert [each[2] for each in parsed] == [
        "StatusNotification",
        "Authorize",
        "StartTransaction",
        *["MeterValues"] * 5,
        "StopTransaction",
        "StatusNotification",
        "Heartbeat",
    ]
    assert parsed[8][3]["meterStop"] - parsed[2][3]["meterStart"] == 50
    assert orjson.loads(boot_frame(7))[2] == "BootNotification"


def test_each_frame_of_a_load_session_has_a_time_of_its_own():
    """Samples of the same time would be the same again, and not be stored."""
    frames = SessionFrames(7)
    payloads = [orjson.loads(frames.next()[2])[3] for _ in range(2 * CALLS_PER_SESSION)]
    samples = [each for payload in payloads for each in payload.get("meterValue", ())]
    times = [each["timestamp"] for each in (*payloads, *samples) if "timestamp" in each]
    assert len(samples) == 10
    assert len(set(times)) == len(times) == 18


def test_idle_connections_are_held_until_stdin_closes():
    async def run() -> None:
        async with Site() as site:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "levity.simulator.load", "--url", site.url),
                *("--charge-points", "150", "--idle", "--boot"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=str(Path(__file__).parents[2]),
            )
            assert process.stdout is not None
            assert json.loads(await process.stdout.readline())["connected"] == 150
            assert len(site.system.of("BootNotification")) == 150
            assert process.stdin is not None
            process.stdin.close()
            assert await process.wait() == 0

    asyncio.run(run())


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def test_nobody_there_is_said_with_what_to_check(capsys, unused_tcp_port):
    url = f"ws://127.0.0.1:{unused_tcp_port}/ws"
    assert simulate(options("--url", url, "--speed", "20")) == 1
    assert f"No charge point could connect to {url}" in capsys.readouterr().err


def test_url_without_scheme_is_refused(capsys):
    assert simulate(options("--url", "localhost:9000")) == 1
    assert "should look like ws://host:9000/ws" in capsys.readouterr().err


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 1)])
def test_strict_makes_call_errors_an_exit_code(strict, code, capsys):
    async def run() -> tuple[int, str]:
        async with Site() as site:
            site.system.script["Authorize"] = Refusal()
            words = ("--url", site.url, "--once", "--speed", "200", "--json", *strict)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, simulate, options(*words)), site.url

    got, _url = asyncio.run(run())
    assert got == code
    assert json.loads(capsys.readouterr().out)["call_errors"] == {"InternalError": 1}


def test_command_shows_examples():
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended, redirect_stdout(out):
        Command().run_from_argv(["levity", "simulate", "--help"])
    assert ended.value.code == 0
    assert "levity simulate --url ws://localhost:9000/ws --charge-points 10" in out.getvalue()


def test_simulator_imports_neither_django_nor_the_backend():
    source = (
        "import sys, pkgutil, importlib, levity.simulator as s\n"
        "for m in pkgutil.iter_modules(s.__path__):\n"
        "    if m.name != '__main__': importlib.import_module('levity.simulator.' + m.name)\n"
        "print([n for n in sys.modules if n.split('.')[0] == 'django' or "
        "n.startswith(('levity.ocpp', 'levity_ws', 'ocpp'))])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_histogram_percentiles_are_within_seven_percent():
    histogram = Histogram()
    for milliseconds in range(1, 1001):
        histogram.add(milliseconds / 1000)
    assert histogram.percentile(0.5) == pytest.approx(0.5, rel=0.07)
    assert histogram.percentile(0.99) == pytest.approx(0.99, rel=0.07)
    assert Histogram().percentile(0.5) == 0.0
