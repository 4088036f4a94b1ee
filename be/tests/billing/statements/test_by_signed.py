"""A site that bills by signed values: by the signed energy, or not in silence."""

from decimal import Decimal

import pytest
from django.db import transaction

from levity.billing.deciding import decide
from levity.billing.models import SessionPrice, Statement
from levity.billing.rules.treatment import NO_SIGNATURE
from levity.billing.settling import settle
from levity.billing.statements.closing import close
from levity.ocpp.models import ChargePoint, Site
from tests.billing.statements.conftest import FIRST, LAST, household
from tests.ocpp.rules.signed.samples import ocmf_text, reading
from tests.ocpp.store.test_signed import END, charge, key_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(site, issuer):
    """A session of Anna's at a site that bills by signed values: 5.000 kWh by the charger's own
    registers, 5.260 by the signed one."""
    number = charge()
    ChargePoint.objects.update(site=site)
    Site.objects.update(bill_signed=True)
    household(site, "Anna", "TAG")
    return number


def priced(number):
    with transaction.atomic():
        settle([number])
    return SessionPrice.objects.get(pk=number)


def test_without_the_meters_key_it_waits_and_with_it_the_signed_energy_is_billed(signed):
    row = priced(signed)
    assert (row.state, row.reason) == ("waits", NO_SIGNATURE)
    key_for(ChargePoint.objects.get())
    row = priced(signed)
    assert (row.state, row.wh, row.amount) == ("priced", 5260, Decimal("2.10"))


def test_the_statement_names_the_registers_that_were_signed(signed, issuer):
    key_for(ChargePoint.objects.get())
    close(issuer, FIRST, LAST, None)
    [said] = Statement.objects.get().document["sessions"]
    assert (said["meter_start"], said["meter_stop"]) == ("100000.000", "105260.0000")
    assert (said["wh"], said["marks"]) == ("5260.000", ["signed"])


def test_a_person_may_bill_it_by_the_chargers_own_figure(signed):
    row = decide(priced(signed), "bill", None)
    assert (row.state, row.wh) == ("priced", 5000)


def test_a_site_without_the_switch_bills_its_own_figure(signed):
    Site.objects.update(bill_signed=False)
    row = priced(signed)
    assert (row.state, row.wh) == ("priced", 5000)


def test_one_forged_value_is_enough_to_wait(site, issuer):
    number = charge(ocmf_text(reading("B", "1.000"), by="forger"), END)
    ChargePoint.objects.update(site=site)
    Site.objects.update(bill_signed=True)
    household(site, "Anna", "TAG")
    key_for(ChargePoint.objects.get())
    assert priced(number).reason == NO_SIGNATURE
