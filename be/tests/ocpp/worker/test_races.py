"""Two workers at once, and a database that goes away: on Postgres only.

D-02, D-31, F-07, F-08, T-01, T-18; the workers are threads, each with its own connection.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection, connections, transaction

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import (
    ChargePoint,
    Command,
    Connector,
    FailedMessage,
    IdTag,
    Message,
    Transaction,
)
from levity.ocpp.store import plan_once
from levity.ocpp.worker import pipeline
from levity.ocpp.worker.pipeline import DatabaseAway
from levity_ws.rpc.envelope import Event, Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def race(*jobs: Callable[[], Any]) -> list[Any]:
    """Run these at once, each on its own connection; what they return, in their order."""
    start = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(number: int, job: Callable[[], Any]) -> None:
        try:
            plan_once()
            start.wait(60)
            results[number] = job()
        except BaseException as error:  # noqa: BLE001  # told to the test, which is on another thread
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number, job)) for number, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def taking(*batches: Sequence[Event]) -> Callable[[], list[list[Any]]]:
    """A worker that takes these batches one after the other; the answers it gave."""

    def take() -> list[list[Any]]:
        site = CentralSystem()
        return [json.loads(frame) for events in batches for frame in site.frames(*events)]

    return take


def test_of_two_connections_that_open_at_once_on_two_edges_one_is_closed() -> None:
    """Both workers saw a charger that was off line: neither connection took over from the other."""
    chargers = [Charger(f"CP{number}") for number in range(40)]
    moved = [charger.again() for charger in chargers]
    for charger in chargers:
        CentralSystem().take(charger.connects(), charger.leaves())
    newer = []
    for charger in chargers:
        newer.append(charger.again())
        newer[-1].now += 1

    def opening(edge: str, group: Sequence[Charger]) -> Callable[[], list[str]]:
        site = CentralSystem(edge)

        def take() -> list[str]:
            closed = []
            for charger in group:
                taken = site.take(charger.connects())
                commands = [*taken.reply.commands, *(command for _, command in taken.elsewhere)]
                closed += [close.connection for close in commands]
            return closed

        return take

    one, two = race(opening("edge-1", moved), opening("edge-2", newer))
    assert sorted(one + two) == sorted(charger.connection for charger in moved)
    current = ChargePoint.objects.values_list("connection", flat=True)
    assert {str(each) for each in current} == {charger.connection for charger in newer}


def test_two_workers_with_the_same_start_make_one_transaction() -> None:
    """D-02: 100 races in which the constraint decides; 0 duplicates, 0 errors."""
    chargers = [Charger(f"CP{number}") for number in range(10)]
    rounds = range(10)

    def copies() -> Callable[[], list[list[Any]]]:
        again = [charger.again() for charger in chargers]
        return taking(*[[one.starts(meterStart=number) for one in again] for number in rounds])

    one, two = race(copies(), copies())
    assert len(one) == len(two) == 100
    assert {answer[0] for answer in (*one, *two)} == {3}
    assert [answer[2] for answer in one] == [answer[2] for answer in two]
    assert Transaction.objects.count() == 100
    assert FailedMessage.objects.count() == 0
    for connector in Connector.objects.all():
        assert Transaction.objects.filter(state="active", connector=connector.number).count() == 10


def test_two_workers_with_the_same_batch_give_the_same_answers() -> None:
    """Redelivered while the first worker still had it: everything once, byte-equal answers."""
    chargers = [Charger(f"CP{number}") for number in range(20)]
    batches = [
        [charger.connects() for charger in chargers],
        [charger.boots() for charger in chargers],
        [charger.shows("Preparing") for charger in chargers],
        [charger.starts() for charger in chargers],
        [charger.starts(connectorId="one") for charger in chargers],
        [charger.measures(None, 1500) for charger in chargers],
        [charger.says("no JSON") for charger in chargers],
        [charger.calls("Heartbeat") for charger in chargers],
    ]
    one, two = race(taking(*batches), taking(*batches))
    assert one == two
    assert Transaction.objects.count() == 20
    assert Message.objects.count() == 7 * 20
    assert Command.objects.count() == 20
    assert FailedMessage.objects.count() == 0


def test_fresh_chargers_in_two_workers_are_added_once() -> None:
    """D-31: six of them, whatever the order and the letters."""
    names = [f"CP{number}" for number in range(6)]
    for _ in range(5):
        ChargePoint.objects.all().delete()
        one = [Charger(name).shows("Available") for name in names]
        two = [Charger(name.lower()).shows("Available", 2) for name in reversed(names)]
        answers = race(taking(one), taking(two))
        assert all(answer[0] == 3 for worker in answers for answer in worker)
        assert ChargePoint.objects.count() == 6
        assert Connector.objects.count() == 12
    assert FailedMessage.objects.count() == 0


def test_two_workers_write_the_same_rows_in_any_order_without_a_deadlock() -> None:
    """T-18: the lock order is fixed; what is left is tried again."""
    chargers = [Charger(f"CP{number}") for number in range(30)]
    CentralSystem().take(*(charger.connects() for charger in chargers))

    def worker(order: Sequence[Charger]) -> Callable[[], list[list[Any]]]:
        batches = []
        for number in range(8):
            own = [charger.again() for charger in order]
            for one in own:
                one.now = number * 100.0
            batches += [
                [one.boots() for one in own],
                [one.shows(f"S{number}", 1 + number % 2) for one in own],
                [one.starts(meterStart=number) for one in own],
                [one.calls("FirmwareStatusNotification", {"status": "Idle"}) for one in own],
            ]
        return taking(*batches)

    answers = race(worker(chargers), worker(chargers[::-1]))
    assert all(answer[0] == 3 for worker in answers for answer in worker)
    assert FailedMessage.objects.count() == 0


def test_two_dispatchers_send_every_call_once_and_one_at_a_time() -> None:
    """D-25: one outstanding Call for each charge point, in any number of workers."""
    chargers = [Charger(f"CP{number}") for number in range(20)]
    CentralSystem().take(*(charger.connects() for charger in chargers))
    points = list(ChargePoint.objects.order_by("id"))
    for number in range(3):
        Command.objects.bulk_create(
            Command(charge_point=point, action=f"A{number}", not_before=at(0)) for point in points
        )
    sent: list[str] = []

    def send(reply_to: str, reply: Reply) -> bool:
        for command in reply.commands:
            assert isinstance(command, Send)
            sent.append(f"{command.connection} {json.loads(command.text)[2]}")
        return True

    for number in range(3):

        def work() -> None:
            for _ in range(5):
                lifecycle.dispatch(at(1), send)

        race(work, work, work)
        # What two transactions took from each other is there at the next look.
        lifecycle.dispatch(at(1), send)
        assert sorted(sent) == sorted(f"{charger.connection} A{number}" for charger in chargers)
        assert Command.objects.filter(state="sent").count() == 20
        sent.clear()
        Command.objects.filter(state="sent").update(state="answered")
    assert Message.objects.filter(sender="cs").count() == 60


def test_two_extensions_that_add_the_same_tag_do_not_hurt_each_other() -> None:
    """Unknown tags of the rule `record`, in two workers."""
    ChargePoint.objects.bulk_create(
        ChargePoint(identity=name, authorization="record") for name in ("A", "B")
    )
    tags = [f"T{number}" for number in range(50)]
    answers = race(
        taking(*[[Charger("A").calls("Authorize", {"idTag": tag})] for tag in tags]),
        taking(*[[Charger("B").calls("Authorize", {"idTag": tag})] for tag in reversed(tags)]),
    )
    assert all(answer[0] == 3 for worker in answers for answer in worker)
    assert IdTag.objects.count() == 50


def household(name: str, *members: str) -> None:
    """A group of tags of which one may charge at a time."""
    group = IdTag.objects.create(id_tag=name, max_transactions=1)
    IdTag.objects.bulk_create(IdTag(id_tag=member, parent=group) for member in members)


def verdicts(*workers: list[list[Any]]) -> list[str]:
    """What the starts of these workers were told of their tags, sorted."""
    return sorted(answer[2]["idTagInfo"]["status"] for worker in workers for answer in worker)


@pytest.mark.parametrize(
    "tags", [("Ann", "Ben"), ("Ann", "FLAT-7"), ("solo", "SOLO")], ids=["cards", "group", "own"]
)
def test_two_cards_of_a_household_at_two_workers_in_the_same_moment(
    tags: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is one car: the second worker sees what the first one did."""
    household("flat-7", "Ann", "Ben")
    household("solo")
    both_have_read = threading.Barrier(2)
    apply = pipeline.apply

    def apply_late(*args: Any) -> Any:
        with suppress(threading.BrokenBarrierError):  # the other one waits its turn
            both_have_read.wait(1)
        return apply(*args)

    monkeypatch.setattr(pipeline, "apply", apply_late)
    one, two = (
        taking([Charger(f"CP{number}").starts(idTag=tag)]) for number, tag in enumerate(tags)
    )
    assert verdicts(*race(one, two)) == ["Accepted", "ConcurrentTx"]
    flags = Transaction.objects.values_list("flags", flat=True)
    assert sorted(flags) == ["", "id-tag-concurrenttx"]


