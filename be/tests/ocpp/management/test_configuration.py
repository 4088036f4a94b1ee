"""`levity configuration`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from levity.ocpp.models import ChargePoint, Command, ConfigurationKey

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("configuration", *arguments, stdout=out)
    return out.getvalue()


def charger(identity: str, **keys: str) -> ChargePoint:
    row = ChargePoint.objects.create(identity=identity)
    for key, value in keys.items():
        ConfigurationKey.objects.create(
            charge_point=row, name=key.lower(), key=key, value=value, read_at="2026-11-22T12:00Z"
        )
    return row


def test_what_is_known_is_listed() -> None:
    charger("garage-1", HeartbeatInterval="300", Vendor="x")
    assert said("GARAGE-1") == "HeartbeatInterval = 300\nVendor = x\n"
    charger("garage-2")
    assert "--read asks the charger" in said("garage-2")


def test_a_key_is_set_and_all_are_read() -> None:
    charger("garage-1")
    assert "read back" in said("garage-1", "--set", "HeartbeatInterval", "60")
    said("garage-1", "--read")
    actions = Command.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["ChangeConfiguration", "GetConfiguration", "GetConfiguration"]


def test_what_cuts_it_off_needs_a_word_more() -> None:
    charger("garage-1")
    with pytest.raises(CommandError, match="--sure"):
        said("garage-1", "--set", "BackendURL", "ws://x")
    said("garage-1", "--set", "BackendURL", "ws://x", "--sure")


def test_two_are_compared() -> None:
    charger("a", HeartbeatInterval="300", Rate="1")
    charger("b", HeartbeatInterval="300.0", Rate="2", More="x")
    assert said("a", "--compare", "b").splitlines() == [
        "More: not there at a, 'x' at b",
        "Rate: '1' at a, '2' at b",
        "2 of 3 keys differ",
    ]


def test_one_that_nobody_knows_is_named() -> None:
    with pytest.raises(CommandError, match="no charge point is called nobody"):
        said("nobody")
