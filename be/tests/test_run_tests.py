"""What fails in `make test` gets a second try by itself, and no fault gets lost by that."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
SCRIPT = Path(__file__).resolve().parents[2] / "tools/run_tests.py"
GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert 0\n"
UNSTEADY = """
from pathlib import Path
def test_unsteady():
    seen = Path("seen")
    was_seen = seen.exists()
    seen.touch()
    assert was_seen
"""
DYING = "import os\ndef test_dying(): os._exit(3)\ndef test_after(): pass\n"


def run(folder, *arguments, **files):
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    return subprocess.run(
        [sys.executable, SCRIPT, "-q", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_test_that_passes_by_itself_is_named_and_fails_nothing(tmp_path):
    ran = run(tmp_path, good=GOOD, unsteady=UNSTEADY)
    assert ran.returncode == 0, ran.stdout
    assert "Unsteady" in ran.stdout
    assert ran.stdout.rstrip().endswith("test_unsteady.py::test_unsteady")


@pytest.mark.parametrize(
    "files",
    [
        {"bad": BAD, "unsteady": UNSTEADY},
        {"bad": "import nothing_of_this_name\n", "good": GOOD},
        {"many": "\n".join(BAD.replace("bad", f"bad{n}") for n in range(4)), "good": GOOD},
    ],
    ids=["fails again", "is not collected", "more than a few"],
)
def test_what_fails_fails_the_run(tmp_path, files):
    ran = run(tmp_path, **files)
    assert ran.returncode != 0
    assert "Unsteady" not in ran.stdout


def test_a_lane_that_died_gets_no_second_try_for_the_rest_of_it_was_not_run(tmp_path):
    lanes = ("-n", "2", "--dist", "loadfile", "--max-worker-restart", "0")
    ran = run(tmp_path, *lanes, dying=DYING, good=GOOD)
    assert ran.returncode != 0
    assert "once more" not in ran.stdout


def test_lanes_are_none_in_the_second_try(tmp_path):
    lanes = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    ran = run(tmp_path, *lanes, good=GOOD, unsteady=UNSTEADY)
    assert ran.returncode == 0, ran.stdout
    assert "1 failed; once more" in ran.stdout
