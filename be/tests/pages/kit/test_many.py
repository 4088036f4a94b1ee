"""What somebody does to all that he selected, happens to all (HOUSE.md, fault 6)."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from levity.monitoring.models import Alert
from levity.ocpp.models import AuditEntry, ChargePoint, Command, IdTag, Message, Transaction

TAGS = "/admin/ocpp/idtag/"


def act(client: Client, path: str, action: str, key: int, **more: str) -> Any:
    form = {"action": action, "_selected_action": key, "select_across": "1", "index": "0", **more}
    return client.post(path, form)


def test_all_1200_tags_are_blocked(browser_of_root: Client) -> None:
    """1,000 were, and 200 went on charging without a word."""
    IdTag.objects.bulk_create(IdTag(id_tag=f"CARD{number}") for number in range(1_200))
    first = IdTag.objects.values_list("pk", flat=True).first()
    assert first is not None
    asked = act(browser_of_root, TAGS, "block", first)
    assert "Block: 1,200 id tags?" in asked.content.decode()
    assert not IdTag.objects.filter(status="Blocked").exists()
    answer = act(browser_of_root, TAGS, "block", first, sure="1")
    assert answer.status_code == 302
    assert IdTag.objects.filter(status="Blocked").count() == 1_200
    assert AuditEntry.objects.filter(what="blocked").count() == 1_200
    assert "Blocked: 1,200." in browser_of_root.get(TAGS).content.decode()


def test_all_that_fit_the_filter_are_unblocked_and_no_others(browser_of_root: Client) -> None:
    IdTag.objects.bulk_create(IdTag(id_tag=f"A{n}", status="Blocked") for n in range(600))
    IdTag.objects.bulk_create(IdTag(id_tag=f"B{n}", status="Blocked") for n in range(10))
    first = IdTag.objects.values_list("pk", flat=True).first()
    assert first is not None
    act(browser_of_root, f"{TAGS}?q=A", "unblock", first, sure="1")
    left = IdTag.objects.filter(status="Blocked")
    assert sorted(left.values_list("id_tag", flat=True)) == [f"B{n}" for n in range(10)]


def pending(charger: ChargePoint) -> list[ChargePoint]:
    return [ChargePoint(identity=f"P-{n}", registration="Pending") for n in range(1_100)]


def queued(charger: ChargePoint) -> list[Command]:
    return [Command(charge_point=charger, action="Reset") for _ in range(1_100)]


def raised(charger: ChargePoint) -> list[Alert]:
    now = timezone.now()
    return [
        Alert(kind="disk", severity="warning", key=str(n), raised_at=now, last_at=now)
        for n in range(1_100)
    ]


def locked_out(charger: ChargePoint) -> list[AccessAttempt]:
    return [AccessAttempt(username=f"u{n}", failures_since_start=5) for n in range(1_100)]


CASES = (
    ("ocpp/chargepoint", "accept_registration", pending, {"registration": "Pending"}),
    ("ocpp/command", "cancel_selected", queued, {"state": "queued"}),
    ("operation/alert", "acknowledge", raised, {"acknowledged_at": None}),
    ("axes/accessattempt", "unlock", locked_out, {}),
)


@pytest.mark.parametrize(("place", "action", "make", "left"), CASES)
def test_no_action_stops_at_a_thousand_in_silence(
    place: str,
    action: str,
    make: Callable[[ChargePoint], list[Any]],
    left: dict[str, Any],
    browser_of_root: Client,
    charger: ChargePoint,
) -> None:
    rows = make(charger)
    objects = type(rows[0])._default_manager
    objects.bulk_create(rows)
    key = objects.filter(**left).values_list("pk", flat=True)[0]
    answer = act(browser_of_root, f"/admin/{place}/", action, key, sure="1")
    assert answer.status_code == 302
    assert objects.filter(**left).count() == 0


def test_all_1200_tags_are_deleted(browser_of_root: Client) -> None:
    """Django's page sent each key in a field of its own, and more than 1,000 were refused: 400."""
    group = IdTag.objects.create(id_tag="GROUP")
    IdTag.objects.bulk_create(IdTag(id_tag=f"CARD{n}", parent=group) for n in range(1_200))
    asked = act(browser_of_root, TAGS, "delete_selected", group.pk)
    assert "Delete: 1,201 id tags?" in asked.content.decode()
    assert IdTag.objects.count() == 1_201
    assert act(browser_of_root, TAGS, "delete_selected", group.pk, sure="1").status_code == 302
    assert not IdTag.objects.exists()
    assert AuditEntry.objects.filter(what="deleted").count() == 1_201


