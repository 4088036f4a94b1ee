"""Plain tuples in a table: one row or many, on either database, with or without plans."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from levity.db import plans as planned
from levity.db.rows import (
    insert_rows,
    reserve_ids,
    update_rows,
    upsert_rows,
    written_together,
)
from levity.ocpp.models import (
    ChargePoint,
    Command,
    Connector,
    IdTag,
    LegacySample,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ODD = [
    "",
    "NULL",
    "{}",
    "{a,b}",
    'q"q',
    "b\\s",
    "\\",
    "'",
    "''",
    ",",
    " a ",
    "\t\n",
    "é",
    "😀",
    "%s",
]
ODD += ["$1", "%", "%%", "\\'", "1", "true"]


@pytest.fixture(autouse=True, params=["planned", "plain"])
def plans(request: pytest.FixtureRequest) -> Iterator[None]:
    """As a worker writes, and as everybody else does."""
    connection.close()
    if request.param == "planned":
        planned.plan_once()
    yield
    planned._thread.plans = False
    connection.close()


def charge_point(name: str = "CP1") -> ChargePoint:
    return ChargePoint.objects.create(identity=name, created_at=NOON)


def test_a_row_alone_holds_what_the_same_row_among_others_holds() -> None:
    columns = ("type", "detail", "at", "received_at")
    for text in ODD:
        insert_rows(SecurityEvent, columns, [("ALONE", text, NOON, NOON)])
    insert_rows(SecurityEvent, columns, [("MANY", text, NOON, NOON) for text in ODD])
    for kind in ("ALONE", "MANY"):
        told = SecurityEvent.objects.filter(type=kind).order_by("id")
        assert list(told.values_list("detail", "at")) == [(text, NOON) for text in ODD]


@pytest.mark.parametrize("size", [1, 2])
def test_every_kind_of_column(size: int) -> None:
    """Text, JSON, UUID, boolean, number, time, NULL, and the defaults of what is not named."""
    own = charge_point()
    on, ids = uuid4(), [uuid4() for _ in range(size)]
    payload = '{"a": [1, null, "x%s"]}'
    insert_rows(
        Command,
        (
            *("charge_point_id", "action", "payload", "secret", "state", "unique_id"),
            *("queue_offline", "not_before", "expires_at", "connection", "only_connector"),
            *("only_status", "idempotency_key", "source", "created_at"),
        ),
        [
            (
                *(own.pk, "Reset", payload, "", Command.State.QUEUED, str(unique_id)),
                *(False, NOON, None, on, None),
                *("", None, "test", NOON),
            )
            for unique_id in ids
        ],
    )
    found = list(Command.objects.order_by("id"))
    assert {item.unique_id for item in found} == set(map(str, ids))
    for item in found:
        assert item.payload == {"a": [1, None, "x%s"]}
        assert (item.connection, item.queue_offline, item.not_before) == (on, False, NOON)
        assert (item.state, item.expires_at, item.only_connector) == ("queued", None, None)
        assert (item.answered_late, item.result_status) == (False, "")


@pytest.mark.parametrize("size", [1, 2])
def test_an_update_keeps_what_is_not_told(size: int) -> None:
    points = [charge_point(f"CP{number}") for number in range(size)]
    ChargePoint.objects.update(remote_address="10.0.0.1", vendor="V")
    columns = ("id", "vendor", "remote_address", "last_seen_at")
    rows = [(item.pk, "W", None, NOON) for item in points]
    update_rows(ChargePoint, columns, rows, keep_null=("remote_address",))
    told = set(ChargePoint.objects.values_list("vendor", "remote_address", "last_seen_at"))
    assert told == {("W", "10.0.0.1", NOON)}


@pytest.mark.parametrize("size", [1, 2])
def test_an_upsert_inserts_once_and_updates_then(size: int) -> None:
    own = charge_point()
    key = ("charge_point_id", "evse", "number")
    for status in ("Available", "Preparing"):
        rows = [(own.pk, 0, number, status) for number in range(1, size + 1)]
        upsert_rows(Connector, (*key, "status"), rows, key=key, update=("status",))
    told = list(Connector.objects.values_list("number", "status").order_by("number"))
    assert told == [(number, "Preparing") for number in range(1, size + 1)]
    assert {item.error_code for item in Connector.objects.all()} == {""}


@pytest.mark.parametrize("size", [1, 2])
def test_the_same_sample_again_is_no_new_one(size: int) -> None:
    own = charge_point()
    same = ("charge_point_id", "sampled_at", "connector", "measurand", "raw_value")

    def take(value: str) -> None:
        rows: list[tuple[Any, ...]] = [
            (own.pk, 1, NOON + timedelta(seconds=number), NOON, "Voltage", value, Decimal(value))
            for number in range(size)
        ]
        insert_rows(
            LegacySample,
            (
                *("charge_point_id", "connector", "sampled_at", "received_at", "measurand"),
                *("raw_value", "value"),
            ),
            rows,
            unless_same=same,
        )

    for value in ("230.1", "230.1", "230.2"):
        take(value)
    told = list(LegacySample.objects.values_list("raw_value", "value").order_by("id"))
    assert told == [("230.1", Decimal("230.1"))] * size + [("230.2", Decimal("230.2"))] * size


@pytest.mark.parametrize("size", [1, 3])
def test_equal_rows_of_one_statement_are_all_inserted_once(size: int) -> None:
    """Three phases without a phase: `{"value":"230","measurand":"Voltage"}` three times."""
    own = charge_point()
    columns = ("charge_point_id", "connector", "sampled_at", "received_at", "measurand")
    columns = (*columns, "phase", "raw_value", "value")
    same = ("charge_point_id", "sampled_at", "connector", "measurand", "phase", "raw_value")
    row = (own.pk, 1, NOON, NOON, "Voltage", "", "230", Decimal(230))
    for _ in range(2):
        insert_rows(LegacySample, columns, [row] * size, unless_same=same)
    assert list(LegacySample.objects.values_list("raw_value", flat=True)) == ["230"] * size


def test_a_new_row_beside_one_that_is_there() -> None:
    own = charge_point()
    columns = ("charge_point_id", "connector", "sampled_at", "received_at", "measurand")
    columns = (*columns, "raw_value", "value")
    same = ("charge_point_id", "sampled_at", "connector", "measurand", "raw_value")
    known = (own.pk, 1, NOON, NOON, "Voltage", "230", Decimal(230))
    new = (own.pk, 1, NOON, NOON, "Voltage", "231", Decimal(231))
    insert_rows(LegacySample, columns, [known], unless_same=same)
    insert_rows(LegacySample, columns, [known, new, new], unless_same=same)
    told = LegacySample.objects.order_by("id").values_list("raw_value", flat=True)
    assert list(told) == ["230", "231", "231"]


@pytest.mark.parametrize("size", [1, 2])
def test_only_those_that_are_new(size: int) -> None:
    """Also beside themselves."""
    columns = ("id_tag", "status", "created_at")
    for status in ("Accepted", "Blocked"):
        insert_rows(IdTag, columns, [("TAG", status, NOON)] * size, new_only=True)
    assert list(IdTag.objects.values_list("id_tag", "status")) == [("TAG", "Accepted")]


@pytest.mark.parametrize("size", [1, 2])
def test_a_row_of_the_same_constraint_fails(size: int) -> None:
    columns = ("id_tag", "status", "created_at")
    insert_rows(IdTag, columns, [("T0", "Accepted", NOON)])
    rows = [(f"T{number}", "Blocked", NOON) for number in range(size)]
    with pytest.raises(IntegrityError):
        insert_rows(IdTag, columns, rows)


def test_of_two_updates_of_one_row_the_last_counts() -> None:
    own, other = charge_point(), charge_point("CP2")
    columns = ("id", "vendor", "remote_address", "model")
    rows = [
        (own.pk, "V", "10.0.0.1", "M1"),
        (other.pk, "V", None, "M"),
        (own.pk, "W", None, "M2"),
    ]
    update_rows(ChargePoint, columns, rows, keep_null=("remote_address",))
    told = ChargePoint.objects.order_by("id").values_list("vendor", "remote_address", "model")
    assert list(told) == [("W", "10.0.0.1", "M2"), ("V", "", "M")]


@pytest.mark.parametrize("size", [1, 2])
def test_an_update_by_more_than_one_column(size: int) -> None:
    """As an answer finds the Call that it is for."""
    own = charge_point()
    for number in range(1, size + 1):
        Connector.objects.create(charge_point=own, number=number)
        Connector.objects.create(charge_point=own, number=number + 10)
    rows = [(own.pk, number, "Faulted") for number in range(1, size + 1)]
    update_rows(Connector, ("charge_point_id", "number", "status"), rows, key=2)
    told = Connector.objects.filter(status="Faulted").order_by("number")
    assert list(told.values_list("number", flat=True)) == list(range(1, size + 1))


@pytest.mark.parametrize("size", [1, 2])
def test_an_upsert_counts(size: int) -> None:
    own = charge_point()
    key = ("charge_point_id", "action", "payload_hash")
    columns = (*key, "payload", "reason", "received_at")
    rows = [(own.pk, "Authorize", f"h{number}", "{}", "odd", NOON) for number in range(size)]
    for _ in range(3):
        upsert_rows(QuarantinedMessage, columns, rows, key=key, add=("repeated",))
    assert list(QuarantinedMessage.objects.values_list("repeated", flat=True)) == [2] * size


def test_an_upsert_of_one_key_twice_fails() -> None:
    own = charge_point()
    key = ("charge_point_id", "evse", "number")
    rows = [(own.pk, 0, 1, "Available"), (own.pk, 0, 1, "Preparing")]
    with pytest.raises(ValueError, match="two rows with the same"):
        upsert_rows(Connector, (*key, "status"), rows, key=key, update=("status",))
    assert not Connector.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_reserved_ids_are_nobody_elses(count: int) -> None:
    with transaction.atomic():
        ids = reserve_ids(Transaction, count)
        others = reserve_ids(Transaction, count)
    assert len({*ids, *others}) == 2 * count
    assert reserve_ids(Transaction, 0) == []


@pytest.mark.parametrize("size", [1, 2])
def test_what_is_written_together_is_written_in_its_order(size: int) -> None:
    own = charge_point()
    key = ("charge_point_id", "evse", "number")
    rows = [(own.pk, 0, number, "Available") for number in range(1, size + 1)]
    with transaction.atomic(), written_together():
        upsert_rows(Connector, (*key, "status"), rows, key=key, update=("status",))
        rows = [(own.pk, number, "Charging") for number in range(1, size + 1)]
        update_rows(Connector, ("charge_point_id", "number", "status"), rows, key=2)
    assert list(Connector.objects.values_list("status", flat=True)) == ["Charging"] * size


@pytest.mark.parametrize("size", [1, 2])
def test_a_column_is_cleared_where_it_has_its_value_still(size: int) -> None:
    own = [charge_point(f"CP{number}").pk for number in range(3)]
    for number, pk in enumerate(own):
        ChargePoint.objects.filter(pk=pk).update(call_timeout=7 + number)
    columns = ("id", "call_timeout", "call_timeout")
    update_rows(ChargePoint, columns, [(pk, 7, None) for pk in own[:size]], key=2)
    update_rows(ChargePoint, columns, [(own[2], 7, None)], key=2)
    left = ChargePoint.objects.order_by("id").values_list("call_timeout", flat=True)
    assert list(left) == [None, 8, 9]


@pytest.mark.parametrize("size", [1, 2])
def test_rows_that_are_mostly_there_are_upserted_all_the_same(size: int) -> None:
    own = charge_point()
    key = ("charge_point_id", "evse", "number")
    columns = (*key, "status")

    def told(*rows: tuple[int, str]) -> dict[int, str]:
        values = [(own.pk, 0, number, status) for number, status in rows]
        upsert_rows(Connector, columns, values, key=key, update=("status",), mostly_there=True)
        return dict(Connector.objects.values_list("number", "status"))

    new = [(number, "Available") for number in range(1, size + 1)]
    assert told(*new) == dict(new)
    assert {item.error_code for item in Connector.objects.all()} == {""}
    first = Connector.objects.get(number=1).pk
    changed = [(1, "Preparing"), (9, "Faulted")][:size]
    assert told(*changed) == {**dict(new), **dict(changed)}
    assert Connector.objects.get(number=1).pk == first


@pytest.mark.parametrize("size", [1, 2])
def test_rows_that_are_mostly_there_count_on(size: int) -> None:
    own = charge_point()
    key = ("charge_point_id", "action", "payload_hash")
    columns = (*key, "unique_id", "payload", "reason", "received_at", "last_received_at")
    rows = [(own.pk, "A", str(number), "", "{}", "", NOON, NOON) for number in range(size)]
    later = NOON + timedelta(hours=1)
    for at in (NOON, later, later):
        upsert_rows(
            QuarantinedMessage,
            columns,
            [(*row[:-1], at) for row in rows],
            key=key,
            update=("last_received_at",),
            add=("repeated",),
            mostly_there=True,
        )
    found = QuarantinedMessage.objects.values_list("received_at", "last_received_at", "repeated")
    assert list(found) == [(NOON, later, 2)] * size


@pytest.mark.postgres
@pytest.mark.parametrize("size", [1, 2])
def test_a_text_that_is_too_long_fails_and_is_not_cut(size: int) -> None:
    """A cast to varchar(20) would cut it in silence."""
    long = "x" * 300
    rows = [(long, "", NOON, NOON)] * size
    with pytest.raises(DataError):
        insert_rows(SecurityEvent, ("type", "detail", "at", "received_at"), rows)
    assert SecurityEvent.objects.count() == 0
