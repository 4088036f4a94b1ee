"""Whoever waits for an answer learns of it at once, and holds nothing while nothing happens."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from levity.db import notices
from levity.ocpp.commands import lifecycle, waiting
from levity.ocpp.commands.waiting import place_to_wait, wait_for
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.store.news import COMMANDS_WAIT
from levity.ocpp.worker.loop import Worker
from levity_ws.rpc.envelope import Reply, Send
from levity_ws.rpc.memory import MemoryBroker
from tests.ocpp.charger import CentralSystem, Charger

NEVER = 60.0


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    return CentralSystem().connect(Charger())


@pytest.fixture(autouse=True)
def only_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself in these tests."""
    monkeypatch.setattr(waiting, "LOOK", NEVER)


def reset() -> Command:
    row = ChargePoint.objects.get(identity="CP1")
    return lifecycle.queue(row, "Reset", {"type": "Soft"}, source="test")


def aside(job: Callable[[], Any]) -> threading.Thread:
    """Run it in another thread, with a connection of its own."""

    def run() -> None:
        try:
            job()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_a_waiter_hears_of_the_answer_and_has_given_its_connection_back(
    charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = reset()
    sent: list[str] = []
    lifecycle.dispatch(command.not_before, lambda _, reply: not sent.extend(_ids(reply)))
    let_go = threading.Event()
    usual = waiting._let_go

    def noted() -> None:
        usual()
        if connection.vendor == "postgresql":
            assert connection.connection is None
        let_go.set()

    monkeypatch.setattr(waiting, "_let_go", noted)
    began = time.monotonic()

    def answer() -> None:
        assert let_go.wait(30)
        CentralSystem().take(charger.answers(sent[0], {"status": "Accepted"}))

    thread = aside(answer)
    assert wait_for(command, 30)
    assert time.monotonic() - began < 10
    assert (command.state, command.result) == ("answered", {"status": "Accepted"})
    thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["cancel", "expire", "disconnect"])
def test_a_waiter_hears_of_every_end(charger: Charger, end: str) -> None:
    command = reset()
    if end == "disconnect":
        lifecycle.dispatch(command.not_before, lambda *_: True)
    heard = threading.Event()
    ended = notices.listen("levity_commands_ended", lambda _: heard.set())
    match end:
        case "cancel":
            assert lifecycle.cancel(Command.objects.all()) == 1
        case "expire":
            assert command.expires_at is not None
            assert lifecycle.give_up(command.expires_at.replace(year=2099)) == 1
        case _:
            CentralSystem().take(charger.leaves())
    ended()
    assert heard.is_set()


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_told_so(charger: Charger) -> None:
    command = reset()
    assert not wait_for(command, 0.05)
    assert command.state == "queued"


def test_only_so_many_may_wait(settings: Any) -> None:
    settings.OCPP_WAITING_REQUESTS = 2
    with place_to_wait() as first, place_to_wait() as second, place_to_wait() as third:
        assert (first, second, third) == (True, True, False)
    with place_to_wait() as again:
        assert again


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_sleeps_is_woken_by_what_is_queued(charger: Charger) -> None:
    """It looked every quarter of a second; here it would look in a minute."""
    transport = MemoryBroker().worker_transport()
    worker = Worker(transport)
    worker.next_look = worker.clock() + NEVER
    ended = notices.listen(COMMANDS_WAIT, worker.look_now)
    looked: list[float] = []
    worker._look = lambda: looked.append(1)  # type: ignore[method-assign]
    try:
        reset()
        worker.step(NEVER)
    finally:
        ended()
    assert looked == [1]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody(charger: Charger) -> None:
    heard: list[str] = []
    ended = notices.listen(COMMANDS_WAIT, heard.append)
    from django.db import transaction

    with transaction.atomic():
        reset()
        assert heard == []
        transaction.set_rollback(True)
    assert heard == []
    ended()


@pytest.mark.postgres
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_another_process_hears_it_over_the_database(charger: Charger) -> None:
    """Here a connection that nobody in this process listens to by an event."""
    heard = threading.Event()
    notices.hear_others(COMMANDS_WAIT)
    first = threading.Event()
    ended = notices.listen(COMMANDS_WAIT, lambda _: first.set())
    assert first.wait(10) or True
    ended()
    ended = notices.listen(COMMANDS_WAIT, lambda _: heard.set())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [COMMANDS_WAIT])
    assert heard.wait(60)
    ended()


def _ids(reply: Reply) -> list[str]:
    return [item.text.split('"')[1] for item in reply.commands if isinstance(item, Send)]
