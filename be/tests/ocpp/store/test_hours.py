"""Sessions by the hour: what a worker counts piece by piece is what a full recount comes to."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from levity.ocpp.changes import SessionChange
from levity.ocpp.models import ChangedSession, SessionHour, Transaction
from levity.ocpp.store.hours import count_all, count_some, waiting
from levity.ocpp.worker.moving import Moving, hours
from tests.ocpp.ledger_chargers import NOW, Charger, at, meter_value
from tests.ocpp.test_changes import WAYS

pytestmark = pytest.mark.django_db

LATER = at(60 * 24 * 20)
COLUMNS = ("transaction", "hour", "connector", "wh", "seconds", "power")


def rows() -> list[tuple[Any, ...]]:
    return list(SessionHour.objects.order_by("transaction", "hour").values_list(*COLUMNS))


def counted(now: datetime = LATER) -> list[tuple[Any, ...]]:
    """All rows when nothing is left to count."""
    while count_some(now):
        pass
    return rows()


def recounted(now: datetime = LATER) -> list[tuple[Any, ...]]:
    list(count_all(now))
    return rows()


def count_now(changes: tuple[SessionChange, ...]) -> None:
    """A receiver: each change is counted at once, as if a worker had come round just then."""
    assert changes
    while count_some(NOW):
        pass


@pytest.mark.parametrize("name", WAYS)
def test_a_session_that_changes_is_counted_again_whichever_way_it_comes(
    name: str, settings: Any
) -> None:
    """Corrections, late stops, sessions that go on, quarantine, merges: all of them."""
    settings.OCPP_SESSIONS_CHANGED = [f"{__name__}.count_now"]
    WAYS[name][0]()
    found = counted()
    assert found == recounted()
    for session in Transaction.objects.all():
        plausible = session.energy if session.energy and session.is_plausible else 0
        assert sum(row[3] for row in found if row[0] == session.pk) == plausible


def test_a_sample_that_comes_late_moves_energy_to_its_hour() -> None:
    """The session's energy stays as it was."""
    charger = Charger()
    pk = charger.started(at(0), 1_000)
    charger.stop(pk, at(120), 9_000)
    assert [row[3] for row in counted()] == [4_000, 4_000]
    charger.meter(pk, meter_value(at(60), 2_000), when=at(130))
    assert [row[3] for row in counted()] == [1_000, 7_000] == [row[3] for row in recounted()]


def test_what_a_running_session_says_leaves_no_mark_and_is_counted_once_an_hour() -> None:
    """The pipeline does nothing for it."""
    charger = Charger()
    pk = charger.started(at(0), 1_000)
    charger.meter(pk, meter_value(at(5), 1_500), when=at(5))
    assert not ChangedSession.objects.exists()
    assert [row[3] for row in counted(at(6))] == [500]
    charger.meter(pk, meter_value(at(50), 5_000), when=at(50))
    assert count_some(at(51)) == 0
    assert [row[3] for row in counted(at(61))] == [4_000, 0]
    assert not ChangedSession.objects.exists()


def test_the_worker_counts_beside_its_other_work_and_rests_when_nothing_is_left() -> None:
    """As it moves old rows."""
    pk = Charger().started(at(0), 1_000)
    clock = [0.0]
    counting = Moving(lambda: clock[0], (hours,), tells_progress=False)
    clock[0] = 61.0
    assert counting.go_on(at(1), is_idle=True) == 1
    assert counting.go_on(at(1), is_idle=True) == 0
    assert SessionHour.objects.get().transaction_id == pk


def test_the_command_says_what_waits_and_counts_all_again() -> None:
    """`levity rollups`, `levity rollups --recount`."""
    charger = Charger()
    charger.stop(charger.started(at(0), 1_000), at(30), 4_000)
    out = StringIO()
    call_command("rollups", stdout=out)
    assert "0 hours of sessions are counted; waiting: 1 changes, 0 running" in out.getvalue()
    call_command("rollups", recount=True, stdout=out)
    assert "1 of 1 sessions" in out.getvalue()
    assert [row[3] for row in rows()] == [Decimal(3_000)]
    counted()
    assert waiting(at(60) + timedelta(days=1)) == (0, 0)
