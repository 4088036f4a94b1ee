"""One running Levity (`levity serve` on SQLite) for all the cases, and the table at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.promises.conformance.cases import all_titles
from tests.system.site import Site, embedded

RESULTS: dict[str, str] = {}
# Over the API, of what send_command is played with as well: an answer that says yes, one that
# says no, one with a value, an error, a session begun and ended, what the charger does afterwards.
OVER_THE_API = frozenset(
    {
        "test_tc_010_csms__plugged_in_first",
        "test_tc_019_2_csms__one_key",
        "test_tc_026_csms__remote_start_rejected",
        "test_tc_040_1_csms__unknown_key",
        "test_tc_043_1_csms__local_list_not_supported",
        "test_tc_045_1_csms__diagnostics",
        "test_tc_046_csms__reserved_and_used",
        "test_tc_054_csms__trigger_message",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the other cases over the API to the night: a Call goes out of the same queue."""
    for item in items:
        name, _, case = item.name.partition("[")
        if case.startswith("api") and "conformance" in item.path.parts and name not in OVER_THE_API:
            item.add_marker(pytest.mark.exhaustive)


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
    return test.removeprefix("test_").partition("[")[0].partition("__")[0].upper()


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