def test_households_at_two_workers_in_any_order_wait_in_no_circle() -> None:
    """Ten households, two cards each, all at once: ten cars charge, and nobody gets an error."""
    flats = range(10)
    for rounds in range(5):
        Transaction.objects.all().delete()
        IdTag.objects.all().delete()
        for flat in flats:
            household(f"flat-{flat}", f"Ann {flat}", f"Ben {flat}")
        ann = [Charger(f"A{flat}").starts(idTag=f"Ann {flat}", meterStart=rounds) for flat in flats]
        ben = [
            Charger(f"B{flat}").starts(idTag=f"Ben {flat}", meterStart=rounds)
            for flat in reversed(flats)
        ]
        answers = verdicts(*race(taking(ann), taking(ben)))
        assert answers == ["Accepted"] * 10 + ["ConcurrentTx"] * 10
    assert FailedMessage.objects.count() == 0


@contextmanager
def second_connection() -> Iterator[Any]:
    """Another session on the same database, to do harm with."""
    other = connection.copy("other")
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def kill() -> None:
    """Let the server end the session of this thread."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with second_connection() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_session_that_the_server_ended_costs_one_try_and_no_frame() -> None:
    """F-07, F-08, T-01: 20 kills between two batches; nothing parked, nothing refused."""
    site, charger = CentralSystem(), Charger()
    for number in range(20):
        kill()
        event = charger.starts(meterStart=number)
        try:
            answer = site.answer(event)
        except DatabaseAway:
            answer = site.answer(event)
        assert answer[0] == 3
    assert Transaction.objects.count() == 20
    assert FailedMessage.objects.count() == 0


@pytest.mark.parametrize("where", ["load", "chain", "apply"])
def test_a_session_that_ends_in_the_middle_of_a_batch_leaves_nothing(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 6: neither half a batch nor an error to a charger.

    Django connects again by itself, so the batch is taken again frame by frame at once.
    """
    site = CentralSystem()
    events = [Charger(f"CP{number}").starts() for number in range(5)]
    armed = [True]

    def killing(inner: Callable[..., Any]) -> Callable[..., Any]:
        def harm(*args: Any) -> Any:
            if armed:
                armed.clear()
                kill()
            return inner(*args)

        return harm

    if where == "chain":
        site.pipeline.chain = killing(site.pipeline.chain)
    else:
        monkeypatch.setattr(pipeline, where, killing(getattr(pipeline, where)))
    answers = [json.loads(frame) for frame in site.frames(*events)]
    assert [answer[0] for answer in answers] == [3] * 5
    assert armed == []
    ids = set(Transaction.objects.values_list("id", flat=True))
    assert {answer[2]["transactionId"] for answer in answers} == ids
    assert Message.objects.count() == 5
    assert FailedMessage.objects.count() == 0


