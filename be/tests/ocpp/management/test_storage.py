"""`levity storage`: what is kept where."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from levity.ocpp.management.commands import storage as command
from levity.ocpp.models import Message, MeterValue, Transaction
from levity.ocpp.store import inventory as inventories
from levity.ocpp.store.inventory import inventory
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
