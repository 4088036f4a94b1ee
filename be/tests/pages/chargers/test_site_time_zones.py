"""A person reads the times of a charger in the time zone of its site; CSV names the offset."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    FailedMessage,
    Message,
    MeterValue,
    QuarantinedMessage,
    SecurityEvent,
    Site,
    StatusEvent,
    Transaction,
)
from tests.kept import keep

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
IN_NEW_YORK, IN_BERLIN = "08:00:00 EDT", "14:00:00 CEST"
LISTS = (
    ChargePoint,
    Transaction,
    Message,
    MeterValue,
    Command,
    ConnectionEvent,
    StatusEvent,
    QuarantinedMessage,
    FailedMessage,
    SecurityEvent,
)


def charger_with_rows(identity: str, zone: str | None) -> ChargePoint:
    """One row of everything, at the same moment."""
    site = None if zone is None else Site.objects.create(name=f"of {identity}", time_zone=zone)
    charger = ChargePoint.objects.create(
        identity=identity, site=site, connection=uuid4(), connected_at=WHEN, last_seen_at=WHEN
    )
    common = {"charge_point": charger, "received_at": WHEN}
    Transaction.objects.create(
        charge_point=charger,
        connector=1,
        started_at=WHEN,
        stopped_at=WHEN,
        state="stopped",
        meter_start=0,
    )
    Message.objects.create(connection=uuid4(), unique_id="1", seq=1, request="[]", **common)
    keep(charger, WHEN, {"measurand": "V", "raw_value": "1"})
    Command.objects.create(charge_point=charger, action="Reset", created_at=WHEN, not_before=WHEN)
    ConnectionEvent.objects.create(
        charge_point=charger, identity=identity, connection=uuid4(), kind="connected", at=WHEN
    )
    StatusEvent.objects.create(connector=1, status="Available", **common)
    QuarantinedMessage.objects.create(
        action="StopTransaction", payload="{}", payload_hash=identity, reason="x", **common
    )
    FailedMessage.objects.create(
        connection=uuid4(), identity=identity, seq=1, text="[]", failed_at=WHEN, **common
    )
    SecurityEvent.objects.create(charge_point=charger, type="X", at=WHEN, received_at=WHEN)
    return charger


def shown(browser: Client, path: str) -> str:
    """The page, with each time in one piece."""
    text = browser.get(path).content.decode()
    return text.replace('</span> <span class="lv-time">', " ")


def list_of(model: type[Any]) -> str:
    return reverse(f"admin:ocpp_{model._meta.model_name}_changelist")


@pytest.mark.parametrize(
    ("zone", "time"), [("America/New_York", IN_NEW_YORK), ("", IN_BERLIN), (None, IN_BERLIN)]
)
def test_every_list_shows_the_time_of_the_site(
    browser_of_root: Client, zone: str | None, time: str
) -> None:
    """The server's where there is no site, or it names none."""
    charger_with_rows("CP1", zone)
    other = IN_BERLIN if time == IN_NEW_YORK else IN_NEW_YORK
    for model in LISTS:
        page = shown(browser_of_root, list_of(model))
        assert (f"2026-07-01 {time}" in page, other in page) == (True, False), model


def test_every_page_shows_the_time_of_the_site(browser_of_root: Client) -> None:
    charger_with_rows("CP1", "America/New_York")
    for model in LISTS:
        row = model.objects.get()
        path = reverse(f"admin:ocpp_{model._meta.model_name}_change", args=[row.pk])
        page = shown(browser_of_root, path)
        assert (f"2026-07-01 {IN_NEW_YORK}" in page, IN_BERLIN in page) == (True, False), model


@pytest.mark.slow
def test_many_sites_cost_no_more_queries_than_one(browser_of_root: Client) -> None:
    def asked() -> dict[str, int]:
        found = {}
        for model in LISTS:
            with CaptureQueriesContext(connection) as captured:
                browser_of_root.get(list_of(model))
            found[model.__name__] = len(captured)
        return found

    for number in range(2):
        charger_with_rows(f"CP{number}", "America/New_York")
    few = asked()
    for number in range(2, 8):
        charger_with_rows(f"CP{number}", "America/New_York")
    assert asked() == few


def test_the_csv_of_transactions_has_the_sites_time_with_its_offset(
    browser_of_root: Client,
) -> None:
    """Two sites in one file: nobody has to know which zone a line is in."""
    charger_with_rows("CP1", "America/New_York")
    charger_with_rows("CP2", None)
    Transaction.objects.update(energy=Decimal(1000))
    answer: Any = browser_of_root.get("/admin/ocpp/transaction/export/")
    lines = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
    found = {
        line["charge point"]: (line["started (UTC)"], line["started (local)"]) for line in lines
    }
    assert found == {
        "CP1": ("2026-07-01 12:00:00", "2026-07-01 08:00:00-04:00"),
        "CP2": ("2026-07-01 12:00:00", "2026-07-01 14:00:00+02:00"),
    }


def test_the_time_of_a_session_that_a_person_makes_is_proposed_in_the_sites_zone(
    browser_of_root: Client,
) -> None:
    charger_with_rows("CP1", "America/New_York")
    QuarantinedMessage.objects.update(
        action="StartTransaction", payload='{"timestamp":"2026-07-01T12:00:00Z"}'
    )
    pk = QuarantinedMessage.objects.get().pk
    page = browser_of_root.get(f"/admin/ocpp/quarantinedmessage/{pk}/decide/make/")
    assert 'value="2026-07-01T08:00:00-04:00"' in page.content.decode()
