"""Run pytest; run the few that fail once more, by themselves: `run_tests.py PYTEST-ARGUMENTS...`.

A test that fails beside others and passes alone is unsteady. That is a fault, of the test or of
Levity, and is named at the end, but it does not stop a release. More than `FEW` are no accident; a
lane that dies, or that can't collect, gets no second try. The exit code is pytest's.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

FEW = 3
FAILED = 1
"""pytest ran all that it should, and some of it failed: any other code is not about tests."""


class Lanes:
    """Hears whether one of them died: what it still had to run was not run (pytest-xdist)."""

    died = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        """Called for each lane that ends, in the process that hands out the tests."""
        self.died = self.died or bool(error)


def main(arguments: list[str]) -> int:
    """Run pytest once, or twice."""
    lanes = Lanes()
    with tempfile.TemporaryDirectory() as folder:
        kept = ["-o", f"cache_dir={folder}"]
        code = int(pytest.main([*kept, *arguments], plugins=[lanes]))
        failed = names(Path(folder))
        if code != FAILED or lanes.died or not 0 < len(failed) <= FEW:
            return code
        print(f"\n{len(failed)} failed; once more, by themselves:", flush=True)
        alone = ["--last-failed", "--last-failed-no-failures", "none"]
        pytest_alone = [sys.executable, "-m", "pytest", *kept, *without_lanes(arguments), *alone]
        code = subprocess.call(pytest_alone)
    if code == 0:
        print("\nUnsteady (failed beside others, passed alone; to be mended):")
        print(*(f"  {name}" for name in failed), sep="\n", flush=True)
    return code


def names(kept: Path) -> list[str]:
    """The tests that failed, as pytest keeps them."""
    file = kept / "v/cache/lastfailed"
    return sorted(json.loads(file.read_text())) if file.exists() else []


def without_lanes(arguments: list[str]) -> list[str]:
    """The arguments without those of pytest-xdist."""
    left = iter(arguments)
    kept = []
    for argument in left:
        if argument in {"-n", "--dist", "--max-worker-restart"}:
            next(left)
        elif argument != "--no-loadscope-reorder":
            kept.append(argument)
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
