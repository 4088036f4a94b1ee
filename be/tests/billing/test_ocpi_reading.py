"""Tariffs of OCPI become ours where ours mean the same, and cost the same."""

import json

import pytest
from pydantic import ValidationError

from levity.billing.computing import price_document
from levity.billing.documents import TariffDocument
from levity.billing.ocpi_documents import CannotSay, OcpiTariffDocument, said_in_ocpi
from levity.billing.ocpi_reading import ours_of_ocpi
from levity.billing.tariffs import add_tariff
from tests.api.conftest import caller
from tests.billing.test_computing import SESSION
from tests.billing.test_tariffs import FORM, NOVEMBER, browser, person, root, said_quietly

__all__ = ["browser", "caller", "person", "root", "said_quietly"]


def element(kind, price, restrictions=None, **more):
    found = {"price_components": [{"type": kind, "price": price, "step_size": 1} | more]}
    return found | ({"restrictions": restrictions} if restrictions else {})


NIGHT = {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["MONDAY", "TUESDAY"]}
OCPI = {
    "currency": "EUR",
    "elements": [
        element("ENERGY", 0.28, NIGHT, vat=19),
        element("ENERGY", 0.4, vat=19),
        element("FLAT", 0.5, vat=19),
        element("PARKING_TIME", 3, vat=19),
    ],
    "max_price": {"excl_vat": 20},
}


def ours(ocpi):
    return ours_of_ocpi(OcpiTariffDocument.model_validate(ocpi), "Europe/Berlin")


def test_it_costs_the_same_and_is_said_in_ocpi_again():
    document = ours(OCPI)
    assert document["energy"][0] == {
        "price_per_kwh": "0.28",
        "from": "22:00",
        "to": "06:00",
        "weekdays": ["mon", "tue"],
        "vat_percent": "19",
    }
    by_ocpi = price_document(OCPI, SESSION, "Europe/Berlin")
    assert price_document(document, SESSION)["gross"] == by_ocpi["gross"]
    assert said_in_ocpi(TariffDocument.model_validate(document)) == OCPI


def test_what_no_element_names_is_free_as_in_ocpi():
    only_at_night = {"currency": "EUR", "elements": [element("ENERGY", 0.28, NIGHT)]}
    assert ours(only_at_night)["energy"][-1] == {"price_per_kwh": "0"}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (element("TIME", 3), "timed TIME"),
        (element("ENERGY", 0.3, step_size=500), "step size of 500"),
        (element("ENERGY", 0.3, {"min_kwh": 5}), "restriction min_kwh"),
        (element("PARKING_TIME", 5), "no price a minute"),
        (element("FLAT", 1, NIGHT), "restricted"),
    ],
)
def test_what_means_something_else_is_refused(wrong, why):
    with pytest.raises(CannotSay, match=why):
        ours({"currency": "EUR", "elements": [wrong]})


@pytest.mark.django_db
def test_a_program_gets_both_ways(caller):
    reader = caller("read")
    asked = {"tariff": OCPI, "time_zone": "Europe/Berlin"}
    made = reader("POST", "billing/tariff-of-ocpi", asked)
    assert made.status_code == 200, made.content
    row = add_tariff("From OCPI", made.json(), NOVEMBER, None)
    assert reader.get(f"billing/tariffs/{row.pk}/ocpi") == OCPI
    timed = {"currency": "EUR", "elements": [element("TIME", 3)]}
    refused = reader("POST", "billing/tariff-of-ocpi", asked | {"tariff": timed})
    assert (refused.status_code, "TIME" in refused.json()["detail"]) == (422, True)
    monthly = made.json() | {"monthly_fee": {"price": "3"}}
    other = add_tariff("Monthly", monthly, NOVEMBER, None)
    refused = reader("GET", f"billing/tariffs/{other.pk}/ocpi")
    assert (refused.status_code, "a monthly fee" in refused.json()["detail"]) == (409, True)


@pytest.mark.django_db
def test_the_form_reads_ocpi_and_the_page_gives_it(browser, root):
    web = browser(root)
    form = FORM | {"document": json.dumps(OCPI)}
    answer = web.post("/admin/billing/tariff/add/", form)
    assert answer.status_code == 302, answer.content.decode()
    page = web.get(answer.url).content.decode()
    assert "/ocpi.json" in page
    pk = answer.url.split("/")[-3]
    assert web.get(f"/admin/billing/tariff/{pk}/ocpi.json").json() == OCPI
    timed = {"currency": "EUR", "elements": [element("TIME", 3)]}
    refused = web.post(
        "/admin/billing/tariff/add/", FORM | {"name": "B", "document": json.dumps(timed)}
    )
    assert "timed TIME" in refused.content.decode()


def test_no_tariff_of_ocpi_is_no_tariff():
    with pytest.raises(ValidationError):
        ours({"currency": "EUR", "elements": []})
