"""Chargers that never got our transactionId, or ignore it, and go by one of their own."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import QuarantinedMessage, SecurityEvent, Transaction
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, iso, meter_value

pytestmark = pytest.mark.django_db
OWN = 4711
FLAG = f"own-id:{OWN}"


@pytest.fixture
def charger() -> Charger:
    """On line at twelve."""
    return Charger()


def open_questions() -> int:
    """How many messages wait for a person."""
    return QuarantinedMessage.objects.filter(resolved_at=None).count()


def test_a_session_that_goes_by_an_id_of_the_chargers_own_is_the_one_that_runs(
    charger: Charger,
) -> None:
    """Samples and the stop were quarantined, and the running session showed no energy."""
    running = charger.started(at(0), 1000, idTag="ANNA")
    for minute in (5, 10):
        charger.meter(OWN, meter_value(at(minute), 1000 + 100 * minute), when=at(minute))
    assert books(running, "energy", "flags") == (Decimal(1000), FLAG)
    # A person who stops it from here names the id that the charger knows.
    assert told_id(Transaction.objects.get(pk=running)) == OWN
    charger.stop(OWN, at(20), 3500)
    assert books(running, "state", "energy", "flags", "confidence") == (
        "stopped",
        Decimal(2500),
        FLAG,
        "high",
    )
    assert open_questions() == 0


@pytest.mark.parametrize("off", [-120, 120])
def test_and_with_a_clock_two_hours_off(charger: Charger, off: int) -> None:
    """Behind or ahead, from the start on."""
    running = charger.started(at(off), 1000, when=at(0), idTag="ANNA")
    for minute in (5, 10):
        charger.meter(OWN, meter_value(at(off + minute), 1000 + 100 * minute), when=at(minute))
    charger.stop(OWN, at(off + 20), 3500, when=at(20))
    assert books(running, "state", "energy") == ("stopped", Decimal(2500))
    assert FLAG in books(running, "flags").split()


@pytest.mark.parametrize(("tag", "is_meant"), [("ANNA", True), ("BOB", False), (None, False)])
def test_a_stop_alone_is_believed_with_the_sessions_tag(
    charger: Charger, tag: str | None, is_meant: bool
) -> None:
    """No samples before it: the id alone says nothing."""
    running = charger.started(at(0), 1000, idTag="ANNA")
    charger.stop(OWN, at(20), 3500, **({"idTag": tag} if tag else {}))
    assert books(running, "state") == ("stopped" if is_meant else "active")
    assert open_questions() == (not is_meant)


@pytest.mark.parametrize(
    "stop",
    [
        # Of three days ago.
        {"timestamp": iso(at(-3 * 1440))},
        {"timestamp": iso(at(-3 * 1440)), "meterStop": 950},
        # Of another connector's register.
        {"meterStop": 800_000},
        {"meterStop": 20},
        {"idTag": "BOB"},
    ],
)
def test_an_old_id_does_not_end_the_session_of_today(
    charger: Charger, stop: dict[str, Any]
) -> None:
    """Its tag may be the same."""
    running = charger.started(at(0), 1000, idTag="ANNA")
    charger.meter(running, meter_value(at(10), 2000), when=at(10))
    usual = {"transactionId": OWN, "meterStop": 3000, "timestamp": iso(at(20)), "idTag": "ANNA"}
    charger.call("StopTransaction", {**usual, **stop}, at(20))
    assert books(running, "state", "energy") == ("active", Decimal(1000))
    assert open_questions() == 1


@pytest.mark.parametrize(
    ("when", "wh"), [(at(-60), 1000), (at(5), 800_000), (at(5), 1_000_000_000)]
)
def test_samples_with_an_id_of_an_older_session_or_another_meter_are_nobodys(
    charger: Charger, when: Any, wh: int
) -> None:
    """Kept from before its start, or of a register that does not go on from meterStart."""
    running = charger.started(at(0), 400_000, idTag="ANNA")
    charger.meter(OWN, meter_value(when, wh), when=at(6))
    assert books(running, "energy", "flags") == (None, "")
    assert Samples.objects.get().transaction_id is None


def test_another_id_after_ours_or_after_its_own_is_nobodys(charger: Charger) -> None:
    """It would be another session's, whose start was lost."""
    for first in (None, OWN):
        own = Charger(f"CP-{first}")
        running = own.started(at(0), 1000, idTag="ANNA")
        own.meter(first or running, meter_value(at(5), 1500), when=at(5))
        own.meter(815, meter_value(at(10), 9000), when=at(10))
        own.stop(815, at(15), 9000)
        assert books(running, "state", "energy") == ("active", Decimal(500))


