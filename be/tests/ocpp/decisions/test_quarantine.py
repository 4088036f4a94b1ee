"""What a person decides about messages that did not fit the books."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from levity.ocpp.decisions import quarantine, quarantined_message
from levity.ocpp.decisions.quarantined_message import CannotResolve, Session
from levity.ocpp.models import Connector, QuarantinedMessage, Transaction
from tests.kept import Samples
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso, meter_value

END = ("state", "stop_reason", "energy", "stopped_at", "meter_stop", "energy_source")


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create(username="operator", is_superuser=True)


def waiting(action: str = "StopTransaction") -> QuarantinedMessage:
    return QuarantinedMessage.objects.get(action=action)


def everything() -> Any:
    """All rows that a decision may change."""
    return [
        list(rows.order_by("pk").values())
        for rows in (
            Transaction.objects,
            Samples.objects,
            QuarantinedMessage.objects,
            Connector.objects,
        )
    ]


def test_stop_that_is_attached_ends_the_session_as_if_it_had_come_right(
    charger: Charger, person: User
) -> None:
    """D-15, D-08"""
    started = charger.started()
    values = [meter_value(at(29), 2900)]
    charger.stop(4711, at(30), 3000, reason="EVDisconnected", transactionData=values)
    before = everything()
    transaction = quarantine.attach(waiting(), Transaction.objects.get(), person)
    assert transaction.pk == started
    end = ("stopped", "EVDisconnected", Decimal(2000), at(30), Decimal(3000), "registers")
    assert books(started, *END) == end
    assert books(started, "flags") == "by-hand"
    assert Samples.objects.get().transaction_id == started
    assert Connector.objects.get(number=1).transaction_id is None
    item = waiting()
    assert (item.resolved_by, item.resolved_to, item.resolution) == (
        person,
        transaction,
        f"attached to transaction {started}",
    )
    again = everything()
    assert quarantine.attach(item, transaction, person) == transaction
    assert everything() == again
    quarantine.undo(item, person)
    assert everything() == before
    quarantine.undo(item, person)
    assert everything() == before


def test_a_second_stop_may_replace_the_first_if_a_person_says_so(
    charger: Charger, person: User
) -> None:
    """D-09"""
    started = charger.started()
    charger.stop(started, at(30), 3000)
    charger.stop(started, at(31), 3300)
    before = everything()
    quarantine.attach(waiting(), Transaction.objects.get(), person)
    assert books(started, *END) == (
        "stopped",
        "Local",
        Decimal(2300),
        at(31),
        Decimal(3300),
        "registers",
    )
    quarantine.undo(waiting(), person)
    assert everything() == before


def test_stop_without_a_meter_value_ends_the_session_at_its_last_sample(
    charger: Charger, person: User
) -> None:
    started = charger.started()
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    said = {"transactionId": 99, "timestamp": iso(at(6)), "meterStop": "much"}
    charger.call("StopTransaction", said, at(6))
    quarantine.attach(waiting(), Transaction.objects.get(), person)
    assert books(started, *END) == (
        "stopped",
        "Local",
        Decimal(500),
        at(6),
        Decimal(1500),
        "samples",
    )


def test_meter_values_that_are_attached_join_the_session(charger: Charger, person: User) -> None:
    started = charger.started()
    item = QuarantinedMessage.objects.create(
        charge_point=charger.row,
        action="MeterValues",
        payload='{"connectorId":1,"meterValue":[{"timestamp":"2026-03-09T12:10:00Z",'
        '"sampledValue":[{"value":"1800"}]}]}',
        payload_hash="x",
        reason="test",
        received_at=at(10),
    )
    before = everything()
    quarantine.attach(item, Transaction.objects.get(), person)
    assert books(started, "state", "energy", "meter_last") == (
        "active",
        Decimal(800),
        Decimal(1800),
    )
    quarantine.undo(item, person)
    assert everything() == before


def test_a_start_that_makes_no_sense_becomes_the_session_whose_id_it_was_answered(
    charger: Charger, person: User
) -> None:
    """With its samples and its stop, which nobody could place when they came."""
    given = charger.start(meterStart=[])["transactionId"]
    charger.meter(given, meter_value(at(5), 1400), when=at(5))
    charger.stop(given, at(30), 3000)
    before = everything()
    start = waiting("StartTransaction")
    [stop] = quarantined_message.stops_of(start)
    proposal = quarantined_message.proposal(start)
    assert proposal == Session(1, "tag", NOW, None)
    with pytest.raises(CannotResolve, match="lacks meter_start"):
        quarantine.make_transaction(start, person, stop=stop)
    assert everything() == before
    session = Session(1, "tag", NOW, Decimal(1000))
    made = quarantine.make_transaction(start, person, session, stop)
    assert made.pk == given
    assert books(given, *END, "flags", "start_received_at") == (
        "stopped",
        "Local",
        Decimal(2000),
        at(30),
        Decimal(3000),
        "registers",
        "made-by-hand by-hand",
        NOW,
    )
    assert Samples.objects.get().transaction_id == given
    assert {item.resolved_to for item in QuarantinedMessage.objects.all()} == {made}
    assert quarantine.make_transaction(start, person, session, stop) == made
    quarantine.undo(start, person)
    assert everything() == before
    # The id is free for it again, and for nobody else.
    assert charger.started(at(60)) > given
    assert quarantine.make_transaction(start, person, session).pk == given


def test_a_session_made_of_a_start_alone_ends_at_its_last_sample_and_goes_on_if_the_charger_does(
    charger: Charger, person: User
) -> None:
    given = charger.start(meterStart=[])["transactionId"]
    charger.meter(given, meter_value(at(5), 1400), when=at(5))
    session = Session(1, "tag", NOW, Decimal(1000))
    quarantine.make_transaction(waiting("StartTransaction"), person, session)
    assert books(given, *END) == (
        "orphaned",
        "Other",
        Decimal(400),
        at(5),
        Decimal(1400),
        "samples",
    )
    charger.meter(given, meter_value(at(6), 1500), when=at(6))
    assert books(given, "state", "energy") == ("active", Decimal(500))
    with pytest.raises(CannotResolve, match="has changed since"):
        quarantine.undo(waiting("StartTransaction"), person)


def test_a_stop_alone_becomes_a_session_with_what_it_tells(charger: Charger, person: User) -> None:
    """D-15: its StartTransaction was lost (TransactionMessageAttempts 1)."""
    data = [
        meter_value(at(0), 1000, context="Transaction.Begin"),
        meter_value(at(30), 3000, context="Transaction.End"),
    ]
    charger.stop(4711, at(30), 3000, idTag="tag", transactionData=data)
    before = everything()
    made = quarantine.make_transaction(waiting(), person)
    # Not the id that the charger said: the next StartTransaction might be given the same.
    assert made.pk != 4711
    assert (made.started_at, made.meter_start, made.id_tag) == (at(0), Decimal(1000), "tag")
    assert books(made.pk, *END) == (
        "stopped",
        "Local",
        Decimal(2000),
        at(30),
        Decimal(3000),
        "registers",
    )
    assert Samples.objects.filter(transaction=made).count() == 2
    quarantine.undo(waiting(), person)
    assert everything() == before


def test_discarded_with_its_reason(charger: Charger, person: User) -> None:
    charger.stop(4711, at(30), 3000)
    with pytest.raises(CannotResolve, match="enter a reason"):
        quarantine.discard(waiting(), person, " ")
    quarantine.discard(waiting(), person, "a test of the electrician")
    item = waiting()
    assert (item.resolved_by, item.resolved_to, item.resolution) == (
        person,
        None,
        "discarded: a test of the electrician",
    )
    quarantine.discard(item, person, "again")
    assert waiting().resolution == "discarded: a test of the electrician"
    with pytest.raises(CannotResolve, match="already resolved"):
        quarantine.make_transaction(item, person, Session(1, "", NOW, Decimal(0)))
    quarantine.undo(item, person)
    assert (waiting().resolved_at, waiting().resolution) == (None, "")


def test_another_chargers_session_is_out_of_reach(charger: Charger, person: User) -> None:
    """D-10: not even a person attaches a message to it."""
    started = charger.started()
    Charger("CP2", charger.pipeline).stop(started, at(30), 3000)
    before = everything()
    with pytest.raises(CannotResolve, match="another charge point"):
        quarantine.attach(waiting(), Transaction.objects.get(), person)
    assert everything() == before


def test_a_start_is_not_attached(charger: Charger, person: User) -> None:
    charger.start(meterStart=[])
    started = charger.started(at(5))
    with pytest.raises(CannotResolve, match="create one from it"):
        quarantine.attach(waiting("StartTransaction"), Transaction.objects.get(pk=started), person)


def test_stop_before_its_start_finds_it_when_it_comes(charger: Charger) -> None:
    """D-15"""
    for number in range(20):
        begin = at(number * 60)
        stopped = at(number * 60 + 30)
        said = {"idTag": "TAG", "when": at(number * 60 + 40)}
        meter = 1000 + 2000 * number
        charger.stop((-1, 0, None, 4711)[number % 4], stopped, meter + 2000, **said)
        started = charger.started(begin, meter, when=at(number * 60 + 41))
        assert books(started, *END, "flags") == (
            "stopped",
            "Local",
            Decimal(2000),
            stopped,
            Decimal(meter + 2000),
            "registers",
            "stop-came-first",
        )
    assert {item.resolution for item in QuarantinedMessage.objects.all()} == {
        "its StartTransaction came later"
    }
    assert not Connector.objects.filter(transaction__isnull=False).exists()


def test_of_several_early_stops_each_start_gets_its_own(charger: Charger) -> None:
    """D-15: two sessions, all four messages in the wrong order."""
    charger.stop(-1, at(100), 5000, when=at(200))
    charger.stop(-1, at(30), 2000, when=at(201))
    later = charger.started(at(60), 2000, when=at(202))
    earlier = charger.started(at(0), 1000, when=at(203))
    assert books(later, "stopped_at", "energy") == (at(100), Decimal(3000))
    assert books(earlier, "stopped_at", "energy") == (at(30), Decimal(1000))


@pytest.mark.parametrize(
    "stop",
    [
        {"stopped_at": at(-10)},
        {"meter": 500},
        {"idTag": "another"},
        {"meter": 10_000_000},
        {"timestamp": "2036-01-01T00:00:00Z"},
        {"timestamp": "nonsense"},
    ],
)
def test_a_stop_that_does_not_fit_waits_for_a_person(
    charger: Charger, stop: dict[str, Any]
) -> None:
    """D-15: a clear item for the operator, and the session that runs goes on."""
    charger.stop(
        **{"transaction_id": 4711, "stopped_at": at(1), "meter": 3000, "when": at(2), **stop}
    )
    started = charger.started(at(0), 1000, when=at(3))
    assert books(started, "state") == "active"
    assert waiting().resolved_at is None


def test_samples_that_come_before_their_start_join_the_session(charger: Charger) -> None:
    """D-15: MeterValues of a transaction that nobody knew yet."""
    for value in (meter_value(at(20), 1900), meter_value(at(10), 1400)):
        charger.meter(4711, value, when=at(60))
    charger.meter(None, meter_value(at(-10), 900), when=at(60))
    started = charger.started(at(0), 1000, when=at(61))
    joined = Samples.objects.filter(transaction=started).order_by("sampled_at")
    assert [item.value for item in joined] == [Decimal(1400), Decimal(1900)]
    assert books(started, "state", "energy", "meter_last_at") == ("active", Decimal(900), at(20))
