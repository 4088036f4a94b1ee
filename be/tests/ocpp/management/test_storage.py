"""`levity storage`: what is kept where."""

import io
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from levity.ocpp.management.commands import storage as command
from levity.ocpp.models import ChargePoint, Message, MessageBlock, MeterValue, Transaction
from levity.ocpp.store import inventory as inventories
from levity.ocpp.store.growth import bytes_a_day
from levity.ocpp.store.inventory import Inventory, Part, inventory
from levity.ocpp.store.messages.moving import move_some
from levity.ocpp.testing import NOW, CentralSystem, Charger

pytestmark = pytest.mark.django_db


def storage() -> str:
    out = io.StringIO()
    call_command("storage", stdout=out)
    return out.getvalue()


def a_session() -> int:
    """Messages that it left."""
    system, charger = CentralSystem(), Charger("CP1")
    system.connect(charger)
    system.take(charger.boots())
    transaction = system.start(charger)
    system.take(charger.measures(transaction, 2000))
    system.take(charger.stops(transaction))
    return Message.objects.count()


def test_it_counts_what_is_recent_and_what_is_packed() -> None:
    count = a_session()
    before = {part.name: part for part in inventory().parts}
    assert before["messages, recent"].count == count
    assert before["messages, packed by day"].count == 0
    assert before["meter values, recent"].count == 1
    assert before["sessions"].count == 1
    assert before["messages, recent"].first == NOW

    later = NOW + timedelta(days=4)
    while move_some(later, 0.0, kept_days=2):
        pass
    after = {part.name: part for part in inventory().parts}
    assert after["messages, recent"].count == 0
    assert after["messages, packed by day"].count == count
    assert after["messages, packed by day"].first == NOW


def test_the_command_tells_all_of_it_with_units() -> None:
    a_session()
    said = storage()
    assert said.startswith("Database: ")
    assert "messages, recent" in said
    assert "4 exchanges" in said
    assert "1 meter values" in said
    assert "2026-11-22" in said
    assert "Messages are packed after 2 days and deleted after 90 days" in said
    assert "Sessions and their meter values are never deleted." in said


def test_it_says_what_waits_to_be_packed_and_how_long_that_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Waiting" not in storage()
    count = a_session()
    for model, field in ((Message, "received_at"), (MeterValue, "received_at")):
        model.objects.update(**{field: F(field) - timedelta(days=40)})
    Transaction.objects.update(stop_received_at=F("stop_received_at") - timedelta(days=40))
    said = storage()
    assert f"Waiting to be packed: {count} exchanges, 1 meter values." in said
    assert "pace" not in said

    monkeypatch.setattr(command, "MANY", 1)
    monkeypatch.setattr(command.time, "sleep", lambda _: None)
    assert "Nothing was packed meanwhile." in storage()

    monkeypatch.setattr(
        command.time, "sleep", lambda _: move_some(timezone.now(), 0.0, kept_days=2)
    )
    # Four exchanges of one day in 12 s, and the MeterValue is left.
    assert f"({count * 300:,} an hour) it takes about 1 minute more." in storage()


def test_an_empty_database_is_told_like_any_other() -> None:
    said = storage()
    assert "0 exchanges" in said
    assert "everything else" in said


def test_a_sqlite_that_can_not_tell_sizes_by_table_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inventories, "table_sizes", lambda _: {})
    assert inventory().rest is None
    [line] = [line for line in storage().splitlines() if line.startswith("everything else")]
    assert line.split()[-1] == "?"


def test_it_says_how_fast_it_grows_and_for_how_long_the_disk_is_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "It grows" not in storage()  # nothing is packed yet
    a_session()
    while move_some(NOW + timedelta(days=4), 0.0, kept_days=2):
        pass
    parts = (Part("messages, packed by day", "exchanges", 4, 4_000_000),)
    monkeypatch.setattr(command, "inventory", lambda: Inventory(parts, 8_000_000, 0))
    monkeypatch.setattr(
        command.shutil, "disk_usage", lambda _: SimpleNamespace(free=365 * 4 * 10**6)
    )
    said = storage()
    assert "It grows by about 4.0 MB a day, as in the last days that are packed" in said
    if connection.vendor == "sqlite":
        assert "the 1.5 GB that are free are enough for 365 days." in said


def test_once_messages_are_forgotten_only_those_behind_sessions_add_up() -> None:
    charger = ChargePoint.objects.create(identity="CP1", created_at=NOW)
    for day in range(20):
        MessageBlock.objects.create(
            charge_point=charger,
            day=(NOW + timedelta(days=day)).date(),
            part=0,
            first_at=NOW + timedelta(days=day),
            last_at=NOW + timedelta(days=day),
            first_id=day,
            last_id=day,
            count=400 if day < 10 else 700,
            only_ledger=day < 10,
            facts=b"",
            frames=b"",
        )
    parts = (Part("messages, packed by day", "exchanges", 11_000, 110_000),)
    assert bytes_a_day(Inventory(parts, 0, 0)) == 4_000
    MessageBlock.objects.filter(only_ledger=True).delete()
    assert bytes_a_day(Inventory(parts, 0, 0)) == 7_000
