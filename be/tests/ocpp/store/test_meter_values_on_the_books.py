"""MeterValues and whole sessions on the books: D-10 to D-17, D-32, I-15."""

import itertools
import time
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import (
    ChargePoint,
    Command,
    Connector,
    FailedMessage,
    IdTag,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from levity.ocpp.rules.chain.books import checks_of
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db


def states() -> list[tuple[int, str]]:
    """Every transaction and its state."""
    return list(Transaction.objects.order_by("id").values_list("id", "state"))


def test_a_session_is_on_the_books_from_start_to_stop() -> None:
    """Whole rows: transaction, connector, samples."""
    site, charger = CentralSystem(), Charger()
    charger.now = 2
    started = site.start(charger, reservationId=5)
    assert Connector.objects.get().transaction_id == started
    charger.now = 61
    site.result(charger.measures(started, 2500))
    live = Transaction.objects.values("state", "energy", "meter_last", "meter_last_at").get()
    assert live == {
        "state": "active",
        "energy": Decimal(1500),
        "meter_last": Decimal(2500),
        "meter_last_at": at(60),
    }
    charger.now = 3601
    data = [{"timestamp": wire(3600), "sampledValue": [{"value": "6.0", "unit": "kWh"}]}]
    stop = charger.stops(started, reason="EVDisconnected", idTag="tag", transactionData=data)
    assert site.result(stop) == {"idTagInfo": {"status": "Accepted"}}
    row = Transaction.objects.values().get()
    checks = checks_of(row.pop("checks"))
    assert [(check.kind, check.verdict) for check in checks] == [
        ("start-stop", "agrees"),
        ("samples", "agrees"),
        ("power", "silent"),
        ("limit", "bounds"),
        ("clock", "agrees"),
    ]
    assert row == {
        "id": started,
        # The charger knows it by the id.
        "wire_id": "",
        "seq_no": None,
        "charge_point_id": ChargePoint.objects.get().pk,
        "evse": 0,
        "connector": 1,
        "state": "stopped",
        "id_tag": "TAG",
        "reservation_id": 5,
        "occurrence": 0,
        "started_at": at(0),
        "start_received_at": at(2),
        "meter_start": Decimal(1000),
        "stopped_at": at(3600),
        "stop_received_at": at(3601),
        "meter_stop": Decimal(6000),
        "stop_reason": "EVDisconnected",
        "stop_id_tag": "tag",
        "energy": Decimal(5000),
        "energy_source": "registers",
        "confidence": "high",
        "power": Decimal(0),
        "meter_last": Decimal(2500),
        "meter_last_at": at(60),
        "lives": Transaction.objects.get().lives,
        "flags": "",
    }
    assert Connector.objects.get().transaction_id is None
    assert list(
        Samples.objects.order_by("id").values_list(
            "transaction_id", "connector", "sampled_at", "received_at", "raw_value", "value", "unit"
        )
    ) == [
        (started, 1, at(60), at(61), "2500", Decimal(2500), ""),
        (started, 1, at(3600), at(3601), "6.0", Decimal(6000), "kWh"),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_the_samples_does_not_change_the_energy(order: tuple[int, ...]) -> None:
    """D-12: all 24 orders of four samples, each of them twice."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    for number in order:
        for _ in range(2):
            site.result(charger.measures(started, 2000 + number * 100, wire(60 + number)))
    row = Transaction.objects.values("energy", "meter_last", "meter_last_at", "flags").get()
    assert row == {
        "energy": Decimal(1300),
        "meter_last": Decimal(2300),
        "meter_last_at": at(63),
        "flags": "",
    }
    # Sent again, as after a lost answer: the same samples are no new ones.
    assert Samples.objects.count() == 4


def test_samples_after_the_stop_are_kept_and_flagged_and_open_nothing() -> None:
    """D-12, lb#2075."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    site.result(charger.stops(started))
    before = Transaction.objects.values().get()
    for _ in range(2):
        site.result(charger.measures(started, 9000, wire(3601)))
    assert Transaction.objects.values().get() == {**before, "flags": "samples-after-stop"}
    assert Samples.objects.filter(transaction=started).count() == 1
    assert Connector.objects.get().transaction_id is None


@pytest.mark.parametrize("transaction_id", [None, 0, -1, 2**63 - 1, "null"])
def test_samples_that_name_no_transaction_belong_to_the_one_that_runs(transaction_id: Any) -> None:
    """D-13; citrineos#1025, libocpp#495, and JSON's null."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    if transaction_id == "null":
        event = charger.measures(None, 1500, transactionId=None)
    else:
        event = charger.measures(transaction_id, 1500)
    assert site.result(event) == {}
    assert Samples.objects.get().transaction_id == started
    assert Transaction.objects.get().energy == Decimal(500)


def test_events_of_one_charge_point_in_one_batch_see_what_the_earlier_ones_did() -> None:
    """Promise 4: on one connection or several, in the order in which the edge had them."""
    site, charger = CentralSystem(), Charger()
    frames = site.frames(
        charger.starts(),
        charger.again().measures(None, 1500),
        charger.again("cp1").stops(-1),
        charger.starts(meterStart=7000),
    )
    assert all(frame.startswith("[3,") for frame in frames)
    assert [state for _, state in states()] == ["stopped", "active"]
    assert Samples.objects.get().transaction_id == states()[0][0]
    assert QuarantinedMessage.objects.count() == 0


def test_samples_of_connector_0_without_a_transaction_are_stored() -> None:
    """D-13: the main meter of a charger with two connectors."""
    site, charger = CentralSystem(), Charger()
    site.start(charger)
    site.result(charger.shows("Available", 2))
    site.result(charger.measures(None, 1500, connectorId=0))
    assert Samples.objects.values("connector", "transaction_id").get() == {
        "connector": 0,
        "transaction_id": None,
    }
    assert Transaction.objects.get().energy is None


def test_nobody_touches_the_transaction_of_another_charge_point() -> None:
    """D-10, D-11; CVE-2026-28230: 100 ids, none stopped, none moved, all noted."""
    site, attacker = CentralSystem(), Charger("B")
    site.take(*(Charger(f"A{number}").starts() for number in range(100)))
    before = list(Transaction.objects.order_by("id").values())
    ids = [row["id"] for row in before]
    site.start(attacker, connectorId=9)
    for number in ids:
        attack = (attacker.stops(number), attacker.measures(number, number))
        assert all(frame.endswith(",{}]") for frame in site.frames(*attack))
    assert list(Transaction.objects.filter(id__in=ids).order_by("id").values()) == before
    assert Samples.objects.filter(transaction__isnull=False).count() == 0
    assert Samples.objects.count() == 100
    assert QuarantinedMessage.objects.filter(charge_point__identity="B").count() == 100
    assert SecurityEvent.objects.filter(type="ForeignTransaction").count() == 200


def test_a_second_start_on_a_busy_connector_closes_the_first() -> None:
    """D-17: the new one runs, the old one ends with its last sample; at most one is active."""
    site, charger = CentralSystem(), Charger()
    one = site.start(charger)
    site.result(charger.measures(one, 1500))
    two = site.start(charger, meterStart=2000)
    assert states() == [(one, "orphaned"), (two, "active")]
    row = Transaction.objects.values(
        "energy", "meter_stop", "stopped_at", "stop_reason", "flags"
    ).get(pk=one)
    assert row == {
        "energy": Decimal(500),
        "meter_stop": Decimal(1500),
        "stopped_at": at(60),
        "stop_reason": "Other",
        "flags": "orphaned",
    }
    # The charger's own word comes after all, and counts more.
    site.result(charger.stops(one, meterStop=1800))
    row = Transaction.objects.values("state", "energy", "flags").get(pk=one)
    assert row == {"state": "stopped", "energy": Decimal(800), "flags": "late-stop"}
    assert Connector.objects.get().transaction_id == two


def test_a_boot_closes_what_runs_and_new_samples_open_it_again() -> None:
    """On the connector where it was, whatever connector the samples name; backlog opens nothing."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger, connectorId=2)
    site.result(charger.measures(started, 1500, wire(60), connectorId=2))
    site.result(charger.boots())
    assert states() == [(started, "orphaned")]
    site.result(charger.measures(started, 1400, wire(50), connectorId=2))
    site.result(charger.measures(started, 1500, wire(60), connectorId=2))
    assert states() == [(started, "orphaned")]
    site.result(charger.measures(started, 1700, wire(90), connectorId=0))
    row = Transaction.objects.values("state", "energy", "stopped_at", "stop_reason", "flags").get()
    assert row == {
        "state": "active",
        "energy": Decimal(700),
        "stopped_at": None,
        "stop_reason": "",
        "flags": "continued",
    }
    assert list(Connector.objects.values_list("number", "transaction_id")) == [(2, started)]
    site.result(charger.stops(started))
    assert states() == [(started, "stopped")]


def test_what_is_noted_about_a_transaction_stays_noted() -> None:
    """D-16, D-19: neither a sample nor the end wipes the flags of the start."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger, meterStart=5000, timestamp="1970-01-01T00:00:00Z")
    site.result(charger.measures(started, 10))
    assert Transaction.objects.get().flags == "start-clock-unset session-register"
    site.result(charger.boots())
    assert Transaction.objects.get().flags == "start-clock-unset session-register orphaned"
    site.result(charger.stops(started, meterStop=6000))
    assert Transaction.objects.get().flags == "start-clock-unset session-register late-stop"
    assert Transaction.objects.get().energy == Decimal(1000)


def test_a_remote_start_without_a_start_is_no_session() -> None:
    """D-32: a late StartTransaction makes one then."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.result(charger.shows("Preparing"))
    command = Command.objects.get(action="RemoteStartTransaction")
    Command.objects.update(state="sent", connection=charger.connection)
    assert site.frames(charger.answers(command.unique_id, {"status": "Accepted"})) == []
    assert Command.objects.values_list("state", "result_status").get() == ("answered", "Accepted")
    assert Transaction.objects.count() == 0
    assert not Connector.objects.filter(transaction__isnull=False).exists()
    charger.now = 600
    site.start(charger)
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("12.5", Decimal("12.5")),
        (12.5, Decimal("12.5")),
        ("1e3", Decimal(1000)),
        (" 7 ", Decimal(7)),
        ("abc", None),
        ("1e400", None),
        ("NaN", None),
        ("Infinity", None),
        ("٣", None),
        ("", None),
        ("1,5", None),
        ("0x10", None),
        ("9" * 40, None),
        (10**15, Decimal(10) ** 15),
        (10**17, None),
        (999_999_999_999_999_999, None),
    ],
)
def test_a_value_that_is_no_number_is_kept_as_it_came(sent: Any, value: Decimal | None) -> None:
    """I-15: and neither it nor a number beyond every meter moves the transaction."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    samples = [{"timestamp": wire(60), "sampledValue": [{"value": sent}]}]
    assert site.result(charger.measures(started, 0, meterValue=samples)) == {}
    row = Samples.objects.values("raw_value", "value").get()
    assert row == {"raw_value": str(sent), "value": value}
    energy = Transaction.objects.get().energy
    assert (energy is None) == (value is None or value > 10**12)
    assert FailedMessage.objects.count() == 0


def test_numbers_beyond_every_meter_stay_samples() -> None:
    """Numeric overflow in Postgres, until they were stopped on the way to the transaction."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    values = [
        {"value": "1e17", "phase": f"L{number}", "measurand": measurand}
        for number in range(50)
        for measurand in ("Energy.Active.Import.Register", "Power.Active.Import")
    ]
    samples = [{"timestamp": wire(60), "sampledValue": values}]
    assert site.result(charger.measures(started, 0, meterValue=samples)) == {}
    assert Samples.objects.count() == 100
    assert Transaction.objects.values("energy", "power").get() == {"energy": None, "power": None}


def test_ten_thousand_samples_are_taken_in_bounded_time() -> None:
    """I-15: two seconds; and one statement on Postgres, a few on SQLite."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    values = [{"value": str(number)} for number in range(10_000)]
    event = charger.measures(
        started, 0, meterValue=[{"timestamp": wire(60), "sampledValue": values}]
    )
    begun = time.process_time()
    assert site.result(event) == {}
    assert time.process_time() - begun < 2
    assert Samples.objects.count() == 10_000


def test_a_tag_in_other_letters_is_the_same_tag() -> None:
    """D-18: CiString20Type."""
    IdTag.objects.create(id_tag="DeadBeef", status="Blocked")
    site, charger = CentralSystem(), Charger()
    for tag in ("DEADBEEF", "deadbeef", "DeadBeef"):
        assert site.result(charger.calls("Authorize", {"idTag": tag})) == {
            "idTagInfo": {"status": "Blocked"}
        }
