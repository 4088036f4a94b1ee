"""An upgrade under load: migrate first, while workers of the last release work; then replace them.

The rule (CONTRIBUTING.md): a migration only adds, and what it adds is nullable or has a default in
the database, so that the last release's worker can write to the new schema. The contraction comes
one release later.
"""

import asyncio
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from tests.rabbitmq import AMQP_URL, isolated_queues

from levity.ocpp.models import LegacySample, Message, MeterValue
from tests.system.books import Books, postgres_database
from tests.system.load import audit, busy_chargers
from tests.system.processes import CHECKOUT, Process, eventually, python, run
from tests.system.site import POSTGRES_URL, Site, clean_environ, http_get

pytestmark = [pytest.mark.services, pytest.mark.slow]

SEED = 21
# Before there is a tag: the oldest commit whose database migrates to today's in one step.
FIRST = "d3be4f5"
SECRET_KEY = "not-secret-but-long-enough-to-pass-0123456789-abcdefghijklmnopqrstuvwxyz"


def last_release() -> str:
    """The newest tag of a release, without the one that is being made; else `FIRST`."""
    listed = subprocess.run(
        ["git", "tag", "--list", "v*", "--sort=-version:refname", "--no-contains", "HEAD"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return (listed.stdout.split() or [FIRST])[0]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last release's source, taken from git."""
    release = last_release()
    archive = subprocess.run(
        ["git", "archive", "--format=tar", release, "be", "ws"],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    assert archive.returncode == 0, (
        f"git does not have {release}: {archive.stderr.decode()}"
        "The whole history is needed: git fetch --unshallow --tags"
    )
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def of_old(old: Path) -> dict[str, str]:
    """What makes a process one of the last release."""
    return {"PYTHONPATH": f"{old / 'be'}:{old / 'ws/src'}"}


@pytest.fixture
def site(old: Path, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    """One edge and two workers of the last release, on the last release's schema."""
    with ExitStack() as stack:
        queues = stack.enter_context(isolated_queues())
        database = stack.enter_context(postgres_database(POSTGRES_URL))
        environ = clean_environ(
            tmp_path,
            DATABASE_URL=database,
            AMQP_URL=AMQP_URL,
            LEVITY_AMQP_PREFIX=queues.prefix,
            SECRET_KEY=SECRET_KEY,
            DJANGO_SETTINGS_MODULE="levity.settings",
        )
        site = Site("fleet", tmp_path, environ, Books(database, django_db_blocker), stack)
        migrated = run(
            python(old / "be/manage.py", "migrate"), {**environ, **of_old(old)}, tmp_path
        )
        assert migrated.returncode == 0, migrated.stderr
        edge = site.start(
            "edge",
            python(old / "ws/main.py"),
            **{"WS_PORT": "0", "WS_HOST": "127.0.0.1", **of_old(old)},
        )
        site.edges.append(edge)
        for _ in range(2):
            site.workers.append(old_worker(site, old))
        for worker in site.workers:
            worker.line("worker takes batches")
        port = int(edge.line(r"Listening on ws://[^:]+:(\d+)/")[1])
        site._ports[edge] = port
        # The last release's way to say that the backend answers.
        assert eventually(lambda: http_get(port, "/healthz")[0], 200) == 200, edge.log
        yield site


def old_worker(site: Site, old: Path) -> Process:
    """A worker of the last release."""
    return site.start(
        "old worker", python(old / "be/manage.py", "consume_rpc_queue"), **of_old(old)
    )


def test_an_upgrade_under_load_loses_nothing(site: Site, old: Path) -> None:
    """T-21: the last release's workers on the new schema, then a rolling change to the new ones."""

    def migrate() -> subprocess.CompletedProcess[str]:
        return run(python(CHECKOUT / "be/manage.py", "migrate"), site.environ, site.folder)

    async def play() -> Any:
        async with busy_chargers(site, 15, SEED, "UP") as load:
            await load.answers(100)
            migrated = await asyncio.to_thread(migrate)
            assert migrated.returncode == 0, migrated.stderr
            # Old workers alone, on the new schema.
            await load.answers(150)
            for gone in list(site.workers):
                new = site.start_worker()
                await asyncio.to_thread(new.line, "worker takes batches")
                # Old and new side by side.
                await load.answers(60)
                assert await asyncio.to_thread(gone.stop) == 0
                site.workers.remove(gone)
            # A step back is possible, too: the new schema carries the last release's workers.
            back = old_worker(site, old)
            await asyncio.to_thread(back.line, "worker takes batches")
            site.workers.append(back)
            await load.answers(60)
        return load

    load = asyncio.run(play())
    found = audit(site.books, load)
    print(f"{found.attempted} transaction messages attempted, {found.acknowledged} acknowledged")
    assert found.faults == {}
    assert load.statistics.call_errors == {}
    assert site.tracebacks() == []
    assert_the_past_moves(site)


def assert_the_past_moves(site: Site) -> None:
    """What the last release wrote, a row a sample, moves, and every reader gives the same."""
    five_days_ago(site)
    before = picture(site)
    assert before["twice"] == []
    samples, moments, messages = (
        site.books.count(model) for model in (LegacySample, MeterValue, Message)
    )
    print(f"to move: {samples} samples of the last release, {moments} MeterValues, {messages}")
    assert min(samples, moments, messages) > 0
    said = site.levity("storage").stdout
    assert f"{samples:,} samples of an earlier release" in said
    mover = site.start(
        "mover", python("-m", "levity_lab.hurry", "consume_rpc_queue"), LEVITY_HURRY_ROUND="20"
    )
    site.workers.append(mover)

    def left() -> int:
        return sum(site.books.count(model) for model in (LegacySample, MeterValue, Message))

    assert eventually(left, 0, within=60) == 0, mover.log
    after = picture(site)
    assert after["twice"] == []
    assert after["seen"] == before["seen"]
    assert "Waiting to be packed" not in site.levity("storage").stdout
    assert site.tracebacks() == []


def five_days_ago(site: Site) -> None:
    """All of this happened then, by our clock."""
    database = psycopg2.connect(site.environ["DATABASE_URL"])
    with closing(database), database, database.cursor() as cursor:
        for table, column in (
            ("ocpp_metervalue", "received_at"),
            ("ocpp_metervalue_recent", "received_at"),
            ("ocpp_message", "received_at"),
            ("ocpp_message", "answered_at"),
            ("ocpp_transaction", "stop_received_at"),
        ):
            cursor.execute(f"UPDATE {table} SET {column} = {column} - interval '5 days'")


def picture(site: Site) -> Any:
    """What all readers give of the chargers of this test."""
    done = run(
        python("-m", "levity_lab.year.past", "picture", "UP-"), site.environ, site.folder, 300.0
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
