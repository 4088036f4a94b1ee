"""Both shapes of Levity, running, for the tests in this folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.site import Site, embedded, fleet

EMBEDDED = "embedded"
FLEET = pytest.param("fleet", marks=pytest.mark.services)


@pytest.fixture(scope="session", params=[EMBEDDED, FLEET])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: Any,
) -> Iterator[Site]:
    """A Levity that all tests share: each brings charge points of its own, and breaks nothing."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    start = embedded if request.param == "embedded" else fleet
    with start(folder, django_db_blocker) as running:
        yield running
        assert running.tracebacks() == []


@pytest.fixture
def unstarted(tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    """An embedded Levity that the test starts and stops itself. Its tables are there already."""
    with embedded(tmp_path, django_db_blocker, started=False) as site:
        yield site


@pytest.fixture
def untouched(tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    """The same before its very first start: nothing is in its folder."""
    with embedded(tmp_path, django_db_blocker, started=False, migrated=False) as site:
        yield site
