"""Promise 2 where the time says nothing: a charger whose clock was never set says the same second,
the same tag and 0 Wh at the start of every session. What has happened since tells a repetition
from the next session."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from levity.ocpp.chargers.clocks import Lag, clock_flags
from levity.ocpp.decisions.quarantine import make_transaction
from levity.ocpp.effects import StartTransaction
from levity.ocpp.models import Connector, QuarantinedMessage, Transaction
from levity.ocpp.request import ConnectorState, TransactionState
from levity.ocpp.rules.same_start import is_sent_again
from levity.ocpp.v16.actions.start_transaction import start_transaction
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, meter_value
from tests.ocpp.states import charge_point, request

ZERO_HOUR = datetime(1970, 1, 1, tzinfo=UTC)
LEDGER = ("id", "state", "energy", "occurrence", "flags")


def start(charger: Charger, minute: float, **more: object) -> int:
    """As it always begins."""
    return charger.started(ZERO_HOUR, 0, when=at(minute), **more)


def ledger() -> list[tuple[object, ...]]:
    """The sessions on the books."""
    return list(Transaction.objects.order_by("id").values_list(*LEDGER))


def test_the_session_after_a_stop_is_another_one(charger: Charger) -> None:
    """It was one transaction for ever: the second car charged for nothing."""
    ids = []
    for number in range(5):
        ids.append(start(charger, 60 * number))
        charger.stop(ids[-1], ZERO_HOUR, 1000 * (number + 1), when=at(60 * number + 30))
    assert ledger() == [
        (pk, "stopped", Decimal(1000 * (n + 1)), n, "start-clock-unset stop-clock-unset")
        for n, pk in enumerate(ids)
    ]
    assert len(set(ids)) == 5


def test_a_repetition_while_it_runs_is_the_same_session(charger: Charger) -> None:
    """D-01, D-03: with a new id, on a new socket, after a status that says it charges."""
    first = start(charger, 0)
    assert start(charger, 1) == first
    charger.status("Charging", at(2))
    charger.connect()
    assert start(charger, 3) == first
    charger.meter(first, meter_value(ZERO_HOUR, 500), when=at(4))
    assert start(charger, 5) == first
    assert [row[:2] for row in ledger()] == [(first, "active")]


@pytest.mark.parametrize("shown", ["Available", "Preparing", "Finishing"])
def test_a_start_after_the_connector_was_free_is_another_session(
    charger: Charger, shown: str
) -> None:
    """The StopTransaction got lost: what ran ends at its last sample."""
    charger.status("Preparing", at(0))
    first = start(charger, 1)
    charger.status("Charging", at(2))
    charger.meter(first, meter_value(ZERO_HOUR, 500), when=at(4))
    charger.status(shown, at(50))
    second = start(charger, 51)
    unset = "start-clock-unset"
    assert ledger() == [
        (first, "orphaned", Decimal(500), 0, f"{unset} orphaned"),
        (second, "active", None, 1, unset),
    ]
    assert Connector.objects.get(number=1).transaction_id == second


def test_what_the_connector_showed_before_the_start_says_nothing(charger: Charger) -> None:
    """Preparing, StartTransaction, no answer, StartTransaction: the ordinary repetition."""
    charger.status("Preparing", at(0))
    first = start(charger, 1)
    assert start(charger, 2) == first


def test_after_a_boot_a_session_that_has_charged_nothing_goes_on(charger: Charger) -> None:
    """The answer was lost with the power: the same again, and it runs."""
    first = start(charger, 0)
    charger.boot(at(1))
    assert start(charger, 2) == first
    assert ledger() == [(first, "active", Decimal(0), 0, "start-clock-unset continued")]
    assert Connector.objects.get(number=1).transaction_id == first
    charger.stop(first, ZERO_HOUR, 700, when=at(30))
    assert books(first, "state", "energy") == ("stopped", Decimal(700))


def test_after_a_boot_a_session_that_has_charged_is_over(charger: Charger) -> None:
    first = start(charger, 0)
    charger.meter(first, meter_value(ZERO_HOUR, 500), when=at(4))
    charger.boot(at(10))
    second = start(charger, 20)
    assert [row[:4] for row in ledger()] == [
        (first, "orphaned", Decimal(500), 0),
        (second, "active", None, 1),
    ]


def test_an_offline_backlog_without_a_clock_keeps_its_sessions(charger: Charger) -> None:
    """Start, Stop, Start, Stop in one burst; the Stops name none of our ids."""
    for wh in (400, 900, 1300):
        start(charger, 0)
        charger.stop(-1, ZERO_HOUR, wh, when=at(0))
    assert [row[1:4] for row in ledger()] == [
        ("stopped", Decimal(wh), number) for number, wh in enumerate((400, 900, 1300))
    ]


def test_what_a_repetition_after_the_stop_leaves_charges_nobody(charger: Charger) -> None:
    """The price of the rule: a charger that tells the whole session again gets an empty one."""
    first = start(charger, 0)
    charger.stop(first, ZERO_HOUR, 700, when=at(30))
    again = start(charger, 31)
    charger.stop(first, ZERO_HOUR, 700, when=at(32))
    start(charger, 90)
    assert books(first, "energy") == Decimal(700)
    assert books(again, "state", "energy", "confidence") == ("active", None, "")
    charger.boot(at(91))
    assert books(again, "state", "energy", "confidence") == ("orphaned", Decimal(0), "low")


def test_a_clock_that_begins_with_the_firmware_was_never_set_either(charger: Charger) -> None:
    """A year behind: nobody is offline for so long."""
    firmware = NOW - timedelta(days=800)
    first = charger.started(firmware, 0, when=at(0))
    charger.stop(first, firmware, 500, when=at(30))
    assert charger.started(firmware, 0, when=at(60)) != first
    assert clock_flags(firmware, NOW, "start") == ("start-clock-unset",)
    assert not Lag().is_backlog(firmware, NOW)


@pytest.mark.parametrize("days", [0, 3, 360])
def test_a_clock_that_can_be_believed_still_tells_a_repetition(charger: Charger, days: int) -> None:
    """D-04: also from a long backlog, also when the connector was free in between."""
    begun = NOW - timedelta(days=days)
    first = charger.started(begun, 0, when=at(0))
    charger.stop(first, begun + timedelta(minutes=5), 500, when=at(10))
    charger.status("Available", at(20))
    assert charger.started(begun, 0, when=at(30)) == first
    assert Transaction.objects.count() == 1


def test_a_start_without_any_time_is_another_session_when_the_car_has_gone(
    charger: Charger,
) -> None:
    """The same question where the time can't be read at all."""
    first = charger.start(NOW, 0, timestamp="?", when=at(0))["transactionId"]
    assert charger.start(NOW, 0, timestamp="?", when=at(1))["transactionId"] == first
    Transaction.objects.update(started_at=ZERO_HOUR)
    charger.status("Available", at(5))
    assert charger.start(NOW, 0, timestamp="?", when=at(6))["transactionId"] != first


