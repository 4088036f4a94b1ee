"""The price on the page of its session."""

import pytest
from django.test import Client

from tests.billing.test_settling import anna, charger, session, settled, site, tariff

__all__ = ["anna", "charger", "site", "tariff"]


@pytest.mark.django_db
def test_the_page_of_a_session_says_what_it_costs_and_who_pays(
    charger, anna, tariff, admin_client: Client
) -> None:
    row = session(charger)
    page = f"/admin/ocpp/transaction/{row.pk}/change/"
    assert "Cost" not in admin_client.get(page).content.decode()
    settled(row)
    text = admin_client.get(page).content.decode().partition(">Cost<")[2][:600]
    assert "EUR" in text
    assert "Anna" in text
    assert "/sessionprice/" in text
