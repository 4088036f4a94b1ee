"""The same promises on the other database: one `make test` proves both.

`make test` runs everything on Postgres (DATABASE_URL), so this runs the folder on SQLite; a plain
`pytest` has SQLite, so this runs the folder, races included, on Postgres.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.services
@pytest.mark.slow
def test_the_core_keeps_its_promises_on_the_other_database_too() -> None:
    """In a process of its own, as settings are read once."""
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    if connection.vendor == "postgresql":
        environment.pop("DATABASE_URL", None)
    else:
        environment["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", POSTGRES)
    folder = Path(__file__).resolve().parent
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not services", str(folder)]
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
