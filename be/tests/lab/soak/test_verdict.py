"""The verdict finds what it is there to find; the wire does what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from levity.simulator.ledger import Entry
from levity_lab.soak.verdict import add, judge
from levity_lab.soak.wire import Trouble, Wire

AT = "2026-11-22T12:00:00.000Z"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 10, "timestamp": AT}
STOP = {"transactionId": 7, "meterStop": 20, "timestamp": AT}
VALUES = {
    "connectorId": 1,
    "transactionId": 7,
    "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "15"}]}],
}
TRANSACTION = (
    *("X-1", 1, "TAG", NOON, Decimal(10), 7, "stopped", NOON, Decimal(20), Decimal(10)),
    "high",
)
NAMES = '[["Energy.Active.Import.Register", "", "", "", "", ""]]'
SAMPLE = ("X-1", NOON, NAMES, "15")


class FakeBooks:
    """What the database would say, by the table that is asked for."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Any]] = {
            "ocpp_transaction": [TRANSACTION],
            "ocpp_metervalue_recent": [SAMPLE],
            "ocpp_sampleshape": [(1, NAMES)],
            "ocpp_sampletrace": [],
            "ocpp_message": [("X-1", key, str(key)) for key in (1, 2, 3)],
            "ocpp_messageblock": [],
            "ocpp_quarantinedmessage": [],
            "ocpp_failedmessage": [(0,)],
        }

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of the table that comes first."""
        return self.tables[statement.partition(" FROM ")[2].split()[0]]


def line(event: str, key: int, action: str, payload: Any) -> Entry:
    """One line of a ledger."""
    return Entry(event, AT, "X-1", key, str(key), action, payload, transactional=True)


def session() -> list[Entry]:
    """Start, values and stop, all answered."""
    return [
        line("sent", 1, "StartTransaction", START),
        line("result", 1, "StartTransaction", {"transactionId": 7, "idTagInfo": {}}),
        line("sent", 2, "MeterValues", VALUES),
        line("result", 2, "MeterValues", {}),
        line("sent", 3, "StopTransaction", STOP),
        line("result", 3, "StopTransaction", {}),
    ]


def test_a_session_that_is_on_the_books_as_it_was_is_good() -> None:
    counts = judge([session()], FakeBooks(), "X-")
    assert (counts.attempted, counts.acknowledged, counts.good) == (3, 3, True)


@pytest.mark.parametrize("table", ["ocpp_transaction", "ocpp_metervalue_recent"])
def test_what_was_answered_and_is_not_there_is_lost(table: str) -> None:
    books = FakeBooks()
    books.tables[table] = []
    counts = judge([session()], books, "X-")
    assert (counts.lost > 0, counts.good) == (True, False)


@pytest.mark.parametrize("table", ["ocpp_transaction", "ocpp_metervalue_recent"])
def test_what_is_there_twice_is_duplicated(table: str) -> None:
    books = FakeBooks()
    books.tables[table] *= 2
    counts = judge([session()], books, "X-")
    assert (counts.duplicated, counts.good) == (1, False)


class MovingBooks(FakeBooks):
    """A row becomes a trace after the traces were read, and before the rows are."""

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The sample is in neither of both tables, once."""
        found = super().rows(statement, *values)
        if "ocpp_metervalue_recent" in statement:
            self.tables["ocpp_metervalue_recent"] = [SAMPLE]
        return found


def test_samples_that_are_moved_meanwhile_are_not_lost() -> None:
    """worker-kill 1, on a busy machine: two samples of one session, which were there."""
    books = MovingBooks()
    books.tables["ocpp_metervalue_recent"] = []
    assert judge([session()], books, "X-").good


def test_two_ids_for_one_start_are_a_duplicate() -> None:
    entries = [*session(), line("result", 1, "StartTransaction", {"transactionId": 8})]
    assert judge([entries], FakeBooks(), "X-").duplicated == 1


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (
            "ocpp_transaction",
            ("X-1", 2, "TAG", NOON, Decimal(10), 9, "active", None, None, None, ""),
        ),
        ("ocpp_metervalue_recent", (*SAMPLE[:3], "16")),
        ("ocpp_quarantinedmessage", ("X-1", b'{"transactionId":9}')),
    ],
)
def test_what_nobody_sent_is_unexpected(table: str, row: Any) -> None:
    books = FakeBooks()
    books.tables[table] = [*books.tables[table], row]
    counts = judge([session()], books, "X-")
    assert (counts.unexpected, counts.good) == (1, False)


def test_a_stop_with_other_figures_is_lost() -> None:
    books = FakeBooks()
    books.tables["ocpp_transaction"] = [(*TRANSACTION[:8], Decimal(21), Decimal(11), "high")]
    assert judge([session()], books, "X-").lost == 1


def test_a_session_with_the_energy_of_its_middle_is_unexpected() -> None:
    """As a worker wrote it that stood still meanwhile."""
    books = FakeBooks()
    books.tables["ocpp_transaction"] = [(*TRANSACTION[:9], Decimal(5), "high")]
    counts = judge([session()], books, "X-")
    assert (counts.unexpected, counts.lost, counts.good) == (1, 0, False)


def closed_by_us(energy: int, confidence: str = "medium") -> FakeBooks:
    """The stop was given up; this is what we made of the session."""
    books = FakeBooks()
    row = (*TRANSACTION[:6], "orphaned", NOON, Decimal(15), Decimal(energy), confidence)
    books.tables["ocpp_transaction"] = [row]
    return books


