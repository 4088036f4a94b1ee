"""What a worker's database may do to it: T-01, T-12, T-18, T-19."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from levity.ocpp.models import FailedMessage, Transaction
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.worker import pipeline
from levity.ocpp.worker.pipeline import DatabaseAway
from tests.ocpp.charger import CentralSystem, Charger

postgres = pytest.mark.postgres
whole = pytest.mark.django_db(transaction=True)


@contextmanager
def another_session() -> Iterator[Any]:
    """A cursor of somebody else, with a transaction of his own."""
    other = connection.copy("other")
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


@postgres
@whole
def test_a_thousand_messages_survive_a_hundred_killed_sessions() -> None:
    """T-01: the session is ended between two batches; a hundred batches of ten."""
    site = CentralSystem()
    chargers = [Charger(f"CP{number}") for number in range(10)]
    answered = away = 0
    with another_session() as cursor:
        for number in range(100):
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            events = [charger.starts(meterStart=number) for charger in chargers]
            for _ in range(2):
                try:
                    answers = [json.loads(frame) for frame in site.frames(*events)]
                except DatabaseAway:
                    away += 1
                    continue
                assert all(answer[0] == 3 for answer in answers)
                answered += len(answers)
                break
    assert answered == 1000
    # One failed attempt for each kill at most (F-07).
    assert away <= 100
    assert Transaction.objects.count() == 1000
    assert FailedMessage.objects.count() == 0


class Trap:
    """Fails while it is armed."""

    armed = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, once the bug is mended."""
        if request.action == "StartTransaction" and Trap.armed:
            raise ZeroDivisionError("a bug of ours")
        return self.get_response(request)


@pytest.mark.django_db
@pytest.mark.slow
def test_a_hundred_parked_messages_are_replayed_and_once_more_does_no_harm(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """T-12: 100 of 100."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Trap"]
    Trap.armed = True
    site = CentralSystem()
    for number in range(100):
        assert site.error(Charger(f"CP{number}").starts(meterStart=number)) == "InternalError"
    assert FailedMessage.objects.count() == 100
    Trap.armed = False
    call_command("replay_failed")
    assert "100 recorded, 0 failed again" in capsys.readouterr().out
    rows = set(Transaction.objects.values_list("charge_point__identity", "meter_start"))
    assert rows == {(f"CP{number}", number) for number in range(100)}
    FailedMessage.objects.update(replayed_at=None)
    call_command("replay_failed")
    assert Transaction.objects.count() == 100


@postgres
@whole
def test_the_victim_of_a_deadlock_tries_again_and_nobody_hears_of_it() -> None:
    """T-18: 40P01. The other one holds row B and wants row A, the worker has A and wants B."""
    site = CentralSystem()
    chargers = [site.connect(Charger(name)) for name in ("A", "B")]
    with connection.cursor() as cursor:
        # Who looks first is the victim.
        cursor.execute("SET deadlock_timeout = '100ms'; SET lock_timeout = '20s'")
        cursor.execute("SELECT pg_backend_pid()")
        (worker,) = cursor.fetchone()
    held = threading.Event()
    committed = threading.Event()

    def other() -> None:
        with another_session() as cursor:
            cursor.execute("SET deadlock_timeout = '20s'")
            cursor.execute("BEGIN")
            cursor.execute("UPDATE ocpp_chargepoint SET vendor = vendor WHERE identity = 'B'")
            held.set()
            with another_session() as look:
                while True:
                    look.execute(
                        "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [worker]
                    )
                    if look.fetchone() == ("Lock",):
                        break
            cursor.execute("UPDATE ocpp_chargepoint SET vendor = vendor WHERE identity = 'A'")
            cursor.execute("COMMIT")
            committed.set()

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(60)
    before = deadlocks()
    answers = [json.loads(frame) for frame in site.frames(*(each.boots() for each in chargers))]
    thread.join(60)
    assert committed.is_set()
    assert [answer[2]["status"] for answer in answers] == ["Accepted", "Accepted"]
    assert deadlocks() > before
    assert FailedMessage.objects.count() == 0
    connection.close()


def deadlocks() -> int:
    """How many there have been in this database; what the sessions have told so far counts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@whole
@pytest.mark.parametrize("code", ["40P01", "40001", "55P03"])
def test_a_frame_is_never_parked_for_what_others_lock(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-18: tried three times, then held and tried again later: the charger hears nothing."""
    site, charger = CentralSystem(), Charger()
    tries = []

    def blocked(arrivals: Any, *_: Any) -> None:
        tries.append(arrivals)
        cause = Exception()
        cause.pgcode = code  # type: ignore[attr-defined]  # as psycopg2 names it
        raise OperationalError("others are in the way") from cause

    event = charger.starts()
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "load", blocked)
        with pytest.raises(DatabaseAway):
            site.take(event)
    assert len(tries) == (4 if connection.vendor == "postgresql" else 1)
    assert FailedMessage.objects.count() == 0
    assert "transactionId" in site.result(event)


@postgres
@whole
def test_a_lock_on_the_transactions_alone_costs_time_and_no_answer() -> None:
    """T-19: the statement fails within lock_timeout, whoever waits is not told that he erred."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    event = charger.starts()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)
        cursor.execute("SET lock_timeout = '100ms'")
    with another_session() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE ocpp_transaction IN EXCLUSIVE MODE")
        with pytest.raises(DatabaseAway):
            site.take(event)
        cursor.execute("ROLLBACK")
    assert "transactionId" in site.result(event)
    assert FailedMessage.objects.count() == 0
    connection.close()
