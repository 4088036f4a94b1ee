"""Charge points together by the API: set, as CSV, replaced."""

from collections.abc import Callable

import pytest

from levity.ocpp.models import ChargePoint, Site
from tests.api.conftest import Caller
from tests.api.v1.test_charge_points import body_of


@pytest.fixture
def admin(caller: Callable[..., Caller]) -> Caller:
    return caller("admin")


def send_csv(program: Caller, text: str, query: str = "") -> object:
    return program.browser.generic(
        "POST",
        f"/api/v1/charge-points.csv{query}",
        text.encode(),
        content_type="text/csv",
        headers={"Authorization": f"Bearer {program.token}"},
    )


def test_many_are_set_by_name_or_by_site(admin: Caller) -> None:
    site = Site.objects.create(name="Home")
    for identity in ("A", "B", "C"):
        ChargePoint.objects.create(identity=identity)
    change = {"charge_points": ["a", "B"], "change": {"site_id": site.pk, "authorization": "known"}}
    assert body_of(admin("POST", "charge-point-changes", change)) == {"changed": 2, "same": 0}
    change = {"site_id": site.pk, "change": {"authorization": None}}
    assert body_of(admin("POST", "charge-point-changes", change)) == {"changed": 2, "same": 0}
    assert list(ChargePoint.objects.order_by("pk").values_list("site__name", "authorization")) == [
        ("Home", ""),
        ("Home", ""),
        (None, ""),
    ]
    for wrong in (
        {"change": {}},
        {**change, "charge_points": ["A"]},
        {"site_id": 99, "change": {}},
    ):
        assert admin("POST", "charge-point-changes", wrong).status_code == 422
    nobody = {"charge_points": ["A", "X"], "change": {"time_zone": "UTC"}}
    assert admin("POST", "charge-point-changes", nobody).status_code == 422


def test_a_file_goes_out_and_comes_in_after_a_look(admin: Caller) -> None:
    ChargePoint.objects.create(identity="A", name="old")
    response = admin("GET", "charge-points.csv")
    text = b"".join(response.streaming_content).decode().replace("A,old", "A,new")
    look = body_of(send_csv(admin, text, "?dry_run=true"))
    line = {"line": 2, "identity": "A", "is_new": False, "changes": "name: old → new"}
    assert (look["done"], look["lines"]) == (False, [line])
    assert ChargePoint.objects.get().name == "old"
    assert body_of(send_csv(admin, text))["done"]
    assert ChargePoint.objects.get().name == "new"
    wrong = body_of(send_csv(admin, "identity,site\nA,Nowhere\n"))
    assert (wrong["done"], len(wrong["problems"])) == (False, 1)
    assert body_of(send_csv(admin, "PK\x03\x04"), 422)["type"].endswith(":bad-file")


def test_new_hardware_takes_the_place(admin: Caller) -> None:
    ChargePoint.objects.create(identity="A", name="Bay")
    done = body_of(admin("POST", "charge-points/a/replace", {"identity": "B"}))
    assert (done["new"]["name"], done["old"]["retired_at"] is None) == ("Bay", False)
    again = body_of(admin("POST", "charge-points/A/replace", {"identity": "B"}), 409)
    assert "retired already" in again["detail"]


def test_a_token_of_one_site_adds_none_and_a_reader_changes_none(
    caller: Callable[..., Caller],
) -> None:
    site = Site.objects.create(name="Home")
    ChargePoint.objects.create(identity="A", site=site)
    limited = caller("operate", sites=[site])
    assert admin_problem(limited, "identity\nNEW\n") == 1
    assert limited("POST", "charge-points/A/replace", {"identity": "NEW"}).status_code == 403
    assert send_csv(caller("read"), "identity\nA\n").status_code == 403


def admin_problem(program: Caller, text: str) -> int:
    return len(body_of(send_csv(program, text))["problems"])
