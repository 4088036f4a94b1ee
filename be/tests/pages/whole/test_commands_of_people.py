"""Commands from the pages: who may, once, written down; to one charge point and to many."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import AuditEntry, ChargePoint, Command, Transaction, TransactionAlias
from levity.pages.calls.kinds import KINDS, MANY
from levity.pages.chargers.bulk import NAMED
from levity.pages.kit import going_on
from tests.pages.calls.filling import filled

LIST = "/admin/ocpp/chargepoint/"


@pytest.fixture
def operator(person: Callable[..., User]) -> User:
    return person("operator", "Operator")


@pytest.fixture
def chargers(db: None) -> list[ChargePoint]:
    """Three of them; the second one is there."""
    found = [ChargePoint.objects.create(identity=f"CP-{number}") for number in range(3)]
    for each in found:
        each.connectors.create(number=1, status="Available")
    ChargePoint.objects.filter(pk=found[1].pk).update(connection=uuid.uuid4())
    return found


def form(kind: str, **more: Any) -> dict[str, Any]:
    return {**filled(kind), "key": str(uuid.uuid4()), **more}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_command_asks_for_the_permission_and_leaves_a_trail(
    kind: str,
    chargers: list[ChargePoint],
    operator: User,
    person: Callable[..., User],
    browser: Callable[..., Client],
) -> None:
    """W-13: permission, token, and who, when, what: in the row itself and in the admin's log."""
    Transaction.objects.create(
        charge_point=chargers[0], connector=1, started_at="2026-01-01T00:00Z", meter_start=0
    )
    address = reverse("admin:ocpp_chargepoint_send", args=[chargers[0].pk, kind])
    data = form(kind, **filled(kind, chargers[0]))
    assert browser(person("viewer", "Viewer")).post(address, data).status_code == 403
    assert browser(operator, enforce_csrf_checks=True).post(address, data).status_code == 403
    assert not Command.objects.exists()
    client = browser(operator)
    for _ in range(100 if kind == "reset-hard" else 2):
        # W-14: the same form again, as a double click or an impatient browser sends it.
        assert client.post(address, data).status_code == 302
    command = Command.objects.get()
    assert (command.requested_by, command.source) == (operator, "admin")
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.object_id) == (operator, str(command.pk))
    assert entry.what == f"{command.action} for CP-0"
    assert abs((entry.at - command.created_at).total_seconds()) < 60


def test_charger_is_told_to_stop_by_the_id_that_it_knows(
    chargers: list[ChargePoint], operator: User, browser: Callable[..., Client]
) -> None:
    """An edge answered it with a leased one; the backend's own it has never heard of."""
    running = Transaction.objects.create(
        charge_point=chargers[0], connector=1, started_at="2026-01-01T00:00Z", meter_start=0
    )
    TransactionAlias.objects.create(pk=running.pk + 500, transaction=running)
    client = browser(operator)
    address = reverse("admin:ocpp_chargepoint_send", args=[chargers[0].pk, "stop"])
    client.post(address, form("stop", **{"p-transactionId": str(running.pk)}))
    assert Command.objects.get().payload == {"transactionId": running.pk + 500}
    # That number finds it, too.
    for term, found in ((f"#{running.pk + 500}", [running]), ("9999999999", [])):
        page = client.get(reverse("admin:ocpp_transaction_changelist"), {"q": term})
        assert list(page.context["cl"].result_list) == found


def confirmation(client: Client, action: str, targets: list[ChargePoint]) -> str:
    data = {"action": action, "_selected_action": [each.pk for each in targets]}
    text: str = client.post(LIST, data).content.decode()
    return text


def test_several_chargers_are_listed_before_they_are_reset(
    chargers: list[ChargePoint], operator: User, browser: Callable[..., Client]
) -> None:
    client = browser(operator)
    page = confirmation(client, "send_soft_reset", chargers[:2])
    assert "To 2 charge points; 1 of them is offline" in page
    assert "CP-0" in page
    assert "CP-1" in page
    assert "CP-2" not in page
    assert not Command.objects.exists()
    targets = re.findall(r'name="ids" value="([\d,]+)"', page)
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    address = reverse("admin:ocpp_chargepoint_send_many", args=["reset-soft"])
    data = {"ids": targets, "key": key[1], "queue_offline": "on"}
    # W-14: twice.
    first, second = (client.post(address, data, follow=True).content.decode() for _ in range(2))
    assert "Reset was queued for 2 charge points. 1 of them is offline" in first
    assert "2 of them already had this command" in second
    found = Command.objects.order_by("charge_point__identity")
    assert [(each.charge_point.identity, each.payload, each.requested_by) for each in found] == [
        ("CP-0", {"type": "Soft"}, operator),
        ("CP-1", {"type": "Soft"}, operator),
    ]
    assert all(each.queue_offline for each in found)
    assert AuditEntry.objects.filter(who=operator).count() == 2