def test_a_server_that_stays_away_is_told_from_a_bad_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F-06: nobody listens at the address; no answer at all, and nothing parked."""
    site, charger = CentralSystem(), Charger()
    event = charger.starts()
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        with pytest.raises(DatabaseAway):
            site.take(event)
        with pytest.raises(DatabaseAway):
            site.take(event, deliveries=1)
    assert "transactionId" in site.result(event)
    assert FailedMessage.objects.count() == 0


def test_a_lock_that_is_held_for_long_holds_the_batch_and_parks_nothing() -> None:
    """T-19: lock_timeout ends the wait; whoever holds the lock lets go in the end."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    event = charger.boots()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    with second_connection() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM ocpp_chargepoint FOR UPDATE")
        with pytest.raises(DatabaseAway):
            site.take(event)
        cursor.execute("ROLLBACK")
    assert site.result(event)["status"] == "Accepted"
    assert FailedMessage.objects.count() == 0
    connection.close()


def test_a_read_only_server_is_a_server_that_is_away() -> None:
    """F-09: disk full, or a standby after a failover; nobody is told that his message is bad."""
    site, charger = CentralSystem(), Charger()
    event = charger.starts()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        with pytest.raises(DatabaseAway):
            site.take(event)
    finally:
        connection.close()
    assert "transactionId" in site.result(event)
    assert FailedMessage.objects.count() == 0


def test_what_a_worker_holds_is_no_open_transaction() -> None:
    """T-02: between two batches the session is idle, not idle in transaction."""
    site, charger = CentralSystem(), Charger()
    site.result(charger.starts())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    assert not transaction.get_connection().in_atomic_block
    with second_connection() as cursor:
        cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid])
        assert cursor.fetchone() == ("idle",)
