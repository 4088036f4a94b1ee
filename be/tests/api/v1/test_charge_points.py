"""Charge points, their sites and keys by the API."""

from collections.abc import Callable
from typing import Any

import pytest

from levity.billing.models import Assignment, Household
from levity.ocpp.models import AuditEntry, ChargePoint, Connector, Credential, Site, Transaction
from levity.ocpp.testing import CentralSystem, Charger
from tests.api.conftest import Caller


@pytest.fixture
def admin(caller: Callable[..., Caller]) -> Caller:
    return caller("admin")


def body_of(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def test_a_charge_point_from_its_first_line_to_its_end(admin: Caller) -> None:
    site = body_of(admin("POST", "sites", {"name": "Home", "time_zone": "Europe/Berlin"}), 201)
    made = admin("POST", "charge-points", {"identity": "G-1", "site_id": site["id"]})
    row = body_of(made, 201)
    assert (row["identity"], row["site"], row["online"]) == ("G-1", "Home", False)
    assert made["Location"] == "/api/v1/charge-points/G-1"
    assert body_of(admin("GET", "sites"))["items"][0]["charge_points"] == 1

    change = {"name": "Garage", "max_power_w": 11_000, "authorization": "known", "site_id": None}
    row = body_of(admin("PATCH", "charge-points/g-1", change))
    shown = {name: row[name] for name in change}
    assert shown == change
    assert row["site"] == ""
    row = body_of(admin("PATCH", "charge-points/G-1", {"max_power_w": None, "authorization": None}))
    assert (row["max_power_w"], row["authorization"], row["name"]) == (None, "", "Garage")

    assert body_of(admin("POST", "charge-points/G-1/retire"))["retired_at"].endswith("Z")
    assert admin.get("charge-points")["items"] == []
    assert len(admin.get("charge-points", retired="true")["items"]) == 1
    assert body_of(admin("POST", "charge-points/G-1/bring-back"))["retired_at"] is None

    assert admin("DELETE", "charge-points/G-1").status_code == 204
    assert admin("GET", "charge-points/G-1").status_code == 404
    entries = AuditEntry.objects.filter(kind="ocpp.chargepoint").order_by("pk")
    assert {entry.who_name for entry in entries} == {"token tests"}
    assert [entry.what for entry in entries] == [
        "added",
        *("changed: name, authorization, max_power, site", "changed: authorization, max_power"),
        *("retired", "brought back into use", "deleted"),
    ]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"identity": "a/b"}, "body.identity"),
        ({"identity": "A", "time_zone": "Europe/Atlantis"}, "body.time_zone"),
        ({"identity": "A", "quirk_profile": "none-such"}, "body.quirk_profile"),
        ({"identity": "A", "quirk_overrides": {"none": 1}}, "body.quirk_overrides"),
        ({"identity": "A", "site_id": 99}, "body.site_id"),
        ({"identity": "A", "max_power_w": -1}, "body.max_power_w"),
        ({"identity": "A", "name": None}, "body.name"),
        ({"identity": "A", "online": True}, "body.online"),
        ({"identity": "A", "id": 7}, "body.id"),
        ({"identity": "A", "connection": None}, "body.connection"),
        ({"identity": "A", "security_profile": 0}, "body.security_profile"),
        ({"identity": "A", "name": "\0"}, None),
        ({}, "body.identity"),
        ([], None),
    ],
)
def test_what_does_not_fit_is_refused_and_named(admin: Caller, body: Any, where: str) -> None:
    """W-10: no field can be written but those of the schema."""
    answer = body_of(admin("POST", "charge-points", body), 422)
    if where:
        assert [error["where"] for error in answer["errors"]] == [where]
    assert not ChargePoint.objects.exists()


def test_an_identity_is_taken_once_however_it_is_spelt(admin: Caller) -> None:
    assert admin("POST", "charge-points", {"identity": "CP1"}).status_code == 201
    assert body_of(admin("POST", "charge-points", {"identity": "cp1"}), 409)["type"].endswith(
        ":exists"
    )


def test_a_change_of_what_somebody_else_changed_is_refused(admin: Caller) -> None:
    ChargePoint.objects.create(identity="CP1")
    version = admin("GET", "charge-points/CP1")["ETag"]
    # What a charger reports is no change of what is set.
    ChargePoint.objects.update(vendor="V", firmware_version="2")
    change = {"name": "first"}
    assert admin("PATCH", "charge-points/CP1", change, If_Match=version).status_code == 200
    answer = admin("PATCH", "charge-points/CP1", {"name": "second"}, If_Match=version)
    assert body_of(answer, 412)["type"].endswith(":changed")
    assert admin("DELETE", "charge-points/CP1", If_Match=version).status_code == 412
    newest = admin("GET", "charge-points/CP1")["ETag"]
    assert admin("DELETE", "charge-points/CP1", If_Match=f"{version}, {newest}").status_code == 204


