"""The list of prices of a big site: read in its order, and searched without its joins."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.billing.models import Household, SessionPrice
from levity.ocpp.models import ChargePoint, Transaction
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
PAGE = "/admin/billing/sessionprice/"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def prices():
    charger = ChargePoint.objects.create(identity="c-1")
    homes = [Household.objects.create(name=name) for name in ("Anna North", "Bob North")]
    for number in range(4):
        at = BEGIN + timedelta(days=number)
        session = Transaction.objects.create(
            charge_point=charger, started_at=at, meter_start=number, id_tag=f"TAG-{number}"
        )
        SessionPrice.objects.create(
            transaction=session,
            state="priced" if number else "waits",
            household=homes[number % 2],
            started_at=at,
            ended_at=at,
            wh=1000,
        )


def shown(client, **asked):
    return [row.transaction.id_tag for row in client.get(PAGE, asked).context["cl"].result_list]


def test_a_search_finds_each_word_in_the_household_or_the_tag(prices, browser, root):
    client = browser(root)
    assert shown(client) == ["TAG-3", "TAG-2", "TAG-1", "TAG-0"]
    assert shown(client, q="anna") == ["TAG-2", "TAG-0"]
    assert shown(client, q="north tag-1") == ["TAG-1"]
    assert shown(client, q="ag-3") == ["TAG-3"]
    assert shown(client, q="nobody") == []
    assert shown(client, q="tag", state__exact="waits") == ["TAG-0"]


def test_the_newest_prices_are_found_by_the_index_of_their_order(prices, browser, root):
    """Not sorted: SQLite would read and sort all prices for the fifty that are shown."""
    with CaptureQueriesContext(connection) as asked:
        assert shown(browser(root), state__exact="priced") == ["TAG-3", "TAG-2", "TAG-1"]
    [page] = [each["sql"] for each in asked if '."lines"' in each["sql"]]
    assert '"ended_at" < ' in page
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {page}")
            plan = [row[3] for row in cursor.fetchall()]
        assert plan[0] == "SEARCH billing_sessionprice USING INDEX price_by_end (ended_at<?)"
        assert not any("ORDER BY" in step and "LAST TERM" not in step for step in plan)
