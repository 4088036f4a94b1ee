"""What `make test-fast` runs: a part of the tests that touches every function, in a minute of CPU.

Of each test file the first three tests, and of each test the first of its cases; none that is
marked `slow`, nor any of the folders and files that are so as a whole. Where pytest is told what to
run (a path, -k), it runs all of that.
"""

import os
import time
from collections import Counter
from collections.abc import Collection, Generator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Quick", "wanted"]

MOST = 3
# Seconds of CPU: what all may take (CONTRIBUTING.md), and what none should.
ALL, ONE = 60, 1


def wanted(config: pytest.Config) -> bool:
    """Whether this run is to be quick."""
    asked = "LEVITY_QUICK" in os.environ and not config.option.keyword
    return asked and config.args_source is pytest.Config.ArgsSource.TESTPATHS


class Quick:
    """A plugin for pytest. `slow` are the names of folders and files."""

    def __init__(self, slow: Collection[str]) -> None:
        self.slow = slow
        self.longest: list[tuple[float, str]] = []

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Do not even import what is slow as a whole."""
        return True if collection_path.name in self.slow else None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """After what -m leaves out."""
        kept = first_of_each(items)
        left_out = set(items).difference(kept)
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Take the time of the test alone, without its fixtures."""
        began = time.process_time()
        try:
            return (yield)
        finally:
            self.longest.append((time.process_time() - began, item.nodeid))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what it took, and which tests are not quick."""
        took = sum(os.times()[:4])
        terminalreporter.write_line(f"test-fast took {took:.0f} of {ALL} seconds of CPU")
        for seconds, name in sorted(self.longest, reverse=True):
            if seconds > ONE:
                terminalreporter.write_line(f"{seconds:.1f} s of CPU, mark it slow: {name}")


def first_of_each(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of each file the first three tests, and of each test the first case, in their order."""
    seen: set[str] = set()
    tests: Counter[Path] = Counter()
    kept = []
    for item in items:
        name = item.nodeid.partition("[")[0]
        if name not in seen and tests[item.path] < MOST:
            tests[item.path] += 1
            kept.append(item)
        seen.add(name)
    return kept
