"""`levity serve`, from the first start to Ctrl-C, on an empty folder."""

import asyncio
import signal
import socket
import subprocess
import time

import psutil
import pytest
from tests.chargers import raw_charger

from levity.ocpp.models import ChargePoint, Message
from tests.system.pages import Browser
from tests.system.processes import Process, eventually, python
from tests.system.site import Site, http_get, serve

# Whole processes, each started anew: `make test` has the time for them.
pytestmark = pytest.mark.slow


def web_port(process: Process) -> int:
    return int(process.line(r"http://localhost:(\d+)/admin/")[1])


def stop_with_a_charger_on_line(
    site: Site, process: Process, number: signal.Signals
) -> tuple[tuple[int, str], int, float]:
    """How the charger was told, the exit status, and how many seconds it took."""

    async def play() -> tuple[tuple[int, str], int, float]:
        async with raw_charger(site.port(), "/ws/STOP-1") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            await charger.text()
            begun = time.monotonic()
            process.send_signal(number)
            goodbye = await charger.close_frame()
            await charger.close()
            status = await asyncio.to_thread(process.wait)
            return goodbye, status, time.monotonic() - begun

    return asyncio.run(play())


@pytest.mark.timed
def test_password_is_printed_once_and_everything_stops_in_good_order(untouched: Site) -> None:
    """`levity serve`, log in, a charger, SIGTERM; the same again with Ctrl-C."""
    first = serve(untouched)
    name, password = first.line(r"Log in as +(\S+), password (\S+) ").groups()
    browser = Browser(web_port(first))
    assert not browser.login(name, "wrong")
    assert browser.login(name, password)
    assert first.log.count(password) == 1
    # Typed from a screen: nothing that looks like something else, and no signs.
    assert password.isalnum()
    assert not set(password) & set("0O1lIo5S2Z8B")
    assert len(password) == 20
    told, status, seconds = stop_with_a_charger_on_line(untouched, first, signal.SIGTERM)
    assert (told, status) == ((1012, "restarting"), 0)
    assert seconds < 10

    again = serve(untouched)
    shown = again.line(r"Log in as +(.*)")[1]
    assert shown == "admin (password forgotten: python -m levity changepassword admin)"
    assert password not in again.log
    told, status, seconds = stop_with_a_charger_on_line(untouched, again, signal.SIGINT)
    assert (told, status) == ((1012, "restarting"), 0)
    assert seconds < 10
    assert untouched.tracebacks() == []


