"""Figures that can't be true are in no total, and the total says how many it leaves out."""

import pytest
from django.test import Client
from django.utils import timezone

from levity.ocpp.models import ChargePoint, Transaction, UnassignedEnergy
from levity.ocpp.store.hours import count_all

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, ""),
        (1, "; 1 session with an implausible figure is not counted"),
        (2, "; 2 sessions with implausible figures are not counted"),
    ],
)
def test_the_tiles_of_the_overview(count: int, said: str, browser_of_root: Client) -> None:
    charger = ChargePoint.objects.create(identity="CP1")
    usual = {"charge_point": charger, "state": "stopped", "meter_start": 0}
    for number, flags in enumerate(["register-reset", *["implausible-energy"] * count]):
        Transaction.objects.create(
            **usual,
            connector=number + 1,
            started_at=timezone.now(),
            stopped_at=timezone.now(),
            energy=906_300_000 if number else 6300,
            flags=flags,
        )
    list(count_all(timezone.now()))
    page = " ".join(browser_of_root.get("/admin/").content.decode().split())
    assert page.count("6.300 kWh") >= 2
    assert f"since 00:00{said}" in page
    assert page.count(said or "not counted") == (2 if said else 0)


def test_what_lies_outside_sessions_is_told_if_there_is_any(
    browser_of_root: Client, browser_of_viewer: Client
) -> None:
    charger = ChargePoint.objects.create(identity="CP1")
    assert "Outside sessions" not in browser_of_root.get("/admin/").content.decode()
    month = f"{timezone.localtime():%Y-%m}"
    for number, name, wh in ((1, month, 1500), (2, month, 2000), (1, "2020-01", 9000)):
        UnassignedEnergy.objects.create(
            charge_point=charger,
            connector=number,
            month=name,
            wh=wh,
            stretches=1,
            last_at=timezone.now(),
            renewed_at=timezone.now(),
        )
    for browser in (browser_of_root, browser_of_viewer):
        page = " ".join(browser.get("/admin/").content.decode().split())
        assert "Outside sessions" in page
        assert "3.500 kWh" in page
        assert f"/admin/ocpp/unassignedenergy/?month={month}" in page
