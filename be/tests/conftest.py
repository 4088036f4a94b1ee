"""What all tests of the backend share.

The database is the one that DATABASE_URL names, SQLite in memory without it, so the same tests
run on both:

    .venv/bin/pytest be/tests/ocpp -m "not services"                           SQLite
    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres .venv/bin/pytest be/tests/ocpp

Tests marked `postgres` are about two workers at once, or about a server that goes away; they are
left out where the database is SQLite. `make test` runs everything on Postgres, and the folder
`ocpp` on SQLite, too.
"""

import gc
from collections import Counter
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

from levity.db.plans import plan_once
from tests.flushing import flush_quickly
from tests.migrated import begin_as_copy
from tests.quick import Quick, wanted

# What judges the field's cases and captures says what it saw, in whichever folder it is first
# imported.
pytest.register_assert_rewrite("tests.field.cases", "tests.field.judge", "tests.field.verdicts")

# Those that visit every page, start processes, play whole sessions or try everything a thousand
# times: left to `make test`.
HERE = Path(__file__).parent
DATABASES = frozenset({"db", "transactional_db", "django_db_setup"})
TOO_SLOW = hypothesis.HealthCheck.too_slow
LONG = ("slow", "browser", "services")
SLOW = frozenset({"accounts", "conformance", "monitoring", "system", "web", "whole"})
SLOW_FILES = frozenset(
    {
        "test_backup.py",
        "test_bad_families.py",
        "test_by_payer.py",
        "test_figures.py",
        "test_main.py",
        "test_many.py",
        "test_many_rows.py",
        "test_mutated_messages.py",
        "test_pages.py",
        "test_power_properties.py",
        "test_run_tests.py",
        "test_security_pages.py",
        "test_spool.py",
        "test_validation_table.py",
    }
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known to --strict-markers; hash passwords and find files in no time."""
    config.addinivalue_line("markers", "postgres: about a database server; left out on SQLite")
    # The real hasher takes half a second for each person that a test makes. Processes that a test
    # starts have it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Else each test's Client looks at every file of pictures and scripts first: 40 ms.
    settings.WHITENOISE_AUTOREFRESH = True
    flush_quickly()
    if wanted(config):
        config.pluginmanager.register(Quick(SLOW | SLOW_FILES))
    # A limit of 200 ms for each example is one for a machine that does nothing else.
    hypothesis.settings.register_profile("levity", deadline=None, suppress_health_check=[TOO_SLOW])
    hypothesis.settings.load_profile("levity")
    # Nothing of what is collected is ever garbage: looking for it takes a third of that time.
    gc.disable()


def pytest_collection_finish() -> None:
    """From now on there is garbage, but not among what was collected."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Each lane's database begins as a copy of a migrated one (pytest-django)."""
    begin_as_copy()


def pytest_runtest_setup() -> None:
    """Believe of no shape of samples that the table has it: what a test rolls back or flushes was
    known to be there. Who reads events, and whether there is a tariff, is looked up now and then,
    in whichever test that is: here nobody is known to, and there is none, until a test asks."""
    from levity.billing import receiving
    from levity.ocpp import events
    from levity.ocpp.conf import setting
    from levity.ocpp.store.samples import shapes
    from levity.pages.overview import kept

    shapes.store_again()
    kept.forget()
    events._known.types, events._known.path = events.NOTHING, setting("OCPP_EVENT_RECORDER")
    events._known.until = float("inf")
    receiving._Known.is_set_up, receiving._Known.until = False, float("inf")


def pytest_runtest_teardown() -> None:
    """Leave no connection behind that hears what processes tell each other."""
    from levity.db.notices import stop_hearing

    stop_hearing()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about Postgres where there is none; else plan its statements once."""
    for item in items:
        folders = item.path.parts[len(HERE.parts) :]
        if not SLOW.isdisjoint(folders) or item.path.name in SLOW_FILES:
            item.add_marker(pytest.mark.slow)
        if not asks_a_database(item):
            item.add_marker(pytest.mark.once)
    if hasattr(config, "workerinput"):
        longest_first(items)
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        # As a worker does.
        plan_once()
        return
    left_out = [item for item in items if item.get_closest_marker("postgres")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("postgres")]


def asks_a_database(item: pytest.Item) -> bool:
    """False for what is the same whatever the database is (pytest-django)."""
    fixtures = getattr(item, "fixturenames", ())
    return bool(item.get_closest_marker("django_db")) or not DATABASES.isdisjoint(fixtures)


def longest_first(items: list[pytest.Item]) -> None:
    """Let no lane begin a long file when the others have nothing left to do (pytest-xdist)."""
    # (Those that need services start processes, or wait.)
    long = {item.path for item in items if any(map(item.get_closest_marker, LONG))}
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in long, -sizes[item.path]))
