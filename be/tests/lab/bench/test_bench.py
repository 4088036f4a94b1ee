"""`levity bench` from beginning to end, in its short form, and what it says where it can't run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from levity_lab.bench.echo import answer
from levity_lab.bench.processes import BenchError
from levity_lab.bench.stage import DATABASE, borrowed

DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def bench(folder: Path, *options: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "levity", "bench", *options],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
        env={
            **os.environ,
            "LEVITY_DATA_DIR": str(folder),
            "SECRET_KEY": "of-no-value-" * 5,
            **environ,
        },
    )


def databases() -> set[str]:
    connection = psycopg2.connect(DATABASE_URL)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database")
            return {row[0] for row in cursor.fetchall()}
    finally:
        connection.close()


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.exclusive
def test_quick_run_measures_everything_and_leaves_nothing(tmp_path):
    path = tmp_path / "bench.json"
    done = bench(tmp_path, "--quick", "--json", str(path), DATABASE_URL=DATABASE_URL)
    assert done.returncode == 0, done.stderr
    report = json.loads(path.read_text())
    measured = [(one["system"], one["mode"], one["call_errors"]) for one in report["rounds"]]
    assert measured == [
        ("limit", "closed", 0),
        ("Levity", "closed", 0),
        ("Levity", "quiet", 0),
        ("limit", "paced", 0),
        ("Levity", "paced", 0),
    ]
    assert all(one["messages"] > 0 for one in report["rounds"])
    assert all(one["wal_bytes"] > 0 for one in report["rounds"])
    assert all(one["stored_bytes"]["log"] > 0 for one in report["rounds"][:3])
    assert report["rounds"][1]["stored_bytes"]["samples"] > 0
    # No connector was Preparing, so no automatic start was due.
    assert report["rounds"][2]["calls_received"] == 0
    assert "configured with" in report["machine"]["python_build"]
    assert report["statements"]["hundred"] <= 30
    assert report["statements"]["hundred"] <= 1.5 * report["statements"]["ten"]
    assert "closed loop, rate / limit" in done.stdout
    assert DATABASE not in databases()


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.exclusive
def test_endurance_holds_the_ledgers_against_the_database(tmp_path):
    """Four minutes of two seconds: sessions, the edge killed, everybody back, the verdict."""
    path = tmp_path / "bench.json"
    options = ("--endurance", "4", "--quick", "--json", str(path))
    done = bench(tmp_path, *options, DATABASE_URL=DATABASE_URL)
    assert done.returncode == 0, done.stderr
    report = json.loads(path.read_text())
    assert [each["connected"] for each in report["minutes"]] == [20] * 4
    counts = report["counts"]
    assert counts["acknowledged"] > 0
    assert (counts["lost"], counts["duplicated"], counts["unexpected"]) == (0, 0, 0)
    assert report["back_after"] < 30
    assert done.stdout.count("good") == 1
    assert DATABASE not in databases()


@pytest.mark.slow
def test_endurance_of_no_length_shows_no_growth(tmp_path):
    done = bench(tmp_path, "--endurance", "3", DATABASE_URL=DATABASE_URL)
    assert (done.returncode, "4 minutes at least" in done.stderr) == (1, True)


def test_without_a_broker_it_says_what_is_missing():
    with pytest.raises(BenchError, match=r"RabbitMQ at amqp://127\.0\.0\.1:1/ does not answer"):
        borrowed("amqp://guest:guest@127.0.0.1:1/", DATABASE_URL, ("limit",)).__enter__()


def test_a_malformed_broker_url_is_named_without_its_password():
    with pytest.raises(BenchError, match="AMQP_URL: expected") as caught:
        borrowed("http://guest:hidden@host/", DATABASE_URL, ("limit",)).__enter__()
    assert "hidden" not in str(caught.value)


def test_the_limit_answers_a_start_with_a_number():
    _, unique_id, payload = json.loads(answer('[2,"7","StartTransaction",{}]'))
    assert (unique_id, type(payload["transactionId"])) == ("7", int)


def test_the_limit_answers_what_needs_no_content_with_nothing():
    assert answer('[2,"8","MeterValues",{}]') == '[3,"8",{}]'
