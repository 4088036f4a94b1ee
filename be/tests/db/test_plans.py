"""Statements that Postgres plans once a connection: what may go wrong with them, and does not."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from levity.db import plans as planned
from levity.db.plans import array_text
from levity.db.prepared import Prepared
from levity.db.rows import insert_rows
from levity.ocpp.commands import due, lifecycle
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    Connector,
    Message,
    MeterValue,
    SecurityEvent,
    StatusEvent,
    Transaction,
)
from levity.ocpp.store import chain, queries
from levity.ocpp.worker.pipeline import DatabaseAway
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ODD = ["", "NULL", "null", "{}", "{a,b}", 'q"q', "b\\s", "\\", ",", " a ", "\t\n", "é", "😀"]
ODD += ["%s", "'", "$1"]


@pytest.fixture(autouse=True)
def with_plans() -> Iterator[None]:
    """Plans as a worker has them, whatever a test has done to them."""
    connection.close()
    planned.plan_once()
    yield
    planned._without.clear()
    planned._thread.plans = False
    connection.close()


@pytest.fixture
def site() -> CentralSystem:
    """One that runs the default middleware."""
    return CentralSystem()


def names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return {name for (name,) in cursor.fetchall()}


def plan_of(query: Prepared, *values: Any) -> str:
    """How Postgres executes this query from now on."""
    query.rows(*values)
    sql, parameters, *_ = query._built["postgresql"]
    given = dict(zip(map(id, query._places), values, strict=True))
    filled = [item.value(given[id(item.place)], connection) for item in parameters]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {planned.planned(connection, sql)}", filled)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_a_batch_is_planned_once_for_all_that_follow(site: CentralSystem) -> None:
    charger = Charger("CP1")
    site.take(charger.connects())
    site.take(charger.calls("Heartbeat"))
    before = names()
    assert before
    for _ in range(3):
        site.take(charger.calls("Heartbeat"))
    assert names() == before


def test_a_plan_walks_along_the_index_of_what_is_queued(site: CentralSystem) -> None:
    """The state is in the text: a plan for any state would read all commands there ever were."""
    now = timezone.now()
    # Both indexes are of queued commands alone.
    for plan in (plan_of(due._ANY, now), plan_of(due._DUE, now, now)):
        assert "command_queued" in plan or "command_turn" in plan
        assert "Seq Scan on ocpp_command" not in plan
    frame = (["6d7d0a0e-6c5c-4c2c-8a4e-3c1f3c1f3c1f"], ["1"], [1])
    plan = plan_of(queries.CHARGE_POINTS, *frame, ["cp1"])
    assert "Seq Scan" not in plan
    assert "message_once" in plan


def test_a_plan_of_an_empty_site_looks_for_the_connectors_of_each_charger(
    site: CentralSystem,
) -> None:
    """A worker's first plan is made of empty tables: reading all connectors costs nothing then."""
    frame = (["6d7d0a0e-6c5c-4c2c-8a4e-3c1f3c1f3c1f"], ["1"], [1])
    plan = plan_of(queries.CHARGE_POINTS_AND_CONNECTORS, *frame, ["cp1"])
    assert "charge_point_id = ocpp_chargepoint.id" in plan
    assert "Join Filter: (ocpp_chargepoint.id" not in plan
    assert "Materialize" not in plan


def test_the_sessions_near_are_read_in_the_order_of_their_index(site: CentralSystem) -> None:
    """Not all that a connector ever had, to sort them for the newest."""
    charger = Charger("CP1")
    site.result(charger.stops(site.start(charger)))
    pk, at = ChargePoint.objects.get().pk, timezone.now()
    for plan in (
        plan_of(chain.NEAR, [pk], [0], [1], [at]),
        plan_of(chain.BESIDE, [pk], [0], [1], [at], [0]),
    ):
        assert "Bitmap" not in plan
        assert "Scan Backward using transaction_chain" in plan


def test_rows_that_are_updated_all_the_time_have_room_for_it() -> None:
    """A new version of a row in the same page needs no new entry in any index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL"
            " AND relname LIKE 'ocpp_%%' ORDER BY 1"
        )
        assert dict(cursor.fetchall()) == {
            "ocpp_chargepoint": ["fillfactor=50"],
            "ocpp_connector": ["fillfactor=50"],
            "ocpp_transaction": ["fillfactor=40"],
        }


# Written with each message, each session or each command.
OFTEN_WRITTEN = (
    *(ChargePoint, Command, ConnectionEvent, Connector, Message, MeterValue, StatusEvent),
    Transaction,
)


def test_no_index_says_what_the_beginning_of_another_says() -> None:
    """Each is one more record in Postgres's log for each row, and for each update that leaves its
    page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indrelid::regclass::text, indexrelid::regclass::text, indkey::text"
            " FROM pg_index WHERE indpred IS NULL AND indexprs IS NULL"
            " AND indrelid::regclass::text = ANY(%s)",
            [[model._meta.db_table for model in OFTEN_WRITTEN]],
        )
        found = cursor.fetchall()
    assert len(found) > len(OFTEN_WRITTEN)
    spare = {
        f"{name} ({other})"
        for table, name, columns in found
        for table_of_other, other, more in found
        if name != other and table == table_of_other and f"{more} ".startswith(f"{columns} ")
    }
    assert spare == set()


