"""Plans that were made while tables were empty: none of them is kept once the tables have grown."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from levity.db import plans
from levity.db.outgrown import EVERY, LARGE, Sizes
from levity.ocpp.models import ChargePoint, Connector, IdTag, Transaction
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

MANY = 1_500
EMPTY = "TRUNCATE ocpp_chargepoint, ocpp_transaction, ocpp_message, ocpp_idtag CASCADE"
_numbers = count(1)


@pytest.fixture(autouse=True)
def with_plans(transactional_db: None) -> Iterator[None]:
    """Plans as a worker has them, and tables as `migrate` leaves them."""
    # Tests before may have left pages without rows, which an analysis of meanwhile has seen.
    execute(EMPTY)
    connection.close()
    plans.plan_once()
    yield
    plans._thread.plans = False
    connection.close()


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def pages() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_relation_size(oid) / 8192 FROM pg_class"
            " WHERE relkind = 'r' AND relname LIKE 'ocpp%'"
        )
        return dict(cursor.fetchall())


def plans_of_the_session() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement that is planned, and how Postgres executes it from now on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, statement, parameter_types::text[] FROM pg_prepared_statements"
            " WHERE name LIKE 'levity%'"
        )
        for name, statement, types in cursor.fetchall():
            values = ", ".join(f"NULL::{kind}" for kind in types)
            execute_it = f"EXECUTE {name}" + (f"({values})" if values else "")
            cursor.execute(f"EXPLAIN (FORMAT JSON) {execute_it}")
            found = cursor.fetchone()[0]
            found = json.loads(found) if isinstance(found, str) else found
            yield statement, found[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def read_in_whole(tables: set[str]) -> set[tuple[str, str]]:
    """(table, statement) where a plan reads one of these tables from end to end."""
    scans = ("Seq Scan", "Index Scan", "Index Only Scan")
    return {
        (node["Relation Name"], statement[:80])
        for statement, plan in plans_of_the_session()
        for node in nodes(plan)
        if node["Node Type"] in scans
        and node["Relation Name"] in tables
        and "Index Cond" not in node
    }


def a_session(site: CentralSystem, charger: Charger) -> None:
    """What a worker sees of a charger: some fifteen kinds of statements."""
    number = next(_numbers)
    site.take(charger.connects())
    site.take(charger.boots())
    site.take(charger.shows("Preparing"))
    site.take(charger.calls("Authorize", {"idTag": f"TAG{number}"}))
    at = (timezone.now() + timedelta(seconds=number)).isoformat()
    answer = site.take(charger.starts(timestamp=at))
    assert answer is not None
    samples = [{"timestamp": at, "sampledValue": [{"value": "1"}]}]
    site.take(charger.calls("MeterValues", {"connectorId": 1, "meterValue": samples}))


def fill() -> None:
    """What a busy hour, an import or a restored dump brings, in an instant."""
    first, now = ChargePoint.objects.latest("id").pk, timezone.now()
    ChargePoint.objects.bulk_create([ChargePoint(identity=f"MANY{n}") for n in range(MANY)])
    ids = list(ChargePoint.objects.filter(id__gt=first).values_list("id", flat=True))
    Connector.objects.bulk_create([Connector(charge_point_id=pk, number=1) for pk in ids])
    IdTag.objects.bulk_create([IdTag(id_tag=f"CARD{pk}") for pk in ids])
    last = Transaction.objects.latest("id").pk
    Transaction.objects.bulk_create(
        [
            Transaction(
                id=last + number,
                charge_point_id=pk,
                connector=1,
                state="stopped",
                id_tag=f"CARD{pk}",
                started_at=now - timedelta(minutes=number),
                start_received_at=now,
                meter_start=0,
            )
            for number, pk in enumerate(ids, start=1)
        ]
    )
    execute(
        "INSERT INTO ocpp_message (charge_point_id, connection, seq, sender, unique_id, action,"
        " request, response, error_code, error_description, received_at)"
        f" SELECT {ids[0]}, gen_random_uuid(), n, 'cp', n::text, 'Heartbeat', '[]', '[]', '', '',"
        f" now() FROM generate_series(1, {MANY}) n"
    )


def heartbeats(site: CentralSystem, charger: Charger, statements: int) -> None:
    """So many frames that this many statements are executed, at least: two for each."""
    for _ in range(statements // 2 + 1):
        site.take(charger.calls("Heartbeat"))


BIG = {"ocpp_chargepoint", "ocpp_connector", "ocpp_idtag", "ocpp_message", "ocpp_transaction"}


@pytest.mark.parametrize(
    "history",
    [
        "SELECT 1",
        "VACUUM ANALYZE",
        EMPTY,
    ],
    ids=["fresh", "vacuumed", "truncated"],
)
def test_a_plan_of_empty_tables_is_made_anew_when_they_are_full(history: str) -> None:
    """Vacuumed: 488 instead of 95 us a message, until autovacuum came round."""
    execute(history)
    site, charger = CentralSystem(), Charger("CP1")
    a_session(site, charger)
    fill()
    assert {name for name, size in pages().items() if size >= LARGE} >= BIG
    heartbeats(site, charger, EVERY)
    assert read_in_whole(BIG) == set()


def test_a_plan_of_empty_tables_that_were_vacuumed_reads_them_in_whole() -> None:
    """If that is not so any more (a newer Postgres, say), nobody has to look at sizes."""
    execute("VACUUM ANALYZE")
    a_session(CentralSystem(), Charger("CP1"))
    assert {table for table, _ in read_in_whole(BIG)} >= {"ocpp_message", "ocpp_chargepoint"}


def test_tables_that_are_emptied_and_vacuumed_in_the_middle_of_work_count_as_small_again() -> None:
    site, charger = CentralSystem(), Charger("CP1")
    a_session(site, charger)
    fill()
    heartbeats(site, charger, EVERY)
    execute("TRUNCATE ocpp_chargepoint, ocpp_transaction, ocpp_message, ocpp_idtag CASCADE")
    execute("VACUUM ANALYZE")
    another = Charger("CP2")
    a_session(site, another)
    heartbeats(site, another, EVERY)
    fill()
    heartbeats(site, another, EVERY)
    assert read_in_whole(BIG) == set()


def test_plans_are_kept_while_a_table_grows_less_than_tenfold() -> None:
    """Each of them costs a few hundred microseconds to make."""
    execute("CREATE TEMPORARY TABLE grown (id int, words text)")
    sizes = Sizes()
    thrown_away = []
    with connection.cursor() as cursor:

        def grow_to(pages: int) -> None:
            cursor.execute("SELECT pg_relation_size('grown') / 8192")
            while cursor.fetchone()[0] < pages:
                cursor.execute("INSERT INTO grown SELECT 1, repeat('x', 1000)")
                cursor.execute("SELECT pg_relation_size('grown') / 8192")

        sizes.note("SELECT * FROM grown", cursor)
        for wanted in (0, 9, 10, 99, 101, 1_010):
            grow_to(wanted)
            thrown_away += [wanted] if sizes.look(cursor) else []
    # (Planned at 0 and then at 10 pages, and so on.)
    assert thrown_away == [10, 101, 1_010]


def test_what_no_table_is_called_is_no_table() -> None:
    """The name of a common table expression, a function, a table that was dropped since."""
    sizes = Sizes()
    with connection.cursor() as cursor:
        sizes.note("WITH v AS (SELECT 1) SELECT * FROM v JOIN unnest(x) ON true", cursor)
        sizes.note('UPDATE "gone_since" SET x = 1', cursor)
        assert not sizes.look(cursor)
