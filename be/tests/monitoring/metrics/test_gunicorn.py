"""Several gunicorn processes count as one, and one that is replaced loses nothing."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.migrated import copy_file
from tests.system.processes import CHECKOUT, Process, eventually, python
from tests.system.site import clean_environ, http_get

REQUESTS = 24


@pytest.mark.slow
def test_requests_to_any_process_are_counted_together(tmp_path: Path) -> None:
    environ = clean_environ(
        tmp_path,
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "counts"),
        LEVITY_LOG_FORMAT="json",
        LEVITY_HTTP_BIND="127.0.0.1:0",
        LEVITY_WEB_WORKERS="2",
        DJANGO_SETTINGS_MODULE="levity.settings",
    )
    copy_file(Path(environ["LEVITY_DATA_DIR"]))
    config = CHECKOUT / "be/gunicorn.conf.py"
    command = python("-m", "gunicorn", "--config", config, "levity.wsgi")
    server = Process("gunicorn", command, environ, tmp_path)
    try:
        port = int(server.line(r"Listening at: http://127\.0\.0\.1:(\d+)")[1])
        server.line(r"Booting worker with pid: (\d+)")

        def counted() -> float:
            # Each question is a connection of its own, so any of the processes may answer it.
            text = http_get(port, "/metrics")[2].decode()
            found = re.search(r'levity_web_requests_total\{.*status="200".*\} (\S+)', text)
            return float(found[1]) if found else 0.0

        for _ in range(REQUESTS):
            assert http_get(port, "/admin/login/")[0] == 200
        assert [counted() for _ in range(6)] == [REQUESTS] * 6
        pids = [int(item) for item in re.findall(r"Booting worker with pid: (\d+)", server.log)]
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

        def booted() -> bool:
            return len(re.findall(r"Booting worker with pid", server.log)) >= 2 * len(pids)

        assert eventually(booted, True)
        for _ in range(REQUESTS):
            assert http_get(port, "/admin/login/")[0] == 200
        assert [counted() for _ in range(6)] == [2 * REQUESTS] * 6
        # Files of as many slots as there are processes at once, however many come and go: those
        # that stop overlap for a moment with those that take over.
        slots = {path.stem.partition("_")[2] for path in (tmp_path / "counts").glob("*.db")}
        assert slots <= {"0", "1", "2", "3"}
        # One JSON object a line, gunicorn's own included.
        assert all(json.loads(line)["level"] for line in server.lines)
    finally:
        server.stop()
        server.kill()
