"""The edge as a process: how it starts, what it says, how it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.backend import ScriptedBackend
from tests.chargers import http_get, raw_charger
from tests.rabbitmq import AMQP_URL, Queues, isolated_queues, unused_port

from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.__main__ import main
from levity_ws.rpc.envelope import Connected, Disconnected, Received

MAIN = Path(__file__).parents[1] / "main.py"


@asynccontextmanager
async def edge_process(**variables: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """`python main.py` on a free port; yields it and the port that its log line names."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(MAIN),
        env={**os.environ, "WS_HOST": "127.0.0.1", "WS_PORT": "0", **variables},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"Listening on ws://" not in (line := await process.stderr.readline()):
                assert line, "ended before it listened"
        yield process, int(line.split(b"ws://127.0.0.1:")[1].split(b"/")[0])
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def test_help_names_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for variable in ("AMQP_URL", "WS_PORT", "LEVITY_TRUSTED_PROXIES"):
        assert variable in text


@pytest.mark.parametrize(
    ("environ", "named"),
    [({"WS_PORT": "x"}, "WS_PORT"), ({"AMQP_URL": "http://u:s3cret@x/"}, "AMQP_URL")],
)
def test_a_variable_that_makes_no_sense_ends_with_one_line(
    environ: dict[str, str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], environ) == 1
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert named in output.err
    assert "s3cret" not in output.err


def test_a_taken_port_ends_with_one_line() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, str(MAIN)],
            env={**os.environ, "WS_HOST": "127.0.0.1", "WS_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"Can't listen on 127.0.0.1:{port}: Address already in use"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_starts_without_a_broker_says_so_and_ends_cleanly(number: int) -> None:
    url = f"amqp://guest:guest@127.0.0.1:{unused_port()}/"
    async with edge_process(AMQP_URL=url) as (process, port):
        assert (await http_get(port, "/readyz"))[0] == 503
        async with raw_charger(port) as charger:
            assert (charger.status, charger.header("Retry-After") is not None) == (503, True)
        process.send_signal(number)
        async with asyncio.timeout(60):
            _, errors = await process.communicate()
        assert process.returncode == 0
        assert b"Traceback" not in errors


@pytest.fixture
def queues() -> Iterator[Queues]:
    with isolated_queues() as isolated:
        yield isolated


@pytest.mark.services
async def test_a_charger_reaches_a_worker_and_is_said_goodbye(queues: Queues) -> None:
    """The fleet shape: edge process, RabbitMQ, worker."""
    backend = ScriptedBackend(AmqpWorkerTransport(AMQP_URL, prefix=queues.prefix))
    async with edge_process(AMQP_URL=AMQP_URL, LEVITY_AMQP_PREFIX=queues.prefix) as (process, port):
        async with asyncio.timeout(60):
            while (await http_get(port, "/readyz"))[0] != 200:
                pass
        async with raw_charger(port, "/ws/RDAM%20123") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            assert await charger.text() == 'echo [2,"1","Heartbeat",{}]'
            process.send_signal(signal.SIGTERM)
            assert await charger.close_frame() == (1012, "restarting")
        async with asyncio.timeout(60):
            await process.communicate()
        assert process.returncode == 0
    await asyncio.to_thread(backend.wait_for, lambda _events: bool(backend.of(Disconnected)))
    told = [
        (event.charge_point, event.seq, type(event))
        for event in backend.events
        if event.connection and event.seq
    ]
    assert told == [
        ("RDAM 123", 1, Connected),
        ("RDAM 123", 2, Received),
        ("RDAM 123", 3, Disconnected),
    ]
    await asyncio.to_thread(backend.stop)
