"""`sessions_changed`: an extension that bills by it misses none of the ways a session changes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from levity.ocpp import changes as told
from levity.ocpp.changes import Session, SessionChange, changes_told, tell_again
from levity.ocpp.checks import check_receivers
from levity.ocpp.decisions import quarantine, quarantined_message, unassigned
from levity.ocpp.decisions.closing import end_abandoned
from levity.ocpp.decisions.history import import_history
from levity.ocpp.models import (
    ChargePoint,
    FailedMessage,
    MeterValueCorrection,
    MissedChange,
    QuarantinedMessage,
    Transaction,
)
from levity.ocpp.worker.housekeeping import sweep
from levity.ocpp.worker.replay import take_again
from tests.ocpp.charger import CentralSystem, at, wire
from tests.ocpp.charger import Charger as Socket
from tests.ocpp.extension import billing
from tests.ocpp.ledger_chargers import Charger, meter_value
from tests.ocpp.ledger_chargers import at as minute
from tests.ocpp.store.test_spooled_frames import lease, spooled

RECORD = f"{billing.__name__}.record"
FAILING = f"{billing.__name__}.failing"
EXTENDING = Path(__file__).parents[3] / "docs" / "extending.md"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    billing.heard.clear()
    billing.faults.clear()
    yield
    billing.heard.clear()
    billing.faults.clear()


@pytest.fixture
def ledger(db: None, settings: Any) -> None:
    """The dummy extension bills, and what it is told is remembered."""
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [billing.BILL, RECORD]


def last() -> list[tuple[str, str]]:
    """(state before, state after) of each change in the last call; empty: there is no such row."""
    return [
        (change.before.state if change.before else "", change.after.state if change.after else "")
        for change in billing.heard[-1]
    ]


Play = Callable[[], object]
WAYS: dict[str, tuple[Play, list[tuple[str, str]]]] = {}
"""What each does, and what the last call told; by the first column of the table in extending.md."""


def way(name: str, *changes: tuple[str, str]) -> Callable[[Play], Play]:
    def note(play: Play) -> Play:
        WAYS[name] = play, list(changes)
        return play

    return note


def running() -> tuple[Charger, int]:
    """A session with a sample at minute 5."""
    charger = Charger()
    started = charger.started()
    charger.meter(started, meter_value(minute(5), 1500), when=minute(5))
    return charger, started


def stopped() -> tuple[Charger, int]:
    charger, started = running()
    charger.stop(started, minute(30), 3000)
    return charger, started


def orphaned() -> tuple[Charger, int]:
    charger, started = running()
    charger.boot(minute(6))
    return charger, started


@way("StartTransaction", ("", "active"))
def _() -> None:
    Charger().start()


@way("StartTransaction behind its samples", ("", "active"))
def _() -> None:
    charger = Charger()
    charger.meter(None, meter_value(minute(5), 1500), when=minute(5))
    charger.start(minute(0), when=minute(10))
    assert Transaction.objects.get().energy == 500


@way("StartTransaction behind its StopTransaction", ("", "stopped"))
def _() -> None:
    site, charger = CentralSystem(), Socket()
    site.connect(charger)
    [number] = lease(site, 1)
    start = spooled(charger.starts(), number)
    other = charger.again()
    site.connect(other)
    site.result(other.stops(number))
    site.take(start)


@way("StartTransaction that an edge answered", ("", "active"))
def _() -> None:
    site, charger = CentralSystem(), Socket()
    site.connect(charger)
    [number] = lease(site, 1)
    other = charger.again()
    other.now = 120
    site.connect(other)
    site.result(other.measures(number, 2500, when=wire(100)))
    site.take(spooled(charger.starts(), number))
    assert Transaction.objects.get().energy == 1500


@way("StartTransaction that an edge answered with a second id", ("active", "active"))
def _() -> None:
    site, charger = CentralSystem(), Socket()
    site.connect(charger)
    [number] = lease(site, 1)
    start = charger.starts()
    site.take(start)
    other = charger.again()
    site.connect(other)
    other.now = 60
    site.result(other.measures(None, 1200, when=wire(50)))
    other.now = 120
    site.result(other.measures(number, 2500, when=wire(100)))
    assert Transaction.objects.get().energy == 200
    site.take(spooled(start, number))
    assert Transaction.objects.get().energy == 1500


@way("StopTransaction that named a second id", ("active", "stopped"))
def _() -> None:
    site, charger = CentralSystem(), Socket()
    site.connect(charger)
    [number] = lease(site, 1)
    start = charger.starts()
    site.take(start)
    other = charger.again()
    site.connect(other)
    site.result(other.stops(number))
    site.take(spooled(start, number))


@way("MeterValues", ("active", "active"))
def _() -> None:
    charger, started = running()
    charger.meter(started, meter_value(minute(10), 2000), when=minute(10))


@way("MeterValues behind the end", ("stopped", "stopped"))
def _() -> None:
    charger, started = stopped()
    charger.meter(started, meter_value(minute(40), 3600), when=minute(40))


@way("MeterValues of a session that Levity had closed", ("orphaned", "active"))
def _() -> None:
    charger, started = orphaned()
    charger.meter(started, meter_value(minute(10), 2000), when=minute(10))


@way("StatusNotification of a session that a boot had closed", ("orphaned", "active"))
def _() -> None:
    charger, _started = orphaned()
    charger.status("Charging", minute(7))


@way("StartTransaction once more", ("stopped", "stopped"))
def _() -> None:
    charger, _started = stopped()
    charger.start(when=minute(40))


@way("StartTransaction once more behind a boot", ("orphaned", "active"))
def _() -> None:
    """The charger's clock was never set: it may be the next session as well."""
    charger, unset = Charger(), minute(-60 * 24 * 365 * 50)
    charger.start(unset, 0, when=minute(0))
    charger.boot(minute(1))
    charger.start(unset, 0, when=minute(2))


