"""`/api/v1/charge-points/{identity}/configuration` and `/api/v1/configuration/...`."""

from collections.abc import Callable
from typing import Any

import pytest

from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationChange,
    ConfigurationKey,
    ConfigurationTemplate,
    Site,
)
from tests.api.conftest import Caller
from tests.ocpp.charger import at

Make = Callable[..., Caller]
KEYS = "charge-points/cp1/configuration"
TEMPLATES = "configuration/templates"
BODY = {"name": "Usual", "keys": {"HeartbeatInterval": "60"}}


@pytest.fixture
def charger(db: None) -> ChargePoint:
    row = ChargePoint.objects.create(identity="CP1", site=Site.objects.create(name="Here"))
    ConfigurationKey.objects.create(
        charge_point=row,
        name="heartbeatinterval",
        key="HeartbeatInterval",
        value="300",
        readonly=False,
        read_at=at(),
    )
    return row


def test_keys_are_listed_with_unit_and_value(caller: Make, charger: ChargePoint) -> None:
    [row] = caller("read").get(KEYS)["items"]
    assert (row["key"], row["value"], row["unit"], row["readonly"], row["read_at"]) == (
        *("HeartbeatInterval", "300", "s", False),
        "2026-11-22T12:00:00Z",
    )
    assert caller("read").get(KEYS, key="HEARTBEATINTERVAL")["items"] == [row]
    assert caller("read").get(KEYS, key="other")["items"] == []


def test_a_key_is_changed_and_all_are_read(caller: Make, charger: ChargePoint) -> None:
    operator = caller("operate")
    answer: Any = operator("PUT", f"{KEYS}/keys/HeartbeatInterval", {"value": "60"})
    assert answer.status_code == 202, answer.content
    command = Command.objects.get(pk=answer.json()["command"])
    assert command.payload == {"key": "HeartbeatInterval", "value": "60"}
    answer = operator("POST", f"{KEYS}/read", {})
    assert answer.status_code == 202, answer.content
    assert Command.objects.get(pk=answer.json()["command"]).payload == {}


@pytest.mark.parametrize(
    ("key", "body", "code", "said"),
    [
        ("HeartbeatInterval", {"value": "often"}, "not-a-value", "whole number of s"),
        ("AuthorizationKey", {"value": "x"}, "not-a-value", "under “Security”"),
        ("BackendURL", {"value": "ws://x"}, "not-confirmed", "Confirm it"),
    ],
)
def test_what_does_not_fit_is_not_sent(
    caller: Make, charger: ChargePoint, key: str, body: dict[str, Any], code: str, said: str
) -> None:
    answer: Any = caller("operate")("PUT", f"{KEYS}/keys/{key}", body)
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:levity:problem:{code}"
    assert said in answer.json()["detail"]
    assert not Command.objects.exists()


def test_what_is_dangerous_is_sent_once_it_is_confirmed(caller: Make, charger: ChargePoint) -> None:
    body = {"value": "ws://x", "confirm": True}
    assert caller("operate")("PUT", f"{KEYS}/keys/BackendURL", body).status_code == 202


def test_a_token_that_may_only_read_changes_nothing(caller: Make, charger: ChargePoint) -> None:
    reader = caller("read")
    assert reader("PUT", f"{KEYS}/keys/X", {"value": "1"}).status_code == 403
    assert reader("POST", f"{KEYS}/read", {}).status_code == 403
    assert reader("POST", TEMPLATES, BODY).status_code == 403


def test_a_token_of_another_site_sees_nothing(caller: Make, charger: ChargePoint) -> None:
    there = caller("admin", sites=[Site.objects.create(name="There")])
    ConfigurationChange.objects.create(charge_point=charger, key="X", how="x", at=at())
    assert there("GET", KEYS).status_code == 404
    assert there("PUT", f"{KEYS}/keys/X", {"value": "1"}).status_code == 404
    assert there.get("configuration/changes")["items"] == []
    assert there.get("configuration/drift")["items"] == []
    assert there("POST", TEMPLATES, BODY).status_code in (403, 404)


def test_changes_are_listed_newest_first(caller: Make, charger: ChargePoint) -> None:
    for value in ("1", "2"):
        ConfigurationChange.objects.create(
            charge_point=charger, key="X", new_value=value, how="Accepted", at=at(), who_name="anna"
        )
    rows = caller("read").get("configuration/changes", charge_point="cp1")["items"]
    assert [row["new_value"] for row in rows] == ["2", "1"]
    assert rows[0]["who"] == "anna"


def test_a_template_is_made_assigned_and_drift_is_told(caller: Make, charger: ChargePoint) -> None:
    admin = caller("admin")
    answer: Any = admin("POST", TEMPLATES, BODY)
    assert answer.status_code == 201, answer.content
    where = f"{TEMPLATES}/{answer.json()['id']}"
    assert admin.get("configuration/drift")["items"] == []
    answer = admin("POST", f"{where}/assignments", {"charge_point": "cp1"})
    assert answer.status_code == 201, answer.content
    [assignment] = answer.json()["assignments"]
    assert assignment["charge_point"] == "CP1"
    [row] = admin.get("configuration/drift")["items"]
    assert (row["charge_point"], row["in_step"], row["templates"]) == ("CP1", False, ["Usual"])
    assert row["differences"] == [
        {
            "key": "HeartbeatInterval",
            "value": "300",
            "wanted": "60",
            "template": "Usual",
            "why_not": "",
        }
    ]
    assert admin("POST", f"{KEYS}/apply").status_code == 202
    changed = {**BODY, "keys": {"HeartbeatInterval": "300"}}
    assert admin("PUT", where, changed).status_code == 200
    assert admin.get("configuration/drift")["items"][0]["in_step"] is True
    assert admin("DELETE", f"configuration/assignments/{assignment['id']}").status_code == 204
    assert admin("POST", f"{KEYS}/apply").status_code == 409
    assert admin("DELETE", where).status_code == 204
    assert not ConfigurationTemplate.objects.exists()


@pytest.mark.parametrize("body", [{}, {"all": True, "charge_point": "cp1"}])
def test_an_assignment_names_one_thing(caller: Make, charger: ChargePoint, body: Any) -> None:
    """Least of all is an empty one for all chargers."""
    admin = caller("admin")
    where = f"{TEMPLATES}/{admin('POST', TEMPLATES, BODY).json()['id']}"  # type: ignore[attr-defined]
    assert admin("POST", f"{where}/assignments", body).status_code == 422


def test_a_template_with_a_secret_or_a_taken_name_is_refused(caller: Make, db: None) -> None:
    admin = caller("admin")
    body = {"name": "Usual", "keys": {"WifiPassword": "x"}}
    answer: Any = admin("POST", TEMPLATES, body)
    assert 400 <= answer.status_code < 500
    assert "secret" in answer.json()["detail"]
    assert admin("POST", TEMPLATES, BODY).status_code == 201
    assert admin("POST", TEMPLATES, BODY).status_code == 409
