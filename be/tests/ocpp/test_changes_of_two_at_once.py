"""Two that change one session at once: what each is told to have been before, was. Postgres."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, transaction

from levity.ocpp.changes import changes_told
from levity.ocpp.models import FailedMessage, Transaction
from tests.ocpp.charger import CentralSystem, Charger
from tests.ocpp.extension import billing
from tests.ocpp.worker.test_races import race, taking

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def ledger(settings: Any, transactional_db: None) -> Iterator[None]:
    """The dummy extension bills."""
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [billing.BILL]
    yield
    billing.drop_table()


def agree() -> None:
    assert not FailedMessage.objects.exists()
    with transaction.atomic():
        billing.agree()


def test_two_workers_with_the_same_frames_bill_each_session_once() -> None:
    chargers = [Charger(f"CP{number}") for number in range(8)]
    started = [CentralSystem().start(charger) for charger in chargers]
    pairs = list(zip(chargers, started, strict=True))

    def copies(order: int) -> Any:
        again = [(charger.again(), pk) for charger, pk in pairs][::order]
        return taking(
            [one.measures(pk, 1500) for one, pk in again],
            [one.starts() for one, _ in again],
            [one.stops(pk) for one, pk in again],
            [one.starts(meterStart=6000) for one, _ in again],
        )

    race(copies(1), copies(-1))
    assert Transaction.objects.count() == 16
    agree()


def test_a_worker_sees_what_a_correction_has_changed_a_moment_before() -> None:
    """The correction takes no turn, and is not committed when the worker comes."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    site.result(charger.measures(started, 1500))
    stop = charger.again().stops(started)
    failed: list[BaseException] = []

    def worker() -> None:
        try:
            CentralSystem().result(stop)
        except BaseException as error:  # noqa: BLE001  # told to the test, on another thread
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=worker)
    with transaction.atomic(), changes_told(lambda: [started]):
        Transaction.objects.update(energy=77)
        thread.start()
        end = time.monotonic() + 10
        with connection.cursor() as cursor:
            while time.monotonic() < end:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.01)
    thread.join(60)
    assert failed == []
    assert Transaction.objects.get().state == "stopped"
    agree()