def test_what_changes_of_a_connector_is_in_no_index() -> None:
    """So a status, a start and a stop change its row in its page, whatever indexes there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT attname FROM pg_index JOIN pg_attribute"
            " ON attrelid = indrelid AND attnum = ANY(indkey)"
            " WHERE indrelid = %s::regclass ORDER BY 1",
            [Connector._meta.db_table],
        )
        assert [name for (name,) in cursor.fetchall()] == [
            *("charge_point_id", "evse", "id", "number"),
        ]
        cursor.execute(
            "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass"
            " AND (indpred IS NOT NULL OR indexprs IS NOT NULL)",
            [Connector._meta.db_table],
        )
        assert cursor.fetchone() == (0,)


def test_a_connector_is_changed_without_being_locked_first(site: CentralSystem) -> None:
    """ON CONFLICT does so, which is half as much again in Postgres's log as the change itself."""

    def locked_by() -> str:
        # What ON CONFLICT has updated bears the mark of its lock.
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT xmax FROM {Connector._meta.db_table}")
            (mark,) = cursor.fetchone()
        return str(mark)

    charger = Charger("CP1")
    site.take(charger.connects())
    site.take(charger.shows("Available", 1))
    site.take(charger.shows("Preparing", 1))
    assert locked_by() == "0"
    started = site.start(charger)
    assert locked_by() == "0"
    site.take(charger.stops(started))
    assert locked_by() == "0"
    told = Connector.objects.values_list("status", "transaction")
    assert list(told) == [("Preparing", None)]


def test_a_query_without_an_index_is_not_compiled() -> None:
    """An extension's, say: 75 ms each, whatever the size of the table."""
    assert "JIT" not in ChargePoint.objects.filter(notes="x").explain()


@pytest.mark.parametrize("text", ODD)
def test_every_text_arrives_as_it_was(site: CentralSystem, text: str) -> None:
    site.take(Charger("CP1").connects())
    now = timezone.now()
    columns = ("type", "detail", "at", "received_at")
    insert_rows(SecurityEvent, columns, [("T", text, now, now), ("T", "after", now, now)])
    rows = SecurityEvent.objects.order_by("id").values_list("detail", "at")
    assert list(rows) == [(text, now), ("after", now)]


def test_behind_a_pooler_it_goes_on_without_plans(
    site: CentralSystem, caplog: pytest.LogCaptureFixture
) -> None:
    """pgbouncer gives the next transaction a connection that knows nothing of our statements."""
    charger = Charger("CP1")
    site.take(charger.connects())
    site.take(charger.calls("Heartbeat"))
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    beat = charger.calls("Heartbeat")
    with pytest.raises(DatabaseAway):
        site.take(beat)
    site.take(beat)
    assert Message.objects.filter(action="Heartbeat").count() == 2
    assert names() == set()
    assert "OCPP_PREPARED_STATEMENTS" in caplog.text


def test_a_migration_in_the_middle_of_work_loses_no_frame(site: CentralSystem) -> None:
    """Postgres refuses a planned statement whose columns have changed their type since."""
    charger = Charger("CP1")
    site.take(charger.connects())
    site.take(charger.starts())
    table = Transaction._meta.db_table
    again = charger.starts(timestamp="2026-01-02T00:00:00Z")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN stop_reason TYPE text")
    try:
        with pytest.raises(DatabaseAway):
            site.take(again)
        site.take(again)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN stop_reason TYPE varchar(64)")
    assert Transaction.objects.count() == 2


def test_what_is_wrong_for_another_reason_is_not_taken_for_a_lost_plan() -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as caught:
        cursor.execute("SELECT 1 / 0")
    assert not planned.lost_its_plan(caught.value)


def test_a_call_goes_out_with_planned_statements(site: CentralSystem) -> None:
    charger = Charger("CP1")
    site.take(charger.connects())
    site.take(charger.boots())
    command = lifecycle.queue(ChargePoint.objects.get(), "Reset", {"type": "Soft"}, source="test")
    sent: list[Any] = []
    lifecycle.dispatch(timezone.now(), lambda to, reply: bool(sent.append((to, reply))) or True)
    assert len(sent) == 1
    assert Command.objects.get().state == "sent"
    assert Message.objects.get(sender="cs").unique_id == command.unique_id


@pytest.mark.parametrize(
    "values",
    [
        (None, None),
        (
            'a"b',
            'a"b',
            "a\\",
            '\\"',
            "\\n",
            "a\nb",
            "\x1f",
            "\t\\t",
            "NULL",
            "",
            "{,}",
            "é\u2028🔌",
        ),
        ("-" * 70_000 + "\n", '[2,"1","Reset",{"a\\"":"\\\\"}]'),
        [],
    ],
)
def test_texts_arrive_in_an_array_as_they_are(values: Sequence[str | None]) -> None:
    """JSON's escapes are Postgres's, but for those of control characters."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [array_text(values)])
        assert cursor.fetchone()[0] == list(values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numeric", (Decimal("1.0"), Decimal(1), 1, 2**70, None)),
        ("bigint", (1, None, -(2**63))),
        ("boolean", (True, False, None)),
        ("timestamptz", (datetime(2026, 11, 29, 1, 2, 3, 456, UTC), None)),
        ("text", (Transaction.State.ACTIVE,)),
    ],
)
def test_numbers_and_times_arrive_in_an_array_as_they_are(kind: str, values: Any) -> None:
    """Whatever the type, and above what JSON's numbers hold."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array_text(values)])
        assert cursor.fetchone()[0] == list(values)


def test_a_text_that_no_database_takes_is_refused_as_before() -> None:
    """Half a surrogate pair is an error of the driver, not of ours."""
    assert array_text(("\ud800",)) == '{"\ud800"}'