@way("StopTransaction", ("active", "stopped"))
def _() -> None:
    charger, started = running()
    charger.stop(started, minute(30), 3000)


@way("StopTransaction of a session that Levity had closed", ("orphaned", "stopped"))
def _() -> None:
    charger, started = orphaned()
    charger.stop(started, minute(30), 3000)


@way("StopTransaction that makes no sense", ("active", "orphaned"))
def _() -> None:
    charger, started = running()
    charger.call("StopTransaction", {"transactionId": started, "meterStop": "much"}, minute(9))


@way("StartTransaction that makes no sense", ("active", "active"))
def _() -> None:
    charger, _started = running()
    charger.call("StartTransaction", {"connectorId": 1, "meterStart": []}, minute(9))


@way("another StartTransaction on the connector", ("active", "orphaned"), ("", "active"))
def _() -> None:
    charger, _started = running()
    charger.start(minute(20), 4000)


@way("BootNotification", ("active", "orphaned"))
def _() -> None:
    orphaned()


@way("StatusNotification of a new car", ("active", "orphaned"))
def _() -> None:
    charger, _started = running()
    charger.status("Available", minute(30))
    charger.status("Preparing", minute(40))


@way("a connector that stays free", ("active", "orphaned"))
def _() -> None:
    charger, _started = running()
    charger.status("Available", minute(30))
    assert end_abandoned(minute(100)) == 1


@way("a charger that is gone", ("active", "orphaned"))
def _() -> None:
    running()
    assert end_abandoned(minute(60 * 24 * 8)) == 1


@way("a charge point that is retired", ("active", "orphaned"))
def _() -> None:
    running()
    ChargePoint.objects.update(connection=None)
    call_command("retire", "CP1", verbosity=0)
    assert end_abandoned(minute(10)) == 1


@way("ended by hand", ("active", "orphaned"))
def _() -> None:
    _charger, started = running()
    User.objects.create_superuser("root", password="a long enough pass phrase")
    browser = Client()
    browser.force_login(User.objects.get())
    browser.post(reverse("admin:ocpp_transaction_end", args=[started]))


def quarantined() -> QuarantinedMessage:
    """A stop that names no session, and the session that it may be of."""
    charger, _started = running()
    charger.stop(4711, minute(30), 3000)
    return QuarantinedMessage.objects.get()


