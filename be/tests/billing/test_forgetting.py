"""A person is forgotten: never on closed statements, and what is still to be paid stays theirs."""

import pytest
from django.db import transaction

from levity.billing.models import SessionPrice, TariffUse
from levity.billing.settling import settle, settle_marked
from levity.billing.statements.closing import close
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.forgetting import forget
from levity.ocpp.models import Transaction
from tests.billing.statements.conftest import FIRST, LAST, anna, charger, issuer, session, site

__all__ = ["anna", "charger", "issuer", "site"]

pytestmark = pytest.mark.django_db


def test_a_tag_on_a_closed_statement_is_not_forgotten(charger, issuer, anna):
    session(charger, 3, id_tag="04aa")
    close(issuer, FIRST, LAST, None)
    with pytest.raises(NotPossible, match=r"statements name this id tag \(E-000001\)"):
        forget("04AA", None)
    assert anna.assignments.get().id_tag == "04AA"


def test_a_forgotten_tags_sessions_are_still_its_households(charger, issuer, anna):
    row = session(charger, 3)
    TariffUse.objects.create(tariff=TariffUse.objects.get().tariff, id_tag="04AA")
    with transaction.atomic():
        settle([row.pk])
    found = forget("04AA", None)
    assert found.counts["cards of households and tariffs"] == 2
    assert anna.assignments.get().id_tag == found.pseudonym
    assert not TariffUse.objects.filter(id_tag__iexact="04AA").exists()
    assert Transaction.objects.get().id_tag == found.pseudonym
    while settle_marked():
        pass
    assert SessionPrice.objects.get().household == anna
