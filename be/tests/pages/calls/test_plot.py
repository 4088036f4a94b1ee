"""Schedules as plots: those that are sent, and those that chargers tell."""

from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.v16.schedules import schedule_in
from levity.pages.calls.kinds import KINDS
from levity.pages.calls.plot import plot_of
from tests.pages.calls.filling import filled
from tests.pages.calls.test_typed import Inputs

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = {
    "connectorId": 0,
    "csChargingProfiles": {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Daily",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "startSchedule": "2026-07-01T22:00:00Z",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 16.0},
                {"startPeriod": 21600, "limit": 0.0},
                {"startPeriod": 79200, "limit": 16.0, "numberPhases": 3},
            ],
        },
    },
}


@pytest.fixture
def charger(db: None) -> ChargePoint:
    found = ChargePoint.objects.create(identity="CP-1")
    found.connectors.create(number=1, status="Available")
    return found


def test_a_night_is_drawn_over_a_day_in_local_time() -> None:
    plot = plot_of(schedule_in(NIGHT, None), BERLIN)
    assert [(row["when"], row["limit"], row["phases"]) for row in plot["rows"]] == [
        ("00:00", "16 A", ""),
        ("06:00", "0 A", ""),
        ("22:00", "16 A", 3),
    ]
    assert plot["line"] == ("0.0,36.0 150.0,36.0 150.0,140.0 550.0,140.0 550.0,36.0 600.0,36.0")
    assert plot["top"] == "20 A"
    assert ("Comes again", "Daily") in plot["facts"]


def test_the_answer_of_the_charger_is_drawn_before_the_question() -> None:
    answer = {
        "status": "Accepted",
        "scheduleStart": "2026-07-01T10:00:00Z",
        "chargingSchedule": {
            "duration": 3600,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11040.0}],
        },
    }
    plot = plot_of(schedule_in({"connectorId": 0, "duration": 3600}, answer), BERLIN)
    assert (plot["top"], plot["rows"][0]["limit"]) == ("20000 W", "11040 W")
    assert plot["until"] == "2026-07-01 13:00"


ODD: tuple[Any, ...] = (
    None,
    [],
    {"csChargingProfiles": []},
    {"csChargingProfiles": {"chargingSchedule": {"chargingSchedulePeriod": 7}}},
    {"csChargingProfiles": {"chargingSchedule": {"chargingSchedulePeriod": [1, {"limit": "x"}]}}},
    {
        "csChargingProfiles": {
            "chargingSchedule": {"chargingSchedulePeriod": [{"startPeriod": -1, "limit": 1e400}]}
        }
    },
)


@pytest.mark.parametrize("payload", ODD)
def test_what_is_no_schedule_is_not_drawn(payload: Any) -> None:
    assert plot_of(schedule_in(payload, payload), None) == {}


def test_times_beyond_the_calendar_are_drawn_all_the_same() -> None:
    far = {
        "csChargingProfiles": {
            "chargingSchedule": {
                "startSchedule": "9999-12-31T23:00:00Z",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 0},
                    {"startPeriod": 2_000_000_000, "limit": 10**9},
                ],
            }
        }
    }
    assert len(plot_of(schedule_in(far, None), BERLIN)["rows"]) == 2


def test_the_page_of_a_command_shows_it(charger: ChargePoint, browser_of_root: Client) -> None:
    command = Command.objects.create(
        charge_point=charger, action="SetChargingProfile", payload=NIGHT
    )
    page = browser_of_root.get(reverse("levity:ocpp_command_change", args=[command.pk]))
    text = page.content.decode()
    assert "<polyline" in text
    assert "each session, unless it has its own" in text


def test_a_form_shows_its_plot_and_sends_nothing(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    address = reverse("levity:ocpp_chargepoint_send", args=[charger.pk, "charging-profile"])
    data = {"key": str(uuid4()), **filled("charging-profile", charger), "preview": "yes"}
    text = browser_of_root.post(address, data).content.decode()
    assert "<polyline" in text
    assert not Command.objects.exists()
    assert browser_of_root.post(address, data | {"preview": ""}).status_code == 302


DESCRIBED = KINDS["charging-profile"].described
PRESETS = [item.slug for item in DESCRIBED.presets] if DESCRIBED else []


@pytest.mark.parametrize("preset", PRESETS)
def test_a_template_fills_the_form_from_the_last_midnight(
    preset: str, charger: ChargePoint, browser_of_root: Client
) -> None:
    address = reverse("levity:ocpp_chargepoint_send", args=[charger.pk, "charging-profile"])
    text = browser_of_root.get(address, {"preset": preset}).content.decode()
    form = text[text.index('<form method="post" data-once') :]
    shown = Inputs(form[: form.index("</form>")]).sent
    begins = shown["p-csChargingProfiles-chargingSchedule-startSchedule"]
    assert begins.endswith("T00:00") or preset == "pause"
    assert browser_of_root.post(address, shown | {"preview": ""}).status_code == 302
    assert schedule_in(Command.objects.get().payload, None)
