"""A second Levity on the same data is refused at once, and touches nothing (B1)."""

import asyncio
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import psutil
import pytest
from tests.chargers import raw_charger
from tests.rabbitmq import AMQP_URL

from levity.ocpp.models import ChargePoint
from tests.system.books import postgres_database
from tests.system.processes import Process, Ran, eventually, python, run
from tests.system.site import POSTGRES_URL, Site, clean_environ, serve

pytestmark = pytest.mark.slow
ANY_PORTS = {"WS_PORT": "0", "WS_HOST": "127.0.0.1", "HTTP_PORT": "0"}


def second(site: Site, **environ: str) -> Ran:
    command = python("-m", "levity", "serve", "--http-host", "127.0.0.1")
    return run(command, {**site.environ, **environ}, site.folder)


def refused(ran: Ran, first: Process) -> None:
    assert ran.returncode == 1
    assert "Levity is already running on this database" in ran.stderr
    assert f"process {first.pid}" in ran.stderr or f"pid {first.pid}" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "preparing" not in ran.stdout


def test_a_second_serve_on_the_same_data_is_refused_and_the_charger_stays(unstarted: Site) -> None:
    """With the same ports and with others; it took every charger off line."""

    def online() -> int:
        return unstarted.books.count(ChargePoint, connection__isnull=False)

    async def play() -> None:
        async with raw_charger(unstarted.port(), "/ws/STAYS-1") as charger:
            charger.send('[2,"1","Heartbeat",{}]')
            await charger.text()
            for ports in (same, ANY_PORTS):
                refused(await asyncio.to_thread(second, unstarted, **ports), first)
                assert await asyncio.to_thread(online) == 1
            charger.send('[2,"2","Heartbeat",{}]')
            assert (await charger.text()).startswith('[3,"2",')

    first = serve(unstarted)
    web = first.line(r"http://localhost:(\d+)/admin/")[1]
    same = {"WS_PORT": str(unstarted.port()), "WS_HOST": "127.0.0.1", "HTTP_PORT": web}
    asyncio.run(play())
    assert f":{web}/admin/" in second(unstarted, **ANY_PORTS).stderr
    assert "silent" not in first.log


def test_after_kill_9_the_next_serve_starts(unstarted: Site) -> None:
    first = serve(unstarted)
    first.send_signal(signal.SIGKILL)
    first.wait()
    serve(unstarted)


def test_restore_and_a_worker_are_refused_beside_serve(unstarted: Site) -> None:
    first = serve(unstarted)
    refused(unstarted.levity("restore", "--done"), first)
    refused(unstarted.levity("consume_rpc_queue"), first)
    assert first.stop() == 0
    assert unstarted.levity("restore", "--done").returncode == 0


