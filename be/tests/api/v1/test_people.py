"""Households, alert rules and users by the API: what may be done, and by whom."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from levity.accounts.roles import ADMIN, OPERATOR, VIEWER
from levity.billing.models import Assignment, Household
from levity.monitoring.models import AlertRule
from levity.ocpp.models import AuditEntry, ChargePoint, Site
from tests.api.conftest import Caller
from tests.api.v1.test_charge_points import body_of

pytestmark = pytest.mark.django_db
RULE = {"name": "night", "emails": ["a@example.org"], "kinds": ["charger-offline"]}
PASSWORD = "an-uncommon-one-9"


@pytest.fixture
def admin(caller: Callable[..., Caller]) -> Caller:
    return caller("admin")


def test_a_household_from_moving_in_to_moving_out(admin: Caller) -> None:
    ChargePoint.objects.create(identity="G-1")
    row = body_of(admin("POST", "households", {"name": "Anna", "flat": "3"}), 201)
    path = f"households/{row['id']}"
    version = admin("GET", path)["ETag"]
    changed = admin("PATCH", path, {"email": "a@example.org"}, If_Match=version)
    assert body_of(changed)["email"] == "a@example.org"
    assert admin("PATCH", path, {"flat": "4"}, If_Match=version).status_code == 412
    assert admin("PATCH", path, {"email": "nobody"}).status_code == 422

    card = {"id_tag": "04AA", "first_day": "2026-01-01"}
    first = body_of(admin("POST", f"{path}/assignments", card), 201)
    place = {"charge_point": "g-1", "connector": 2, "first_day": "2026-01-01"}
    assert body_of(admin("POST", f"{path}/assignments", place), 201)["charge_point"] == "G-1"
    other = body_of(admin("POST", "households", {"name": "Ben"}), 201)
    taken = admin("POST", f"households/{other['id']}/assignments", {**card, "id_tag": "04aa"})
    assert "Anna" in body_of(taken, 422)["detail"]
    end = admin("PATCH", f"household-assignments/{first['id']}", {"last_day": "2026-06-30"})
    assert body_of(end)["last_day"] == "2026-06-30"
    later = {**card, "first_day": "2026-07-01"}
    assert admin("POST", f"households/{other['id']}/assignments", later).status_code == 201
    assert [each["name"] for each in admin.get("households", id_tag="04AA")["items"]] == [
        *("Anna", "Ben")
    ]
    assert admin("DELETE", f"household-assignments/{first['id']}").status_code == 204
    assert admin("DELETE", path).status_code == 204
    assert Assignment.objects.get().household_id == other["id"]
    assert AuditEntry.objects.filter(kind="billing.household", object_id=row["id"]).count() == 7


def test_households_of_another_site_are_not_there_and_nobody_limited_changes_any(
    caller: Callable[..., Caller],
) -> None:
    mine, theirs = (Site.objects.create(name=name) for name in ("mine", "theirs"))
    rows = [Household.objects.create(name=site.name, site=site) for site in (mine, theirs)]
    limited = caller("admin", sites=[mine])
    assert [row["name"] for row in limited.get("households")["items"]] == ["mine"]
    assert limited("GET", f"households/{rows[1].pk}").status_code == 404
    assert limited("PATCH", f"households/{rows[0].pk}", {"flat": "1"}).status_code == 403
    assert limited("POST", "households", {"name": "x"}).status_code == 403
    assert caller("operate")("POST", "households", {"name": "x"}).status_code == 403


def test_an_alert_rule_shows_neither_secret_nor_address(admin: Caller) -> None:
    given = {**RULE, "webhook_url": "https://example.org/t0ken", "webhook_secret": "x" * 20}
    made = admin("POST", "alert-rules", given)
    row = body_of(made, 201)
    assert (row["webhook_host"], row["emails"]) == ("example.org", ["a@example.org"])
    assert AlertRule.objects.get().secret() == "x" * 20
    changed = body_of(admin("PATCH", f"alert-rules/{row['id']}", {"enabled": False}))
    assert (changed["enabled"], changed["kinds"]) == (False, ["charger-offline"])
    texts = [made.content.decode(), *map(str, AuditEntry.objects.values_list("before", "after"))]
    assert not [text for text in texts if "t0ken" in text or "xxxx" in text]
    assert admin("DELETE", f"alert-rules/{row['id']}").status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"emails": []},
        {"emails": ["nobody"]},
        {"webhook_url": "ftp://example.org/"},
        {"webhook_secret": "short"},
        {"kinds": ["nonsense"]},
        {"quiet_from": "22:00:00"},
    ],
)
def test_a_rule_that_can_not_be_is_refused(admin: Caller, change: Any) -> None:
    assert admin("POST", "alert-rules", {**RULE, **change}).status_code == 422
    assert not AlertRule.objects.exists()


def test_a_user_is_added_and_switched_off(admin: Caller) -> None:
    site = Site.objects.create(name="Home")
    given = {"username": "ben", "roles": [OPERATOR], "sites": [site.pk], "password": PASSWORD}
    row = body_of(admin("POST", "users", given), 201)
    assert (row["roles"], row["sites"], row["is_superuser"]) == ([OPERATOR], [site.pk], False)
    ben = User.objects.get()
    assert ben.check_password(PASSWORD)
    assert ben.is_staff
    assert not body_of(admin("POST", f"users/{ben.pk}/disable"))["is_active"]
    assert body_of(admin("POST", f"users/{ben.pk}/enable"))["is_active"]
    said = AuditEntry.objects.filter(kind="auth.user").order_by("pk")
    assert [entry.what for entry in said] == [
        *("user added", "user switched off", "user switched on")
    ]
    assert PASSWORD not in str(list(said.values()))
    for wrong in (
        {"username": "ben", "roles": []},
        {"username": "x", "roles": ["Nobody"]},
        {"username": "x", "roles": [], "sites": [99]},
        {"username": "x", "roles": [], "password": "12345"},
        {"username": "x", "roles": [], "is_superuser": True},
    ):
        assert admin("POST", "users", wrong).status_code == 422


def test_nobody_gives_or_takes_more_rights_than_they_have(caller: Callable[..., Caller]) -> None:
    chief = User.objects.create_superuser("chief")
    beyond = Group.objects.create(name="beyond")
    beyond.permissions.set(chief.user_permissions.model.objects.filter(codename="change_group"))
    admin, own = caller("admin"), caller("admin", chief)
    for program in (admin, own):
        odd = program("POST", "users", {"username": "eve", "roles": ["beyond"]})
        assert "more than you may" in body_of(odd, 403)["detail"]
        assert program("POST", f"users/{chief.pk}/disable").status_code == 403
    boss = User.objects.create_user("boss", is_staff=True)
    boss.groups.add(beyond)
    assert admin("POST", f"users/{boss.pk}/disable").status_code == 403
    for scope in ("read", "operate"):
        assert caller(scope)("GET", "users").status_code == 403
    limited = caller("admin", sites=[Site.objects.create(name="Home")])
    assert limited.get("users")["items"] == []
    assert limited("POST", "users", {"username": "x", "roles": [VIEWER]}).status_code == 403
    assert admin("POST", "users", {"username": "x", "roles": [ADMIN]}).status_code == 201
    assert User.objects.count() == 3
