"""A migrated database, made once and then copied.

Nearly every test needs the tables as they are now; only the tests of the migrations need the way
there. Migrating an empty database takes 5 s of CPU time, a copy next to nothing. The original is
kept (SQLite: in .venv/migrated; Postgres: a template on the server) and made anew when a line of
the backend or a locked package changes.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db.backends.signals import connection_created

__all__ = ["begin_as_copy", "copy_file", "execute", "template"]

CHECKOUT = Path(__file__).resolve().parents[2]
KEPT = CHECKOUT / ".venv" / "migrated"
PREFIX = "levity_migrated_"
OLD = "1 day"


def begin_as_copy() -> None:
    """From now on, the database of the tests is a copy when Django creates it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql"):
        database["TEST"]["TEMPLATE"] = template(os.environ["DATABASE_URL"])
    else:
        connection_created.connect(_fill, dispatch_uid="tests.migrated")


def _fill(connection: Any, **_: object) -> None:
    """Copy into the database in memory, at its first connection."""
    if connection.alias == "default" and connection.is_in_memory_db():
        connection_created.disconnect(dispatch_uid="tests.migrated")
        with closing(sqlite3.connect(_file())) as file:
            file.backup(connection.connection)


def copy_file(folder: Path) -> None:
    """Put a migrated SQLite file where Levity looks for one in its data folder `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(_file(), folder / "levity.sqlite3")
    (folder / "levity.sqlite3").chmod(0o600)


@cache
def _file() -> Path:
    kept = KEPT / f"{_code()}.sqlite3"
    with _one_at_a_time():
        if not kept.exists():
            for old in KEPT.glob("*.sqlite3"):
                old.unlink()
            with tempfile.TemporaryDirectory(dir=KEPT) as folder:
                _migrate(f"sqlite:///{folder}/levity.sqlite3", folder)
                Path(folder, "levity.sqlite3").rename(kept)
    return kept


@cache
def template(server: str) -> str:
    """The name of a migrated database on the Postgres server at this URL."""
    name = f"{PREFIX}{_code()}"
    with _one_at_a_time():
        if not execute(server, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            _drop_old(server)
            _make(server, name)
    return name


def _make(server: str, name: str) -> None:
    """It gets its name when it is complete: another checkout may be making the same one."""
    made = f"{PREFIX}{uuid.uuid4().hex[:12]}"
    now = datetime.now(UTC).isoformat()
    execute(server, f"CREATE DATABASE {made}", f"COMMENT ON DATABASE {made} IS '{now}'")
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        _migrate(f"{server.rpartition('/')[0]}/{made}", folder)
    try:
        execute(server, f"ALTER DATABASE {made} RENAME TO {name}")
    except psycopg2.errors.DuplicateDatabase:
        execute(server, f"DROP DATABASE {made}")


def _drop_old(server: str) -> None:
    """Drop what was made of code that has changed since."""
    old = execute(
        server,
        f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%' AND "
        f"shobj_description(oid, 'pg_database')::timestamptz < now() - interval '{OLD}'",
    )
    for (name,) in old:
        with suppress(psycopg2.errors.ObjectInUse):
            execute(server, f"DROP DATABASE IF EXISTS {name}")


def execute(server: str, *statements: str) -> list[Any]:
    """Run these on the server at this URL, each on its own; the rows of the last one, if any."""
    with closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _migrate(url: str, folder: str) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{CHECKOUT / 'be'}:{CHECKOUT / 'ws/src'}",
        "SECRET_KEY": "of-no-value-" * 5,
        "TIME_ZONE": "UTC",
        "LEVITY_DATA_DIR": folder,
        "DATABASE_URL": url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "levity", "migrate", "--verbosity", "0"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@cache
def _code() -> str:
    """Twelve digits that stand for the backend's code and the locked packages."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [*sorted((CHECKOUT / "be/levity").rglob("*.py")), CHECKOUT / "be/poetry.lock"]:
        digest.update(str(path.relative_to(CHECKOUT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """All lanes wait for the first one."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
