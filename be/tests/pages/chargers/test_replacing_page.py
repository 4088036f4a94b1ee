"""Before a charger is replaced, its page says what the new one is sent; twice is once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.ocpp.models import ChargePoint, InstalledProfile, Site


def test_what_goes_on_with_the_new_hardware_is_listed_by_the_clock_of_the_site(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    charger.site = Site.objects.create(name="Tokyo", time_zone="Asia/Tokyo")
    charger.save()
    year = timezone.now().year + 1
    charger.reservations.create(
        number=1,
        connector=1,
        id_tag="CARD",
        state="active",
        ends_at=datetime(year, 6, 1, 12, tzinfo=UTC),
    )
    InstalledProfile.objects.create(
        charge_point=charger,
        profile_id=9001,
        stack_level=0,
        connector=0,
        purpose="ChargePointMaxProfile",
        kind="Absolute",
        schedule={
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
        },
        installed_at=timezone.now() - timedelta(days=1),
    )
    page = reverse("admin:ocpp_chargepoint_replace", args=[charger.pk])
    text = re.sub(r"<[^>]+>", "", browser_of_root.get(page).content.decode())
    assert f"a reservation of connector 1 for CARD until {year}-06-01 21:00" in text
    assert "charging profile 9001 (ChargePointMaxProfile)" in text
    said: Any = {"identity": "new-1", "once": "a"}
    places = {browser_of_root.post(page, said)["Location"] for _ in range(2)}
    new = ChargePoint.objects.get(identity="new-1")
    assert places == {reverse("admin:ocpp_chargepoint_change", args=[new.pk])}
    after = browser_of_root.get(places.pop()).content.decode()
    assert "1 reservation and 1 charging profile of the old one" in after