@pytest.mark.timed
def test_it_stops_whole_when_nobody_reads_what_it_says_any_more(unstarted: Site) -> None:
    """The reader of a pipe (`| tee`) ends first: the edge and the worker end all the same."""
    command = python("-m", "levity", "serve", "--http-host", "127.0.0.1")
    environ = {"WS_PORT": "0", "WS_HOST": "127.0.0.1", "HTTP_PORT": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        env={**unstarted.environ, **environ},
        cwd=unstarted.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        while b"simulate --url" not in (line := process.stdout.readline()):
            assert line, "it ended before it served"
        process.stdout.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()


def test_after_a_crash_nobody_is_on_line_until_he_is_back(unstarted: Site) -> None:
    """And the idle process is small: 160 MB, worker, edge and web pages together; what processes
    share counts once."""

    def online() -> list[str]:
        rows = unstarted.books.rows(ChargePoint, "identity", connection__isnull=False)
        return [identity for (identity,) in rows]

    async def greet(identity: str) -> None:
        async with raw_charger(unstarted.port(), f"/ws/{identity}") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            await charger.text()
            assert await asyncio.to_thread(online) == [identity]

    async def greet_and_crash() -> None:
        async with raw_charger(unstarted.port(), "/ws/CRASH-1") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            await charger.text()
            first.kill()

    first = serve(unstarted, DJANGO_SUPERUSER_USERNAME="olga", DJANGO_SUPERUSER_PASSWORD="s3cret-9")
    assert first.line(r"Log in as +(.*)")[1] == "olga (with the password you gave)"
    assert "s3cret-9" not in first.log
    assert Browser(web_port(first)).login("olga", "s3cret-9")
    process = psutil.Process(first.pid)
    processes = (process, *process.children(recursive=True))
    assert sum(each.memory_full_info().pss for each in processes) <= 160_000_000
    asyncio.run(greet_and_crash())
    assert online() == ["CRASH-1"]

    serve(unstarted)
    assert online() == []
    asyncio.run(greet("CRASH-1"))


def edge_beside(first: Process) -> psutil.Process:
    """The process in which the edge of this `levity serve` runs."""
    [edge] = psutil.Process(first.pid).children()
    return edge


def test_an_edge_that_is_killed_is_replaced_and_nothing_answered_is_lost(unstarted: Site) -> None:
    """On the same port, whichever it was; and nobody is on line before he has called again."""

    async def heartbeat(identity: str) -> None:
        async with raw_charger(unstarted.port(), f"/ws/{identity}") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            assert (await charger.text()).startswith('[3,"1",')

    async def answered_and_cut_off() -> None:
        async with raw_charger(unstarted.port(), "/ws/CUT-1") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            await charger.text()
            edge.kill()
            await asyncio.to_thread(first.line, "the edge failed; restarting it")

    first = serve(unstarted)
    edge = edge_beside(first)
    asyncio.run(answered_and_cut_off())
    assert eventually(lambda: http_get(unstarted.port(), "/readyz")[0], 200) == 200
    assert unstarted.books.count(ChargePoint, connection__isnull=False) == 0
    asyncio.run(heartbeat("CUT-1"))
    assert unstarted.books.count(Message, charge_point__identity="CUT-1") == 2
    assert edge_beside(first).pid != edge.pid


@pytest.mark.timed
def test_an_edge_does_not_outlive_the_process_that_started_it(unstarted: Site) -> None:
    """Or the port would be taken for whoever starts `levity serve` again."""
    first = serve(unstarted)
    edge = edge_beside(first)
    first.send_signal(signal.SIGKILL)
    edge.wait(15)


def test_an_edge_is_not_told_the_secrets_of_the_site(unstarted: Site) -> None:
    secrets = {
        "SECRET_KEY": "of-no-value-" * 5,
        "SECRET_KEY_FALLBACKS": "of-less-value-" * 5,
        "DJANGO_SUPERUSER_PASSWORD": "s3cret-9",
        "LEVITY_CA_PASSPHRASE": "s3cret-10",
        "LEVITY_ALERT_WEBHOOK_SECRET": "s3cret-11",
        "LEVITY_METRICS_TOKEN": "s3cret-12",
        "EMAIL_URL": "smtp://anna:s3cret-13@localhost:25",
    }
    told = edge_beside(serve(unstarted, **secrets)).environ()
    assert not secrets.keys() & told.keys()
    assert not [value for value in told.values() if "s3cret" in value]


def test_metrics_of_the_edge_are_among_those_of_the_web_pages(unstarted: Site) -> None:
    status, _, body = http_get(web_port(serve(unstarted)), "/metrics")
    assert status == 200
    for name in (b"levity_edge_backend_available 1.0", b"levity_edge_batches_published_total"):
        assert name in body


def refused(site: Site, variable: str) -> str:
    """What `levity serve` says when the port that this variable names is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = site.start(
            "levity serve",
            python("-m", "levity", "serve", "--http-host", "127.0.0.1"),
            **{"HTTP_PORT": "0", "WS_PORT": "0", "WS_HOST": "127.0.0.1", variable: port},
        )
        assert process.wait() == 1
    assert "Traceback" not in process.log
    [error] = [line for line in process.lines if "Error" in line]
    return error.replace(port, "PORT")


def test_port_in_use_is_one_clear_error(unstarted: Site) -> None:
    """And the first password is not lost by it: it was made and never shown, once."""
    said = (
        "CommandError: Can't listen on 127.0.0.1:PORT: Address already in use. Another program "
        "uses that port. To use other ports: HTTP_PORT=8080 WS_PORT=9090"
    )
    assert refused(unstarted, "HTTP_PORT") == said
    assert refused(unstarted, "WS_PORT") == said
    assert serve(unstarted).line("Log in as +admin, password ")


def test_send_command_works_beside_fifty_busy_chargers(unstarted: Site) -> None:
    """Two processes write to one SQLite file, and neither finds it locked."""
    served = serve(unstarted)
    command = python(
        *("-m", "levity", "simulate", "--url", unstarted.url(), "--charge-points", "50"),
        *("--rate", "150", "--duration", "600", "--strict"),
    )
    load = unstarted.start("levity simulate", command)
    assert eventually(lambda: unstarted.books.count(ChargePoint) >= 50, True)
    for _ in range(3):
        ran = unstarted.levity("send_command", "SIM-000001", "Reset", '{"type":"Soft"}', "--wait")
        assert (ran.returncode, ran.stderr) == (0, "")
    # Enough: it counts what it has sent by now.
    assert load.stop(signal.SIGINT, within=120) == 0, load.log
    assert "locked" not in served.log
    assert "0 CALLERRORs, 0 disconnects" in load.log
    assert unstarted.tracebacks() == []
