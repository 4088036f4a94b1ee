"""`levity file_server` as a process: open while a job needs it, closed by SIGTERM."""

import ftplib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.migrated import copy_file

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

ORDER = """
from levity.files import jobs
from levity.ocpp.chargers.security.concealment import reveal
from levity.ocpp.models import ChargePoint
row = ChargePoint.objects.create(identity="CP1")
job = jobs.fetch_diagnostics(row, None, jobs.Asking(protocol="ftp"))
print("URL", reveal(job.command.secret)["location"])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_is_open_while_a_job_needs_it_and_ends_in_order(tmp_path: Path) -> None:
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environ |= {"LEVITY_DATA_DIR": str(tmp_path), "LEVITY_FTP_PORT": str(port)}
    levity = [sys.executable, "-m", "levity"]

    def run(*words: str) -> str:
        done = subprocess.run([*levity, *words], env=environ, capture_output=True, check=True)
        return done.stdout.decode()

    copy_file(tmp_path)
    server = subprocess.Popen([*levity, "file_server"], env=environ, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert f"FTP on port {port}" in server.stdout.readline().decode()
        assert not is_open(port)
        said = run("shell", "-v0", "-c", ORDER)
        url = urlsplit(next(line for line in said.splitlines() if line.startswith("URL"))[4:])
        waiting = threading.Event()
        assert any(is_open(port) or waiting.wait(0.2) for _ in range(300))
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", port)
            client.login(url.username or "", url.password or "")
            client.storbinary("STOR diag.log", io.BytesIO(b"what happened"))
        (file,) = (tmp_path / "files" / "uploads").iterdir()
        assert file.read_bytes() == b"what happened"
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        assert not is_open(port)
    finally:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
