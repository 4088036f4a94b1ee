"""A worker that stands still (SIGSTOP, a frozen machine) while others go on: on Postgres only.

D-02, F-10, T-17: a charger whose answer does not come sends again, on a new connection; the worker
that wakes up has read the books as they were before.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from levity.ocpp.conf import setting
from levity.ocpp.models import FailedMessage, Message, Transaction
from levity.ocpp.request import Request, Response
from levity.ocpp.store import plan_once
from levity.ocpp.worker import pipeline
from levity.ocpp.worker.pipeline import DatabaseAway
from levity_ws.rpc.envelope import Event
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

# In this database: other tests, with one of their own on this server, wait for locks, too.
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()\
 AND cardinality(pg_blocking_pids(pid)) > 0"


class Frozen:
    """A worker in a thread that stands still at one point of its first batch, until `go_on`."""

    def __init__(self, *events: Event, idle: str = "") -> None:
        self.events, self.idle = events, idle
        self.stands, self.may_go_on = threading.Event(), threading.Event()
        self.away = 0
        self.thread = threading.Thread(target=self._run)
        self.error: BaseException | None = None

    def _run(self) -> None:
        try:
            plan_once()
            if self.idle:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET idle_in_transaction_session_timeout = '{self.idle}'")
            site = CentralSystem()
            for _ in range(3):
                try:
                    site.take(*self.events)
                    return
                except DatabaseAway:
                    self.away += 1
        except BaseException as error:  # noqa: BLE001  # told to the test, which is on another thread
            self.error = error
        finally:
            connections.close_all()

    def freeze(self) -> None:
        """Called by the pipeline: stand still once, if this is its thread."""
        if threading.current_thread() is self.thread and not self.stands.is_set():
            self.stands.set()
            assert self.may_go_on.wait(60)

    def __enter__(self) -> "Frozen":
        self.thread.start()
        assert self.stands.wait(60), self.error
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()

    def go_on(self) -> None:
        """Wake up, and come to the end."""
        self.may_go_on.set()
        self.thread.join(60)
        assert self.error is None, self.error
        assert not self.thread.is_alive()


@pytest.fixture(params=["before it writes", "before it commits"])
def freezing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Frozen]:
    """Workers that stand still between reading and writing, or between writing and commit."""
    inner = pipeline.apply
    made: list[Frozen] = []

    def stand_still() -> None:
        for each in made:
            each.freeze()

    def apply(*arguments: Any) -> None:
        if request.param == "before it writes":
            stand_still()
            inner(*arguments)
        else:
            inner(*arguments)
            stand_still()

    def make(*events: Event, idle: str = "") -> Frozen:
        made.append(Frozen(*events, idle=idle))
        return made[0]

    monkeypatch.setattr(pipeline, "apply", apply)
    return make


def meanwhile(frozen: Frozen, work: Callable[[], Any]) -> Any:
    """What another worker comes to; the frozen one goes on when that one is done or waits."""
    found: list[Any] = []

    def run() -> None:
        try:
            plan_once()
            found.append(work())
        except BaseException as error:  # noqa: BLE001
            found.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        with connection.cursor() as cursor:
            cursor.execute(BLOCKED)
            if cursor.fetchone()[0]:
                break
        thread.join(0.02)
    frozen.go_on()
    thread.join(60)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


@pytest.mark.parametrize("in_session", [True, False])
def test_samples_that_two_workers_hold_at_once_are_on_the_books_once(
    freezing: Callable[..., Frozen], in_session: bool
) -> None:
    """The answer did not come, so the charger sent them again on a new connection."""
    site, charger = CentralSystem(), Charger()
    site.result(charger.calls("Heartbeat"))
    started = site.start(charger) if in_session else None
    with freezing(charger.measures(started, 1500)) as frozen:
        again = charger.again().measures(started, 1500)
        assert meanwhile(frozen, lambda: CentralSystem().result(again)) == {}
    assert [value.raw_value for value in Samples.objects.all()] == ["1500"]
    assert Message.objects.filter(action="MeterValues").count() == 2
    assert FailedMessage.objects.count() == 0


def test_what_a_worker_read_before_it_stood_still_does_not_undo_what_came_after(
    freezing: Callable[..., Frozen],
) -> None:
    """It wakes up after the session's end: the energy that was charged stays what it was."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger, meterStart=1000)
    with freezing(charger.measures(started, 1500)) as frozen:

        def go_on() -> None:
            other, again = CentralSystem(), charger.again()
            other.result(again.measures(started, 1500))
            other.result(again.measures(started, 4000, wire(1800)))
            other.result(again.stops(started, meterStop=6000))

        meanwhile(frozen, go_on)
    ended = Transaction.objects.get()
    assert (ended.state, ended.energy, ended.meter_stop) == ("stopped", 5000, 6000)
    assert [value.raw_value for value in Samples.objects.order_by("id")] == ["1500", "4000"]


def test_a_worker_that_stands_still_for_long_loses_its_transaction_and_takes_the_batch_again(
    freezing: Callable[..., Frozen],
) -> None:
    """T-02: the database lets nobody wait for it, and what it wakes up to is the truth."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger, meterStart=1000)
    with freezing(charger.measures(started, 1500), idle="300ms") as frozen:
        other, again = CentralSystem(), charger.again()
        other.result(again.measures(started, 1500))
        other.result(again.stops(started, meterStop=6000))
        assert frozen.thread.is_alive()
        frozen.go_on()
    ended = Transaction.objects.get()
    assert (ended.state, ended.energy) == ("stopped", 5000)
    assert Samples.objects.count() == 1
    assert FailedMessage.objects.count() == 0


def test_a_batch_whose_handlers_take_too_long_together_is_taken_frame_by_frame() -> None:
    """Else the database would end its transaction every time, and it would be held for ever."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '1200ms'")
    site = CentralSystem()
    inner = site.pipeline.chain

    def slow(request: Request) -> Response:
        time.sleep(0.4)
        return inner(request)

    site.pipeline.chain = slow
    try:
        assert len(site.frames(*(Charger(f"CP{number}").starts() for number in range(4)))) == 4
    finally:
        connection.close()
    assert Transaction.objects.count() == 4
    assert FailedMessage.objects.count() == 0


def test_the_database_lets_go_when_no_edge_waits_any_more() -> None:
    """An edge holds a frame for 20 s; a handler may take 10 s, the database gives it some more."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("20s",)
    assert setting("OCPP_FRAME_TIME_LIMIT") < 20
