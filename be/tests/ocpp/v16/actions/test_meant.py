"""Ids collide, come of the session before, or were never given: tag, time and meter decide.

Each as it was met: in the field (c12, c16, c17, c18, c37), or by an attacker (B1, B2, B3, B5).
"""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import Connector, QuarantinedMessage, Transaction
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, iso, meter_value

pytestmark = pytest.mark.django_db


@pytest.fixture
def charger() -> Charger:
    """On line at twelve."""
    return Charger()


def waiting() -> list[tuple[str, int | None]]:
    """Reason and session of what is in the quarantine."""
    rows = QuarantinedMessage.objects.order_by("id")
    return list(rows.values_list("reason", "transaction"))


def test_a_stop_of_three_days_ago_leaves_the_session_of_today_alone(charger: Charger) -> None:
    """c18, lbbrhzn/ocpp#1803: the former central system gave the same small number."""
    running = charger.started(at(0), 300_000, idTag="ANNA")
    charger.meter(running, meter_value(at(30), 305_000), when=at(30))
    answer = charger.stop(
        running, at(-3 * 1440), 250_390, when=at(40), idTag="X16WG99J2QIEGCC0MCJ5-"
    )
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    assert books(running, "state", "energy", "flags") == ("active", Decimal(5000), "")
    reason = (
        "the session with this id is running, but id tag and meter and time of this stop do not "
        "match it"
    )
    assert waiting() == [(reason, running)]
    charger.stop(running, at(60), 310_000, idTag="ANNA")
    assert books(running, "state", "energy", "confidence") == ("stopped", Decimal(10_000), "high")


@pytest.mark.parametrize(
    ("stop", "state"),
    [
        # Two speak against it.
        ({"idTag": "BOB", "meterStop": 800}, "active"),
        ({"idTag": "BOB", "meterStop": 90_000_000}, "active"),
        ({"idTag": "BOB", "timestamp": iso(at(-30))}, "active"),
        ({"meterStop": 500, "timestamp": iso(at(-30))}, "active"),
        # One only: another card of the household, a meter that began anew, a clock that was set.
        ({"idTag": "BOB"}, "stopped"),
        ({"meterStop": 500}, "stopped"),
        ({"timestamp": iso(at(-30))}, "stopped"),
        ({"idTag": "BOB", "timestamp": iso(at(-4))}, "stopped"),
        ({"idTag": "BOB", "meterStop": 0}, "stopped"),
        # A clock that was never set says nothing.
        ({"idTag": "BOB", "timestamp": "1970-01-01T00:00:00Z"}, "stopped"),
        # Nor does a meter value that can't be read; then there is none to end it with.
        ({"idTag": "BOB", "meterStop": "?"}, "orphaned"),
        ({"idTag": "BOB", "meterStop": "?", "timestamp": iso(at(-30))}, "active"),
    ],
)
def test_a_named_session_ends_unless_two_things_speak_against_it(
    charger: Charger, stop: dict[str, Any], state: str
) -> None:
    running = charger.started(at(0), 1000, idTag="ALICE")
    usual = {"transactionId": running, "meterStop": 3000, "timestamp": iso(at(30))}
    charger.call("StopTransaction", {**usual, **stop}, at(30))
    assert books(running, "state") == state
    assert QuarantinedMessage.objects.count() == (state != "stopped")


def test_the_stop_with_the_id_of_the_session_before_ends_the_one_whose_tag_it_tells(
    charger: Charger,
) -> None:
    """B5: Alice's session was orphaned by Bob's start; Bob's stop names hers."""
    alice = charger.started(at(0), 0, idTag="ALICE")
    charger.meter(alice, meter_value(at(20), 9000), when=at(20))
    bob = charger.started(at(30), 10_000, idTag="BOB")
    charger.meter(bob, meter_value(at(40), 12_000), when=at(40))
    charger.stop(alice, at(80), 25_000, idTag="bob")
    assert books(bob, "state", "energy", "flags") == (
        "stopped",
        Decimal(15_000),
        "id-of-another",
    )
    assert books(alice, "state", "energy", "flags") == (
        "orphaned",
        Decimal(10_000),
        "orphaned ends-at-next-start",
    )


def test_swapped_ids_of_two_connectors_are_put_right_by_tag_and_meter(charger: Charger) -> None:
    """B5: each stop names the other one's session."""
    alice = charger.started(at(0), 10_000, idTag="ALICE", connectorId=1)
    bob = charger.started(at(1), 2000, idTag="BOB", connectorId=2)
    charger.stop(bob, at(60), 20_000, idTag="ALICE")
    charger.stop(alice, at(61), 11_000, idTag="BOB")
    flags = "id-of-another"
    assert books(alice, "state", "energy", "flags") == ("stopped", Decimal(10_000), flags)
    assert books(bob, "state", "energy", "flags") == ("stopped", Decimal(9000), flags)


