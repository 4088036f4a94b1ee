"""Firmware for many: waves, failures that stop it, chargers that are busy or away."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from levity.files import campaigns
from levity.files.campaigns import Plan, begin, counts, doubts, drive
from levity.files.jobs import Asking
from levity.files.models import Campaign, CampaignTarget
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import AuditEntry, ChargePoint, FileJob, Transaction
from levity.run.backups import settle
from tests.files.conftest import firmware_of

pytestmark = pytest.mark.django_db
ASKING = Asking(called="192.0.2.1:8000")


def fleet(count: int, *, online: bool = True) -> None:
    for number in range(count):
        ChargePoint.objects.create(
            identity=f"C{number}",
            connection=f"00000000-0000-0000-0000-{number:012}" if online else None,
            firmware_version="1.0",
        )


def running() -> list[str]:
    rows = CampaignTarget.objects.filter(state="running")
    return list(rows.values_list("charge_point__identity", flat=True))


def ends(identity: str, state: str, status: str) -> None:
    """The charger's job ends so."""
    job = FileJob.objects.get(charge_point__identity=identity)
    job.state, job.status = state, status
    job.save()


def started(count: int = 5, **plan: Any) -> tuple[Campaign, datetime]:
    fleet(count)
    usual = {"wave_size": 2, "pause_minutes": 10, "stop_after": 1}
    campaign = begin(
        firmware_of(b"x"), ChargePoint.objects.all(), None, Plan(**{**usual, **plan}), ASKING
    )
    now = timezone.now()
    drive(now)
    campaign.refresh_from_db()
    return campaign, now


def test_waves_go_one_after_the_other_with_a_pause_between() -> None:
    campaign, now = started()
    assert running() == ["C0", "C1"]
    drive(now)
    assert running() == ["C0", "C1"]
    ends("C0", "done", "Installed")
    drive(now)
    assert running() == ["C1"]
    ends("C1", "done", "Installed")
    drive(now)
    drive(now + timedelta(minutes=9))
    assert running() == []
    drive(now + timedelta(minutes=10))
    assert running() == ["C2", "C3"]
    for name in ("C2", "C3"):
        ends(name, "done", "Installed")
    drive(now + timedelta(minutes=11))
    drive(now + timedelta(minutes=22))
    assert running() == ["C4"]
    ends("C4", "done", "Installed")
    drive(now + timedelta(minutes=23))
    campaign.refresh_from_db()
    assert (campaign.state, counts(campaign)["done"]) == ("done", 5)


def test_it_stops_by_itself_when_the_second_fails_and_goes_on_when_told_to() -> None:
    campaign, now = started(stop_after=1)
    ends("C0", "done", "Installed")
    ends("C1", "failed", "InstallationFailed")
    drive(now)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.why) == ("stopped", "1 failed; it stops after 1")
    assert AuditEntry.objects.filter(what__startswith="stopped by itself").count() == 1
    drive(now + timedelta(hours=1))
    assert running() == []
    campaigns.resume(campaign, None)
    drive(now + timedelta(hours=1))
    assert running() == ["C2", "C3"]


def test_a_charger_that_says_nothing_fails_after_a_while() -> None:
    campaign, _ = started(patience_minutes=30, stop_after=5)
    drive(timezone.now() + timedelta(minutes=31))
    assert counts(campaign)["failed"] == 2
    why = CampaignTarget.objects.filter(state="failed")[0].why
    assert why == "no result within 30 minutes (queued)"


def test_one_that_charges_waits_until_it_is_idle() -> None:
    fleet(2)
    busy = ChargePoint.objects.get(identity="C0")
    session = Transaction.objects.create(
        charge_point=busy, connector=1, started_at=timezone.now(), meter_start=0, state="active"
    )
    begin(firmware_of(b"x"), ChargePoint.objects.all(), None, Plan(pause_minutes=0), ASKING)
    now = timezone.now()
    drive(now)
    assert running() == ["C1"]
    assert CampaignTarget.objects.get(state="waiting").why == "waits: it is charging"
    ends("C1", "done", "Installed")
    session.state = "stopped"
    session.save()
    drive(now)
    drive(now)
    assert running() == ["C0"]


def test_one_that_is_away_waits() -> None:
    fleet(1, online=False)
    begin(firmware_of(b"x"), ChargePoint.objects.all(), None, Plan(), ASKING)
    drive(timezone.now())
    assert running() == []
    assert CampaignTarget.objects.get().why == "waits: it is offline"


def test_one_that_is_retired_meanwhile_is_waited_for_no_longer() -> None:
    fleet(1, online=False)
    campaign = begin(firmware_of(b"x"), ChargePoint.objects.all(), None, Plan(), ASKING)
    now = timezone.now()
    drive(now)
    ChargePoint.objects.update(retired_at=now)
    drive(now)
    target = CampaignTarget.objects.get()
    assert (target.state, target.why) == ("skipped", "it was retired")
    campaign.refresh_from_db()
    assert campaign.state == "done"


def test_a_paused_campaign_begins_nothing_and_a_cancelled_one_never_does() -> None:
    campaign, now = started(pause_minutes=0)
    campaigns.pause(campaign, None)
    for name in running():
        ends(name, "done", "Installed")
    drive(now)
    drive(now)
    assert (running(), counts(campaign)["done"]) == ([], 2)
    campaigns.resume(campaign, None)
    drive(now)
    assert running() == ["C2", "C3"]
    campaigns.cancel(campaign, None)
    assert counts(campaign)["skipped"] == 1
    with pytest.raises(NotPossible):
        campaigns.resume(campaign, None)


def test_it_begins_at_its_time() -> None:
    later = timezone.now() + timedelta(hours=3)
    started(starts_at=later)
    assert running() == []
    drive(later)
    assert running() == ["C0", "C1"]


def test_doubts_name_what_does_not_fit() -> None:
    fleet(2)
    ChargePoint.objects.filter(identity="C0").update(vendor="Acme", model="One")
    firmware = firmware_of(b"x")
    firmware.vendor, firmware.model = "ACME", "One"
    said = " ".join(doubts(firmware, list(ChargePoint.objects.order_by("identity"))))
    assert "C1 reports another vendor" in said
    assert "C0" not in said
    assert "Now on 1.0" in said


def test_a_restored_database_sends_no_firmware_before_somebody_has_looked() -> None:
    """Chargers may have installed since the backup what the campaign would send them again."""
    campaign, now = started()
    assert settle(now).campaigns == 1
    campaign.refresh_from_db()
    assert campaign.state == "paused"
    FileJob.objects.all().delete()
    drive(now + timedelta(hours=1))
    assert not FileJob.objects.exists()
    assert AuditEntry.objects.filter(what__contains="restored from a backup").count() == 1
    assert settle(now).campaigns == 0
