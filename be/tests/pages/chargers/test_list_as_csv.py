"""Lists as CSV files: what the page shows, of those rows that this person may see."""

import csv
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from levity.files.models import Campaign, Firmware
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationKey,
    FileJob,
    InstalledProfile,
    LocalList,
    Reservation,
    Site,
)
from tests.pages.whole.conftest import browser, person

__all__ = ["browser", "person"]

pytestmark = pytest.mark.django_db
FORMULA = "=1+1"
LISTS = {
    "ocpp/command": "command",
    "ocpp/filejob": "job",
    "ocpp/reservation": "connector",
    "ocpp/locallist": "state",
    "ocpp/installedprofile": "limit",
    "ocpp/configurationkey": "key",
}


def fill(row: ChargePoint) -> None:
    Command.objects.create(charge_point=row, action="Reset", payload={"type": "Soft"})
    FileJob.objects.create(charge_point=row, kind="diagnostics")
    now = timezone.now()
    Reservation.objects.create(
        charge_point=row, number=row.pk, connector=1, id_tag=FORMULA, ends_at=now
    )
    LocalList.objects.create(charge_point=row, is_on=True)
    InstalledProfile.objects.create(
        charge_point=row, profile_id=1, connector=0, installed_at=now, schedule={}, stack_level=0
    )
    ConfigurationKey.objects.create(charge_point=row, name="k", key="k", value=FORMULA, read_at=now)


def rows_of(client: Client, name: str, query: str = "") -> list[list[str]]:
    answer: Any = client.get(f"/admin/{name}/export/{query}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))


def test_each_list_is_there_as_csv_with_its_filters_for_who_may_see_it(
    browser: Callable[..., Client], person: Callable[..., User]
) -> None:
    court, hall = (Site.objects.create(name=name) for name in ("Court", "Hall"))
    first = ChargePoint.objects.create(identity="=CP1", site=court)
    second = ChargePoint.objects.create(identity="CP2", site=hall)
    fill(first)
    fill(second)
    everybody = browser(person("ann", "Viewer"))
    limited = browser(person("bob", "Viewer", [hall]))
    for name, column in LISTS.items():
        head, *rows = rows_of(everybody, name)
        assert (head[0], column in head, len(rows)) == ("number", True, 2), name
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell.startswith("=") or "<" in cell], name
        [only] = rows_of(everybody, name, f"?charge_point__id__exact={second.pk}")[1:]
        assert any("CP2" in cell for cell in only), name
        assert len(rows_of(limited, name)) == 2, name
        page = everybody.get(f"/admin/{name}/").content.decode()
        assert f"/admin/{name}/export/" in page, name
        assert browser(person(f"nobody-{column}")).get(f"/admin/{name}/export/").status_code == 403


def test_campaigns_are_a_file_too(
    browser: Callable[..., Client], person: Callable[..., User]
) -> None:
    firmware = Firmware.objects.create(version="2", name="f", size=1, path="x")
    Campaign.objects.create(name="May", firmware=firmware)
    head, row = rows_of(browser(person("ann", "Admin")), "files/campaign")
    assert row[head.index("name")] == "May"
