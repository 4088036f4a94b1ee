"""One running Levity (`levity serve` on SQLite) for all the cases, and the table at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.promises.conformance.cases import all_titles
from tests.system.site import Site, embedded

RESULTS: dict[str, str] = {}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Site]:
    """Each case brings a charge point and id tags of its own."""
    with embedded(tmp_path_factory.mktemp("conformance"), django_db_blocker) as running:
        yield running
        assert running.tracebacks() == []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what became of each case; one that failed anywhere has failed."""
    name = report.nodeid.rpartition("::")[2]
    if "conformance" not in report.nodeid or not name.startswith("test_tc_"):
        return
    case = case_id(name)
    if report.failed:
        RESULTS[case] = "FAILED"
    elif report.when == "call":
        RESULTS.setdefault(case, "passed")


def case_id(test: str) -> str:
    """`test_tc_004_1_csms__what_happens` -> `TC_004_1_CSMS`."""
    return test.removeprefix("test_").partition("__")[0].upper()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """id | title | result, for every case."""
    if not RESULTS:
        return
    terminalreporter.section("conformance")
    for case, title in all_titles().items():
        result = RESULTS.get(case, "not run")
        terminalreporter.write_line(f"{case:<14} | {title[:70]:<70} | {result}")
    passed = sum(RESULTS.get(case) == "passed" for case in all_titles())
    terminalreporter.write_line(f"{passed} of {len(all_titles())} passed")
