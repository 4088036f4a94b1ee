"""A charger whose message is too large comes again for ever: that is an alert, with the setting."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from levity.monitoring.alerts import raise_and_end
from levity.monitoring.alerts.conditions.too_large import REMEMBERED, frames_too_large
from levity.ocpp.models import ChargePoint
from levity_ws.rpc.envelope import EdgeRefusal, Refused
from tests.ocpp.charger import NOW, CentralSystem, Charger

pytestmark = pytest.mark.django_db
WHAT = "a message of 9000000 bytes, 8388608 are allowed by LEVITY_MAX_FRAME_SIZE"


def tell(site: CentralSystem, seq: int) -> None:
    at = NOW.timestamp() + seq
    refusal = EdgeRefusal(
        charge_point="cp1",
        remote="192.0.2.1",
        reason="frame too large",
        status=1009,
        detail=WHAT,
        first_at=at,
        last_at=at,
    )
    site.take(Refused("", "", seq, at, (refusal,)))


def test_it_is_one_alert_until_it_has_come_no_more_for_hours() -> None:
    site = CentralSystem()
    site.take(Charger("CP1").asks())
    for seq in range(3):
        tell(site, seq)
    [finding] = frames_too_large(NOW)
    assert (finding.kind, finding.subject) == ("frame-too-large", "cp1")
    assert finding.charge_point == ChargePoint.objects.get().pk
    assert finding.detail == f"{WHAT}; 3 times. Raise LEVITY_MAX_FRAME_SIZE."
    assert finding in raise_and_end.look(NOW).findings
    assert frames_too_large(NOW + REMEMBERED + timedelta(minutes=1)) == []


def test_the_doctor_has_a_row_that_names_the_setting(client: Client) -> None:
    tell(CentralSystem(), 0)
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("admin:ocpp_refusedhandshake_changelist")).content.decode()
    assert "message too large" in page
    assert "raise LEVITY_MAX_FRAME_SIZE" in page