@pytest.mark.services
def test_a_second_serve_on_the_same_postgres_is_refused(unstarted: Site, tmp_path: Path) -> None:
    """From another folder, as from another machine; and beside the workers of a fleet."""
    with postgres_database(POSTGRES_URL, migrated=True) as database:
        unstarted.environ["DATABASE_URL"] = database
        elsewhere = {**ANY_PORTS, "LEVITY_DATA_DIR": str(tmp_path / "elsewhere")}
        first = serve(unstarted)
        refused(second(unstarted, **elsewhere), first)
        refused(unstarted.levity("consume_rpc_queue"), first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        worker = unstarted.start(
            "worker", python("-m", "levity", "consume_rpc_queue"), AMQP_URL=AMQP_URL
        )
        worker.line("worker takes batches")
        refused(second(unstarted, **elsewhere), worker)
        assert worker.stop() == 0
        assert second_starts(unstarted, elsewhere)


def second_starts(site: Site, environ: dict[str, str]) -> bool:
    process = site.start(
        "second", python("-m", "levity", "serve", "--http-host", "127.0.0.1"), **environ
    )
    process.line("Levity is running. Stop it")
    return process.stop() == 0


def broken(site: Site, said: str) -> None:
    ran = second(site, **ANY_PORTS)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert said in ran.stderr
    assert "levity restore" in ran.stderr


@pytest.mark.parametrize("how", ["noise", "truncated"])
def test_a_damaged_database_says_how_to_restore_and_restore_works(
    how: str, unstarted: Site, tmp_path: Path
) -> None:
    """It was forty lines of traceback; and `restore` failed at the damaged file itself."""
    assert serve(unstarted).stop() == 0
    copy = tmp_path / "levity.backup"
    assert unstarted.levity("backup", str(copy)).returncode == 0
    here = unstarted.folder / "data/levity.sqlite3"
    with sqlite3.connect(here) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if how == "noise":
        here.write_bytes(os.urandom(20_000))
    else:
        os.truncate(here, 100_000)
    found = here.read_bytes()
    broken(unstarted, f"levity restore {copy}")
    assert here.read_bytes() == found
    ran = unstarted.levity("restore", "--no-input", str(copy))
    assert ran.returncode == 0, ran.stderr
    kept = min(here.parent.glob("levity.sqlite3.before-*"))
    assert kept.read_bytes() == found
    serve(unstarted)


def test_a_folder_that_cannot_be_written_is_named(untouched: Site) -> None:
    data = untouched.folder / "data"
    data.write_text("a file where the folder should be")
    ran = second(untouched, **ANY_PORTS, SECRET_KEY="of-no-value-" * 5)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert f"{data} is not writable" in ran.stderr


def test_an_older_release_does_not_start_on_the_database_of_a_later_one(unstarted: Site) -> None:
    """C11: neither `serve` nor a worker nor the pages."""
    assert serve(unstarted).stop() == 0
    with sqlite3.connect(unstarted.folder / "data/levity.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('ocpp', '9999_of_tomorrow', '2030-01-01')"
        )
    pages = run(python("-c", "import levity.wsgi"), unstarted.environ, unstarted.folder)
    for ran in (second(unstarted, **ANY_PORTS), unstarted.levity("consume_rpc_queue"), pages):
        assert ran.returncode == 1
        assert "later release: it has ocpp.9999_of_tomorrow" in " ".join(ran.stderr.split())


def test_a_start_that_updates_says_so_and_one_that_cannot_back_up_changes_nothing(
    unstarted: Site,
) -> None:
    """It runs in a process of its own, with the words and the exit status of `levity migrate`."""
    assert serve(unstarted).stop() == 0
    database = unstarted.folder / "data/levity.sqlite3"
    with unstarted.books.open(ChargePoint) as rows:
        rows.create(identity="IN-USE")
    assert unstarted.levity("migrate", "ocpp", "0012", "--no-backup").returncode == 0
    folder = database.parent / "before-updates"
    folder.write_text("a file where the folder should be")
    typed, started = unstarted.levity("migrate"), second(unstarted, **ANY_PORTS)
    assert typed.returncode == started.returncode == 1
    assert "the backup before the update failed" in started.stderr
    assert started.stderr == typed.stderr
    folder.unlink()
    updated = serve(unstarted)
    assert "Backing up the database before the update (1 change)" in updated.log
    assert "1 charge point and 0 sessions, and read it back" in updated.log
    updated.line("Levity is running")
    assert len(list(folder.glob("*.backup"))) == 1


def test_the_first_start_keeps_no_more_memory_than_later_ones(untouched: Site) -> None:
    """Making the tables took 24 MB that stayed with the server for as long as it ran."""

    def memory(process: Process) -> int:
        here = psutil.Process(process.pid)
        both = (here, *here.children(recursive=True))
        return sum(each.memory_full_info().pss for each in both)

    first = serve(untouched)
    afterwards = memory(first)
    assert first.stop() == 0
    assert afterwards - memory(serve(untouched)) < 10_000_000


def test_nobody_else_on_this_machine_reads_the_database(untouched: Site) -> None:
    """C6: new ones, and those that an earlier release has made."""
    serve(untouched)
    data = untouched.folder / "data"
    files = list(data.glob("levity.sqlite3*"))
    assert len(files) >= 4

    def modes() -> set[int]:
        return {each.stat().st_mode & 0o077 for each in (data, *data.glob("levity.sqlite3*"))}

    assert modes() == {0}
    untouched.edges[0].stop()
    shutil.copy(data / "levity.sqlite3", data / "levity.sqlite3.before-20260101-000000")
    for each in (data, *data.glob("levity.sqlite3*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    again = serve(untouched)
    again.line(r"levity\.sqlite3.* readable by others; permissions corrected")
    assert eventually(modes, {0}) == {0}


def test_a_folder_with_other_things_in_it_keeps_its_rights(untouched: Site) -> None:
    data = untouched.folder / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    (data / "holiday.jpg").write_text("not ours")
    serve(untouched)
    assert data.stat().st_mode & 0o777 == 0o755
    assert (data / "levity.sqlite3").stat().st_mode & 0o077 == 0


def test_version_and_help_are_levitys(tmp_path: Path) -> None:
    """B11: `levity --version` said Django's."""
    environ = clean_environ(tmp_path)
    assert run(python("-m", "levity", "--version"), environ, tmp_path).stdout == "Levity 0.1.0\n"
    for words in ([], ["help"]):
        said = run(python("-m", "levity", *words), environ, tmp_path).stdout
        assert said.index("serve") < said.index("createsuperuser")
    assert not (tmp_path / "data").exists()
