"""Which Call goes next, which take others back, which are sent again, and which are the same."""

from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.commands import KeyTaken, lifecycle
from levity.ocpp.commands.sending import send
from levity.ocpp.effects import AUTOMATIC
from levity.ocpp.models import AuditEntry, ChargePoint, Command
from levity.ocpp.versions import V16
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db
READ: tuple[str, dict[str, Any]] = ("GetConfiguration", {})
RESET: tuple[str, dict[str, Any]] = ("Reset", {"type": "Soft"})
UNLOCK: tuple[str, dict[str, Any]] = ("UnlockConnector", {"connectorId": 1})


def start(connector: int | None = 1) -> tuple[str, dict[str, Any]]:
    place = {} if connector is None else {"connectorId": connector}
    return "RemoteStartTransaction", {**place, "idTag": "anonymous"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> CentralSystem:
    """An edge and a backend; `queue` counts from `at(0)`."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: at(0))
    return CentralSystem()


@pytest.fixture
def charger(site: CentralSystem) -> Charger:
    """One with two connectors that is connected."""
    found = site.connect(Charger())
    site.take(found.shows("Available", 1), found.shows("Available", 2))
    return found


def ask(call: tuple[str, dict[str, Any]], **options: Any) -> Command:
    charge_point = ChargePoint.objects.get(identity="CP1")
    return lifecycle.queue(charge_point, *call, source="test", **options)


def look(seconds: float = 0, *, is_there: bool = True) -> list[str]:
    """What a worker does again and again; the ids of the messages that went out."""
    sent: list[str] = []

    def to_edge(reply_to: str, reply: Reply) -> bool:
        sent.extend(item.text.split('"')[1] for item in reply.commands if isinstance(item, Send))
        return is_there

    lifecycle.give_up(at(seconds))
    lifecycle.dispatch(at(seconds), to_edge)
    return sent


def how(*commands: Command) -> list[str]:
    for command in commands:
        command.refresh_from_db()
    return [command.state for command in commands]


def test_stop_and_unlock_go_first_and_the_others_in_their_order(
    site: CentralSystem, charger: Charger
) -> None:
    """A charger with ten reads in its queue was to be unlocked: nobody waits for ten answers."""
    asked = [ask(READ), ask(RESET), ask(UNLOCK), ask(UNLOCK), ask(READ)]
    first, reset, unlock, second, last = asked
    order = []
    for _ in asked:
        (sent,) = look()
        order.append(sent)
        site.take(charger.answers(sent, {"status": "Unlocked"}))
    expected = [unlock, second, first, reset, last]
    assert order == [command.unique_id for command in expected]


def test_an_unlock_takes_the_starts_of_its_connector_back(charger: Charger) -> None:
    here, there, anywhere, reset = ask(start(1)), ask(start(2)), ask(start(None)), ask(RESET)
    automatic = ask(start(1))
    Command.objects.filter(pk=automatic.pk).update(source=AUTOMATIC, only_connector=1)
    unlock = ask(UNLOCK)
    assert how(here, there, anywhere, reset, automatic, unlock) == [
        *("cancelled", "queued", "queued", "queued", "cancelled", "queued"),
    ]
    assert here.error_description == (
        f"taken back: command {unlock.pk} stops or unlocks this connector"
    )
    assert here.finished_at == at(0)


def test_a_start_without_a_connector_is_for_the_only_one(site: CentralSystem) -> None:
    site.take(site.connect(Charger()).shows("Available", 1))
    anywhere = ask(start(None))
    ask(UNLOCK)
    assert how(anywhere) == ["cancelled"]


def test_a_stop_takes_the_starts_back_of_the_connector_that_its_session_has(
    site: CentralSystem, charger: Charger
) -> None:
    session = site.start(charger, connectorId=2)
    here, there = ask(start(1)), ask(start(2))
    ask(("RemoteStopTransaction", {"transactionId": session}))
    assert how(here, there) == ["queued", "cancelled"]


def test_a_stop_to_many_takes_the_starts_of_each_back(site: CentralSystem) -> None:
    for number in (1, 2, 3):
        charger = site.connect(Charger(f"CP{number}"))
        site.take(charger.shows("Available", 1), charger.shows("Available", 2))
    rows = list(ChargePoint.objects.order_by("identity"))
    waiting = lifecycle.queue_many(rows, *start(1), source="test")
    stops = lifecycle.queue_many(rows[:2], *UNLOCK, source="test")
    assert how(*waiting) == ["cancelled", "cancelled", "queued"]
    assert {stop.priority for stop in stops} == {0}


def test_what_only_reads_is_asked_for_again_once(site: CentralSystem, charger: Charger) -> None:
    command = ask(READ, timeout=10)
    (first,) = look()
    (second,) = look(11)
    assert second != first
    assert how(command) == ["sent"]
    # What comes late for the first message is no answer to the second.
    site.take(charger.answers(first, {"configurationKey": []}))
    assert how(command) == ["sent"]
    assert look(22) == []
    assert how(command) == ["timed_out"]
    assert command.tries == 2


def test_the_second_try_may_be_answered(site: CentralSystem, charger: Charger) -> None:
    command = ask(READ, timeout=10)
    look()
    (second,) = look(11)
    site.take(charger.answers(second, {"configurationKey": []}))
    assert how(command) == ["answered"]
    assert command.error_description == ""


@pytest.mark.parametrize("call", [start(1), RESET, UNLOCK])
def test_what_does_something_is_never_sent_twice(
    charger: Charger, call: tuple[str, dict[str, Any]]
) -> None:
    """The first may have been carried out: its answer was lost, not the Call."""
    command = ask(call, timeout=10)
    look()
    assert look(11) == []
    assert look(200) == []
    assert how(command) == ["timed_out"]
    assert command.tries == 1


def test_a_charger_that_went_away_over_a_read_is_not_asked_again(
    site: CentralSystem, charger: Charger
) -> None:
    """ABB Terra AC restarts when some keys are read: asking again would never end."""
    command = ask(READ, timeout=10)
    look()
    charger.now = 5
    site.take(charger.leaves())
    site.connect(charger.again())
    assert look(20) == []
    assert how(command) == ["timed_out"]


def test_only_calls_that_read_are_retried() -> None:
    """The table in docs/commands.md."""
    assert set(V16.calls.retries).isdisjoint(V16.calls.matters)
    assert all(action.startswith("Get") for action in V16.calls.retries)


def test_what_comes_back_from_an_edge_that_is_gone_keeps_its_place(charger: Charger) -> None:
    """The second command overtook the first, which waited for two seconds."""
    first, second = ask(RESET), ask(READ)
    assert look(is_there=False) == [first.unique_id]
    assert look(1) == []
    assert look(2) == [first.unique_id]
    assert how(first, second) == ["sent", "queued"]


def test_one_key_for_two_payloads_is_an_error_that_says_so(charger: Charger) -> None:
    row = ChargePoint.objects.get()
    first = send(row, *RESET, None, source="test", idempotency_key="1")
    again = send(row, *RESET, None, source="test", idempotency_key="1")
    assert (again.command, again.is_new) == (first.command, False)
    for other in (("Reset", {"type": "Hard"}), READ):
        with pytest.raises(KeyTaken, match=f"for Reset \\(command {first.command.pk}\\)"):
            send(row, *other, None, source="test", idempotency_key="1")
    assert Command.objects.count() == AuditEntry.objects.count() == 1


def test_keys_are_compared_where_the_payload_is_masked(charger: Charger) -> None:
    """Both are shown as ********; and the digest tells nobody which password it was."""
    row = ChargePoint.objects.get()
    key = {"key": "AuthorizationKey", "value": "0123456789abcdef0123456789abcdef"}
    first = send(row, "ChangeConfiguration", key, None, source="test", idempotency_key="1")
    same = send(row, "ChangeConfiguration", dict(key), None, source="test", idempotency_key="1")
    assert same.command == first.command
    other = {**key, "value": "f" * 32}
    with pytest.raises(KeyTaken):
        send(row, "ChangeConfiguration", other, None, source="test", idempotency_key="1")


def test_what_could_not_be_sent_in_time_expires(charger: Charger) -> None:
    command = ask(RESET, expires_after=timedelta(seconds=5))
    Command.objects.update(not_before=at(3))
    assert look(6) == []
    assert how(command) == ["expired"]
