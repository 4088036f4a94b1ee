"""`levity deliver_events` as a process: it starts, delivers, and ends with SIGTERM."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.migrated import copy_file

BE = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_process_of_the_compose_file_starts_and_ends(tmp_path: Path) -> None:
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "AMQP_URL", "MQTT_URL")
    }
    environ |= {"LEVITY_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    levity = [sys.executable, str(BE / "manage.py")]
    copy_file(tmp_path)
    process = subprocess.Popen(
        [*levity, "deliver_events"], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "Levity: delivering events\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


@pytest.mark.parametrize("name", ["docker-compose.full.yml", "docker-compose.full-tls.yml"])
def test_the_compose_files_start_it(name: str) -> None:
    text = (BE.parent / name).read_text()
    assert 'command: ["levity-events"]' in text
    script = BE / "docker" / "levity-events"
    assert script.read_text().endswith("exec levity deliver_events\n")
    assert os.access(script, os.X_OK)