@pytest.mark.parametrize(
    ("energy", "confidence", "wrong"),
    [
        # It has told 5 Wh of the 10 that its meter moved (and samples are rounded).
        *((4, "medium", 0), (5, "medium", 0), (9, "low", 0), (10, "medium", 0), (10, "high", 0)),
        (3, "medium", 1),
        (9, "high", 1),
        # And the connector is billed more than it moved.
        (11, "low", 2),
    ],
)
def test_a_session_whose_stop_never_came_has_what_was_told_at_least_and_the_truth_at_most(
    energy: int, confidence: str, wrong: int
) -> None:
    dropped = [entry for entry in session() if (entry.key, entry.event) != (3, "result")]
    dropped.append(line("dropped", 3, "StopTransaction", None))
    counts = judge([dropped], closed_by_us(energy, confidence), "X-")
    assert (counts.wrong_energy, counts.good) == (wrong, wrong == 0)
    assert len(counts.examples) == wrong


def test_a_stopped_session_with_another_energy_than_its_meter_moved_is_wrong() -> None:
    """Whatever the registers say that are recorded."""
    books = FakeBooks()
    row = (*TRANSACTION[:4], Decimal(10), 7, "stopped", NOON, Decimal(20), Decimal(9), "low")
    books.tables["ocpp_transaction"] = [row]
    counts = judge([session()], books, "X-")
    assert counts.examples[-1] == (
        "wrong_energy: X-1 session 7 (stopped, low): 9 Wh, its meter moved 10 Wh"
    )
    assert add([counts, counts]).wrong_energy == 2


def test_a_register_that_counts_from_the_start_tells_the_same() -> None:
    """Grizzl-E: its samples do, its start and stop don't."""
    values = {**VALUES, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "7"}]}]}
    entries = [*session()[:2], line("sent", 2, "MeterValues", values), *session()[3:5]]
    entries.append(line("dropped", 3, "StopTransaction", None))
    books = closed_by_us(5)
    books.tables["ocpp_metervalue_recent"] = [(*SAMPLE[:3], "7")]
    assert judge([entries], books, "X-").wrong_energy == 1


def test_a_connector_on_which_a_session_is_billed_twice_is_seen() -> None:
    """Its start came again with another time, and both have the energy."""
    books = FakeBooks()
    again = (*TRANSACTION[:3], NOON.replace(minute=1), *TRANSACTION[4:5], 8, *TRANSACTION[6:])
    books.tables["ocpp_transaction"].append(again)
    counts = judge([session()], books, "X-")
    assert "X-1 connector 1: 20 Wh billed, its meter moved 10 Wh" in counts.examples[-1]
    assert not counts.good


def test_what_was_never_answered_is_recovered_or_given_up_but_not_lost() -> None:
    unanswered = [entry for entry in session() if (entry.key, entry.event) != (2, "result")]
    dropped = [*unanswered, line("dropped", 2, "MeterValues", None)]
    counts = judge([dropped], FakeBooks(), "X-")
    assert (counts.recovered, counts.given_up, counts.lost, counts.good) == (1, 1, 0, True)
    assert judge([unanswered], FakeBooks(), "X-").unanswered == 1


def test_a_callerror_and_a_parked_frame_fail_the_round() -> None:
    refused = [*session(), line("error", 2, "MeterValues", {"code": "InternalError"})]
    assert judge([refused], FakeBooks(), "X-").refused == 1
    books = FakeBooks()
    books.tables["ocpp_failedmessage"] = [(2,)]
    assert judge([session()], books, "X-", parks=1).unexpected == 1
    assert judge([session()], books, "X-", parks=2).good
    assert add([judge([session()], books, "X-"), judge([session()], books, "X-")]).attempted == 6


@asynccontextmanager
async def echo_behind_a_wire() -> AsyncIterator[tuple[Wire, list[asyncio.StreamReader]]]:
    """A server that echoes lines, a wire to it, and the server's ends."""
    served: list[asyncio.StreamReader] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(reader)
        try:
            while data := await reader.read(1000):
                writer.write(data)
        except ConnectionResetError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    wire = Wire("test", server.sockets[0].getsockname()[1], Random(1))
    await wire.open()
    try:
        yield wire, served
    finally:
        await wire.close()
        server.close()


async def echoed(wire: Wire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which one line has come back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    return reader, writer


async def test_a_cut_wire_breaks_what_stands_and_refuses_what_comes() -> None:
    async with echo_behind_a_wire() as (wire, _):
        reader, _ = await echoed(wire)
        wire.cut()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        with pytest.raises((ConnectionError, AssertionError)):
            await echoed(wire)
        wire.heal()
        _, writer = await echoed(wire)
        writer.close()


async def test_a_stalled_wire_says_nothing_and_loses_nothing() -> None:
    async with echo_behind_a_wire() as (wire, _):
        reader, writer = await echoed(wire)
        wire.trouble = Trouble(stalled=True)
        writer.write(b"later\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readline()
        wire.heal()
        assert await reader.readline() == b"later\n"
        writer.close()


async def test_an_abandoned_server_hears_nothing_until_the_wire_is_healed() -> None:
    async with echo_behind_a_wire() as (wire, served):
        reader, _ = await echoed(wire)
        assert wire.abandon() == 1
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        # A new connection is good, while the old one's other end waits.
        _, writer = await echoed(wire)
        assert not served[0].at_eof()
        assert served[0].exception() is None
        wire.heal()
        while served[0].exception() is None and not served[0].at_eof():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writer.close()
