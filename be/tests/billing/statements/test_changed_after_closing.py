"""What is on a closed statement turns out otherwise: in the end each kWh is paid for once."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from levity.billing.deciding import decide
from levity.billing.models import SessionPrice, Statement, Tariff
from levity.billing.settling import settle
from levity.billing.statements import closing
from levity.billing.statements.closing import close
from levity.billing.statements.drafting import draft_all
from levity.billing.statements.periods import period
from levity.billing.tariffs import add_version
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import Transaction
from tests.billing.statements.conftest import (
    DOCUMENT,
    FIRST,
    LAST,
    NOVEMBER,
    december,
    session,
)

pytestmark = pytest.mark.django_db


def change(row, **values):
    Transaction.objects.filter(pk=row.pk).update(**values)
    with transaction.atomic():
        settle([row.pk])


def test_a_correction_while_statements_are_drafted_is_not_billed_without_a_credit(
    charger, issuer, anna
):
    row = session(charger, 3, 10_000)
    close(issuer, FIRST, LAST, None)
    next_month = period(issuer, date(2026, 12, 1), date(2026, 12, 31))
    corrected = []

    def correct_after_the_first_read(execute, sql, *args):
        found = execute(sql, *args)
        if 'FROM "billing_sessionprice"' in sql and not corrected:
            corrected.append(row)
            change(row, energy=5000)
        return found

    with connection.execute_wrapper(correct_after_the_first_read):
        drafts = draft_all(next_month)
    assert corrected
    assert [draft.wh for draft in drafts] == [0]
    assert [draft.wh for draft in draft_all(next_month)] == [-5000]


@pytest.mark.parametrize("gone", [True, False])
def test_what_changes_between_draft_and_number_is_not_closed(
    charger, issuer, anna, monkeypatch, gone
):
    row = session(charger, 3, 10_000)

    def draft_and_change(found):
        drafts = draft_all(found)
        change(row, **{"state": "active"} if gone else {"energy": 5000})
        return drafts

    monkeypatch.setattr(closing, "draft_all", draft_and_change)
    with pytest.raises(NotPossible, match="something has changed"):
        close(issuer, FIRST, LAST, None)
    assert not Statement.objects.exists()


def test_a_session_that_waited_after_closing_keeps_the_version_it_was_billed_with(
    charger, issuer, anna
):
    row = session(charger, 3, 10_000)
    close(issuer, FIRST, LAST, None)
    dearer = DOCUMENT | {"energy": [{"price_per_kwh": "0.90"}]}
    add_version(Tariff.objects.get(), dearer, NOVEMBER + timedelta(days=1), None)
    change(row, confidence="low", energy=11_000)
    assert SessionPrice.objects.get().state == "waits"
    decide(SessionPrice.objects.get(), "bill", None)
    (statement,) = december(issuer).statements.all()
    assert [(each["amount"], each["tariff"]) for each in statement.document["sessions"]] == [
        ("-4.00", "Garage, version 1"),
        ("4.40", "Garage, version 1"),
    ]