def test_another_card_of_the_household_ends_the_session_that_is_named(charger: Charger) -> None:
    """Although one with that card runs as well: its register is elsewhere."""
    alice = charger.started(at(0), 10_000, idTag="ALICE", connectorId=1)
    bob = charger.started(at(1), 2000, idTag="BOB", connectorId=2)
    charger.meter(bob, meter_value(at(50), 9000), when=at(50), connectorId=2)
    charger.stop(alice, at(60), 18_500, idTag="BOB")
    assert books(bob, "state") == "active"
    assert books(alice, "state", "energy", "flags") == ("stopped", Decimal(8500), "")


@pytest.mark.parametrize("named", [-1, 0, None, 2**63 - 1])
@pytest.mark.parametrize(
    ("stop", "is_meant"),
    [
        ({}, True),
        ({"idTag": "alice"}, True),
        ({"idTag": "BOB"}, False),
        ({"timestamp": iso(at(-1))}, False),
        ({"meterStop": 78_000_000}, False),
        ({"meterStop": 500}, False),
        # Set back, or not read, while the tag is hers.
        ({"idTag": "ALICE", "meterStop": 500}, True),
        ({"meterStop": 0}, True),
        ({"timestamp": "nonsense"}, True),
    ],
)
def test_a_stop_for_none_ends_the_only_session_if_it_may_be_its_end(
    charger: Charger, named: Any, stop: dict[str, Any], is_meant: bool
) -> None:
    """B3: Bob's start was lost; his stop does not end Alice's session."""
    alice = charger.started(at(0), 1000, idTag="ALICE")
    usual = {"transactionId": named, "meterStop": 3000, "timestamp": iso(at(30))}
    charger.call("StopTransaction", {**usual, **stop}, at(30))
    assert books(alice, "state") == ("stopped" if is_meant else "active")
    assert waiting() == ([] if is_meant else [("no such transaction", None)])


@pytest.mark.parametrize("stopped", [0.2, -0.5])
def test_a_start_dated_ahead_of_its_own_stop_is_over_all_the_same(
    charger: Charger, stopped: float
) -> None:
    """c17, go-eCharger-API-v2#106: 20:28:00 while it is 20:17:05, and set right meanwhile, or to
    half a minute behind."""
    started = charger.started(at(10.9), 8016, when=at(0), idTag="TEST")
    charger.stop(-1, at(stopped), 8016, when=at(0.3))
    assert books(started, "state", "energy", "flags") == (
        "stopped",
        Decimal(0),
        "start-clock-ahead stop-before-start matched-by-connector",
    )
    assert waiting() == []


def test_four_minutes_ahead_are_no_flag_and_no_obstacle_either(charger: Charger) -> None:
    """Our own clock says when its start came."""
    started = charger.started(at(4), 8016, when=at(0))
    charger.stop(-1, at(0.2), 8016)
    assert books(started, "state", "flags") == ("stopped", "stop-before-start matched-by-connector")


def test_samples_with_an_id_that_nobody_gave_are_billed_to_nobody(charger: Charger) -> None:
    """B1: Bob's start makes no sense, is quarantined and answered with an id, which he uses."""
    alice = charger.started(at(0), 0, idTag="ALICE")
    charger.meter(alice, meter_value(at(20), 5000), when=at(20))
    answer = charger.call(
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": "BOB",
            "meterStart": 5000,
            "reservationId": [],
            "timestamp": iso(at(30)),
        },
        at(30),
    )
    for named in (answer["transactionId"], 4711):
        charger.meter(named, meter_value(at(60), 25_000), when=at(60))
    assert books(alice, "state", "energy") == ("active", Decimal(5000))
    assert list(Samples.objects.order_by("id").values_list("transaction", flat=True)) == [
        alice,
        None,
    ]


def test_a_stop_of_an_unknown_session_does_not_end_another_one_later(charger: Charger) -> None:
    """B2: an id that nobody knows, no card, and a start on the other connector after it."""
    charger.stop(777_777, at(30), 108_000, when=at(31))
    started = charger.started(at(0), 95_000, when=at(32), connectorId=2)
    assert books(started, "state") == "active"
    charger.stop(started, at(40), 101_000)
    assert books(started, "state", "energy", "flags") == ("stopped", Decimal(6000), "")


