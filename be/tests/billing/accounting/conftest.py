"""A closed November whose issuer and household have what accountants need."""

from datetime import date

import pytest

from levity.billing.accounting.parties import set_creditor, set_debtor
from levity.billing.statements.closing import close
from tests.billing.statements.conftest import FIRST, LAST, anna, charger, issuer, session, site

__all__ = ["anna", "charger", "issuer", "site"]

CREDITOR = {
    "street": "Müllerstraße 1",
    "postcode": "13353",
    "city": "Berlin",
    "country": "DE",
    "iban": "DE89 3704 0044 0532 0130 00",
    "contact": "Erika Muster",
    "phone": "+49 30 1234567",
    "email": "weg@example.org",
    "creditor_id": "DE98ZZZ09999999999",
    "consultant": "1001",
    "client": "10001",
    "revenue_accounts": "19=8400",
}
DEBTOR = {
    "street": "Müllerstraße 1",
    "postcode": "13353",
    "city": "Berlin",
    "account": "10042",
    "iban": "NL91ABNA0417164300",
    "mandate": "LEVITY-1",
    "signed_on": date(2026, 1, 2),
}


@pytest.fixture
def parties(issuer, anna):
    issuer.tax_number = "DE123456789"
    issuer.save()
    set_creditor(issuer, CREDITOR, None)
    anna.email = "anne@example.org"
    anna.save()
    return set_debtor(anna, DEBTOR, None)


@pytest.fixture
def run(charger, parties, issuer):
    session(charger, 3, 12345)
    session(charger, 4, 25347)
    return close(issuer, FIRST, LAST, None)
