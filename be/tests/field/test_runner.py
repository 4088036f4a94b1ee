"""`make field` on a `levity serve`: what only a socket can show, and that it can fail."""

import os
from pathlib import Path

import pytest

from tests.system.processes import CHECKOUT, Ran, python, run

pytestmark = [pytest.mark.slow, pytest.mark.once]


def field(folder: Path, *arguments: str) -> Ran:
    """What the runner says."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": f"{CHECKOUT / 'be'}:{CHECKOUT / 'ws'}",
    }
    return run(python("-m", "tests.field.run", *arguments), environ, CHECKOUT, within=240)


def test_what_only_a_socket_can_show_is_right(tmp_path: Path) -> None:
    """Handshakes letter by letter as captured, and frames of any size."""
    ran = field(tmp_path, "--sockets", "--quick")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = ran.stdout.splitlines()
    assert any(line.startswith("right  grizzl-e-1, handshake") for line in said)
    assert said[-1].endswith("0 tracebacks")


@pytest.mark.parametrize("arguments", [["--only", "nothing is called so"]])
def test_a_run_of_nothing_is_no_success(tmp_path: Path, arguments: list[str]) -> None:
    assert field(tmp_path, *arguments).returncode == 1
