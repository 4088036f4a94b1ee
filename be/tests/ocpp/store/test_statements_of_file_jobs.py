"""What a batch pays for uploads and updates: nothing where nobody speaks of one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import ChargePoint, FileJob
from levity.ocpp.testing import CentralSystem, Charger

pytestmark = pytest.mark.django_db
TABLE = FileJob._meta.db_table


def about_files(system: CentralSystem, *events: Any) -> int:
    """How many statements of this batch are about file jobs."""
    with CaptureQueriesContext(connection) as captured:
        system.take(*events)
    return sum(TABLE in query["sql"] for query in captured.captured_queries)


def test_reports_of_a_hundred_chargers_take_as_many_statements_as_one_and_the_others_none() -> None:
    system = CentralSystem()
    chargers = [Charger(f"C{number}") for number in range(100)]
    system.take(*(charger.connects() for charger in chargers))
    for row in ChargePoint.objects.all():
        FileJob.objects.create(charge_point=row, kind="diagnostics", state="accepted")

    def report(charger: Charger) -> Any:
        return charger.calls("DiagnosticsStatusNotification", {"status": "Uploading"})

    one = about_files(system, report(chargers[0]))
    assert 1 <= one <= 2
    assert about_files(system, *map(report, chargers)) == one
    usual = (chargers[0].boots(), chargers[0].shows("Available"), chargers[0].calls("Heartbeat"))
    assert about_files(system, *usual, chargers[0].starts()) == 0
