"""A reader of the outbox skips no event, in whatever order transactions commit."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from levity.integrations.models import Event, Horizon
from levity.integrations.order import Order, horizon
from levity.integrations.outbox import recorder
from levity.ocpp.events import Happened

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def happened(identity: str) -> Happened:
    return Happened("charger.booted", NOW, 1, identity, {}, "", None)


def seen() -> list[str]:
    rows = Event.objects.filter(id__lte=horizon()).order_by("id")
    return list(rows.values_list("identity", flat=True))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_skipped() -> None:
    """The other worker has the lower id, and commits after the reader has looked."""
    written, may_commit = threading.Event(), threading.Event()

    def other_worker() -> None:
        try:
            with transaction.atomic():
                recorder.record([happened("first")])
                written.set()
                assert may_commit.wait(60)
        finally:
            connection.close()

    order = Order()
    order.look(NOW)
    thread = threading.Thread(target=other_worker)
    thread.start()
    assert written.wait(60)
    recorder.record([happened("second")])
    [second] = Event.objects.values_list("id", flat=True)
    for _ in range(3):
        order.look(NOW)
        assert seen() == [], "the reader would pass the event that is not committed yet"
    may_commit.set()
    thread.join()
    order.look(NOW)
    assert seen() == ["first", "second"]
    assert order.safe == second


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_rolled_back_holds_up_nothing() -> None:
    order = Order()
    order.look(NOW)
    with transaction.atomic():
        recorder.record([happened("never")])
        transaction.set_rollback(True)
    recorder.record([happened("second")])
    order.look(NOW)
    assert seen() == ["second"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_transaction_has_its_number_before_the_event_has_its_id() -> None:
    """Or a number taken in between would be lower than that of a transaction with an older id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_default FROM information_schema.columns"
            " WHERE table_name = 'integrations_event' AND column_name = 'id'"
        )
        (default,) = cursor.fetchone()
    assert "pg_current_xact_id() IS NOT NULL" in default


@pytest.mark.django_db
def test_a_process_that_starts_goes_on_from_the_horizon() -> None:
    recorder.record([happened("first")])
    before = Order().look(NOW)
    assert before > 0
    recorder.record([happened("second")])
    after = Order().look(NOW)
    assert after > before
    assert seen() == ["first", "second"]
    assert Horizon.objects.count() == 1


@pytest.mark.django_db
def test_where_nothing_is_new_nothing_is_written(django_assert_num_queries: Any) -> None:
    order = Order()
    recorder.record([happened("first")])
    order.look(NOW)
    with django_assert_num_queries(1):
        order.look(NOW)