def test_after_a_start_that_was_quarantined_an_unknown_id_is_nobodys(charger: Charger) -> None:
    """Bob's start makes no sense: the id that it was answered is his."""
    alice = charger.started(at(0), 0, idTag="ALICE")
    answer = charger.start(at(5), 0, idTag="BOB", reservationId=[], when=at(5))
    charger.meter(answer["transactionId"], meter_value(at(10), 1500), when=at(10))
    charger.stop(answer["transactionId"], at(20), 2000, idTag="ALICE")
    assert books(alice, "state", "energy", "flags") == ("active", None, "another-start")


def test_its_own_id_may_be_one_of_another_charger_or_of_an_old_session(charger: Charger) -> None:
    """A charger that counts 1, 2, 3 meets ids that Levity has given elsewhere."""
    other = Charger("CP2")
    foreign = other.started(at(-200), 50)
    other.meter(foreign, meter_value(at(-190), 70), when=at(-190))
    old = charger.started(at(-100), 10, connectorId=2)
    charger.stop(old, at(-90), 20)
    for number, own in enumerate((foreign, old)):
        meter, begun = 1000 + 5000 * number, 60 * number
        running = charger.started(at(begun), meter, idTag="ANNA")
        charger.meter(own, meter_value(at(begun + 10), meter + 900), when=at(begun + 10))
        charger.meter(own, meter_value(at(begun + 15), meter + 1500), when=at(begun + 15))
        assert books(running, "energy") == Decimal(1500)
        charger.stop(own, at(begun + 20), meter + 2000)
        assert books(running, "state", "energy") == ("stopped", Decimal(2000))
    assert books(foreign, "state", "energy", "flags") == ("active", Decimal(20), "")
    assert books(old, "state", "energy", "flags") == ("stopped", Decimal(10), "")
    assert SecurityEvent.objects.filter(type="ForeignTransaction").count() <= 1


def test_its_own_id_means_its_session_after_a_boot_as_well(charger: Charger) -> None:
    """It goes on with it, and stops it."""
    running = charger.started(at(0), 1000)
    charger.meter(OWN, meter_value(at(5), 1500), when=at(5))
    charger.boot(at(6))
    assert books(running, "state") == "orphaned"
    charger.meter(OWN, meter_value(at(10), 2000), when=at(10))
    assert books(running, "state", "energy") == ("active", Decimal(1000))
    charger.boot(at(12))
    charger.stop(OWN, at(15), 2500)
    assert books(running, "state", "energy") == ("stopped", Decimal(1500))


def test_two_sessions_each_by_its_own_id(charger: Charger) -> None:
    """On two connectors."""
    first = charger.started(at(0), 1000, connectorId=1)
    second = charger.started(at(1), 700_000, connectorId=2)
    for minute in (5, 10):
        charger.meter(8001, meter_value(at(minute), 1000 + 100 * minute), when=at(minute))
        register = meter_value(at(minute), 700_000 + 50 * minute)
        charger.meter(8002, register, connectorId=2, when=at(minute))
    charger.stop(8002, at(20), 701_000)
    charger.stop(8001, at(20), 3000)
    assert books(first, "state", "energy") == ("stopped", Decimal(2000))
    assert books(second, "state", "energy") == ("stopped", Decimal(1000))


@pytest.mark.parametrize("off", [0, 120, -120])
@pytest.mark.parametrize("named", [-1, None, OWN])
def test_a_stop_that_came_before_its_start_by_a_clock_that_is_off(
    charger: Charger, off: int, named: int | None
) -> None:
    """Ahead at both ends: the stop waited for a person, and the session ran on."""
    charger.stop(named, at(off + 30), 3000, when=at(31), idTag="ANNA")
    session = charger.started(at(off), 1000, when=at(32), idTag="ANNA")
    assert books(session, "state", "energy") == ("stopped", Decimal(2000))
    assert "stop-came-first" in books(session, "flags").split()
    assert open_questions() == 0


def test_its_own_number_may_come_again_with_the_next_session(charger: Charger) -> None:
    """It counts from 1 after each boot."""
    for number in (0, 1):
        begun, meter = 60 * number, 1000 + 2000 * number
        session = charger.started(at(begun), meter)
        charger.meter(str(OWN), meter_value(at(begun + 5), meter + 500), when=at(begun + 5))
        charger.stop(str(OWN), at(begun + 30), meter + 1500)
        assert books(session, "state", "energy") == ("stopped", Decimal(1500))
        charger.boot(at(begun + 40))