@pytest.mark.parametrize("samples", [0, 5])
def test_two_starts_and_the_first_id_are_one_session(charger: Charger, samples: int) -> None:
    """c16, lbbrhzn/ocpp#1749: Simpson & Partners Home 7 Plus, 120 s apart."""
    first = charger.started(at(0), 50_000, idTag="HOME7")
    second = charger.started(at(2), 50_000, idTag="HOME7")
    for number in range(1, samples + 1):
        when = at(2 + 20 * number)
        charger.meter(first, meter_value(when, 50_000 + 1500 * number), when=when)
        assert books(first, "state", "energy") == ("active", Decimal(1500 * number))
        assert books(second, "state", "energy", "flags") == (
            "orphaned",
            Decimal(0),
            "started-twice",
        )
        assert Connector.objects.get(number=1).transaction_id == first
    charger.stop(first, at(122), 58_000, reason="EVDisconnected")
    assert books(first, "state", "energy", "confidence") == ("stopped", Decimal(8000), "high")
    assert books(second, "state", "energy", "flags") == ("orphaned", Decimal(0), "started-twice")
    assert not Transaction.objects.filter(state="active").exists()
    assert not Connector.objects.filter(transaction__isnull=False).exists()


def test_two_starts_and_the_second_id_are_the_second_session(charger: Charger) -> None:
    """Whichever the charger goes on with; and what was charged before the second is the first's."""
    first = charger.started(at(0), 50_000, idTag="HOME7")
    second = charger.started(at(2), 50_000, idTag="HOME7")
    charger.meter(second, meter_value(at(20), 52_000), when=at(20))
    charger.stop(second, at(60), 58_000)
    assert books(first, "state", "energy") == ("orphaned", Decimal(0))
    assert books(second, "state", "energy", "flags") == ("stopped", Decimal(8000), "")


def test_late_samples_of_the_session_before_do_not_end_the_next_one(charger: Charger) -> None:
    """The same card, but energy in between, or another card: two sessions."""
    for number, (meter, tag) in enumerate([(52_000, "A"), (50_000, "B")]):
        own = Charger(f"OTHER-{number}")
        first = own.started(at(0), 50_000, idTag="A")
        second = own.started(at(10), meter, idTag=tag)
        own.meter(first, meter_value(at(12), meter), when=at(12))
        assert books(second, "state") == "active"


@pytest.mark.parametrize("shown", ["Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_boot_that_is_no_reboot_ends_nothing(charger: Charger, shown: str) -> None:
    """c37, evcc#25069: a BootNotification at each reconnect, and the connector says it charges."""
    charger.boot(at(0))
    started = charger.started(at(1), 5000)
    for number in range(3):
        charger.connect()
        charger.boot(at(10 + 10 * number))
        assert books(started, "state") == "orphaned"
        charger.status(shown, at(10.1 + 10 * number), timestamp=iso(at(10.1 + 10 * number)))
        assert books(started, "state", "flags") == ("active", "continued")
        assert Connector.objects.get(number=1).transaction_id == started
    charger.stop(started, at(60), 9000, reason="EVDisconnected")
    assert books(started, "state", "energy", "confidence", "flags") == (
        "stopped",
        Decimal(4000),
        "high",
        "continued",
    )


@pytest.mark.parametrize("shown", ["Available", "Preparing", "Finishing", "Faulted", "Reserved"])
def test_a_connector_that_does_not_charge_after_a_boot_goes_on_with_nothing(
    charger: Charger, shown: str
) -> None:
    """The car went, or waits to be started anew."""
    started = charger.started(at(1), 5000)
    charger.boot(at(10))
    charger.status(shown, at(11))
    assert books(started, "state", "flags") == ("orphaned", "orphaned")


def test_a_charging_that_was_kept_from_before_the_boot_goes_on_with_nothing(
    charger: Charger,
) -> None:
    """Of the outage: it says what was."""
    charger.status("Available", at(0), timestamp=iso(at(0)))
    started = charger.started(at(1), 5000)
    charger.boot(at(90))
    charger.status("Charging", at(91), timestamp=iso(at(20)))
    assert books(started, "state") == "orphaned"


def test_a_new_session_after_the_boot_is_its_own(charger: Charger) -> None:
    """MicroOcpp tells Charging before the StartTransaction that belongs to it (M4)."""
    before = charger.started(at(0), 5000)
    charger.meter(before, meter_value(at(5), 5500), when=at(5))
    charger.boot(at(10))
    charger.status("Charging", at(11))
    after = charger.started(at(11), 5600)
    # The next start shows how far it came.
    assert books(before, "state", "energy") == ("orphaned", Decimal(600))
    assert books(after, "state") == "active"
