"""No list asks the database more often because it has more rows."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import ChargePoint
from tests.api.conftest import Caller
from tests.api.operations import operations, rows_for_the_api

MANY = 40


def counts(program: Caller, paths: dict[str, str]) -> dict[str, int]:
    found = {}
    for name, path in paths.items():
        with CaptureQueriesContext(connection) as queries:
            response = program("GET", path)
        assert (name, response.status_code) == (name, 200), response.content
        found[name] = len(queries)
    return found


@pytest.mark.slow
def test_lists_ask_as_often_with_many_rows(caller: Callable[..., Caller]) -> None:
    program = caller("admin")
    rows, _ = rows_for_the_api("x", 0), rows_for_the_api("x", 1)
    paths = {
        each.name: path
        for each in operations()
        if each.method == "GET" and each.is_page and (path := each.path(rows))
    }
    assert {"list_charge_points", "list_transactions", "list_id_tags"} <= set(paths)
    program("GET", "sites")
    few = counts(program, paths)
    for number in range(2, MANY):
        rows_for_the_api("x", number)
    assert ChargePoint.objects.count() == MANY
    many = counts(program, paths)
    assert {name: (few[name], many[name]) for name in few if few[name] < many[name]} == {}
    assert {name: count for name, count in many.items() if count > 14} == {}
