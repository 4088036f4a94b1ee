"""How chargers are configured, on the books: what they report, what was changed, and by whom."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationChange,
    ConfigurationKey,
    ConfigurationState,
)
from levity_ws.rpc.envelope import Event
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

Pair = tuple[CentralSystem, Charger]


@pytest.fixture
def pair() -> Pair:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    return site, charger


def sent(charger: Charger, action: str, payload: Any, **more: Any) -> Command:
    """A Call that is on its way to this charger."""
    return Command.objects.create(
        charge_point=ChargePoint.objects.get(identity=charger.identity),
        action=action,
        payload=payload,
        state="sent",
        connection=charger.connection,
        **more,
    )


def reads(pair: Pair, keys: dict[str, Any], unknown: Any = (), asked: Any = None) -> None:
    """The charger is asked for these keys, or all, and answers."""
    site, charger = pair
    command = sent(charger, "GetConfiguration", {"key": asked} if asked else {})
    listed = [{"key": key, "value": value, "readonly": False} for key, value in keys.items()]
    answer = {"configurationKey": listed, "unknownKey": list(unknown)}
    site.take(charger.answers(command.unique_id, answer))


def changes(pair: Pair, key: str, value: str, status: str, **more: Any) -> None:
    """The charger is asked to change this key, and answers."""
    site, charger = pair
    payload = {"key": key, "value": value}
    command = sent(charger, "ChangeConfiguration", payload, **more)
    site.take(charger.answers(command.unique_id, {"status": status}))


def row(name: str) -> ConfigurationKey:
    return ConfigurationKey.objects.get(name=name)


def history() -> list[tuple[Any, ...]]:
    rows = ConfigurationChange.objects.order_by("pk")
    return list(rows.values_list("key", "old_value", "new_value", "how", "who_name"))


def test_an_answer_becomes_a_row_for_each_key(pair: Pair) -> None:
    reads(pair, {"HeartbeatInterval": "300", "VendorKey": None}, unknown=["NoSuchKey"])
    rows = ConfigurationKey.objects.order_by("name")
    assert list(rows.values_list("name", "key", "value", "readonly", "is_unknown", "read_at")) == [
        ("heartbeatinterval", "HeartbeatInterval", "300", False, False, at()),
        ("nosuchkey", "NoSuchKey", None, None, True, at()),
        ("vendorkey", "VendorKey", None, False, False, at()),
    ]
    state = ConfigurationState.objects.get()
    assert (state.read_at, state.keys_read) == (at(), 2)
    assert history() == []


def test_a_key_in_other_case_is_the_same_key(pair: Pair) -> None:
    reads(pair, {"HeartbeatInterval": "300"})
    reads(pair, {"heartbeatinterval": "300"}, asked=["heartbeatinterval"])
    assert [item.key for item in ConfigurationKey.objects.all()] == ["heartbeatinterval"]
    assert history() == []


def test_a_change_is_in_the_row_and_in_the_history_with_who_asked_for_it(pair: Pair) -> None:
    anna = get_user_model().objects.create(username="anna")
    reads(pair, {"HeartbeatInterval": "300"})
    changes(pair, "HeartbeatInterval", "60", "Accepted", requested_by=anna)
    changed = row("heartbeatinterval")
    assert (changed.value, changed.previous_value, changed.changed_at) == ("60", "300", at())
    assert (changed.changed_by, changed.changed_by_name) == (anna, "anna")
    reads(pair, {"HeartbeatInterval": "60"})
    assert history() == [("HeartbeatInterval", "300", "60", "Accepted", "anna")]


def test_a_change_that_needs_a_reboot_waits_for_it(pair: Pair) -> None:
    site, charger = pair
    reads(pair, {"Rate": "1"})
    charger.now = 10
    changes(pair, "Rate", "2", "RebootRequired", source="test")
    waiting = row("rate")
    booted_at = waiting.charge_point.booted_at
    assert (waiting.value, waiting.pending_value, waiting.reboot_required) == ("1", "2", True)
    assert waiting.is_pending(booted_at)
    assert waiting.value_now(booted_at) == "1"
    charger.now = 20
    reads(pair, {"Rate": "1"})
    assert row("rate").pending_value == "2"
    charger.now = 30
    site.take(charger.boots())
    booted_at = ChargePoint.objects.get().booted_at
    assert not row("rate").is_pending(booted_at)
    assert row("rate").value_now(booted_at) == "2"
    charger.now = 40
    reads(pair, {"Rate": "2"})
    assert (row("rate").value, row("rate").pending_at) == ("2", None)
    assert history() == [("Rate", "1", "2", "RebootRequired", "test")]


def test_a_change_that_a_reboot_has_not_brought_is_found(pair: Pair) -> None:
    site, charger = pair
    reads(pair, {"Rate": "1"})
    changes(pair, "Rate", "2", "RebootRequired")
    charger.now = 30
    site.take(charger.boots())
    reads(pair, {"Rate": "1"})
    assert row("rate").pending_at is None
    assert history()[1:] == [("Rate", "2", "1", "found by reading", "")]


@pytest.mark.parametrize("status", ["Rejected", "NotSupported"])
def test_a_refused_change_leaves_the_value_and_tells_the_answer(pair: Pair, status: str) -> None:
    reads(pair, {"Rate": "1"})
    changes(pair, "Rate", "2", status)
    refused = row("rate")
    assert (refused.value, refused.refused_value, refused.refused_why) == ("1", "2", status)
    assert history() == []
    changes(pair, "Rate", "2", "Accepted")
    assert (row("rate").refused_value, row("rate").refused_why) == (None, "")


def test_what_somebody_changed_at_the_charger_is_in_the_history(pair: Pair) -> None:
    reads(pair, {"Rate": "1"})
    reads(pair, {"Rate": "9"})
    assert history() == [("Rate", "1", "9", "found by reading", "")]


def test_no_secret_is_in_a_row(pair: Pair) -> None:
    """Nor in the history: those who may read it may not know the key."""
    key = "00112233445566778899AABBCCDDEEFF"
    reads(pair, {"AuthorizationKey": key, "wifi_password": "hush-hush"})
    changes(pair, "wifi_password", "***", "Accepted")
    assert row("authorizationkey").value == row("wifi_password").value == "***"
    assert row("authorizationkey").is_secret
    rows = [*ConfigurationKey.objects.values_list(), *ConfigurationChange.objects.values_list()]
    assert not [value for item in rows for value in item if value in (key, "hush-hush")]


def test_a_charger_that_invents_keys_for_ever_fills_no_database(pair: Pair) -> None:
    for start in range(0, 4000, 1000):
        reads(pair, {f"K{number}": "v" for number in range(start, start + 1000)})
    assert ConfigurationKey.objects.count() == 2000


def test_fifty_answers_take_as_many_statements_as_five() -> None:
    site = CentralSystem()
    chargers = [Charger(f"C{number}") for number in range(60)]
    site.take(*(charger.connects() for charger in chargers))

    def statements(some: list[Charger]) -> int:
        events: list[Event] = []
        listed = [{"key": f"K{number}", "value": "v", "readonly": False} for number in range(40)]
        for number, charger in enumerate(some):
            if number % 2:
                command = sent(charger, "GetConfiguration", {})
                answer: Any = {"configurationKey": listed}
            else:
                command = sent(charger, "ChangeConfiguration", {"key": "K1", "value": "w"})
                answer = {"status": "Accepted"}
            events.append(charger.answers(command.unique_id, answer))
        with CaptureQueriesContext(connection) as captured:
            site.take(*events)
        return len(captured)

    few = statements(chargers[:6])
    assert statements(chargers[6:]) <= few


def test_answers_of_other_kinds_pay_nothing(pair: Pair) -> None:
    site, charger = pair
    command = sent(charger, "Reset", {"type": "Soft"})
    with CaptureQueriesContext(connection) as captured:
        site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
    assert not [item for item in captured.captured_queries if "configuration" in item["sql"]]
