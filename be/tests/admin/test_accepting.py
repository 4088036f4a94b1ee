"""Charge points that wait for somebody to let them in: several at once, from the list."""

from django.contrib.admin.models import LogEntry
from django.test import Client

from levity.ocpp.models import ChargePoint
from tests.ocpp.charger import Charger, Site

LIST = "/admin/ocpp/chargepoint/"
ACTION = "accept_registration"


def test_pending_and_rejected_ones_are_let_in_and_their_next_boot_says_so(
    browser_of_root: Client,
) -> None:
    """One that was accepted before is not noted as changed."""
    for name, registration in (("A", "Pending"), ("B", "Rejected"), ("C", "Accepted")):
        ChargePoint.objects.create(identity=name, registration=registration)
    assert Site().result(Charger("A").boots())["status"] == "Pending"
    rows = {row.identity: row.pk for row in ChargePoint.objects.all()}
    chosen = {"action": ACTION, "_selected_action": list(rows.values())}
    page = browser_of_root.post(LIST, chosen, follow=True)
    assert "Accepted: 2." in page.content.decode()
    assert set(ChargePoint.objects.values_list("registration", flat=True)) == {"Accepted"}
    assert {entry.object_id for entry in LogEntry.objects.all()} == {
        str(rows["A"]),
        str(rows["B"]),
    }
    assert Site().result(Charger("A").boots())["status"] == "Accepted"


def test_somebody_who_may_only_look_lets_nobody_in(
    browser_of_viewer: Client, charger: ChargePoint
) -> None:
    ChargePoint.objects.update(registration="Pending")
    assert ACTION not in browser_of_viewer.get(LIST).content.decode()
    chosen = {"action": ACTION, "_selected_action": [charger.pk]}
    browser_of_viewer.post(LIST, chosen)
    assert ChargePoint.objects.get().registration == "Pending"
