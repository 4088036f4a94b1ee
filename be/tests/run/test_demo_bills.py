"""The demo has bills, and can be taken out again."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from levity.billing.models import (
    Assignment,
    Household,
    SessionPrice,
    Statement,
    StatementFile,
    TariffUse,
)
from levity.ocpp.models import IdTag
from levity.run.demo_bills import make_bills
from levity.run.demo_history import RESIDENTS, make_history
from tests.pages.whole.conftest import root, said_quietly

__all__ = ["root", "said_quietly"]

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_last_month_is_billed_to_everybody_and_nothing_waits(client, root):
    """The overview leads to the statements; no file is made before somebody wants it."""
    make_history(NOW)
    make_bills(NOW)
    statements = Statement.objects.select_related("run")
    assert len(statements) == len(RESIDENTS)
    assert {str(each.run) for each in statements} == {"2026-10-01 to 2026-10-31"}
    assert all(each.gross > 4 and len(each.document["bands"]) == 2 for each in statements)
    assert not SessionPrice.objects.filter(state=SessionPrice.State.WAITS).exists()
    assert not StatementFile.objects.exists()
    client.force_login(root)
    page = client.get("/admin/").content.decode()
    assert f"/admin/billing/statementrun/{statements[0].run_id}/change/" in page


def test_a_retired_demo_leaves_closed_statements_and_nothing_that_charges_or_costs():
    """Cards can't charge any more, and no tariff of the demo is for anybody."""
    make_history(NOW)
    make_bills(NOW)
    Household.objects.create(name="Real", flat="1")
    IdTag.objects.create(id_tag="CARD9999", owner="Anna Berg")
    said = io.StringIO()
    for _ in range(2):
        call_command("retire", "--demo", stdout=said)
    assert "12 closed statements of the demo stay" in said.getvalue()
    assert Statement.objects.count() == len(RESIDENTS)
    assert not Assignment.objects.exists()
    assert not TariffUse.objects.exists()
    assert [each.id_tag for each in IdTag.objects.all()] == ["CARD9999"]
    assert not SessionPrice.objects.filter(position=None).exists()
    flats = set(Household.objects.values_list("name", "flat"))
    assert flats == {("Real", "1"), *((name, f"Demo: {flat}") for name, flat in RESIDENTS)}


def test_a_demo_without_statements_leaves_no_household():
    """It was made before there were any."""
    make_history(NOW)
    call_command("retire", "--demo", stdout=io.StringIO())
    assert not Household.objects.exists()
    assert not IdTag.objects.exists()
