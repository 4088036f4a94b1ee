"""A person or housekeeping decides while a worker has a frame of the same charger: on Postgres."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction

from levity.ocpp.decisions import ending, quarantine
from levity.ocpp.decisions.closing import end_abandoned
from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.store.queries import take_turns
from tests.ocpp.ledger_chargers import Charger, at

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def somebody_waits() -> bool:
    """True if a statement waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def end_by_housekeeping() -> None:
    assert end_abandoned(at(60 * 24 * 8)) == 1


def end_by_hand() -> None:
    ending.end_session(Transaction.objects.get(), User.objects.get())


def attach() -> None:
    item = QuarantinedMessage.objects.get(action="StopTransaction")
    quarantine.attach(item, Transaction.objects.get(), User.objects.get())


@pytest.mark.parametrize("decide", [end_by_housekeeping, end_by_hand, attach])
def test_a_decision_waits_for_the_worker_that_has_the_charger(decide: Callable[[], None]) -> None:
    """It held the session's row and waited for the turn; the worker had the turn and waited for the
    row: a deadlock, and the round of housekeeping or the batch failed."""
    User.objects.create_superuser("root")
    charger = Charger()
    charger.start()
    charger.stop(4711, at(5), 3000)
    failed: list[Any] = []

    def other() -> None:
        try:
            decide()
        except Exception as error:  # noqa: BLE001  # told to the test, which is on another thread
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        # As a worker begins a batch, and what it does in the end.
        take_turns(["cp1"])
        thread.start()
        end = time.monotonic() + 10
        while not somebody_waits() and time.monotonic() < end:
            time.sleep(0.01)
        Transaction.objects.update(power=7)
        QuarantinedMessage.objects.update(repeated=1)
    thread.join(60)
    assert failed == []
    assert Transaction.objects.get().state != "active"
    assert QuarantinedMessage.objects.get().repeated == 1
