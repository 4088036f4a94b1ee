"""`levity year` plays days, moves what is old, and tells what is left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def year(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "levity", "year", *options],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
        env={**environ, "LEVITY_DATA_DIR": str(folder), "SECRET_KEY": "of-no-value-" * 5},
    )


@pytest.mark.slow
def test_three_days_of_two_chargers(tmp_path: Path) -> None:
    done = year(tmp_path, "--chargers", "2", "--days", "3", "--json", "year.json")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "year.json").read_text())
    parts = {part["name"]: part for part in told["parts"]}
    assert told["exchanges"] == 2 * 3 * 768
    assert parts["messages, packed by day"]["count"] == 2 * 1 * 768
    assert parts["messages, recent"]["count"] == 2 * 2 * 768
    assert parts["sessions"]["count"] == 2 * 3
    assert told["backup"]["bytes"] > 0
    assert "messages, packed by day" in done.stdout
    assert "2 charge points, 3 days on sqlite: 4,608 exchanges" in done.stdout

    again = year(tmp_path, "--days", "1")
    assert again.returncode == 1
    assert "this database has charge points: name an empty one" in again.stderr