@pytest.mark.parametrize("kind", MANY)
def test_each_kind_for_several_works_and_a_viewer_may_not(
    kind: str,
    chargers: list[ChargePoint],
    operator: User,
    person: Callable[..., User],
    browser: Callable[..., Client],
) -> None:
    """W-13."""
    address = reverse("admin:ocpp_chargepoint_send_many", args=[kind])
    data = form(kind, ids=",".join(str(each.pk) for each in chargers))
    assert browser(person("viewer", "Viewer")).post(address, data).status_code == 403
    assert not Command.objects.exists()
    client = browser(operator)
    assert client.get(address).status_code == 405
    assert client.post(address, data).status_code == 302
    assert Command.objects.count() == AuditEntry.objects.count() == 3


def test_a_wrong_form_for_several_keeps_them_and_says_why(
    chargers: list[ChargePoint], operator: User, browser: Callable[..., Client]
) -> None:
    address = reverse("admin:ocpp_chargepoint_send_many", args=["command"])
    data = form("command", ids=",".join(str(each.pk) for each in chargers), text="{}")
    page = browser(operator).post(address, data).content.decode()
    assert "UpdateFirmware: location and retrieveDate are missing." in page
    assert 'name="ids" value="{}"'.format(",".join(str(each.pk) for each in chargers)) in page
    assert not Command.objects.exists()


@pytest.mark.parametrize("targets", [[], ["x"], ["-1"], ["999999999999"], ["9" * 40]])
def test_what_is_no_charge_point_gets_no_command(
    targets: list[str],
    chargers: list[ChargePoint],
    operator: User,
    browser: Callable[..., Client],
) -> None:
    address = reverse("admin:ocpp_chargepoint_send_many", args=["reset-soft"])
    named = [*targets, *([str(chargers[0].pk)] if targets else [])]
    data = form("reset-soft", ids=",".join(named))
    answer = browser(operator).post(address, data, follow=True)
    assert "Some of these charge points no longer exist" in answer.content.decode()
    assert not Command.objects.exists()


def chosen(client: Client, action: str) -> str:
    """The page that asks, for all that there are."""
    first = ChargePoint.objects.values_list("pk", flat=True)[0]
    data = {"action": action, "select_across": "1", "_selected_action": [first]}
    text: str = client.post(LIST, data).content.decode()
    return text


def sent_by(page: str) -> dict[str, str]:
    """What the form of this page sends, as it stands there."""
    tags = [tag.partition(">")[0] for tag in page.split("<form")[-1].split("<input")[1:]]
    found = [re.findall(r' (name|value)="([^"]*)"', tag) for tag in tags]
    return {pair["name"]: pair.get("value", "") for pair in map(dict, found) if "name" in pair}


def test_all_that_were_selected_get_the_command_in_portions(
    operator: User,
    browser: Callable[..., Client],
    db: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """501 were too many: whoever has more had to filter them into heaps of 500."""
    ChargePoint.objects.bulk_create(ChargePoint(identity=f"M{n:04}") for n in range(NAMED + 101))
    client = browser(operator)
    page = chosen(client, "send_soft_reset")
    assert f"To {NAMED + 101} charge points" in page
    assert "and 101 more" in page
    # No time: each page does one portion.
    monkeypatch.setattr(going_on, "BUDGET", 0.0)
    address = reverse("admin:ocpp_chargepoint_send_many", args=["reset-soft"])
    said = []
    answer = client.post(address, {**sent_by(page), "queue_offline": "on"})
    while answer.status_code == 200:
        text = answer.content.decode()
        said.append(text.split('<p role="status">')[1].partition(".")[0])
        answer = client.post(address, sent_by(text))
    assert said == ["250 of 601 done", "500 of 601 done"]
    assert Command.objects.count() == AuditEntry.objects.count() == NAMED + 101
    assert Command.objects.values("charge_point", "idempotency_key").distinct().count() == 601
    told = client.get(answer["Location"]).content.decode()
    assert "Reset was queued for 601 charge points. 601 of them are offline" in told


def test_chargers_with_sessions_on_the_books_are_not_deleted_from_the_list(
    chargers: list[ChargePoint], root: User, browser: Callable[..., Client]
) -> None:
    data = {"action": "delete_selected", "_selected_action": [chargers[0].pk], "post": "yes"}
    browser(root).post(LIST, data)
    assert ChargePoint.objects.count() == 3
