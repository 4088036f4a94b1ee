"""What is read of a connector's chain: the session before at a glance, else the window."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from levity.db.plans import planned
from levity.ocpp.models import Transaction
from levity.ocpp.store.chain import BESIDE, NEAR
from levity.ocpp.testing import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


class Site:
    """A charger of which two sessions are over; what is read for each of its messages."""

    def __init__(self) -> None:
        self.site, self.charger = CentralSystem(), Charger()
        self.session(0, 1000, 2000)
        self.session(10_000, 2000, 3000)

    def session(self, at: int, first: int, last: int) -> int:
        """One of an hour, with a sample."""
        pk = self.start(at, first)
        self.sample(pk, at + 1800, (first + last) // 2)
        self.stop(pk, at + 3600, last)
        return pk

    def start(self, at: int, wh: int) -> int:
        """Its id."""
        self.charger.now = at
        return self.site.start(self.charger, meterStart=wh, timestamp=wire(at))

    def sample(self, pk: int, at: int, wh: int) -> None:
        """MeterValues."""
        self.charger.now = at
        self.site.result(self.charger.measures(pk, wh, wire(at)))

    def stop(self, pk: int, at: int, wh: int) -> None:
        """StopTransaction."""
        self.charger.now = at
        self.site.result(self.charger.stops(pk, meterStop=wh, timestamp=wire(at)))


@pytest.fixture
def site() -> Site:
    return Site()


@contextmanager
def read() -> Iterator[list[str]]:
    """Which of both statements are executed within: `before` and `window`, in their order."""
    found: list[str] = []
    beginnings = {}
    for name, query in (("before", BESIDE), ("window", NEAR)):
        sql, *_ = query._built.get(connection.vendor) or query._compiled()
        beginnings[planned(connection, sql).partition("%s")[0]] = name

    def note(execute: Any, sql: str, *given: Any) -> Any:
        found.extend(name for text, name in beginnings.items() if text in sql)
        return execute(sql, *given)

    with connection.execute_wrapper(note):
        yield found


def energies() -> list[Decimal | None]:
    return list(Transaction.objects.order_by("id").values_list("energy", flat=True))


def test_of_a_session_that_goes_on_from_the_one_before_only_that_one_is_read(site: Site) -> None:
    with read() as begun:
        pk = site.start(20_000, 3000)
    assert begun == ["before"]
    with read() as sampled:
        site.sample(pk, 21_000, 3500)
    assert sampled == []
    with read() as ended:
        site.stop(pk, 23_600, 4000)
    assert ended == ["before"]
    assert energies() == [1000, 1000, 1000]


def test_the_first_session_of_a_connector_has_none_before(site: Site) -> None:
    site.charger.now = 20_000
    with read() as begun:
        site.site.start(site.charger, connectorId=2, meterStart=1, timestamp=wire(20_000))
    assert begun == ["before"]


def test_a_start_above_the_last_stop_asks_who_was_there(site: Site) -> None:
    with read() as begun:
        site.start(20_000, 3600)
    assert begun == ["before", "window"]


def test_a_stop_below_its_start_is_held_against_all_that_lie_near(site: Site) -> None:
    """Its start and the one before go without saying, but not what its end comes to."""
    pk = site.start(20_000, 3000)
    site.sample(pk, 21_000, 3500)
    with read() as ended:
        site.stop(pk, 23_600, 2500)
    assert "window" in ended


def test_a_start_of_before_the_last_session_needs_the_window(site: Site) -> None:
    """A backlog: another session of the connector began after it."""
    with read() as begun:
        site.start(5000, 2000)
    assert begun == ["before", "window"]


def test_a_session_before_that_was_corrected_is_not_taken_at_a_glance(site: Site) -> None:
    last = Transaction.objects.latest("id")
    Transaction.objects.filter(pk=last.pk).update(energy=900, energy_source="corrected")
    with read() as begun:
        pk = site.start(20_000, 3000)
    assert begun == ["before", "window"]
    site.sample(pk, 21_000, 3500)
    with read() as ended:
        site.stop(pk, 23_600, 4000)
    assert ended == ["before", "window"]
