"""One command to many over the API."""

from collections.abc import Callable
from typing import Any

import pytest

from levity.ocpp.models import AuditEntry, ChargePoint, Command, MassCommand, Site
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
RESET = {"action": "Reset", "payload": {"type": "Soft"}}


@pytest.fixture
def places() -> Site:
    site = Site.objects.create(name="Harbour")
    for number in range(3):
        ChargePoint.objects.create(identity=f"H-{number}", site=site)
    ChargePoint.objects.create(identity="ELSEWHERE")
    return site


def test_to_a_site_or_to_those_named_with_their_progress_and_once_more(
    places: Site, caller: Callable[..., Caller]
) -> None:
    ask = caller("operate")
    response = ask("POST", "mass-commands", {**RESET, "site": places.pk})
    assert response.status_code == 202, response.content
    body: Any = response.json()
    assert response["Location"] == f"/api/v1/mass-commands/{body['id']}"
    assert (body["total"], body["away"], body["accepted"]) == (3, 3, 0)
    assert AuditEntry.objects.filter(kind="ocpp.command").count() == 3
    Command.objects.filter(charge_point__identity="H-1").update(
        state="answered", result_status="Rejected", result={"status": "Rejected"}
    )
    found = ask.get(f"mass-commands/{body['id']}")
    assert (found["refused"], found["away"]) == (1, 2)
    (no,) = found["not_done"]
    assert (no["charge_point"], no["reason"]) == ("H-1", "Rejected")
    again = ask("POST", f"mass-commands/{body['id']}/retry").json()
    assert (again["total"], again["retry_of"]) == (1, body["id"])
    assert ask("POST", f"mass-commands/{again['id']}/retry").status_code == 409
    two = ask("POST", "mass-commands", {**RESET, "charge_points": ["h-0", "ELSEWHERE"]})
    assert two.json()["total"] == 2
    assert len(ask.get("mass-commands")["items"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        RESET,
        {**RESET, "charge_points": []},
        {**RESET, "charge_points": ["H-0", "NOBODY"]},
        {**RESET, "charge_points": ["H-0"], "site": 1},
        {"action": "Nonsense", "charge_points": ["H-0"]},
    ],
)
def test_what_is_wrong_goes_to_nobody(
    places: Site, caller: Callable[..., Caller], body: Any
) -> None:
    assert caller()("POST", "mass-commands", body).status_code == 422
    assert not Command.objects.exists()
    assert not MassCommand.objects.exists()


def test_who_is_limited_reaches_and_sees_their_own_site_only(
    places: Site, caller: Callable[..., Caller]
) -> None:
    limited = caller("operate", sites=[places])
    names = {**RESET, "charge_points": ["H-0", "ELSEWHERE"]}
    assert limited("POST", "mass-commands", names).status_code == 422
    mass = caller()("POST", "mass-commands", names).json()["id"]
    assert limited.get(f"mass-commands/{mass}")["total"] == 1
    elsewhere = caller("admin", sites=[Site.objects.create(name="Other")])
    assert elsewhere("GET", f"mass-commands/{mass}").status_code == 404
    assert caller("read")("POST", "mass-commands", names).status_code == 403


def test_what_is_not_sent_yet_is_cancelled_at_one_s_own_sites(
    places: Site, caller: Callable[..., Caller]
) -> None:
    """Most chargers are away, and the value was wrong."""
    names = {**RESET, "charge_points": ["H-0", "H-1", "H-2", "ELSEWHERE"]}
    there = f"mass-commands/{caller()('POST', 'mass-commands', names).json()['id']}/cancel"
    Command.objects.filter(charge_point__identity="H-0").update(state="sent")
    limited = caller("operate", sites=[places])
    key = {"Idempotency_Key": "call it off"}
    for _ in range(2):
        cancelled = limited("POST", there, **key)
        assert cancelled.status_code == 200, cancelled.content
        found: Any = cancelled.json()
        assert (found["waiting"], found["not_sent"]) == (1, 2)
    assert limited("POST", there).status_code == 409
    assert caller("read")("POST", there).status_code == 403
    states = Command.objects.order_by("pk").values_list("charge_point__identity", "state")
    assert dict(states) == {
        "H-0": "sent",
        "H-1": "cancelled",
        "H-2": "cancelled",
        "ELSEWHERE": "queued",
    }
    assert AuditEntry.objects.filter(what="cancelled").count() == 2
