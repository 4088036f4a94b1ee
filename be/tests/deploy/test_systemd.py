"""The unit for a Raspberry Pi."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.processes import CHECKOUT

UNIT = CHECKOUT / "tools/levity.service"


@pytest.mark.deploy
def test_systemd_takes_the_unit_as_it_is(tmp_path: Path) -> None:
    """But for the paths and the user, which are not on this machine."""
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is not installed: apt-get install systemd"
    text = UNIT.read_text().replace("/home/pi/levity/.venv/bin/levity", "/bin/true")
    unit = tmp_path / "levity.service"
    unit.write_text(text.replace("User=pi", "User=root"))
    done = subprocess.run(
        [analyze, "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "levity" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_unit_starts_what_make_run_starts_and_has_room_for_its_sockets() -> None:
    """P-12: 65,536 open files; and a stop that waits for the batch at hand."""
    lines = UNIT.read_text().splitlines()
    assert "ExecStart=/home/pi/levity/.venv/bin/levity serve" in lines
    assert "LimitNOFILE=65536" in lines
    assert "Restart=always" in lines
    assert "KillMode=mixed" in lines  # SIGTERM for `serve` alone, which stops its edge
    assert "ReadWritePaths=/home/pi/levity/data" in lines