@way("quarantine: attached", ("active", "stopped"))
def _() -> None:
    quarantine.attach(quarantined(), Transaction.objects.get(), None)


@way("quarantine: attached, taken back", ("stopped", "active"))
def _() -> None:
    item = quarantined()
    quarantine.attach(item, Transaction.objects.get(), None)
    quarantine.undo(item, None)


def nonsense() -> QuarantinedMessage:
    """A start that makes no sense, with a sample behind it."""
    charger = Charger()
    charger.start(meter=[])
    charger.meter(None, meter_value(minute(5), 1500), when=minute(5))
    return QuarantinedMessage.objects.get()


def made(item: QuarantinedMessage) -> Transaction:
    values = quarantined_message.Session(1, "tag", minute(0), told.Decimal(1000))
    return quarantine.make_transaction(item, None, values)


@way("quarantine: a transaction is made", ("", "orphaned"))
def _() -> None:
    assert made(nonsense()).energy == 500


@way("quarantine: a transaction is made, taken back", ("orphaned", ""))
def _() -> None:
    item = nonsense()
    made(item)
    quarantine.undo(item, None)


def given() -> Transaction:
    """2,000 Wh between two sessions, of which nobody knew whose they were."""
    charger, _ = stopped()
    charger.start(minute(60), 5000)
    [stretch] = unassigned.stretches_of(charger.row, (0, 1), "2026-03")
    ends = (stretch.since, stretch.wh_from, stretch.until, stretch.wh_until)
    return unassigned.give(charger.row, (0, 1), ends, None, None, "a test")


@way("unassigned energy: given to an id tag", ("", "stopped"))
def _() -> None:
    assert given().energy == 2000


@way("unassigned energy: given, taken back", ("stopped", ""))
def _() -> None:
    unassigned.take_back(given(), None)


@way("import_history", ("", "stopped"))
def _() -> None:
    charger = Charger()
    line = f"{charger.row.identity},1,04AA,2024-11-03 18:00:00,2024-11-03 20:00:00,1000,11000"
    head = "charge_point,connector,id_tag,started_at,stopped_at,meter_start,meter_stop"
    assert import_history(f"{head}\n{line}\n".encode(), None).added == 1


@way(
    "each of these that begins, ends or moves a session",
    ("orphaned", "orphaned"),
    ("", "active"),
)
def _() -> None:
    charger, _ = orphaned()
    charger.started(minute(40), meter=1600)
    assert Transaction.objects.order_by("id")[0].energy == 600


def wild() -> None:
    """Energy that no connector delivers, as an older release had it on the books."""
    charger, started = running()
    charger.stop(started, minute(60), 70_000_000)
    with transaction.atomic(), changes_told(lambda: [started]):
        Transaction.objects.update(
            energy=69_999_000,
            energy_source="registers",
            confidence="high",
            flags="implausible-energy",
            lives="",
        )
    call_command("correct_meter_values", "2026-03-09", "2026-03-09", max_power=11_000)


@way("correct_meter_values", ("stopped", "stopped"))
def _() -> None:
    wild()
    assert Transaction.objects.get().confidence == "low"


@way("correct_meter_values --undo", ("stopped", "stopped"))
def _() -> None:
    wild()
    call_command("correct_meter_values", undo=str(MeterValueCorrection.objects.all()[0].run))
    assert Transaction.objects.get().energy == 69_999_000


@way("replay_failed", ("", "active"))
def _() -> None:
    site, charger = CentralSystem(), Socket()
    FailedMessage.objects.create(
        identity="CP1",
        connection=charger.connection,
        seq=1,
        text=charger.starts().text,
        received_at=at(),
    )
    assert take_again(FailedMessage.objects.get(), site.pipeline, None) == ""


@pytest.mark.parametrize("name", WAYS)
def test_a_change_of_a_session_is_told_whichever_way_it_comes(name: str, ledger: None) -> None:
    play, expected = WAYS[name]
    play()
    assert last() == expected
    billing.agree()


