"""A person reads the configuration of a charger, and changes it."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User

from levity.ocpp.deciding import NotAllowed
from levity.ocpp.decisions.configuration import (
    CannotChange,
    NeedsConfirmation,
    asked_in_portions,
    change,
    read_again,
)
from levity.ocpp.models import AuditEntry, ChargePoint, Command, ConfigurationKey
from levity.ocpp.versions import V16

pytestmark = pytest.mark.django_db


@pytest.fixture
def charger() -> ChargePoint:
    return ChargePoint.objects.create(identity="CP1")


@pytest.fixture
def anna() -> User:
    anna = get_user_model().objects.create(username="anna")
    anna.user_permissions.set(Permission.objects.filter(codename="add_command"))
    return anna


def calls() -> list[tuple[str, object]]:
    return list(Command.objects.order_by("pk").values_list("action", "payload"))


def test_a_change_is_sent_and_read_back(charger: ChargePoint, anna: User) -> None:
    ConfigurationKey.objects.create(
        charge_point=charger, name="heartbeatinterval", key="HeartBeatInterval", value="300"
    )
    change(charger, "heartbeatinterval", "60", anna)
    # As the charger spells it: some look for nothing else.
    assert calls() == [
        ("ChangeConfiguration", {"key": "HeartBeatInterval", "value": "60"}),
        ("GetConfiguration", {"key": ["HeartBeatInterval"]}),
    ]
    entry = AuditEntry.objects.get(what="configuration changed")
    assert (entry.who_name, entry.before, entry.after) == (
        "anna",
        {"HeartBeatInterval": "300"},
        {"HeartBeatInterval": "60"},
    )


def test_a_double_click_changes_once(charger: ChargePoint, anna: User) -> None:
    for _ in range(2):
        change(charger, "Key", "1", anna, idempotency_key="once")
    assert len(calls()) == 2


def test_no_secret_is_in_the_audit_or_the_queue(charger: ChargePoint, anna: User) -> None:
    change(charger, "WifiPassword", "hush-hush", anna, sure=True)
    entries = AuditEntry.objects.values_list("before", "after", "what")
    commands = Command.objects.values_list("payload", "secret")
    assert "hush" not in json.dumps([list(entries), list(commands)])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("HeartbeatInterval", "often", "HeartbeatInterval: it is a whole number of s"),
        ("AuthorizationKey", "00" * 20, "AuthorizationKey is changed under “Security”"),
        ("securityprofile", "2", "SecurityProfile is changed under “Security”"),
        (" ", "2", "a key has 1 to 50 characters"),
        ("K" * 51, "2", "a key has 1 to 50 characters"),
    ],
)
def test_what_can_not_be_changed_here(
    charger: ChargePoint, key: str, value: str, said: str
) -> None:
    with pytest.raises(CannotChange, match=said):
        change(charger, key, value, None, sure=True)
    assert calls() == []


def test_what_cuts_a_charger_off_is_asked_about_first(charger: ChargePoint) -> None:
    with pytest.raises(NeedsConfirmation, match="where or how the charger connects"):
        change(charger, "CentralSystemURL", "ws://example.com", None)
    assert calls() == []
    change(charger, "CentralSystemURL", "ws://example.com", None, sure=True)
    assert len(calls()) == 2


def test_a_key_that_restarts_the_charger_is_not_read_back(charger: ChargePoint) -> None:
    """ABB Terra AC up to 1.8.21 (lb#1275): never probe it again."""
    ChargePoint.objects.update(vendor="ABB", model="Terra AC")
    charger.refresh_from_db()
    with pytest.raises(NeedsConfirmation, match="restarts when it reads"):
        change(charger, "MeterValuesSampledData", "SoC", None)
    change(charger, "MeterValuesSampledData", "SoC", None, sure=True)
    assert [action for action, _ in calls()] == ["ChangeConfiguration"]


def test_only_who_may_send_commands_may_read_or_change(charger: ChargePoint) -> None:
    nobody = get_user_model().objects.create(username="nobody")
    with pytest.raises(NotAllowed):
        change(charger, "Key", "1", nobody)
    with pytest.raises(NotAllowed):
        read_again(charger, nobody)


def test_no_more_keys_are_asked_for_at_once_than_the_charger_takes() -> None:
    values = {"getconfigurationmaxkeys": "2"}
    asked = [payload["key"] for _, payload in asked_in_portions(V16, ["a", "b", "c"], values)]
    assert asked == [["a", "b"], ["c"]]
    [(_, payload)] = asked_in_portions(V16, ["a", "b", "c"], {"getconfigurationmaxkeys": "many"})
    assert payload == {"key": ["a", "b", "c"]}
