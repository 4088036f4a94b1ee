"""Commands from the admin: POST, permission, valid payload, one row however often one clicks."""

import json
import re
import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import AuditEntry, ChargePoint, Command, Transaction
from levity.ocpp.v16.schemas import SCHEMAS
from levity.ocpp.versions import ACTIONS
from levity.pages.chargers.command_state import state_badge


def address(charger: ChargePoint, kind: str) -> str:
    return reverse("admin:ocpp_chargepoint_send", args=[charger.pk, kind])


def key_on(client: Client, page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', client.get(page).content.decode())
    assert found
    return found[1]


CLICKS = (
    ("reset-soft", {}, "Reset", {"type": "Soft"}),
    ("reset-hard", {}, "Reset", {"type": "Hard"}),
    ("unlock", {"p-connectorId": "1"}, "UnlockConnector", {"connectorId": 1}),
    (
        "start",
        {"p-connectorId": "1", "p-idTag": "anonymous"},
        "RemoteStartTransaction",
        {"connectorId": 1, "idTag": "anonymous"},
    ),
    ("start", {"p-connectorId": "", "p-idTag": "X"}, "RemoteStartTransaction", {"idTag": "X"}),
    (
        "trigger",
        {"p-connectorId": "1", "p-requestedMessage": "MeterValues"},
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 1},
    ),
    ("configuration", {"p-key": ""}, "GetConfiguration", {}),
    ("configuration", {"p-key": "A, B,"}, "GetConfiguration", {"key": ["A", "B"]}),
    (
        "command",
        {"call": "DataTransfer", "text": '{"vendorId": "x"}'},
        "DataTransfer",
        {"vendorId": "x"},
    ),
)


@pytest.mark.parametrize(("kind", "fields", "action", "payload"), CLICKS)
def test_a_button_that_is_clicked_twice_sends_once(
    kind: str,
    fields: dict[str, str],
    action: str,
    payload: dict[str, object],
    charger: ChargePoint,
    browser_of_root: Client,
    root: User,
) -> None:
    page = address(charger, kind)
    form = {**fields, "key": key_on(browser_of_root, page)}
    answers = [browser_of_root.post(page, form) for _ in range(2)]
    command = Command.objects.get()
    where = reverse("admin:ocpp_command_change", args=[command.pk])
    assert [(each.status_code, each.headers["Location"]) for each in answers] == [(302, where)] * 2
    assert (command.action, command.payload, command.state) == (action, payload, "queued")
    assert (command.charge_point, command.requested_by, command.source) == (charger, root, "admin")
    assert command.queue_offline is False
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.object_id) == (root, str(command.pk))
    assert entry.what == f"{action} for {charger.identity}"


def test_stop_offers_what_is_running_here(charger: ChargePoint, browser_of_root: Client) -> None:
    running = Transaction.objects.create(
        charge_point=charger, connector=1, started_at="2026-01-01T00:00Z", meter_start=0
    )
    page = address(charger, "stop")
    form = {"key": key_on(browser_of_root, page), "p-transactionId": str(running.pk)}
    browser_of_root.post(page, form)
    assert Command.objects.get().payload == {"transactionId": running.pk}


