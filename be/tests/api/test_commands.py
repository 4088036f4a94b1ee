"""Commands over the API: sent once, waited for, refused with a reason."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import AuditEntry, ChargePoint, Command, Site
from levity_ws.rpc.envelope import Reply, Send
from tests.api.conftest import Caller
from tests.ocpp.charger import CentralSystem, Charger

PATH = "charge-points/CP1/commands"
RESET = {"action": "Reset", "payload": {"type": "Soft"}}
pytestmark = pytest.mark.django_db


@pytest.fixture
def charger(db: None) -> Charger:
    return CentralSystem().connect(Charger())


def dispatched(charger: Charger) -> list[str]:
    """What went out, by a worker's look."""
    sent: list[str] = []

    def edge(_: str, reply: Reply) -> bool:
        sent.extend(item.text.split('"')[1] for item in reply.commands if isinstance(item, Send))
        return True

    lifecycle.dispatch(timezone.now(), edge)
    return sent


def audited() -> Any:
    """What was done to commands."""
    return AuditEntry.objects.filter(kind="ocpp.command")


def test_without_waiting_it_is_202_and_its_place(
    charger: Charger, caller: Callable[..., Caller]
) -> None:
    ask = caller("operate")
    response = ask("POST", PATH, RESET)
    assert response.status_code == 202, response.content
    body = response.json()
    assert response["Location"] == f"/api/v1/commands/{body['id']}"
    assert (body["status"], body["result"], body["error"]) == ("queued", None, None)
    assert (body["charge_point"], body["payload"], body["source"]) == (
        "CP1",
        {"type": "Soft"},
        "api",
    )
    (sent,) = dispatched(charger)
    assert ask.get(f"commands/{body['id']}")["status"] == "queued"
    CentralSystem().take(charger.answers(sent, {"status": "Rejected"}))
    after = ask.get(f"commands/{body['id']}")
    assert (after["status"], after["result"], after["is_done"], after["error"]) == (
        "answered",
        {"status": "Rejected"},
        False,
        None,
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_with_waiting_it_is_200_and_the_answer(
    transactional_db: None, caller: Callable[..., Caller]
) -> None:
    charger = CentralSystem().connect(Charger())
    ask = caller("operate")
    done = threading.Event()

    def worker() -> None:
        try:
            while not done.wait(0.01):
                for unique_id in dispatched(charger):
                    CentralSystem().take(charger.answers(unique_id, {"status": "Accepted"}))
        finally:
            connections.close_all()

    thread = threading.Thread(target=worker)
    thread.start()
    response = ask("POST", PATH, {**RESET, "wait": 30})
    done.set()
    thread.join()
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["result"], body["is_done"]) == (
        "answered",
        {"status": "Accepted"},
        True,
    )


def test_when_too_many_wait_it_is_202_at_once(
    charger: Charger, caller: Callable[..., Caller], settings: Any
) -> None:
    settings.OCPP_WAITING_REQUESTS = 0
    assert caller()("POST", PATH, {**RESET, "wait": 55}).status_code == 202


def test_all_profiles_are_removed_only_where_that_is_confirmed(
    charger: Charger, caller: Callable[..., Caller]
) -> None:
    body = {"action": "ClearChargingProfile", "payload": {}}
    many = {**body, "charge_points": ["CP1"]}
    ask = caller()
    for path, wanted in ((PATH, body), ("mass-commands", many)):
        refused = ask("POST", path, wanted)
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "body.confirm")
        assert not Command.objects.exists()
    assert ask("POST", PATH, {**body, "payload": {"id": 1}}).status_code == 202
    assert ask("POST", PATH, {**body, "confirm": True}).status_code == 202
    assert ask("POST", "mass-commands", {**many, "confirm": True}).status_code == 202
    assert [row.payload for row in Command.objects.order_by("pk")] == [{"id": 1}, {}, {}]


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        ({"action": "Rest"}, "not-a-command", "did you mean Reset"),
        ({"action": "Reset", "payload": {"type": "Sideways"}}, "not-a-command", "type"),
        (
            {
                "action": "GetDiagnostics",
                "payload": {"location": "http://169.254.169.254/latest"},
            },
            "never-sent",
            "169.254.169.254",
        ),
        ({**RESET, "wait": 56}, "unprocessable-content", "“wait” must be at most 55."),
        ({**RESET, "wait": "soon"}, "unprocessable-content", "“wait” must be a number."),
        ({**RESET, "expires_in": 0}, "unprocessable-content", "“expires_in” must be at least 1."),
        ({**RESET, "force": True}, "unprocessable-content", "“force”: there is no such field."),
        ({**RESET, "payload": []}, "unprocessable-content", "“payload” must be an object"),
        ({"payload": {}}, "unprocessable-content", "“action” is missing."),
        (None, "unprocessable-content", "The body is missing."),
        ({"action": "ClearChargingProfile"}, "not-confirmed", "a limit that protects a fuse"),
    ],
)
def test_what_is_wrong_is_422_and_nothing_is_sent(
    charger: Charger, caller: Callable[..., Caller], body: Any, code: str, why: str
) -> None:
    response = caller()("POST", PATH, body)
    assert response.status_code == 422
    problem = response.json()
    assert problem["type"].startswith("urn:levity:problem:")
    if not code.startswith("unprocess"):
        assert problem["type"].endswith(code)
    assert why in problem["detail"]
    assert not Command.objects.exists()