def test_an_id_that_went_into_the_quarantine_is_not_given_to_two_sessions(
    charger: Charger,
) -> None:
    """It came while the charger was rejected, and was answered with an id that it keeps."""
    row = charger.row
    row.registration = "Rejected"
    row.save()
    given = start(charger, 0)
    row.registration = "Accepted"
    row.save()
    assert start(charger, 10) == given
    charger.stop(given, ZERO_HOUR, 300, when=at(20))
    second = start(charger, 30)
    assert second != given
    assert [item[:2] for item in ledger()] == [(given, "stopped"), (second, "active")]


def test_a_person_makes_a_session_of_a_quarantined_start_beside_others(
    charger: Charger, admin_user: object
) -> None:
    """The words are on the books already; whose they are, the person knows."""
    first = start(charger, 0)
    charger.stop(first, ZERO_HOUR, 300, when=at(20))
    row = charger.row
    row.registration = "Rejected"
    row.save()
    start(charger, 30)
    made = make_transaction(QuarantinedMessage.objects.get(), admin_user)
    assert (made.occurrence, made.started_at) == (1, ZERO_HOUR)


def test_the_number_of_the_session_is_the_constraints_business() -> None:
    """Two workers that both take it for new write the same number: one of them is told."""
    known = TransactionState(
        7, 1, 1, "stopped", "TAG", ZERO_HOUR, Decimal(0), start_received_at=NOW, occurrence=3
    )
    shown = charge_point(connectors={(0, 1): ConnectorState(1, "Preparing", at(1), None)})
    assert not is_sent_again(known, shown)
    said = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "1970-01-01T00:00:00Z"}
    begun = start_transaction(
        request("StartTransaction", said, charge_point=charge_point(), occurrence=4)
    ).effects[0]
    assert isinstance(begun, StartTransaction)
    assert begun.occurrence == 4
