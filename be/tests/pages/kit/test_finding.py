"""Ctrl-K: chargers, cards, sessions and residents, for those who may see them."""

import pytest
from django.test import Client
from django.utils import timezone

from levity.billing.models import Household
from levity.ocpp.models import ChargePoint, IdTag, Site, Transaction
from tests.ocpp.decisions.people import limited_to

pytestmark = pytest.mark.django_db


def found(browser: Client, term: str) -> str:
    return browser.get("/admin/search/", {"s": term, "extended": "1"}).content.decode()


def test_it_finds_chargers_cards_sessions_and_residents(admin_client: Client) -> None:
    charger = ChargePoint.objects.create(identity="CP-7", name="Bay 7")
    IdTag.objects.create(id_tag="BERG-1", owner="Anna Berg")
    Household.objects.create(name="Anna Berg", flat="1st floor left")
    session = Transaction.objects.create(
        charge_point=charger, id_tag="BERG-1", started_at=timezone.now()
    )
    assert f"/admin/ocpp/chargepoint/{charger.pk}/change/" in found(admin_client, "bay 7")
    page = found(admin_client, "Berg")
    for address in ("idtag", "household", "transaction"):
        assert f"/{address}/" in page
    assert f"/transaction/{session.pk}/change/" in found(admin_client, str(session.pk))
    assert "No results" in found(admin_client, "nothing of the kind")


def test_it_finds_nothing_of_another_site_and_lists_hostile_names_as_text(client: Client) -> None:
    mine = Site.objects.create(name="Mine")
    ChargePoint.objects.create(identity="BAY-1", name="<script>", site=mine)
    ChargePoint.objects.create(identity="BAY-2", site=Site.objects.create(name="Other"))
    client.force_login(limited_to(mine))
    page = found(client, "bay")
    assert "BAY-1" in page
    assert "BAY-2" not in page
    assert "<script>" not in page
