"""A worker's transaction: how often it goes to Postgres, and that it is one all the same."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from levity.db import plans
from levity.db import round_trips as trips
from levity.db.round_trips import ahead
from levity.db.rows import insert_rows, written_together
from levity.ocpp.models import (
    ChargePoint,
    Connector,
    FailedMessage,
    Message,
    SecurityEvent,
    Transaction,
)
from levity.ocpp.store import in_few_trips
from levity.ocpp.worker.pipeline import DatabaseAway
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

EVENT = ("type", "detail", "at", "received_at")


@pytest.fixture(autouse=True)
def as_in_a_worker() -> Iterator[None]:
    """Plans, and with them few trips."""
    connection.close()
    plans.plan_once()
    yield
    plans._thread.plans = False
    connection.close()


def note(detail: str) -> None:
    now = timezone.now()
    insert_rows(SecurityEvent, EVENT, [("T", detail, now, now)])


def noted() -> list[str]:
    return list(SecurityEvent.objects.order_by("id").values_list("detail", flat=True))


def is_idle() -> bool:
    """No transaction is open on this connection."""
    return bool(connection.connection.info.transaction_status == 0)


def one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


class Trips:
    """Each text that psycopg2 sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __call__(
        self, execute: Any, sql: Any, parameters: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        try:
            return execute(sql, parameters, many, context)
        finally:
            self.sent.append(context["cursor"].cursor.query.decode())


def test_a_heartbeat_and_a_status_go_to_postgres_twice() -> None:
    """BEGIN and the turn with the first query, COMMIT with the writes."""
    site, charger = CentralSystem(), Charger("CP1")
    site.take(charger.connects())
    site.take(charger.boots())
    for _ in range(2):  # the first time, statements are planned
        site.take(charger.calls("Heartbeat"))
        site.take(charger.shows("Available"))
    trips = Trips()
    with connection.execute_wrapper(trips):
        site.take(charger.calls("Heartbeat"))
    assert len(trips.sent) == 2
    assert trips.sent[0].startswith("BEGIN;")
    assert trips.sent[1].endswith(";\nCOMMIT")
    trips = Trips()
    with connection.execute_wrapper(trips):
        site.take(charger.shows("Preparing"))
    assert len(trips.sent) == 2
    assert is_idle()
    assert Connector.objects.get().status == "Preparing"


def test_what_fails_in_the_middle_leaves_nothing() -> None:
    @in_few_trips()
    @written_together()
    def work() -> None:
        note("one")
        one()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert is_idle()
    assert noted() == []


def test_what_fails_before_the_first_statement_leaves_nothing() -> None:
    with pytest.raises(ZeroDivisionError), in_few_trips():
        raise ZeroDivisionError
    assert is_idle()
    one()


def test_a_constraint_that_is_checked_at_the_end_undoes_all() -> None:
    @in_few_trips()
    @written_together()
    def work() -> None:
        note("one")
        row = (2**30, 1, "Available", 0)
        insert_rows(Connector, ("charge_point_id", "number", "status", "evse"), [row])

    with pytest.raises(IntegrityError):
        work()
    assert is_idle()
    assert noted() == []
    note("after")
    assert noted() == ["after"]


def test_a_statement_that_fails_undoes_all() -> None:
    @in_few_trips()
    def work() -> None:
        note("one")
        ChargePoint.objects.create(identity="CP1")
        ChargePoint.objects.create(identity="cp1")

    with pytest.raises(IntegrityError):
        work()
    assert is_idle()
    assert noted() == []


def test_a_savepoint_inside_is_one() -> None:
    @transaction.atomic
    def fail() -> None:
        note("two")
        raise ZeroDivisionError

    with in_few_trips():
        note("one")
        with pytest.raises(ZeroDivisionError):
            fail()
        note("three")
    assert noted() == ["one", "three"]


def test_what_django_marks_for_rollback_is_rolled_back() -> None:
    with in_few_trips():
        note("one")
        with pytest.raises(ZeroDivisionError), transaction.atomic(savepoint=False):
            raise ZeroDivisionError
    assert is_idle()
    assert noted() == []


def test_what_comes_after_the_writes_is_committed_too() -> None:
    with in_few_trips():
        with written_together():
            note("one")
        note("two")
    assert is_idle()
    assert noted() == ["one", "two"]


def test_writes_inside_a_savepoint_commit_nothing() -> None:
    @in_few_trips()
    def work() -> None:
        with transaction.atomic(), written_together():
            note("one")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert is_idle()
    assert noted() == []


def test_inside_another_transaction_it_is_a_part_of_that() -> None:
    @transaction.atomic
    def work() -> None:
        with in_few_trips(), written_together():
            note("one")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert noted() == []


def test_a_transaction_without_a_statement_is_none() -> None:
    with in_few_trips(), written_together():
        pass
    assert is_idle()


def test_what_goes_ahead_keeps_its_signs() -> None:
    with in_few_trips():
        ahead("SELECT set_config('levity.odd', %s, false)", ["100 %, %s and 'x'"])
        one()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('levity.odd')")
        assert cursor.fetchone()[0] == "100 %, %s and 'x'"


def test_a_connection_that_is_cut_in_the_middle_is_made_again() -> None:
    @in_few_trips()
    def work() -> None:
        note("one")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        work()
    connection.close()
    note("after")
    assert noted() == ["after"]


def test_a_batch_on_a_connection_that_was_cut_is_taken_again() -> None:
    site, charger = CentralSystem(), Charger("CP1")
    site.take(charger.connects())
    connection.connection.close()
    beat = charger.calls("Heartbeat")
    with pytest.raises(DatabaseAway):
        site.take(beat)
    site.take(beat)
    assert Message.objects.filter(action="Heartbeat").count() == 1


CUT = "SELECT pg_terminate_backend(pg_backend_pid())"


class Cuts:
    """Ends the session before or after the COMMIT, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int, end: str = "{cut};\nCOMMIT"):
        self.left, self.end, self.with_commit = times, end.format(cut=CUT), trips._with_commit
        monkeypatch.setattr(trips, "_with_commit", self)

    def __call__(self, text: str, database: Any) -> str:
        if not self.left:
            return self.with_commit(text, database)
        self.left -= 1
        return f"{text};\n{self.end}"


@pytest.mark.parametrize("end", ["{cut};\nCOMMIT", "COMMIT;\n{cut}"], ids=["before", "after"])
def test_a_server_that_goes_away_around_the_commit_costs_no_transaction_and_makes_no_second(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: what is answered is what is committed, also where nobody can tell if it was.

    Django connects again by itself, so the frame is taken again at once.
    """
    site, charger = CentralSystem(), Charger("CP1")
    site.take(charger.connects())
    start, cuts = charger.starts(), Cuts(monkeypatch, 1, end)
    answer = site.result(start)
    assert not cuts.left
    assert answer["transactionId"] == Transaction.objects.get().pk
    assert Message.objects.filter(action="StartTransaction").count() == 1
    assert FailedMessage.objects.count() == 0


def test_sessions_that_are_ended_again_and_again_are_no_fault_of_the_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found by `make soak`: a StartTransaction was parked, and its charger got a CALLERROR."""
    site, charger = CentralSystem(), Charger("CP1")
    site.take(charger.connects())
    start, cuts = charger.starts(), Cuts(monkeypatch, 15)
    away = 0
    while cuts.left:
        try:
            answer = site.result(start)
        except DatabaseAway:
            away += 1
    assert away > 1
    assert answer["transactionId"] == Transaction.objects.get().pk
    assert FailedMessage.objects.count() == 0


def test_a_frame_that_ends_its_session_each_time_is_parked_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else its worker would try for ever."""
    site, charger = CentralSystem(), Charger("CP1")
    site.take(charger.connects())
    start, cuts = charger.starts(), Cuts(monkeypatch, 1000)
    parked = None
    for _ in range(10):
        try:
            parked = site.take(start)
            break
        except DatabaseAway:
            pass
    assert parked is not None
    assert FailedMessage.objects.count() == 1
    assert cuts.left > 900


def test_a_frame_that_comes_again_is_found_by_the_same_look() -> None:
    """`known` of the charge points' query: the stored answer, and no second row."""
    site, charger = CentralSystem(), Charger("CP1")
    site.take(charger.connects())
    beat = charger.calls("Heartbeat")
    first = site.take(beat)
    second = site.take(beat)
    assert Message.objects.filter(action="Heartbeat").count() == 1
    assert [item.text for item in first.reply.commands] == [
        item.text for item in second.reply.commands
    ]
