"""What a charger says later settles a Call of ours whose answer was lost (issue 13, 6)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import ChargePoint, Command
from levity_ws.rpc.envelope import Received, Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db
LOST = "; its own answer did not come"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> CentralSystem:
    """A backend whose queue counts from `NOW`."""
    monkeypatch.setattr("levity.ocpp.commands.lifecycle.timezone.now", lambda: at(0))
    return CentralSystem()


@pytest.fixture
def charger(site: CentralSystem) -> Charger:
    """One that is connected."""
    return site.connect(Charger())


def sent(action: str, payload: dict[str, Any], seconds: float = 1) -> Command:
    """Queued and sent; nothing has come back yet."""
    command = lifecycle.queue(ChargePoint.objects.get(), action, payload, source="test")

    def send(_: str, reply: Reply) -> bool:
        return all(isinstance(item, Send) for item in reply.commands)

    assert lifecycle.dispatch(at(seconds), send) == 1
    return command


def stands(command: Command) -> tuple[str, str]:
    """Its state, and what confirmed it."""
    command.refresh_from_db()
    return command.state, command.confirmed_by


def given_up(command: Command, charger: Charger) -> None:
    """Its answer did not come in time."""
    lifecycle.give_up(at(200))
    assert stands(command) == ("timed_out", "")
    charger.now = 201


KINDS: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    (
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "connectorId": 1},
        "StatusNotification",
        {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
        "StatusNotification Available",
    ),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Heartbeat", {}, "Heartbeat"),
    (
        "TriggerMessage",
        {"requestedMessage": "MeterValues"},
        "MeterValues",
        {"connectorId": 1, "meterValue": []},
        "MeterValues",
    ),
    (
        "ExtendedTriggerMessage",
        {"requestedMessage": "LogStatusNotification"},
        "LogStatusNotification",
        {"status": "Idle"},
        "LogStatusNotification Idle",
    ),
    (
        "UpdateFirmware",
        {"location": "https://example.com/fw.bin", "retrieveDate": wire()},
        "FirmwareStatusNotification",
        {"status": "Downloading"},
        "FirmwareStatusNotification Downloading",
    ),
    (
        "GetDiagnostics",
        {"location": "https://example.com/in/"},
        "DiagnosticsStatusNotification",
        {"status": "Uploading"},
        "DiagnosticsStatusNotification Uploading",
    ),
    (
        "RemoteStartTransaction",
        {"connectorId": 1, "idTag": "anna"},
        "StartTransaction",
        {"connectorId": 1, "idTag": "ANNA", "meterStart": 5, "timestamp": wire(200)},
        "StartTransaction",
    ),
    (
        "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"},
        "StatusNotification",
        {"connectorId": 1, "errorCode": "NoError", "status": "Unavailable"},
        "StatusNotification Unavailable",
    ),
    (
        "ReserveNow",
        {"connectorId": 1, "idTag": "A", "reservationId": 7, "expiryDate": wire(9000)},
        "StatusNotification",
        {"connectorId": 1, "errorCode": "NoError", "status": "Reserved"},
        "StatusNotification Reserved",
    ),
]
NAMES = [f"{action} {said}" for action, _, said, _, _ in KINDS]


@pytest.mark.parametrize(("action", "asked", "said", "payload", "shown"), KINDS, ids=NAMES)
def test_what_comes_after_the_time_out_settles_the_command(
    site: CentralSystem,
    charger: Charger,
    action: str,
    asked: dict[str, Any],
    said: str,
    payload: dict[str, Any],
    shown: str,
) -> None:
    """It was done, and says by what it is known."""
    command = sent(action, asked)
    given_up(command, charger)
    site.take(charger.calls(said, payload))
    assert stands(command) == ("answered", f"{shown} at 2026-11-22 12:03:21 UTC{LOST}")
    assert command.error_description == ""


@pytest.mark.parametrize(("action", "asked", "said", "payload", "shown"), KINDS, ids=NAMES)
def test_what_comes_before_the_time_out_settles_it_five_seconds_later(
    site: CentralSystem,
    charger: Charger,
    action: str,
    asked: dict[str, Any],
    said: str,
    payload: dict[str, Any],
    shown: str,
) -> None:
    """Many chargers say it just before they answer; and then the next Call may go."""
    command = sent(action, asked)
    charger.now = 2
    site.take(charger.calls(said, payload))
    lifecycle.give_up(at(6))
    assert stands(command) == ("sent", "")
    lifecycle.give_up(at(8))
    assert stands(command) == ("answered", f"{shown} at 2026-11-22 12:00:02 UTC{LOST}")


def test_a_boot_settles_the_reset_whose_answer_was_lost(
    site: CentralSystem, charger: Charger
) -> None:
    """The line broke before it answered, as with chargers that reset at once."""
    command = sent("Reset", {"type": "Hard"})
    charger.now = 3
    site.take(charger.leaves())
    assert stands(command) == ("timed_out", "")
    charger = charger.again()
    charger.now = 40
    site.connect(charger)
    assert stands(command) == ("timed_out", "")
    site.result(charger.boots())
    assert stands(command) == ("answered", f"BootNotification at 2026-11-22 12:00:40 UTC{LOST}")


def test_a_stop_settles_the_remote_stop_of_that_session_only(
    site: CentralSystem, charger: Charger
) -> None:
    one = site.start(charger)
    other = site.start(charger, connectorId=2, meterStart=7)
    command = sent("RemoteStopTransaction", {"transactionId": one})
    given_up(command, charger)
    site.result(charger.calls("StopTransaction", stop(other)))
    assert stands(command) == ("timed_out", "")
    site.result(charger.calls("StopTransaction", stop(one)))
    assert stands(command)[0] == "answered"


def stop(transaction_id: int) -> dict[str, Any]:
    """The end of this session."""
    return {"transactionId": transaction_id, "meterStop": 2000, "timestamp": wire(200)}


@pytest.mark.parametrize(
    ("action", "asked", "said", "payload"),
    [
        # Another connector, another tag, another message, what it says when it is merely asked.
        (
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "connectorId": 2},
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
        ),
        (
            "RemoteStartTransaction",
            {"connectorId": 1, "idTag": "ANNA"},
            "StartTransaction",
            {"connectorId": 1, "idTag": "BOB", "meterStart": 5, "timestamp": wire(200)},
        ),
        ("TriggerMessage", {"requestedMessage": "BootNotification"}, "Heartbeat", {}),
        (
            "UpdateFirmware",
            {"location": "https://example.com/fw.bin", "retrieveDate": wire()},
            "FirmwareStatusNotification",
            {"status": "Idle"},
        ),
        (
            "ChangeAvailability",
            {"connectorId": 1, "type": "Operative"},
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": "Unavailable"},
        ),
        ("ClearCache", {}, "Heartbeat", {}),
    ],
)
def test_what_shows_nothing_settles_nothing(
    site: CentralSystem,
    charger: Charger,
    action: str,
    asked: dict[str, Any],
    said: str,
    payload: dict[str, Any],
) -> None:
    """It stays without an answer, and its outcome unknown."""
    command = sent(action, asked)
    given_up(command, charger)
    site.take(charger.calls(said, payload))
    assert stands(command) == ("timed_out", "")


def test_what_was_said_before_the_call_shows_nothing(site: CentralSystem, charger: Charger) -> None:
    """A frame of before that comes late (spooled, say) does not either."""
    command = sent("TriggerMessage", {"requestedMessage": "Heartbeat"}, seconds=10)
    given_up(command, charger)
    charger.now = 5
    site.take(charger.calls("Heartbeat"))
    assert stands(command) == ("timed_out", "")


def test_evidence_of_an_hour_later_is_none(site: CentralSystem, charger: Charger) -> None:
    """A charger boots now and then."""
    command = sent("Reset", {"type": "Soft"})
    given_up(command, charger)
    charger.now = 3600
    site.result(charger.boots())
    assert stands(command) == ("timed_out", "")


def test_its_own_answer_still_counts_when_it_comes_at_last(
    site: CentralSystem, charger: Charger
) -> None:
    """Mennekes answers after more than a minute: the charger's own word is the better one."""
    command = sent("TriggerMessage", {"requestedMessage": "Heartbeat"})
    given_up(command, charger)
    site.take(charger.calls("Heartbeat"))
    assert stands(command)[0] == "answered"
    site.take(charger.answers(command.unique_id, {"status": "Rejected"}))
    command.refresh_from_db()
    assert (command.state, command.result_status, command.answered_late) == (
        "answered",
        "Rejected",
        True,
    )


def test_a_frame_of_a_charger_that_owes_nothing_asks_the_database_nothing(
    site: CentralSystem, charger: Charger
) -> None:
    """The mark on the charge point is loaded anyway."""

    def asked(event: Received) -> int:
        """Statements about commands."""
        with CaptureQueriesContext(connection) as captured:
            site.take(event)
        return sum("ocpp_command" in query["sql"] for query in captured.captured_queries)

    charger.now = 0.5
    assert asked(charger.calls("Heartbeat")) == 0
    command = sent("TriggerMessage", {"requestedMessage": "Heartbeat"})
    given_up(command, charger)
    assert asked(charger.calls("Heartbeat")) > 0
