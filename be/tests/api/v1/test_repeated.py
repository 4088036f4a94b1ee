"""Every order to chargers may be sent twice with a key, waited for, and given a life."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from levity.files import storage
from levity.files.models import Campaign, Firmware
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationTemplate,
    FileJob,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    MassCommand,
    RequestKey,
    Reservation,
    TemplateAssignment,
)
from levity.ocpp.once import KEPT, forget_request_keys
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
KEY = {"Idempotency_Key": "order 17"}
CHANGE = "charge-points/CP1/configuration/keys/MeterValueSampleInterval"
RESET = {"action": "Reset", "payload": {"type": "Soft"}}
BOTH = {"charge_points": ["CP1", "CP2"]}


@pytest.fixture(autouse=True)
def two(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> Firmware:
    settings.LEVITY_FILES_DIR = str(tmp_path / "files")
    monkeypatch.setattr(storage, "free", lambda: 10 * storage.RESERVE)
    for identity in ("CP1", "CP2"):
        ChargePoint.objects.create(identity=identity)
    return Firmware.objects.create(version="2", name="fw.bin", path="firmware/x", size=1)


ORDERS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], Any]] = {
    "change": ("PUT", CHANGE, {"value": "30"}, {"value": "60"}, Command),
    "read": ("POST", "charge-points/CP1/configuration/read", {}, {"keys": ["A"]}, Command),
    "diagnostics": ("POST", "charge-points/CP1/diagnostics", {}, {"protocol": "http"}, FileJob),
    "firmware": ("POST", "charge-points/CP1/firmware-update", {}, {"protocol": "http"}, FileJob),
    "mass": ("POST", "mass-commands", {**RESET, **BOTH}, {"queue_offline": False}, MassCommand),
    "campaign": ("POST", "firmware-campaigns", BOTH, {"wave_size": 2}, Campaign),
}


@pytest.mark.parametrize("name", ORDERS)
def test_the_same_key_twice_is_one_order_and_another_body_an_error(
    name: str, two: Firmware, caller: Callable[..., Caller]
) -> None:
    method, path, body, other, model = ORDERS[name]
    if "firmware" in path:
        body = {**body, "firmware_id": two.pk}
    ask = caller("operate")
    first = ask(method, path, body, **KEY)
    assert first.status_code == 202, first.content
    made, calls = model.objects.count(), Command.objects.count()
    again = ask(method, path, body, **KEY)
    assert (again.status_code, again.json()) == (202, first.json())
    assert (model.objects.count(), Command.objects.count()) == (made, calls)
    wrong = ask(method, path, {**body, **other}, **KEY)
    assert wrong.status_code == 422
    assert wrong.json()["type"].endswith("idempotency-key-used")
    # Another program that counts from 1 is no repetition.
    assert caller("operate")(method, path, body, **KEY).json() != first.json()


@pytest.mark.parametrize("name", ["change", "read", "diagnostics", "firmware", "mass"])
def test_an_order_is_good_as_long_as_was_asked(
    name: str, two: Firmware, caller: Callable[..., Caller]
) -> None:
    method, path, body, _, _ = ORDERS[name]
    body = {**body, "expires_in": 60, **({"firmware_id": two.pk} if name == "firmware" else {})}
    assert caller("operate")(method, path, body).status_code == 202
    lives = {row.expires_at - row.not_before for row in Command.objects.all() if row.expires_at}
    assert lives == {timedelta(seconds=60)}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_key_from_four_threads_at_once_is_one_order(
    transactional_db: None, caller: Callable[..., Caller]
) -> None:
    ask = caller("operate")

    def retry(number: int) -> int:
        try:
            mine = Caller(ask.token)
            body = {**RESET, **BOTH}
            answer = mine("POST", "mass-commands", body, Idempotency_Key=f"{number // 4}")
            assert answer.status_code == 202, answer.content
            return int(answer.json()["id"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(retry, range(20)))
    assert len(set(found)) == MassCommand.objects.count() == 5
    assert Command.objects.count() == 10
    assert all(found[at] == found[at - at % 4] for at in range(20))


MORE: dict[str, tuple[str, str, dict[str, Any] | None, int]] = {
    "limit": ("PUT", "charge-points/CP1/limit", {"amperes_a": 16}, 2),
    "no limit": ("DELETE", "charge-points/CP1/limit", None, 2),
    "retry": ("POST", "mass-commands/{mass}/retry", None, 2),
    "clear": ("POST", "charging-profiles/{profile}/clear", None, 1),
    "ask": ("POST", "charge-points/CP1/trusted-certificates/ask", None, 2),
    "distrust": ("POST", "trusted-certificates/{trusted}/delete", None, 1),
    "empty": ("POST", "charge-points/CP1/local-list/clear", None, 1),
    "cancel": ("POST", "reservations/{reservation}/cancel", None, 1),
    "raise": ("POST", "charge-points/CP1/security-profile/raise", {"profile": 2}, 1),
    "pause": ("POST", "firmware-campaigns/{campaign}/pause", None, 0),
    "resume": ("POST", "firmware-campaigns/{stopped}/resume", None, 0),
    "cancel campaign": ("POST", "firmware-campaigns/{campaign}/cancel", None, 0),
    "cancel command": ("POST", "commands/{command}/cancel", None, 0),
    "send list": ("POST", "charge-points/CP1/local-list/send", {"full": True}, 0),
    "apply": ("POST", "charge-points/CP1/configuration/apply", None, 0),
}


@pytest.fixture
def rows(two: Firmware) -> dict[str, int]:
    """What the addresses name."""
    cp1 = ChargePoint.objects.get(identity="CP1")
    mass = MassCommand.objects.create(action="Reset", payload={"type": "Soft"})
    for each in ChargePoint.objects.all():
        Command.objects.create(
            charge_point=each, action="Reset", payload={"type": "Soft"}, state="expired", mass=mass
        )
    profile = InstalledProfile.objects.create(
        charge_point=cp1, profile_id=5, stack_level=0, connector=0, installed_at=timezone.now()
    )
    trusted = InstalledCertificate.objects.create(
        charge_point=cp1,
        type="ManufacturerRootCertificate",
        hash_algorithm="SHA256",
        issuer_name_hash="a",
        issuer_key_hash="b",
        serial_number="1",
    )
    LocalList.objects.create(charge_point=cp1, is_on=True)
    reservation = Reservation.objects.create(
        charge_point=cp1,
        number=1,
        connector=1,
        id_tag="TAG",
        state="active",
        ends_at=timezone.now() + timedelta(days=1),
    )
    campaigns = [
        Campaign.objects.create(firmware=two, name="new", state=state, starts_at=timezone.now())
        for state in ("scheduled", "stopped")
    ]
    waiting = Command.objects.create(charge_point=cp1, action="ClearCache", payload={})
    template = ConfigurationTemplate.objects.create(name="all", values={"HeartbeatInterval": "60"})
    TemplateAssignment.objects.create(template=template, charge_point=cp1)
    return {
        "campaign": campaigns[0].pk,
        "stopped": campaigns[1].pk,
        "command": waiting.pk,
        "mass": mass.pk,
        "profile": profile.pk,
        "trusted": trusted.pk,
        "reservation": reservation.pk,
    }


@pytest.mark.parametrize("name", MORE)
def test_what_takes_more_than_a_call_is_done_once_as_well(
    name: str, rows: dict[str, int], caller: Callable[..., Caller]
) -> None:
    """W-14."""
    method, path, body, calls = MORE[name]
    path, before = path.format(**rows), Command.objects.count()
    ask = caller("admin")
    first = ask(method, path, body, **KEY)
    assert first.status_code in (200, 202), first.content
    assert Command.objects.count() == before + calls
    again = ask(method, path, body, **KEY)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert Command.objects.count() == before + calls


def test_a_resume_that_comes_late_does_not_undo_a_later_pause(
    rows: dict[str, int], caller: Callable[..., Caller]
) -> None:
    """The answer of the first was lost; meanwhile somebody has paused it again."""
    ask = caller("operate")
    there = f"firmware-campaigns/{rows['stopped']}"
    assert ask("POST", f"{there}/resume", **KEY).json()["state"] == "running"
    assert ask("POST", f"{there}/pause").json()["state"] == "paused"
    assert ask("POST", f"{there}/resume", **KEY).json()["state"] == "paused"
    wrong = ask("POST", f"{there}/pause", **KEY)
    assert wrong.json()["type"].endswith("idempotency-key-used")


@pytest.mark.parametrize("path", ["key", "key/rotate"])
def test_a_key_is_not_made_anew_where_its_answer_was_lost(
    path: str, caller: Callable[..., Caller]
) -> None:
    ask = caller("admin")
    first = ask("POST", f"charge-points/CP1/{path}", **KEY)
    assert len(first.json()["key"]) == 40
    calls = Command.objects.count()
    again = ask("POST", f"charge-points/CP1/{path}", **KEY)
    assert (again.status_code, again.json()["type"]) == (409, "urn:levity:problem:shown-once")
    assert Command.objects.count() == calls


def test_a_key_that_failed_can_be_used_again(caller: Callable[..., Caller]) -> None:
    ask = caller("operate")
    wrong = {**RESET, **BOTH, "payload": {"type": "Sideways"}}
    assert ask("POST", "mass-commands", wrong, **KEY).status_code == 422
    assert ask("POST", "mass-commands", {**RESET, **BOTH}, **KEY).status_code == 202


def test_what_has_ended_is_answered_with_200(caller: Callable[..., Caller]) -> None:
    """The charger is away, and nobody wants to wait for it: the end is there at once."""
    ask = caller("operate")
    body = {**RESET, **BOTH, "queue_offline": False, "wait": 5}
    first = ask("POST", "mass-commands", body, **KEY)
    assert first.status_code in (200, 202)
    Command.objects.update(state="answered", result_status="Accepted")
    again = ask("POST", "mass-commands", body, **KEY)
    assert (again.status_code, again.json()["accepted"]) == (200, 2)
    ask("PUT", CHANGE, {"value": "30"}, **KEY)
    Command.objects.filter(action="ChangeConfiguration").update(
        state="answered", result_status="Rejected"
    )
    told = ask("PUT", CHANGE, {"value": "30", "wait": 5}, **KEY)
    assert (told.status_code, told.json()["answer"]) == (200, "Rejected")


def test_an_order_names_its_token_beside_the_owner(
    caller: Callable[..., Caller], client: Any
) -> None:
    anna = User.objects.create_superuser("anna")
    ask = caller("admin", anna)
    ask("PUT", CHANGE, {"value": "30"})
    mass = ask("POST", "mass-commands", {**RESET, **BOTH}).json()
    assert mass["requested_by"] == "token tests (anna)"
    names = {row["requested_by"] for row in ask.get("commands")["items"]}
    assert names == {"token tests (anna)"}
    client.force_login(anna)
    there = ChargePoint.objects.get(identity="CP1")
    Command.objects.update(source="api")
    for page in ("command/", "masscommand/", f"configurationkey/charger/{there.pk}/"):
        assert "token tests (anna)" in client.get(f"/admin/ocpp/{page}").content.decode()


def test_old_keys_are_forgotten() -> None:
    now = timezone.now()
    for age, name in ((KEPT * 2, "old"), (KEPT / 2, "young")):
        RequestKey.objects.create(key=name, fingerprint="", object_id=1, created_at=now - age)
    forget_request_keys(now)
    assert RequestKey.objects.get().key == "young"