def test_pages_stay_what_they_are_while_rows_are_added_and_deleted(admin: Caller) -> None:
    for number in range(5):
        ChargePoint.objects.create(identity=f"C{number}")
    first = admin.get("charge-points", limit=2)
    ChargePoint.objects.get(identity="C0").delete()
    ChargePoint.objects.create(identity="C5")
    second = admin.get("charge-points", limit=2, cursor=first["next"])
    third = admin.get("charge-points", limit=2, cursor=second["next"])
    found = [row["identity"] for each in (first, second, third) for row in each["items"]]
    assert (found, third["next"]) == (["C0", "C1", "C2", "C3", "C4", "C5"], None)


def test_charge_points_are_found(admin: Caller) -> None:
    site = Site.objects.create(name="Home")
    charger = CentralSystem().connect(Charger("A1"))
    CentralSystem().take(charger.boots(), charger.shows("Faulted"))
    ChargePoint.objects.filter(identity="A1").update(site=site)
    ChargePoint.objects.create(identity="B1", serial_number="S-1")

    def found(**query: Any) -> list[str]:
        return [row["identity"] for row in admin.get("charge-points", **query)["items"]]

    assert found(online="true") == ["A1"]
    assert found(online="false") == ["B1"]
    assert found(site_id=site.pk) == ["A1"]
    assert found(status="faulted") == ["A1"]
    assert found(search="s-") == ["B1"]
    row = admin.get("charge-points/a1")
    assert [(each["number"], each["status"]) for each in row["connectors"]] == [(1, "Faulted")]
    connectors = admin.get("connectors", status="Faulted")["items"]
    assert connectors == row["connectors"]
    assert admin.get("charge-points/A1/connectors") == connectors


def test_one_that_is_connected_is_not_retired_and_one_with_sessions_not_deleted(
    admin: Caller,
) -> None:
    charger = CentralSystem().connect(Charger("CP1"))
    CentralSystem().take(charger.boots())
    CentralSystem().start(charger)
    assert "connected" in body_of(admin("POST", "charge-points/CP1/retire"), 409)["detail"]
    assert "retire it" in body_of(admin("DELETE", "charge-points/CP1"), 409)["detail"]
    assert Transaction.objects.count() == 1
    assert Connector.objects.exists()


def test_keys_and_profiles(admin: Caller) -> None:
    ChargePoint.objects.create(identity="CP1")
    there = "charge-points/CP1"
    profile = f"{there}/security-profile"
    assert "No key is set" in body_of(admin("PUT", profile, {"profile": 2}), 409)["detail"]
    key = body_of(admin("POST", f"{there}/key"))["key"]
    assert len(key) >= 16
    assert key not in Credential.objects.get().digest
    assert body_of(admin("PUT", profile, {"profile": 2}))["security_profile"] == 2
    assert admin("PUT", profile, {"profile": 1}).status_code == 409
    assert admin("PUT", profile, {"profile": 9}).status_code == 422
    assert admin("DELETE", f"{there}/key").status_code == 409
    lower = {"profile": 0, "lower": True}
    assert body_of(admin("PUT", profile, lower))["security_profile"] == 0
    assert admin("PUT", f"{there}/key", {"key": "short"}).status_code == 409
    assert admin("PUT", f"{there}/key", {"key": "short", "allow_short": True}).status_code == 204
    assert admin("DELETE", f"{there}/key").status_code == 204
    assert admin("POST", f"{there}/key/unlock").status_code == 204
    assert not AuditEntry.objects.filter(after__icontains=key).exists()


def test_an_operator_sets_no_keys_and_deletes_nothing(caller: Callable[..., Caller]) -> None:
    ChargePoint.objects.create(identity="CP1")
    operator = caller("operate")
    assert operator("PATCH", "charge-points/CP1", {"name": "x"}).status_code == 200
    for method, path in (
        ("DELETE", "charge-points/CP1"),
        ("POST", "charge-points/CP1/key"),
        ("POST", "sites"),
    ):
        answer = operator(method, path, {"name": "x"} if path == "sites" else None)
        assert (path, answer.status_code) == (path, 403)


def test_a_site_that_is_changed_and_deleted(admin: Caller) -> None:
    site = body_of(admin("POST", "sites", {"name": "Home"}), 201)
    there = f"sites/{site['id']}"
    ChargePoint.objects.create(identity="CP1", site_id=site["id"])
    assert admin("POST", "sites", {"name": "Home"}).status_code == 422
    assert admin("PATCH", there, {"time_zone": "Mars/Base"}).status_code == 422
    row = body_of(admin("PATCH", there, {"security_profile": 2, "notes": "n"}))
    assert (row["security_profile"], row["notes"], row["name"]) == (2, "n", "Home")
    assert admin("DELETE", there).status_code == 204
    assert admin.get("charge-points/CP1")["site_id"] is None


def test_what_households_refer_to_is_not_deleted(admin: Caller) -> None:
    """It was an error of the server, of which schemathesis found one."""
    site = Site.objects.create(name="Home")
    place = ChargePoint.objects.create(identity="G-1", site=site)
    household = Household.objects.create(name="Anna", site=site)
    Assignment.objects.create(household=household, charge_point=place)
    for path, what in ((f"sites/{site.pk}", "households"), ("charge-points/G-1", "assignments")):
        said = body_of(admin("DELETE", path), 409)["detail"]
        assert f"can't be deleted: {what} refer to it" in said
    assert not AuditEntry.objects.filter(what="deleted").exists()