def test_the_same_form_with_other_content_is_another_command(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    page = address(charger, "configuration")
    key = key_on(browser_of_root, page)
    for keys in ("A", "B", "A"):
        browser_of_root.post(page, {"key": key, "p-key": keys})
    payloads = Command.objects.order_by("id").values_list("payload", flat=True)
    assert list(payloads) == [{"key": ["A"]}, {"key": ["B"]}]


def test_waiting_for_a_charger_that_is_away_is_a_choice(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    form = {"key": str(uuid.uuid4()), "queue_offline": "on"}
    browser_of_root.post(address(charger, "reset-soft"), form)
    assert Command.objects.get().queue_offline is True


REFUSED = (
    ("{", "This is not JSON"),
    ("[]", "The payload must be a JSON object"),
    ("NaN", "This is not JSON"),
    ('{"type": 1e999}', "This is not JSON"),
    ('{"type": "\\ud800"}', "Reset: type must be Hard or Soft."),
    ("[" * 60_000, "This is not JSON"),
    ("{}", "Reset: type is missing."),
    ('{"type": "Warm"}', "Reset: type must be Hard or Soft."),
    ('{"type": "Soft", "more": 1}', "Reset: there is no field &#x27;more&#x27;: there is type."),
)


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_a_payload_against_the_schema_is_refused_with_the_reason(
    text: str, said: str, charger: ChargePoint, browser_of_root: Client
) -> None:
    form = {"key": str(uuid.uuid4()), "call": "Reset", "text": text}
    answer = browser_of_root.post(address(charger, "command"), form)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Command.objects.exists()


def test_json_that_removes_all_profiles_leads_to_the_form_that_asks(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    page = address(charger, "command")
    form = {"call": "ClearChargingProfile", "text": "{}", "key": key_on(browser_of_root, page)}
    said = browser_of_root.post(page, form).content.decode()
    assert (
        "a limit that protects a fuse. Confirm that in the form “Remove charging profiles”" in said
    )
    assert not Command.objects.exists()
    browser_of_root.post(page, {**form, "text": '{"stackLevel": 0}'})
    assert Command.objects.get().payload == {"stackLevel": 0}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_that_is_offered_has_a_schema(action: str) -> None:
    assert SCHEMAS.finding(action, []) is not None


def test_the_general_form_takes_any_charge_point(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    page = reverse("admin:ocpp_command_add")
    form = {
        "key": key_on(browser_of_root, page),
        "target": str(charger.pk),
        "call": "ClearCache",
        "text": "{}",
    }
    assert browser_of_root.post(page, form).status_code == 302
    assert Command.objects.get().charge_point == charger


def test_a_secret_stays_out_of_the_log_and_off_the_page(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    payload = {"key": "AuthorizationKey", "value": "0123456789abcdef"}
    form = {
        "key": str(uuid.uuid4()),
        "call": "ChangeConfiguration",
        "text": json.dumps(payload),
    }
    answer = browser_of_root.post(address(charger, "command"), form, follow=True)
    assert "0123456789abcdef" not in answer.content.decode()
    assert "0123456789abcdef" not in AuditEntry.objects.get().what


def test_a_viewer_is_refused(charger: ChargePoint, browser_of_viewer: Client) -> None:
    form = {"key": str(uuid.uuid4())}
    page = address(charger, "reset-soft")
    assert browser_of_viewer.get(page).status_code == 403
    assert browser_of_viewer.post(page, form).status_code == 403
    assert browser_of_viewer.post(reverse("admin:ocpp_command_add"), form).status_code == 403
    charger_page = browser_of_viewer.get(
        reverse("admin:ocpp_chargepoint_change", args=[charger.pk])
    )
    assert page not in charger_page.content.decode()
    assert not Command.objects.exists()


def test_who_is_not_logged_in_is_sent_to_the_login(charger: ChargePoint, client: Client) -> None:
    page = address(charger, "reset-soft")
    answer = client.post(page, {"key": str(uuid.uuid4())})
    assert answer.headers["Location"].startswith(reverse("admin:login"))
    assert not Command.objects.exists()


def test_a_post_without_csrf_token_is_refused(charger: ChargePoint, root: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    answer = client.post(address(charger, "reset-soft"), {"key": str(uuid.uuid4())})
    assert answer.status_code == 403
    assert not Command.objects.exists()


def test_who_may_send_but_not_look_comes_back_to_the_overview(
    charger: ChargePoint, client: Client, viewer: User
) -> None:
    viewer.user_permissions.set([Permission.objects.get(codename="add_command")])
    client.force_login(viewer)
    answer = client.post(address(charger, "reset-soft"), {"key": str(uuid.uuid4())})
    assert answer.headers["Location"] == reverse("admin:index")


def test_a_get_sends_nothing(charger: ChargePoint, browser_of_root: Client) -> None:
    browser_of_root.get(address(charger, "reset-hard"))
    assert not Command.objects.exists()


def test_unknown_charge_points_and_kinds_are_not_found(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    base = reverse("admin:ocpp_chargepoint_changelist")
    for place in (f"{charger.pk}/send/nonsense/", "99999999999999999999/send/reset-soft/"):
        assert browser_of_root.get(f"{base}{place}").status_code == 404


def test_a_queued_command_is_cancelled_and_a_sent_one_is_not(
    charger: ChargePoint, browser_of_root: Client, browser_of_viewer: Client
) -> None:
    queued = Command.objects.create(charge_point=charger, action="Reset")
    sent = Command.objects.create(charge_point=charger, action="Reset", state="sent")
    pages = [reverse("admin:ocpp_command_cancel", args=[each.pk]) for each in (queued, sent)]
    assert browser_of_viewer.post(pages[0]).status_code == 403
    assert browser_of_root.get(pages[0]).status_code == 405
    for page in pages:
        assert browser_of_root.post(page).status_code == 302
    states = Command.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["cancelled", "sent"]
    assert AuditEntry.objects.get().what == "cancelled"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("no start was needed: a session of ANNA runs on this connector", "not needed"),
        ("not started without a card: ANNA was presented here and is Blocked", "Cancelled"),
        ("the connector is no longer Preparing", "Cancelled"),
    ],
)
def test_an_automatic_start_that_had_nothing_to_start_is_no_trouble(
    reason: str, shown: str
) -> None:
    """It read like a fault: cancelled, the connector is no longer Preparing."""
    command = Command(action="RemoteStartTransaction", state="cancelled", error_description=reason)
    assert shown in state_badge(command)


def test_selected_commands_are_cancelled_from_the_list(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    chosen = [Command.objects.create(charge_point=charger, action="Reset") for _ in range(2)]
    Command.objects.create(charge_point=charger, action="Reset")
    chosen.append(Command.objects.create(charge_point=charger, action="Reset", state="sent"))
    page = browser_of_root.post(
        reverse("admin:ocpp_command_changelist"),
        {"action": "cancel_selected", "_selected_action": [each.pk for each in chosen]},
        follow=True,
    )
    states = Command.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["cancelled", "cancelled", "queued", "sent"]
    assert "Cancelled: 2. 1 already sent, or ended." in page.content.decode()