def test_one_key_is_one_command_and_another_payload_is_an_error(
    charger: Charger, caller: Callable[..., Caller]
) -> None:
    ask, other = caller("operate"), caller("operate")
    key = {"Idempotency_Key": "order 17"}
    first = ask("POST", PATH, RESET, **key).json()["id"]
    assert ask("POST", PATH, RESET, **key).json()["id"] == first
    wrong = ask("POST", PATH, {**RESET, "payload": {"type": "Hard"}}, **key)
    assert wrong.status_code == 422
    assert wrong.json()["type"].endswith("idempotency-key-used")
    # The keys of another token are its own.
    assert other("POST", PATH, RESET, **key).json()["id"] != first
    assert Command.objects.count() == audited().count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_100_of_100_retries_are_one_call(
    transactional_db: None, caller: Callable[..., Caller]
) -> None:
    """W-14: from as many threads as a browser and its retries would need."""
    ChargePoint.objects.create(identity="CP1")
    ask = caller("operate")

    def retry(number: int) -> int:
        try:
            mine = Caller(ask.token)
            response = mine("POST", PATH, RESET, Idempotency_Key=f"{number // 4}")
            assert response.status_code == 202, response.content
            return int(response.json()["id"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(retry, range(100)))
    assert len(set(found)) == Command.objects.count() == audited().count() == 25
    assert all(found[at] == found[at - at % 4] for at in range(100))


def test_what_waits_can_be_cancelled_and_what_was_sent_can_not(
    charger: Charger, caller: Callable[..., Caller]
) -> None:
    ask = caller("operate")
    sent, waits = (ask("POST", PATH, RESET).json()["id"] for _ in range(2))
    dispatched(charger)
    late = ask("POST", f"commands/{sent}/cancel")
    assert (late.status_code, late.json()["type"]) == (409, "urn:levity:problem:too-late")
    response = ask("POST", f"commands/{waits}/cancel")
    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"
    assert [row["id"] for row in ask.get("commands", status="queued")["items"]] == [sent]
    assert [row["id"] for row in ask.get("commands")["items"]] == [waits, sent]
    assert ask.get("commands", charge_point="cp1", action="Reset", limit=1)["next"]


def test_every_remote_command_needs_the_right_and_leaves_an_audit(
    charger: Charger, caller: Callable[..., Caller], person: Callable[..., User], browser: Any
) -> None:
    """W-13: permission, token or CSRF token, site, and who did it."""
    site = Site.objects.create(name="Elsewhere")
    assert caller("read")("POST", PATH, RESET).status_code == 403
    assert Caller()("POST", PATH, RESET).status_code == 401
    assert Caller("levity_nonsense")("POST", PATH, RESET).status_code == 401
    limited = caller("operate", sites=[site])
    assert limited("POST", PATH, RESET).status_code == 404
    viewer, operator = person("vera", "Viewer"), person("olaf", "Operator")
    for who, strict, status in (
        (viewer, False, 403),
        (operator, True, 403),
        (operator, False, 202),
    ):
        client: Client = browser(who, enforce_csrf_checks=strict)
        response = client.post(f"/api/v1/{PATH}", RESET, content_type="application/json")
        assert response.status_code == status, response.content
    assert caller("operate", operator)("POST", PATH, RESET).status_code == 202
    row = Command.objects.get(source="api", pk=Command.objects.latest("pk").pk)
    assert Command.objects.count() == 2
    assert row.requested_by == operator
    assert list(audited().order_by("pk").values_list("who_name", "what")) == [
        ("olaf", "Reset for CP1"),
        ("token tests (olaf)", "Reset for CP1"),
    ]


def test_other_sites_commands_are_not_seen(charger: Charger, caller: Callable[..., Caller]) -> None:
    site = Site.objects.create(name="Elsewhere")
    made = caller()("POST", PATH, RESET).json()["id"]
    limited = caller("admin", sites=[site])
    assert limited.get("commands")["items"] == []
    assert limited("GET", f"commands/{made}").status_code == 404
    assert limited("POST", f"commands/{made}/cancel").status_code == 404


def test_secrets_stay_masked(charger: Charger, caller: Callable[..., Caller]) -> None:
    key = "0123456789abcdef0123456789abcdef"
    body = {
        "action": "ChangeConfiguration",
        "payload": {"key": "AuthorizationKey", "value": key},
    }
    response = caller()("POST", PATH, body)
    assert response.status_code == 202
    assert key not in response.content.decode()
