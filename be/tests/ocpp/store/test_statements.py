"""The one idea: the number of SQL statements does not grow with the number of frames."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import ChargePoint, Command
from levity_ws.rpc.envelope import Event
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = pytest.mark.django_db


def statements(site: CentralSystem, events: list[Event]) -> list[str]:
    """The statements for this batch, without the marks around the transaction."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        site.take(*events)
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    ]


def fleet(site: CentralSystem, size: int, name: str) -> list[tuple[Charger, int, str]]:
    """Connected chargers with a running transaction and an outstanding Call each."""
    chargers = [Charger(f"{name}{number}") for number in range(size)]
    site.take(*(charger.connects() for charger in chargers))
    site.take(*(charger.starts(meterStart=1) for charger in chargers))
    found = []
    points = {point.identity: point for point in ChargePoint.objects.all()}
    for charger in chargers:
        point = points[charger.identity]
        command = Command.objects.create(
            charge_point=point, action="Reset", state="sent", connection=charger.connection
        )
        transaction_id = point.transactions.get().pk
        found.append((charger, transaction_id, command.unique_id))
    return found


MIXED: list[Callable[[Charger, int, str], Event]] = [
    lambda charger, _, __: charger.boots(),
    lambda charger, _, __: charger.shows("Preparing", 2),
    lambda charger, _, __: charger.calls("Authorize", {"idTag": "TAG"}),
    lambda charger, _, __: charger.starts(connectorId=2),
    lambda charger, number, _: charger.measures(number, 2000),
    lambda charger, number, _: charger.stops(number, idTag="T"),
    lambda charger, _, __: charger.stops(-7),
    lambda charger, _, __: charger.calls("Heartbeat"),
    lambda charger, _, __: charger.calls("DataTransfer", {"vendorId": "V"}),
    lambda charger, _, __: charger.calls("FirmwareStatusNotification", {"status": "Idle"}),
    lambda charger, _, __: charger.calls("DiagnosticsStatusNotification", {"status": "Idle"}),
    lambda charger, _, unique_id: charger.answers(unique_id, {"status": "Accepted"}),
    lambda charger, _, __: charger.calls(
        "SecurityEventNotification", {"type": "X", "timestamp": "2026-11-22T12:00:00Z"}
    ),
    lambda charger, _, __: charger.calls("SignCertificate", {"csr": "x"}),
    lambda charger, _, __: charger.calls("LogStatusNotification", {"status": "Idle"}),
]
COMING_AND_GOING: list[Callable[[Charger, int, str], Event]] = [
    lambda charger, _, __: charger.leaves(),
    lambda charger, _, __: charger.again().connects(),
    lambda charger, _, __: charger.again().asks(),
]
BAD: list[Callable[[Charger, int, str], Event]] = [
    lambda charger, _, __: charger.says("no JSON"),
    lambda charger, _, __: charger.says("[]"),
    lambda charger, _, __: charger.calls("NoSuchAction"),
    lambda charger, _, __: charger.calls("Authorize"),
    lambda charger, _, __: charger.starts(meterStart="much"),
    lambda charger, _, __: charger.stops("none", meterStop="much"),
    lambda charger, _, __: charger.says('[2,"x","StartTransaction",{'),
    lambda charger, _, __: charger.says('[3,"nobody",{}]'),
    lambda charger, number, _: charger.stops(number % 10 + 1),
    lambda charger, _, __: charger.says('[2,7,"Heartbeat",{}]'),
]


@pytest.mark.parametrize(
    ("kinds", "most"),
    [(MIXED, 30), (BAD, 30), (COMING_AND_GOING, 30), ([*MIXED, *COMING_AND_GOING], 39)],
    ids=["mixed", "bad", "coming and going", "everything"],
)
def test_a_batch_of_a_hundred_takes_hardly_more_statements_than_one_of_ten(
    kinds: list[Callable[[Charger, int, str], Event]], most: int
) -> None:
    """At most 30 for a hundred mixed frames (39 if everything that there is comes at once), and
    at most 1.5 times those of a batch with one of each kind in it."""
    site = CentralSystem()
    few, many = fleet(site, len(kinds), "F"), fleet(site, 100, "M")

    def batch(chargers: list[Any], size: int) -> list[Event]:
        return [kinds[number % len(kinds)](*chargers[number]) for number in range(size)]

    # (A new shape of samples is told once; from its commit on, this process knows it.)
    with TestCase.captureOnCommitCallbacks(execute=True):
        small = statements(site, batch(few, len(kinds)))
    large = statements(site, batch(many, 100))
    assert len(large) <= most, "\n".join(sql[:150] for sql in large)
    assert len(large) <= 1.5 * len(small)


def test_ten_of_the_mixed_messages_are_the_yardstick_for_a_hundred() -> None:
    """The figure of the issue as it is written: ten frames, a hundred frames."""
    site = CentralSystem()
    few, many = fleet(site, 10, "F"), fleet(site, 100, "M")
    small = statements(site, [MIXED[number % 8](*few[number]) for number in range(10)])
    large = statements(site, [MIXED[number % 8](*many[number]) for number in range(100)])
    assert len(large) <= min(30, 1.5 * len(small)), (len(small), len(large))


def test_a_batch_that_is_known_already_costs_next_to_nothing() -> None:
    """Redelivery: it is only read."""
    site = CentralSystem()
    events: list[Event] = [Charger(f"CP{number}").starts() for number in range(50)]
    site.take(*events)
    with CaptureQueriesContext(connection) as captured:
        site.take(*events)
    writes = [
        query["sql"]
        for query in captured.captured_queries
        if query["sql"].startswith(("INSERT", "UPDATE", "WITH v(c0"))
    ]
    assert writes == []
