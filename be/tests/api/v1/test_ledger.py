"""Transactions, meter values, messages and what waits for a decision, by the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from levity.monitoring.models import Alert
from levity.ocpp.models import (
    AuditEntry,
    ChargePoint,
    IdTag,
    QuarantinedMessage,
    RefusedHandshake,
    Site,
    Transaction,
)
from levity.ocpp.testing import CentralSystem, Charger, wire
from tests.api.conftest import Caller


@pytest.fixture
def admin(caller: Callable[..., Caller]) -> Caller:
    return caller("admin")


@pytest.fixture
def charger(db: None) -> Charger:
    """CP1, which has charged once and charges again."""
    system, charger = CentralSystem(), Charger("CP1")
    system.connect(charger)
    system.take(charger.boots())
    first = system.start(charger)
    for minute in range(1, 6):
        system.take(charger.measures(first, 1000 + 100 * minute, wire(60 * minute)))
    system.take(charger.stops(first))
    system.start(charger, timestamp=wire(7200), meterStart=6000, idTag="OTHER")
    return charger


def body_of(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def test_transactions_say_energy_exactly_and_times_in_utc(admin: Caller, charger: Charger) -> None:
    running, ended = admin.get("transactions")["items"]
    assert (ended["energy_wh"], ended["meter_stop_wh"]) == ("5000.000", "6000.000")
    assert ended["started_at"] == "2026-11-22T12:00:00Z"
    assert (running["state"], running["stopped_at"], running["id_tag"]) == ("active", None, "OTHER")
    assert admin.get(f"transactions/{ended['id']}") == ended


def test_transactions_are_found(admin: Caller, charger: Charger) -> None:
    def found(**query: Any) -> list[str]:
        return [row["id_tag"] for row in admin.get("transactions", **query)["items"]]

    assert found(state="active") == ["OTHER"]
    assert found(charge_point="cp1", until="2026-11-22T14:00:00Z") == ["TAG"]
    assert found(since="2026-11-22T15:00:00+01:00") == ["OTHER"]
    assert found(charge_point="CP9") == []
    assert found(id_tag="tag") == ["TAG"]
    for query in ({"since": "2026-11-22"}, {"since": "2026-11-22T15:00:00"}, {"state": "x"}):
        assert admin("GET", "transactions", query=query).status_code == 422


def test_samples_are_series(admin: Caller, charger: Charger) -> None:
    pk = Transaction.objects.order_by("pk").values_list("pk", flat=True)[0]
    (series,) = admin.get(f"transactions/{pk}/samples")["series"]
    assert (series["measurand"], series["unit"]) == ("Energy.Active.Import.Register", "Wh")
    assert series["values"] == ["1100", "1200", "1300", "1400", "1500"]
    assert series["sampled_at"][0] == "2026-11-22T12:01:00Z"
    assert admin.get(f"transactions/{pk}/samples", measurand="Voltage")["series"] == []


def test_the_csv_is_that_of_the_pages(admin: Caller, charger: Charger) -> None:
    response: Any = admin("GET", "transactions.csv", query={"state": "stopped"})
    assert response["Content-Type"].startswith("text/csv")
    lines = b"".join(response).decode().splitlines()
    assert len(lines) == 2
    assert "CP1" in lines[1]


def test_a_session_is_ended_in_the_records(admin: Caller, charger: Charger) -> None:
    pk = Transaction.objects.get(state="active").pk
    assert body_of(admin("POST", f"transactions/{pk}/end", {"why": "lost"}))["state"] == "orphaned"
    assert body_of(admin("POST", f"transactions/{pk}/end", {}), 409)["detail"].endswith("ended.")
    assert AuditEntry.objects.filter(what="ended manually: lost").count() == 1


def test_meter_values_come_in_pages_by_their_time(admin: Caller, charger: Charger) -> None:
    there = "charge-points/CP1/meter-values"
    span = {"since": "2026-11-22T12:00:00Z", "until": "2026-11-23T12:00:00Z"}
    first = admin.get(there, limit=3, **span)
    rest = admin.get(there, limit=3, cursor=first["next"], **span)
    values = [item["samples"][0]["value"] for each in (first, rest) for item in each["items"]]
    assert (values, rest["next"]) == (["1100", "1200", "1300", "1400", "1500"], None)
    long = {"since": "2026-01-01T00:00:00Z", "until": "2026-11-23T12:00:00Z"}
    assert admin("GET", there, query=long).status_code == 422
    for odd in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        for name in ("since", "until"):
            assert admin("GET", there, query={name: odd}).status_code in (200, 422)


def test_messages_are_found_page_by_page(admin: Caller, charger: Charger) -> None:
    seen: list[dict[str, Any]] = []
    cursor = {}
    while True:
        part = admin.get("messages", limit=4, charge_point="CP1", **cursor)
        seen += part["items"]
        if part["next"] is None:
            break
        cursor = {"cursor": part["next"]}
    assert len(seen) == len({each["id"] for each in seen}) == 9
    assert [each["charge_point"] for each in seen] == ["CP1"] * 9
    stops = admin.get("messages", action="StopTransaction")["items"]
    assert stops == [admin.get(f"messages/{stops[0]['id']}")]
    assert admin.get("messages", text="meterStop")["items"] == stops
    assert admin("GET", "messages", query={"cursor": "WzEsdHJ1ZV0"}).status_code == 422


def test_id_tags_and_their_groups(admin: Caller, charger: Charger) -> None:
    group = body_of(admin("POST", "id-tags", {"id_tag": "HOUSE", "owner": "Smith"}), 201)
    body = {
        "id_tag": "CARD",
        "group_id": group["id"],
        "charge_points": ["cp1"],
        "expires_at": "2027-01-01T00:00:00+01:00",
    }
    card = body_of(admin("POST", "id-tags", body), 201)
    assert (card["charge_points"], card["expires_at"]) == (["CP1"], "2026-12-31T23:00:00Z")
    there = f"id-tags/{card['id']}"
    assert body_of(admin("POST", f"{there}/block"))["status"] == "Blocked"
    assert body_of(admin("POST", f"{there}/unblock"))["status"] == "Accepted"
    change = {"group_id": None, "charge_points": [], "owner": "Jones"}
    card = body_of(admin("PATCH", there, change))
    assert {name: card[name] for name in change} == change
    for wrong in (
        {"charge_points": ["CP9"]},
        {"group_id": card["id"]},
        {"group_id": 10**12},
        {"status": "Blocked"},
    ):
        assert admin("PATCH", there, wrong).status_code == 422
    assert admin("PATCH", there, {"id_tag": "house"}).status_code == 409
    assert admin("POST", "id-tags", {"id_tag": "card"}).status_code == 409
    assert admin("DELETE", there).status_code == 204
    assert [row["id_tag"] for row in admin.get("id-tags")["items"]] == ["HOUSE"]


def test_nobody_of_one_site_changes_tags(caller: Callable[..., Caller], charger: Charger) -> None:
    row = IdTag.objects.create(id_tag="CARD")
    row.charge_points.set(ChargePoint.objects.all())
    mine = caller("admin", sites=[])
    assert mine("POST", "id-tags", {"id_tag": "NEW"}).status_code == 403
    assert mine("PATCH", f"id-tags/{row.pk}", {"owner": "me"}).status_code == 404


def test_a_refusal_tells_nobody_of_one_site_what_there_is_elsewhere(
    caller: Callable[..., Caller],
) -> None:
    """409 for a tag of another site, 403 for a new one, told them apart."""
    mine = Site.objects.create(name="mine")
    ChargePoint.objects.create(identity="MINE", site=mine)
    ChargePoint.objects.create(identity="THEIRS")
    IdTag.objects.create(id_tag="THERE")
    limited = caller("admin", sites=[mine])
    for method, path, name, values in (
        ("POST", "id-tags", "id_tag", ("THERE", "NOT-THERE")),
        ("POST", "charge-points", "identity", ("THEIRS", "NOT-THERE")),
        ("POST", "charge-points/MINE/replace", "identity", ("THEIRS", "NOT-THERE")),
    ):
        there, not_there = (limited(method, path, {name: value}) for value in values)
        assert (there.status_code, there.content) == (403, not_there.content)


def test_a_quarantined_stop_is_attached_and_that_is_undone(admin: Caller, charger: Charger) -> None:
    CentralSystem().take(charger.stops(999_999, meterStop=7000, timestamp=wire(9000)))
    (item,) = admin.get("quarantine", open="true")["items"]
    assert item["payload"]["meterStop"] == 7000
    there = f"quarantine/{item['id']}"
    running = Transaction.objects.get(state="active").pk
    assert running in [each["transaction"] for each in admin.get(f"{there}/candidates")]
    assert admin("POST", f"{there}/attach", {"transaction": 999_999}).status_code == 422
    done = body_of(admin("POST", f"{there}/attach", {"transaction": running}))
    assert (done["resolved_to"], QuarantinedMessage.objects.get().resolved_by) == (running, None)
    assert admin.get(f"transactions/{running}")["energy_wh"] == "1000.000"
    assert body_of(admin("POST", f"{there}/undo"))["resolved_at"] is None
    assert admin.get(f"transactions/{running}")["state"] == "active"
    made = {"connector": 1, "started_at": wire(8000), "meter_start_wh": "6500.5", "id_tag": "T"}
    done = body_of(admin("POST", f"{there}/make-transaction", made))
    assert admin.get(f"transactions/{done['resolved_to']}")["meter_start_wh"] == "6500.500"
    assert body_of(admin("POST", f"{there}/undo"))["resolved_to"] is None
    assert admin("POST", f"{there}/discard", {"why": " "}).status_code == 422
    assert body_of(admin("POST", f"{there}/discard", {"why": "test"}))["resolved_at"]


def test_a_refused_charger_is_adopted(admin: Caller) -> None:
    RefusedHandshake.objects.create(identity="NEW1", address="192.0.2.1", reason="no-key", status=1)
    (item,) = admin.get("refused-handshakes", identity="new1")["items"]
    assert item["is_adoptable"]
    there = f"refused-handshakes/{item['id']}"
    assert admin("POST", f"{there}/adopt", {"profile": 1, "key": "none"}).status_code == 409
    made = body_of(admin("POST", f"{there}/adopt", {"profile": 1, "key": "new", "name": "New"}))
    assert (made["charge_point"], made["is_new"], len(made["key"]) >= 16) == ("NEW1", True, True)
    assert admin.get("charge-points/NEW1")["security_profile"] == 1
    assert admin("GET", there).status_code == 404


def test_an_alert_is_acknowledged_by_its_token(admin: Caller) -> None:
    now = timezone.now()
    Alert.objects.create(
        kind="offline", severity="warning", raised_at=now, last_at=now, summary="s"
    )
    (item,) = admin.get("alerts", open="true", acknowledged="false")["items"]
    done = body_of(admin("POST", f"alerts/{item['id']}/acknowledge"))
    assert (done["acknowledged_by"], bool(done["acknowledged_at"])) == ("token tests", True)
    done = body_of(admin("POST", f"alerts/{item['id']}/withdraw-acknowledgement"))
    assert done["acknowledged_at"] is None
    assert [row["what"] for row in admin.get("audit", kind="operation.alert")["items"]] == [
        *("acknowledgement withdrawn", "acknowledged"),
    ]
    later = (now + timedelta(days=1)).isoformat()
    assert admin.get("audit", since=later)["items"] == []