def test_the_documented_ways_are_those_that_are_tested() -> None:
    text = EXTENDING.read_text()
    table = text.partition("| a session changes by |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert [row.replace("`", "") for row in rows] == list(WAYS)


def test_all_sessions_of_a_batch_are_told_in_one_call(ledger: None) -> None:
    site = CentralSystem()
    chargers = [site.connect(Socket(f"CP{number}")) for number in range(10)]
    billing.heard.clear()
    site.take(*(charger.starts() for charger in chargers))
    [changes] = billing.heard
    identities = {change.after.identity for change in changes}
    assert identities == {charger.identity for charger in chargers}
    assert all(change.before is None for change in changes)


def test_a_session_is_told_with_its_figures_before_and_after(ledger: None) -> None:
    charger, started = running()
    charger.stop(started, minute(30), 3000)
    [change] = billing.heard[-1]
    common = {
        "id": started,
        "charge_point_id": charger.row.pk,
        "identity": "CP1",
        "evse": 0,
        "connector": 1,
        "id_tag": "tag",
        "started_at": minute(0),
        "meter_start": 1000,
        "flags": (),
    }
    assert change.before == Session(
        **common,
        state="active",
        stopped_at=None,
        meter_stop=None,
        energy=told.Decimal(500),
        energy_source="",
        confidence="",
    )
    assert change.after == Session(
        **common,
        state="stopped",
        stopped_at=minute(30),
        meter_stop=told.Decimal(3000),
        energy=told.Decimal(2000),
        energy_source="registers",
        confidence="high",
    )
    assert {item.name for item in fields(SessionChange)} == {"before", "after"}


def test_what_changes_no_figure_is_not_told(ledger: None) -> None:
    charger, started = running()
    billing.heard.clear()
    charger.call("Heartbeat", {}, minute(8))
    charger.status("Charging", minute(9))
    # The newest sample, which it has told before.
    charger.meter(started, meter_value(minute(5), 1500), when=minute(10))
    charger.meter(started, meter_value(minute(10), 230, measurand="Voltage"), when=minute(10))
    assert billing.heard == []


def test_a_batch_that_is_rolled_back_bills_nothing(ledger: None) -> None:
    charger, started = running()
    billed = billing.bills()
    with suppress(ZeroDivisionError), transaction.atomic(), changes_told(lambda: [started]):
        Transaction.objects.update(energy=77)
        raise ZeroDivisionError
    assert billing.bills() == billed
    billing.agree()
    charger.stop(started, minute(30), 3000)
    billing.agree()


@pytest.mark.django_db(transaction=True)
def test_a_session_is_changed_in_a_database_transaction_only(settings: Any) -> None:
    settings.OCPP_SESSIONS_CHANGED = [RECORD]
    writing = changes_told(lambda: [1])
    with pytest.raises(transaction.TransactionManagementError):
        writing.__enter__()


@pytest.mark.django_db(transaction=True)
def test_what_a_receiver_writes_is_committed_with_the_batch(settings: Any) -> None:
    """In the worker's own transaction, which sends its BEGIN and COMMIT with other statements."""
    billing.make_table()
    try:
        settings.OCPP_SESSIONS_CHANGED = [billing.BILL, FAILING, RECORD]
        billing.faults += ["SELECT * FROM no_such_table"]
        running()
        connection.close()
        [started] = Transaction.objects.values_list("pk", flat=True)
        assert billing.bills()[started] == 500
        assert MissedChange.objects.count() == 2
        assert tell_again() == 2
        with transaction.atomic():
            billing.agree(others=True)
    finally:
        billing.drop_table()


def test_where_nothing_listens_no_statement_is_added_and_no_id_is_collected(db: None) -> None:
    asked: list[int] = []
    with CaptureQueriesContext(connection) as captured, changes_told(lambda: asked):
        asked.append(1)
    assert len(captured) == 0
    charger, started = running()
    with CaptureQueriesContext(connection) as captured:
        charger.stop(started, minute(30), 3000)
    assert not [item for item in captured if "missedchange" in item["sql"]]


@pytest.mark.parametrize(
    "fault",
    [ZeroDivisionError("no tariff"), "SELECT * FROM no_such_table", "INSERT INTO dummy_bill"],
    ids=["its own", "its table is missing", "its statement is wrong"],
)
def test_a_receiver_that_fails_is_named_and_loses_neither_the_frame_nor_the_change(
    fault: Any, db: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What it wrote is undone; the others hear of it; it is told again in the order of things."""
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [FAILING, RECORD]
    charger = Charger()
    billing.faults.append(fault)
    with caplog.at_level(logging.ERROR):
        started = charger.started()
    [line] = [item for item in caplog.records if item.name == told.__name__]
    assert line.getMessage().startswith(f"{FAILING} failed at 1 changed sessions")
    assert line.exc_info
    assert Transaction.objects.get().pk == started
    assert not FailedMessage.objects.exists()
    first, recorded = billing.heard
    assert first == recorded
    assert not billing.bills()
    # The next change waits behind it, though the receiver would take that one.
    charger.stop(started, minute(30), 3000)
    assert len(billing.heard) == 3
    assert not billing.bills()
    kept = list(MissedChange.objects.values_list("receiver", "traceback"))
    assert [name for name, _ in kept] == [FAILING, FAILING]
    assert [bool(text) for _, text in kept] == [True, False]
    # A minute later.
    second = billing.heard[-1]
    billing.heard.clear()
    sweep(minute(31))
    assert billing.heard == [first, second]
    assert len(billing.bills()) == 2
    assert not MissedChange.objects.exists()


def test_a_receiver_that_goes_on_failing_is_asked_for_its_oldest_once_a_minute(
    db: None, settings: Any
) -> None:
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [FAILING]
    billing.faults += [ZeroDivisionError("first"), ValueError("second")]
    running()
    billing.heard.clear()
    assert tell_again() == 0
    assert len(billing.heard) == 1
    assert "ValueError: second" in MissedChange.objects.all()[0].traceback
    waiting = MissedChange.objects.count()
    assert tell_again() == waiting
    assert tell_again() == 0


def test_replay_failed_lists_what_receivers_missed_and_tells_them_at_once(
    db: None, settings: Any
) -> None:
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [FAILING]
    billing.faults.append(ZeroDivisionError("no tariff"))
    running()
    waits = f"{FAILING}: 2 changes of sessions wait: ZeroDivisionError: no tariff\n"

    def said(**options: Any) -> str:
        out = StringIO()
        call_command("replay_failed", stdout=out, **options)
        return out.getvalue()

    assert said(dry_run=True) == waits
    billing.faults.append(ZeroDivisionError("no tariff"))
    assert said() == f"0 recorded, 0 failed again\n{waits}"
    told = "2 changes of sessions told to receivers that had missed them\n"
    assert said() == f"0 recorded, 0 failed again\n{told}"
    assert said() == "0 recorded, 0 failed again\n"


def test_an_entry_that_does_not_exist_at_run_time_keeps_what_it_misses(
    db: None, settings: Any
) -> None:
    settings.OCPP_SESSIONS_CHANGED = ["no_such_module.bill"]
    running()
    assert "can't be imported" in MissedChange.objects.all()[0].traceback
    assert Transaction.objects.get().state == "active"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("my.bill", "OCPP_SESSIONS_CHANGED must be a list of dotted paths"),
        ([7], "OCPP_SESSIONS_CHANGED: 7 is not a dotted path (package.module.function)"),
        (["bill"], "'bill' is not a dotted path"),
        (["no_such_module.bill"], "'no_such_module.bill' can't be imported"),
        ([f"{billing.__name__}.bil"], "can't be imported"),
        ([f"{billing.__name__}.not_callable"], "is not callable"),
        ([billing.BILL, billing.BILL], "is named twice"),
    ],
)
def test_an_entry_that_can_not_work_is_named_before_the_first_charger_connects(
    entries: Any, said: str, settings: Any
) -> None:
    settings.OCPP_SESSIONS_CHANGED = entries
    [problem] = check_receivers()
    assert problem.id == "ocpp.E007"
    assert said in problem.msg


def test_entries_that_work_have_nothing_said_of_them(settings: Any) -> None:
    settings.OCPP_SESSIONS_CHANGED = [billing.BILL, RECORD]
    assert check_receivers() == []
