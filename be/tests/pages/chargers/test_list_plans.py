"""The list of sessions is read in its order: none are sorted for the fifty that are shown."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import ChargePoint, Site, Transaction
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
PAGE = "/admin/ocpp/transaction/"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("asked", [{}, {"class": "look"}, {"q": "tag"}])
def test_a_page_of_sessions_joins_no_charge_points_and_sorts_nothing(asked, browser, root):
    site = Site.objects.create(name="Garage")
    for number in range(3):
        charger = ChargePoint.objects.create(identity=f"c-{number}", site=site)
        Transaction.objects.create(
            charge_point=charger,
            started_at=BEGIN + timedelta(days=number),
            meter_start=number,
            id_tag="TAG",
            confidence="low",
        )
    client = browser(root)
    with CaptureQueriesContext(connection) as queries:
        rows = client.get(PAGE, asked).context["cl"].result_list
    assert [str(row.charge_point) for row in rows] == ["c-2", "c-1", "c-0"]
    [page] = [each["sql"] for each in queries if '"is_corrected"' in each["sql"]]
    assert 'JOIN "ocpp_chargepoint"' not in page
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {page}")
            plan = [row[3] for row in cursor.fetchall()]
        assert plan[0] == "SCAN ocpp_transaction"
        assert not any("ORDER BY" in step for step in plan)
