"""What tests of the integrations share."""

from collections.abc import Iterator

import pytest

from levity.integrations import order
from levity.ocpp import events
from levity.ocpp.store import happened


@pytest.fixture(autouse=True)
def nobody_wants_events_afterwards() -> Iterator[None]:
    """What one test has switched on is off in the next."""
    forget()
    yield
    forget()


def forget() -> None:
    events._known.types, events._known.until = frozenset(), float("-inf")
    happened.minutes.__init__()  # type: ignore[misc]


NUMBERS_HERE = """
    SELECT coalesce(
        min(backend_xid::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    ) FROM pg_stat_activity WHERE datname = current_database()
"""


@pytest.fixture(autouse=True)
def no_other_lane_holds_events_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postgres numbers the transactions of all databases in one order: a test of another lane that
    began earlier would hold the horizon back. Here only those of this lane's database count."""
    ask = order._one
    monkeypatch.setattr(
        order, "_one", lambda sql: ask(NUMBERS_HERE if "pg_snapshot_xmin" in sql else sql)
    )
