"""Messages found by bounded searches, and trouble that people deal with."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import (
    AuditEntry,
    ChargePoint,
    FailedMessage,
    IdTag,
    Message,
    QuarantinedMessage,
)
from levity.ocpp.store.messages import finding
from levity.pages.kit.base import BoundedPaginator, newest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIST = "/admin/ocpp/message/"


def message(charger: ChargePoint, request: str, **values: object) -> Message:
    fields: dict[str, object] = {
        "charge_point": charger,
        "connection": uuid.uuid4(),
        "seq": 1,
        "request": request,
        "received_at": NOW,
    }
    return Message.objects.create(**{**fields, **values})


def found(client: Client, **query: str) -> list[int]:
    return [item.pk for item in client.get(LIST, query).context["cl"].result_list]


@pytest.fixture
def three_searched() -> Iterator[None]:
    """A search reads the newest three messages only."""
    before, finding.SEARCHED = finding.SEARCHED, 3
    yield
    finding.SEARCHED = before


@pytest.mark.usefixtures("three_searched")
def test_a_search_reads_only_the_newest_messages(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    other = ChargePoint.objects.create(identity="OTHER")
    old = message(charger, "needle")
    seen = [message(other, f"needle {number}").pk for number in range(3)]
    assert found(browser_of_root, q="needle") == seen[::-1]
    # In the newest three of the charge point that the filter names.
    of_charger = found(browser_of_root, q="needle", charge_point__id__exact=str(charger.pk))
    assert of_charger == [old.pk]


def test_a_search_finds_charge_point_id_transaction_and_text(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    by_text = message(charger, '[2,"u","Authorize",{"idTag":"04AB"}]').pk
    by_id = message(charger, "x", unique_id="the-id").pk
    by_transaction = message(charger, "y", transaction=4711).pk
    assert found(browser_of_root, q="04ab") == [by_text]
    assert found(browser_of_root, q="the-id") == [by_id]
    assert found(browser_of_root, q="4711") == [by_transaction]
    assert found(browser_of_root, q=charger.identity) == [by_transaction, by_id, by_text]


def test_filters_find_errors_senders_and_actions(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    good = message(charger, "x", action="Heartbeat").pk
    bad = message(charger, "y", error_code="NotImplemented", sender="cs", action="Reset").pk
    assert found(browser_of_root, error="yes") == [bad]
    assert found(browser_of_root, error="no") == [good]
    assert found(browser_of_root, sender="cs") == [bad]
    assert found(browser_of_root, action="Heartbeat") == [good]


def test_a_message_shows_both_frames_and_how_long_the_answer_took(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = message(
        charger,
        '[2,"u","Heartbeat",{}]',
        response='[3,"u",{"currentTime":"x"}]',
        answered_at=NOW + timedelta(milliseconds=42),
    )
    text = browser_of_root.get(f"{LIST}{item.pk}/change/").content.decode()
    assert "42 ms" in text
    assert "&quot;currentTime&quot;: &quot;x&quot;" in text


def test_the_paginator_counts_to_its_limit_and_says_so(charger: ChargePoint) -> None:
    class Small(BoundedPaginator):
        LIMIT = 3

    for number in range(3):
        message(charger, str(number))
    full = Small(Message.objects.all(), 2)
    assert (full.count, full.is_bounded, full.num_pages) == (3, False, 2)
    message(charger, "one more")
    more = Small(Message.objects.all(), 2)
    assert (more.count, more.is_bounded, more.num_pages) == (3, True, 2)


def test_newest_keeps_the_newest_rows_and_takes_further_filters(charger: ChargePoint) -> None:
    keys = [message(charger, str(number)).pk for number in range(4)]
    kept = newest(Message.objects.all(), 2).filter(request__in=("0", "3"))
    assert [item.pk for item in kept] == [keys[3]]
    assert newest(Message.objects.all(), 4).count() == 4


def test_a_resolution_closes_what_is_in_quarantine_and_its_absence_opens_it(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = QuarantinedMessage.objects.create(
        charge_point=charger,
        action="StopTransaction",
        payload="{}",
        payload_hash="x",
        reason="no such transaction",
        received_at=NOW,
    )
    page = reverse("admin:ocpp_quarantinedmessage_change", args=[item.pk])
    browser_of_root.post(page, {"resolution": "billed by hand", "reason": "changed"})
    item.refresh_from_db()
    assert (item.resolution, item.reason) == ("billed by hand", "no such transaction")
    assert item.resolved_at is not None
    assert AuditEntry.objects.get().object_id == str(item.pk)
    browser_of_root.post(page, {"resolution": ""})
    item.refresh_from_db()
    assert item.resolved_at is None


def test_only_superusers_see_a_traceback(
    browser_of_root: Client, browser_of_viewer: Client
) -> None:
    item = FailedMessage.objects.create(
        identity="X",
        connection=uuid.uuid4(),
        seq=1,
        text="{}",
        received_at=NOW,
        traceback="Traceback (most recent call last)",
    )
    page = reverse("admin:ocpp_failedmessage_change", args=[item.pk])
    assert "most recent call last" in browser_of_root.get(page).content.decode()
    assert "most recent call last" not in browser_of_viewer.get(page).content.decode()


def test_recorded_tags_are_approved_together(browser_of_root: Client, root: User) -> None:
    tags = [IdTag.objects.create(id_tag=f"T{n}", status="Recorded") for n in range(2)]
    blocked = IdTag.objects.create(id_tag="B", status="Blocked")
    browser_of_root.post(
        reverse("admin:ocpp_idtag_changelist"),
        {"action": "approve", "_selected_action": [item.pk for item in (*tags, blocked)]},
    )
    states = IdTag.objects.order_by("pk").values_list("status", flat=True)
    assert list(states) == ["Accepted", "Accepted", "Blocked"]


CHARGE_POINT = {"registration": "Accepted", "quirk_overrides": "{}"}
WRONG = (
    ({"identity": "a/b"}, "Letters, digits"),
    ({"identity": "X" * 49}, "at most 48"),
    ({"identity": "rdam 123|%:x"}, "Letters, digits"),
    ({"identity": "ok", "time_zone": "Europe/Nowhere"}, "is not a time zone"),
    ({"identity": "ok", "time_zone": "../etc"}, "is not a time zone"),
    ({"identity": "ok", "quirk_overrides": '{"nonsense": 1}'}, "not a field of a quirk profile"),
    ({"identity": "ok", "quirk_overrides": "[1]"}, "an object"),
)


@pytest.mark.parametrize(("fields", "said"), WRONG)
def test_a_charge_point_that_could_not_work_is_refused(
    fields: dict[str, str], said: str, browser_of_root: Client
) -> None:
    page = reverse("admin:ocpp_chargepoint_add")
    answer = browser_of_root.post(page, {**CHARGE_POINT, **fields})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not ChargePoint.objects.exists()


def test_a_charge_point_is_written_down_before_it_connects_and_keeps_its_identity(
    browser_of_root: Client,
) -> None:
    page = reverse("admin:ocpp_chargepoint_add")
    browser_of_root.post(page, {**CHARGE_POINT, "identity": "RDAM 123|x:y"})
    item = ChargePoint.objects.get()
    form = {**CHARGE_POINT, "identity": "OTHER", "name": "Court", "call_timeout": "120"}
    browser_of_root.post(reverse("admin:ocpp_chargepoint_change", args=[item.pk]), form)
    item.refresh_from_db()
    assert (item.identity, item.name, item.call_timeout) == ("RDAM 123|x:y", "Court", 120)
