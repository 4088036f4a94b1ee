"""What somebody does to all that he selected, happens to all (HOUSE.md, fault 6)."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from levity.ocpp.models import ChargePoint, Command, IdTag
from levity.operation.models import Alert

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
    assert LogEntry.objects.filter(change_message="blocked").count() == 1_200
    assert "Blocked: 1,200." in browser_of_root.get(TAGS).content.decode()


def test_all_that_fit_the_filter_are_unblocked_and_no_others(browser_of_root: Client) -> None:
    IdTag.objects.bulk_create(IdTag(id_tag=f"A{n}", status="Blocked") for n in range(600))
    IdTag.objects.bulk_create(IdTag(id_tag=f"B{n}", status="Blocked") for n in range(10))
    first = IdTag.objects.values_list("pk", flat=True).first()
    assert first is not None
    act(browser_of_root, f"{TAGS}?q=A", "unblock", first, sure="1")
    left = IdTag.objects.filter(status="Blocked")
    assert sorted(left.values_list("id_tag", flat=True)) == [f"B{n}" for n in range(10)]


@pytest.fixture
def everything(charger: ChargePoint) -> None:
    now = timezone.now()
    ChargePoint.objects.bulk_create(
        ChargePoint(identity=f"P-{number}", registration="Pending") for number in range(1_100)
    )
    Command.objects.bulk_create(Command(charge_point=charger, action="Reset") for _ in range(1_100))
    Alert.objects.bulk_create(
        Alert(kind="disk", severity="warning", key=str(n), raised_at=now, last_at=now)
        for n in range(1_100)
    )
    AccessAttempt.objects.bulk_create(
        AccessAttempt(username=f"u{number}", failures_since_start=5) for number in range(1_100)
    )


CASES = (
    ("ocpp/chargepoint", "accept_registration", ChargePoint, {"registration": "Pending"}),
    ("ocpp/command", "cancel_selected", Command, {"state": "queued"}),
    ("operation/alert", "acknowledge", Alert, {"acknowledged_at": None}),
    ("axes/accessattempt", "unlock", AccessAttempt, {}),
)


@pytest.mark.parametrize(("place", "action", "model", "left"), CASES)
def test_no_action_stops_at_a_thousand_in_silence(
    place: str,
    action: str,
    model: Any,
    left: dict[str, Any],
    browser_of_root: Client,
    everything: None,
) -> None:
    key = model.objects.filter(**left).values_list("pk", flat=True)[0]
    answer = act(browser_of_root, f"/admin/{place}/", action, key, sure="1")
    assert answer.status_code == 302
    assert model.objects.filter(**left).count() == 0
