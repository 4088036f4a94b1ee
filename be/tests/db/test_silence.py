"""T-07, F-06: a database server that acknowledges what is sent, and says nothing."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from levity.db import watchdog
from levity.db.silence import SILENCE, answer_within
from levity.ocpp.models import Transaction
from levity.ocpp.worker import loop as workers
from levity.ocpp.worker.loop import HOLD, Worker
from tests.ocpp.charger import Charger
from tests.ocpp.transport import FakeWorkerTransport

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Wire:
    """A way to the database that falls silent: it takes connections and bytes, and gives none."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._silent = threading.Event()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._server.accept()[0]
                upstream = socket.create_connection(self._target)
                self._ends += [client, upstream]
                for pair in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._silent.is_set():
                    sink.sendall(data)

    def hush(self) -> None:
        """From now on nothing passes, and nothing is closed."""
        self._silent.set()

    def speak(self) -> None:
        """Another server has taken over: what is connected to the old one stays as it is."""
        self._silent.clear()

    def close(self) -> None:
        """Let go of everything."""
        self._server.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Between the threads `through` it and the tests' database."""
    host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    if not host or host.startswith("/"):
        pytest.fail("DATABASE_URL must name a host: this test stands between it and the worker")
    wire = Wire(host, int(port or 5432))
    yield wire
    wire.close()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "TICK", 0.05)


def through(wire: Wire, work: Any) -> threading.Thread:
    """Do this work in a thread whose database is at the other end of this wire."""

    def run() -> None:
        mine = connections[DEFAULT_DB_ALIAS]
        mine.settings_dict = {**mine.settings_dict, "HOST": "127.0.0.1", "PORT": wire.port}
        try:
            work()
        finally:
            mine.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(happened: Any, seconds: float) -> float:
    """The seconds that it took."""
    began = time.monotonic()
    pause = threading.Event()
    while not happened():
        assert time.monotonic() - began < seconds
        pause.wait(0.02)
    return time.monotonic() - began


@pytest.mark.timed
def test_a_batch_is_back_in_the_queue_in_time_where_the_database_is_silent(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a twentieth of the time: 2 s for 40. Neither the statement nor the new connection is ever
    answered; the batch goes back all the same, and is taken when the database speaks again."""
    monkeypatch.setattr(workers, "HOLD", HOLD / 20)
    monkeypatch.setattr(workers, "SILENCE", SILENCE / 20)
    transport, charger = FakeWorkerTransport(), Charger()
    first = transport.deliver(charger.connects())
    worker = Worker(transport, own_thread_for_commands=True)
    thread = through(wire, worker.run)
    until(lambda: ("ack", first) in transport.log, 60)
    wire.hush()
    batch = transport.deliver(charger.starts())
    took = until(lambda: ("hand back", "") in transport.log, 60)
    assert HOLD / 20 <= took <= 45 / 20
    wire.speak()
    until(lambda: ("ack", batch) in transport.log, 15)
    answered = [("send", "replies"), ("ack", batch)]
    assert transport.log[2:6] == [("hand back", ""), ("listen", ""), *answered]
    assert Transaction.objects.count() == 1
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.timed
def test_a_statement_that_nobody_answers_fails_and_the_next_one_finds_another_server(
    wire: Wire,
) -> None:
    """Of the threads that ask for it; what others wait for is theirs."""
    said: list[Any] = []

    def work() -> None:
        answer_within(0.3)
        for _ in range(2):
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    said.append(cursor.fetchone()[0])
            except OperationalError:
                said.append("silent")
                wire.speak()
                connection.close()
            else:
                wire.hush()

    def patient() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.6)")
            said.append("slept")

    through(wire, work).join(60)
    assert said == [1, "silent"]
    through(wire, patient).join(60)
    assert said == [1, "silent", "slept"]


@pytest.mark.timed
def test_many_quick_answers_are_no_silence(wire: Wire) -> None:
    """Each statement has its own time."""
    said: list[int] = []

    def work() -> None:
        answer_within(0.3)
        for number in range(8):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.1), %s", [number])
                said.append(cursor.fetchone()[1])

    through(wire, work).join(60)
    assert said == list(range(8))


def test_its_time_is_longer_than_a_living_server_needs_to_cancel() -> None:
    """Else a statement that is only slow would cost the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)
    assert 30 < SILENCE < HOLD
