"""Charge points that wait for somebody to let them in: several at once, from the list."""

import pytest
from django.test import Client

from levity.ocpp.models import AuditEntry, ChargePoint
from tests.ocpp.charger import CentralSystem, Charger

LIST = "/admin/ocpp/chargepoint/"
ACTION = "accept_registration"


def test_pending_and_rejected_ones_are_let_in_and_their_next_boot_says_so(
    browser_of_root: Client,
) -> None:
    """One that was accepted before is not noted as changed."""
    for name, registration in (("A", "Pending"), ("B", "Rejected"), ("C", "Accepted")):
        ChargePoint.objects.create(identity=name, registration=registration)
    assert CentralSystem().result(Charger("A").boots())["status"] == "Pending"
    rows = {row.identity: row.pk for row in ChargePoint.objects.all()}
    chosen = {"action": ACTION, "_selected_action": list(rows.values())}
    page = browser_of_root.post(LIST, chosen, follow=True)
    assert "Accepted: 2." in page.content.decode()
    assert set(ChargePoint.objects.values_list("registration", flat=True)) == {"Accepted"}
    assert {entry.object_id for entry in AuditEntry.objects.all()} == {
        str(rows["A"]),
        str(rows["B"]),
    }
    assert CentralSystem().result(Charger("A").boots())["status"] == "Accepted"


def test_somebody_who_may_only_look_lets_nobody_in(
    browser_of_viewer: Client, charger: ChargePoint
) -> None:
    ChargePoint.objects.update(registration="Pending")
    assert ACTION not in browser_of_viewer.get(LIST).content.decode()
    chosen = {"action": ACTION, "_selected_action": [charger.pk]}
    browser_of_viewer.post(LIST, chosen)
    assert ChargePoint.objects.get().registration == "Pending"


ALL = "/admin/ocpp/chargepoint/accept/"


@pytest.mark.slow
def test_one_button_accepts_all_that_wait_however_many(browser_of_root: Client) -> None:
    """They had to be filtered, ticked, ticked on all pages, and sent through an action."""
    made = [ChargePoint(identity=f"NEW{n}", registration="Pending") for n in range(1200)]
    ChargePoint.objects.bulk_create(made)
    ChargePoint.objects.create(identity="REJECTED", registration="Rejected")
    ChargePoint.objects.create(identity="IN", registration="Accepted")
    assert f'href="{ALL}"' in browser_of_root.get(LIST).content.decode()
    page = browser_of_root.get(ALL).content.decode()
    assert "Accept 1,200 charge points?" in page
    assert "And 1,150 more." in page
    last = page.partition('name="last" value="')[2].partition('"')[0]
    late = ChargePoint.objects.create(identity="LATE", registration="Pending")
    said = browser_of_root.post(ALL, {"last": last}, follow=True).content.decode()
    assert "Accepted: 1,200." in said
    waiting = ChargePoint.objects.exclude(registration="Accepted")
    # Who came while somebody read the page was not shown on it.
    assert sorted(waiting.values_list("identity", flat=True)) == ["LATE", "REJECTED"]
    assert AuditEntry.objects.count() == 1200
    browser_of_root.post(ALL, {"last": str(late.pk)})
    assert f'href="{ALL}"' not in browser_of_root.get(LIST).content.decode()
    assert "No charge point is pending" in browser_of_root.get(ALL).content.decode()


def test_without_the_answer_of_the_page_nobody_is_accepted(browser_of_root: Client) -> None:
    ChargePoint.objects.create(identity="A", registration="Pending")
    for odd in ("", "-1", "x", "9" * 30):
        assert browser_of_root.post(ALL, {"last": odd}).status_code == 200
    assert ChargePoint.objects.get().registration == "Pending"


def test_somebody_who_may_only_look_has_no_button(
    browser_of_viewer: Client, charger: ChargePoint
) -> None:
    ChargePoint.objects.update(registration="Pending")
    assert ALL not in browser_of_viewer.get(LIST).content.decode()
    assert browser_of_viewer.get(ALL).status_code == 403
    assert browser_of_viewer.post(ALL, {"last": str(charger.pk)}).status_code == 403
    assert ChargePoint.objects.get().registration == "Pending"
