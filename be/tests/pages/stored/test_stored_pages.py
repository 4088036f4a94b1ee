"""The pages of what chargers keep: every change asks first and needs the permission."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.ocpp.models import (
    ChargePoint,
    Command,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    Reservation,
    Site,
)
from tests.ocpp.decisions.people import limited_to

RESERVE = "admin:ocpp_reservation_reserve"


def text_of(client: Client, page: str) -> str:
    return client.get(page).content.decode()


def decide(row: object, kind: str) -> str:
    name = type(row)._meta.model_name  # type: ignore[attr-defined]
    return reverse(f"admin:ocpp_{name}_decide", args=[row.pk, kind])  # type: ignore[attr-defined]


def test_a_connector_is_reserved_in_two_clicks_from_the_chargers_page(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    charger.site = Site.objects.create(name="Tokyo", time_zone="Asia/Tokyo")
    charger.save()
    page = text_of(browser_of_root, reverse("admin:ocpp_chargepoint_change", args=[charger.pk]))
    address = f"{reverse(RESERVE)}?charge_point={charger.pk}"
    assert address in page
    form = text_of(browser_of_root, address)
    assert "Time in Asia/Tokyo" in form
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key
    until = (datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    said = {"key": key[1], "connector": "1", "id_tag": "TAG", "until": until}
    for _ in range(2):
        assert browser_of_root.post(address, said).status_code == 302
    row = Reservation.objects.get()
    assert row.ends_at is not None
    there = row.ends_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert there.strftime("%Y-%m-%dT%H:%M") == until
    assert Command.objects.get().payload["expiryDate"] == row.ends_at.astimezone(UTC).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z"
    )


def test_a_page_that_waits_for_the_charger_shows_its_refusal_and_what_to_do(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    ends_at = datetime.now(UTC) + timedelta(hours=2)
    row = Reservation.objects.create(
        charge_point=charger, connector=1, id_tag="T", number=1, ends_at=ends_at
    )
    page = reverse("admin:ocpp_reservation_change", args=[row.pk])
    assert 'data-every="1.0"' in text_of(browser_of_root, page)
    Reservation.objects.update(state=Reservation.State.REFUSED, said="NotSupported")
    renewed = browser_of_root.get(page, headers={"X-Levity-Live": "-"}).content.decode()
    assert "known tags only" in renewed
    assert 'data-every="1.0"' not in text_of(browser_of_root, page)


def test_what_is_in_the_way_stands_in_the_form(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    address = f"{reverse(RESERVE)}?charge_point={charger.pk}"
    said = {
        "key": "b2b0b1f4-35b6-4d43-9b0d-2f6d6e9f6f10",
        "connector": "1",
        "id_tag": "T",
        "until": "2020-01-01T00:00",
    }
    page = browser_of_root.post(address, said).content.decode()
    assert "choose a later time" in page
    assert not Command.objects.exists()


def test_a_reservation_is_cancelled_after_a_question(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    row = Reservation.objects.create(
        charge_point=charger,
        number=1,
        connector=1,
        id_tag="TAG",
        state="active",
        ends_at=timezone.now() + timedelta(hours=1),
    )
    page = reverse("admin:ocpp_reservation_change", args=[row.pk])
    assert decide(row, "cancel") in text_of(browser_of_root, page)
    shown = text_of(browser_of_root, reverse("admin:ocpp_chargepoint_change", args=[charger.pk]))
    link = reverse("admin:ocpp_reservation_change", args=[row.pk])
    assert f'href="{link}">reserved</a> for TAG until' in shown
    connector = reverse("admin:ocpp_connector_change", args=[charger.connectors.get().pk])
    assert f'for <a class="lv-link" href="{link}">TAG</a> until' in text_of(
        browser_of_root, connector
    )
    assert "cancel it" in text_of(browser_of_root, decide(row, "cancel"))
    assert not Command.objects.exists()
    browser_of_root.post(decide(row, "cancel"))
    assert Command.objects.get().payload == {"reservationId": 1}
    assert "being cancelled" in text_of(browser_of_root, page)


def test_a_refusal_says_what_to_do(browser_of_root: Client, charger: ChargePoint) -> None:
    row = Reservation.objects.create(
        charge_point=charger, number=1, connector=1, id_tag="T", state="refused", said="Faulted"
    )
    page = text_of(browser_of_root, reverse("admin:ocpp_reservation_change", args=[row.pk]))
    assert "Clear it, or reserve another connector" in page


def test_who_only_looks_sends_nothing(browser_of_viewer: Client, charger: ChargePoint) -> None:
    row = Reservation.objects.create(
        charge_point=charger, number=1, connector=1, id_tag="T", state="active"
    )
    assert browser_of_viewer.get(reverse(RESERVE)).status_code == 403
    assert browser_of_viewer.post(decide(row, "cancel")).status_code == 403
    page = text_of(browser_of_viewer, reverse("admin:ocpp_reservation_change", args=[row.pk]))
    assert decide(row, "cancel") not in page
    assert "T" in page


def test_who_sees_one_site_reserves_and_cancels_nothing_elsewhere(
    charger: ChargePoint, client: Client
) -> None:
    charger.site = Site.objects.create(name="Theirs")
    charger.save()
    row = Reservation.objects.create(
        charge_point=charger, number=1, connector=1, id_tag="THEIRTAG", state="active"
    )
    who = limited_to(Site.objects.create(name="Ours"))
    who.is_staff = True
    who.save()
    client.force_login(who)
    assert client.post(decide(row, "cancel")).status_code == 404
    assert client.get(f"{reverse(RESERVE)}?charge_point={charger.pk}").status_code == 404
    assert "THEIRTAG" not in text_of(client, reverse("admin:ocpp_reservation_changelist"))
    assert not Command.objects.exists()


def test_a_local_list_is_switched_on_for_a_site(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    charger.site = Site.objects.create(name="House")
    charger.save()
    ChargePoint.objects.create(identity="ELSEWHERE")
    page = reverse("admin:ocpp_locallist_switch_on")
    assert "House" in text_of(browser_of_root, page)
    browser_of_root.post(page, {"where": f"site-{charger.site.pk}"})
    row = LocalList.objects.get()
    assert (row.charge_point, row.is_on, row.state) == (charger, True, "behind")
    for kind in ("now", "full", "off", "on", "clear"):
        assert browser_of_root.get(decide(row, kind)).status_code == 200
        browser_of_root.post(decide(row, kind))
    row.refresh_from_db()
    assert row.is_on is False
    assert Command.objects.get().payload["updateType"] == "Full"


def test_lists_that_are_selected_and_not_kept_in_step_are_named(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    other = ChargePoint.objects.create(identity="OTHER")
    rows = [
        LocalList.objects.create(charge_point=place, is_on=is_on, state="behind")
        for place, is_on in ((charger, True), (other, False))
    ]
    page = browser_of_root.post(
        reverse("levity:ocpp_locallist_changelist"),
        {"action": "now", "_selected_action": [row.pk for row in rows]},
        follow=True,
    ).content.decode()
    assert "Looked at within some seconds: 1. 1 not kept in step" in page


def test_a_profile_is_cleared_after_a_warning(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    row = InstalledProfile.objects.create(
        charge_point=charger,
        connector=0,
        profile_id=9,
        stack_level=1,
        purpose="ChargePointMaxProfile",
        schedule={
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}],
        },
        installed_at=timezone.now() - timedelta(days=1),
    )
    charger.booted_at = timezone.now()
    charger.save()
    page = text_of(browser_of_root, reverse("admin:ocpp_installedprofile_change", args=[row.pk]))
    assert "16.0 A, 3 phases" in page
    assert "rebooted since" in page
    assert "may draw more" in text_of(browser_of_root, decide(row, "clear"))
    browser_of_root.post(decide(row, "clear"))
    assert Command.objects.get().payload == {"id": 9}


def test_the_last_trusted_certificate_stays_with_a_reason(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    charger.security_profile = 2
    charger.save()
    row = InstalledCertificate.objects.create(
        charge_point=charger,
        type="CentralSystemRootCertificate",
        hash_algorithm="SHA256",
        issuer_name_hash="aa",
        issuer_key_hash="bb",
        serial_number="1",
    )
    said = browser_of_root.post(decide(row, "delete"), follow=True).content.decode()
    assert "could not connect any more" in said
    assert not Command.objects.exists()
    browser_of_root.post(decide(row, "ask"))
    assert Command.objects.count() == 2


@pytest.mark.parametrize("name", ["reservation", "locallist", "installedprofile"])
def test_an_empty_list_says_what_it_is_for(browser_of_root: Client, name: str) -> None:
    page = text_of(browser_of_root, reverse(f"admin:ocpp_{name}_changelist"))
    assert " yet" in page


def test_each_list_leads_to_its_rows(browser_of_root: Client, charger: ChargePoint) -> None:
    row = Reservation.objects.create(charge_point=charger, number=1, connector=1, id_tag="T")
    page = text_of(browser_of_root, reverse("admin:ocpp_reservation_changelist"))
    assert reverse("admin:ocpp_reservation_change", args=[row.pk]) in page
