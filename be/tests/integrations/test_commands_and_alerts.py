"""Every end of a command, and every alert, is an event."""

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import levity
from levity.integrations.models import Event
from levity.integrations.outbox import note_reader
from levity.monitoring.alerts import raise_and_end
from levity.monitoring.alerts.conditions.finding import Finding
from levity.ocpp import commands, events
from levity.ocpp.command_events import finish
from levity.ocpp.commands.lifecycle import dispatch, give_up
from levity.ocpp.models import ChargePoint, Command
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db
OCPP = Path(levity.__file__).parent / "ocpp"


@pytest.fixture(autouse=True)
def reading(settings: Any) -> None:
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    note_reader("a test", ("command.finished", "alert.raised", "alert.ended"), timezone.now())
    events.refresh()


def told() -> list[tuple[str, str]]:
    return [(row.data["action"], row.data["state"]) for row in Event.objects.order_by("id")]


@pytest.fixture
def site() -> CentralSystem:
    return CentralSystem()


@pytest.fixture
def charger(site: CentralSystem) -> Charger:
    charger = Charger()
    site.connect(charger)
    site.take(charger.boots())
    return charger


def queue(**more: Any) -> Command:
    row = ChargePoint.objects.get()
    return commands.queue(row, "Reset", {"type": "Soft"}, source="a test", **more)


def sent() -> Command:
    command = queue()
    assert dispatch(timezone.now(), lambda *_: True) == 1
    command.refresh_from_db()
    return command


def test_a_command_that_is_answered(site: CentralSystem, charger: Charger) -> None:
    site.take(charger.answers(str(sent().unique_id), {"status": "Accepted"}))
    assert told() == [("Reset", "answered")]
    assert Event.objects.get().data["result_status"] == "Accepted"


def test_a_command_that_the_charger_refuses(site: CentralSystem, charger: Charger) -> None:
    site.take(charger.refuses(str(sent().unique_id), "NotSupported"))
    assert told() == [("Reset", "refused")]


def test_a_command_without_an_answer(charger: Charger) -> None:
    sent()
    give_up(timezone.now() + timedelta(hours=1))
    assert told() == [("Reset", "timed_out")]
    assert Event.objects.get().identity == charger.identity


def test_a_command_that_could_not_be_sent_in_time(charger: Charger) -> None:
    queue(delay=timedelta(hours=1), expires_after=timedelta(minutes=1))
    give_up(timezone.now() + timedelta(hours=2))
    assert told() == [("Reset", "expired")]


def test_a_command_that_is_cancelled(charger: Charger) -> None:
    queue()
    assert commands.cancel(Command.objects.all()) == 1
    assert told() == [("Reset", "cancelled")]


def test_a_command_whose_connection_closes(site: CentralSystem, charger: Charger) -> None:
    sent()
    site.take(charger.leaves())
    assert told() == [("Reset", "timed_out")]


def test_a_command_for_a_charger_that_is_away(site: CentralSystem, charger: Charger) -> None:
    site.take(charger.leaves())
    queue(queue_offline=False)
    dispatch(timezone.now(), lambda *_: True)
    assert told() == [("Reset", "failed")]


def test_a_command_whose_edge_is_gone(charger: Charger) -> None:
    queue(queue_offline=False)
    dispatch(timezone.now(), lambda *_: False)
    assert told() == [("Reset", "failed")]


def test_the_reason_of_an_end_is_left_out_because_it_may_name_a_card(charger: Charger) -> None:
    """As that of an automatic start which somebody else's session has made needless."""
    queue()
    reason = "no start was needed: a session of CARD-37 is running on this connector"
    over = {"state": Command.State.CANCELLED, "finished_at": at(), "error_description": reason}
    assert finish(Command.objects.all(), **over) == 1
    assert told() == [("Reset", "cancelled")]
    assert "CARD-37" not in str(Event.objects.values().get())


def test_nobody_ends_a_command_without_telling() -> None:
    """No UPDATE with an end, but in `finish`, and where the batch and the claim tell themselves."""
    found = []
    for path in OCPP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            names = {item.arg: ast.unparse(item.value) for item in node.keywords}
            is_command = "State." in names.get("state", "")
            if node.func.attr == "update" and "finished_at" in names and is_command:
                found.append(f"{path.relative_to(OCPP)}:{node.lineno}")
    assert found == []


def test_an_alert_is_told_when_it_is_raised_and_when_it_ends() -> None:
    """Without its summary, which may name a card."""
    finding = Finding("charger-fault", "1", "the card TAG-1 …", at=at())
    raise_and_end.record(raise_and_end.Look([finding]), (), at())
    raise_and_end.record(raise_and_end.Look([]), (), at(3600))
    rows = list(Event.objects.order_by("id"))
    assert [row.type for row in rows] == ["alert.raised", "alert.ended"]
    assert rows[0].data["kind"] == "charger-fault"
    assert "TAG-1" not in str([row.data for row in rows])
