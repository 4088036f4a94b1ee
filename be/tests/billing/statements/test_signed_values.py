"""The signed values of all sessions of a statement, as one file."""

from xml.etree import ElementTree as ET

import pytest

from levity.billing.models import Statement
from levity.billing.statements.closing import close
from levity.billing.statements.signed import values_of
from levity.ocpp.models import ChargePoint
from tests.api.conftest import caller, nobody_waits
from tests.billing.statements.conftest import FIRST, LAST, household
from tests.ocpp.store.test_signed import BEGIN, END, charge
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "caller", "nobody_waits", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db


def test_a_statement_has_the_signed_values_of_its_sessions_as_one_file(
    site, issuer, browser, root, caller
):
    number = charge()
    charge(None, None, identity="plain")
    ChargePoint.objects.update(site=site)
    household(site, "Anna", "TAG")
    close(issuer, FIRST, LAST, None)
    statement = Statement.objects.get()
    assert len(statement.document["sessions"]) == 2
    [(session, values)] = list(values_of(statement))
    assert (session, [value.container.text for value in values]) == (number, [BEGIN, END])
    client = browser(root)
    path = f"/admin/billing/statement/{statement.pk}/signed-values.xml"
    assert path in client.get(f"/admin/billing/statement/{statement.pk}/change/").content.decode()
    file = client.get(path).content
    root_of = ET.fromstring(file)
    assert [each.get("transactionId") for each in root_of] == [str(number)] * 2
    api = caller("read")("GET", f"billing/statements/{statement.pk}/signed-values.xml")
    assert api.content == file