def test_no_group_is_deleted_while_a_tag_of_it_stays(browser_of_root: Client) -> None:
    groups = [IdTag(id_tag=f"GROUP{n}") for n in range(600)]
    IdTag.objects.bulk_create(groups)
    first = IdTag.objects.order_by("pk").first()
    assert first is not None
    IdTag.objects.create(id_tag="CARD", parent=first)
    answer = browser_of_root.post(
        f"{TAGS}?q=GROUP",
        {"action": "delete_selected", "_selected_action": first.pk, "select_across": "1"},
        follow=True,
    )
    assert "Nothing was deleted: 1 tags" in answer.content.decode()
    assert IdTag.objects.count() == 601


def test_few_tags_are_named_before_they_are_deleted(browser_of_root: Client) -> None:
    tags = [IdTag.objects.create(id_tag=f"CARD{n}") for n in range(3)]
    form = {"action": "delete_selected", "_selected_action": [tag.pk for tag in tags[:2]]}
    page = browser_of_root.post(TAGS, form).content.decode()
    assert ("CARD1" in page, "CARD2" in page) == (True, False)
    browser_of_root.post(TAGS, {**form, "post": "yes"})
    assert list(IdTag.objects.values_list("id_tag", flat=True)) == ["CARD2"]


SESSIONS = "/admin/ocpp/transaction/"


def test_the_search_by_owner_finds_the_last_of_1200_cards(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """Sessions of the first 1,000 cards were found, and the others' were left out of the CSV."""
    IdTag.objects.bulk_create(
        IdTag(id_tag=f"CARD{n:04}", owner="Housing co-op") for n in range(1_200)
    )
    sessions = [
        Transaction.objects.create(
            charge_point=charger,
            connector=1,
            id_tag=f"card{n:04}",
            started_at=timezone.now(),
            meter_start=0,
        )
        for n in (0, 999, 1_000, 1_199)
    ]
    found = browser_of_root.get(f"{SESSIONS}?q=housing").context["cl"].result_list
    assert sorted(row.pk for row in found) == [row.pk for row in sessions]
    export = browser_of_root.get(f"{SESSIONS}export/?q=housing")
    assert b"".join(export.streaming_content).count(b"Housing co-op") == 4


def test_the_search_by_name_finds_the_last_of_1200_charge_points(browser_of_root: Client) -> None:
    ChargePoint.objects.bulk_create(
        ChargePoint(identity=f"P-{n:04}", name="Parking level 1") for n in range(1_200)
    )
    last = ChargePoint.objects.order_by("-pk")[0]
    made = Transaction.objects.create(
        charge_point=last, connector=1, id_tag="X", started_at=timezone.now(), meter_start=0
    )
    Message.objects.create(
        charge_point=last,
        connection=uuid.uuid4(),
        seq=1,
        action="Heartbeat",
        sender=Message.Sender.CHARGE_POINT,
        received_at=timezone.now(),
    )
    assert list(browser_of_root.get(f"{SESSIONS}?q=Parking").context["cl"].result_list) == [made]
    messages = browser_of_root.get("/admin/ocpp/message/?q=Parking level 1").context["cl"]
    assert messages.result_count == 1


def test_what_a_page_leaves_out_it_counts(browser_of_root: Client, charger: ChargePoint) -> None:
    """Lists that ended after 12, 20, 50 or 100 without a word."""
    group = IdTag.objects.create(id_tag="GROUP")
    IdTag.objects.bulk_create(IdTag(id_tag=f"CARD{n}", parent=group) for n in range(60))
    assert " and 10 more" in browser_of_root.get(f"{TAGS}{group.pk}/change/").content.decode()
    form = {"action": "delete_selected", "_selected_action": group.pk}
    assert "And 10 more tags" in browser_of_root.post(TAGS, form).content.decode()
    for number in range(2, 113):
        charger.connectors.create(number=number, status="Available")
    text = browser_of_root.get("/admin/ocpp/chargepoint/").content.decode()
    assert "and 100 more connectors" in text
    text = browser_of_root.get(
        f"/admin/ocpp/chargepoint/{charger.pk}/send/unlock/"
    ).content.decode()
    assert "The first 100. Use “Send command…” for any other number." in text
