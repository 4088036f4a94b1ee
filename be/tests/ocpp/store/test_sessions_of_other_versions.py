"""What OCPP 2.0.1 tells of a session and 1.6 does not: the store takes it, the rules read it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from levity.ocpp.changes import Session
from levity.ocpp.decisions.sessions import new_id, state_of, told_id, write
from levity.ocpp.effects import (
    RecordMeterValues,
    Sample,
    StartTransaction,
    StopTransaction,
    UpdateTransaction,
)
from levity.ocpp.models import ChargePoint, Connector, Transaction
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.energy import at_stop
from levity.ocpp.rules.lives import written
from levity.ocpp.rules.readings import registers
from levity.ocpp.rules.sampled import Meter, charged, grown, trail_of
from levity.ocpp.rules.unended import closed
from levity.ocpp.store import queries
from levity.ocpp.store.late_samples import join_early_values, join_values
from levity.ocpp.store.values import Arrival, Outcome
from levity.ocpp.testing import CONNECTION, NOW
from levity_ws.rpc.envelope import Received
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = pytest.mark.django_db

METER = Meter(22_000)
WIRE_ID = "d0e5c2a8-4b1f-4a6e-9f0e-1c9a7e4f2b10"


@pytest.fixture
def charge_point() -> ChargePoint:
    CentralSystem().take(Charger().connects())
    return ChargePoint.objects.get()


def begins(**other: Any) -> StartTransaction:
    """A parked car at a charger that gives its sessions ids itself: no register, no connector."""
    said: dict[str, Any] = {
        "transaction_id": new_id(),
        "connector": None,
        "id_tag": "",
        "meter_start": None,
        "started_at": NOW,
        "wire_id": WIRE_ID,
        "seq_no": 0,
    }
    return StartTransaction(**{**said, **other})


def samples(*values: int, first: int = 0) -> tuple[Sample, ...]:
    """The register in Wh, a minute after the other."""
    return tuple(
        Sample(
            NOW + timedelta(minutes=first + minute),
            "Energy.Active.Import.Register",
            str(value),
            Decimal(value),
        )
        for minute, value in enumerate(values)
    )


def loaded(number: int) -> TransactionState:
    """The session as a batch loads it."""
    [row] = queries.TRANSACTIONS.rows([number])
    return TransactionState(*row)


def with_values(state: TransactionState, *values: int) -> UpdateTransaction:
    """What the session's figures are after these."""
    trail = trail_of(state)
    trail = grown(state, trail, registers(samples(*values)), NOW, METER)
    found = charged(state, trail, METER)
    assert found is not None
    return UpdateTransaction(
        state.id, Decimal(values[-1]), NOW, found.wh, lives=written(trail), seq_no=3
    )


def test_a_start_without_register_and_connector_is_a_session(charge_point: ChargePoint) -> None:
    begun = begins()
    write(charge_point, [begun], NOW)
    row = Transaction.objects.get()
    assert (row.pk, row.wire_id, row.seq_no) == (begun.transaction_id, WIRE_ID, 0)
    assert (row.evse, row.connector, row.meter_start, row.state) == (0, None, None, "active")
    assert told_id(row) == WIRE_ID
    # It runs on no connector that anybody knows.
    assert not Connector.objects.exists()
    state = loaded(row.pk)
    assert (state.connector, state.place, state.meter_start) == (None, (0, 0), None)
    assert (state.register_at_start, state.newest_register) == (0, 0)


def test_samples_of_some_connector_are_not_taken_for_its_own(charge_point: ChargePoint) -> None:
    """They came before it was told, and nobody knows where it runs."""
    write(charge_point, [RecordMeterValues(2, None, samples(5, 6))], NOW)
    begun, late = begins(), NOW + timedelta(hours=1)
    event = Received(charge_point.identity, CONNECTION, 1, late.timestamp(), "")
    outcome = Outcome(Arrival(event, late), state_of(charge_point), effects=(begun,))
    write(charge_point, outcome.effects, late)
    join_early_values([outcome])
    assert not join_values(Transaction.objects.get(), late)
    assert Samples.objects.filter(transaction=None).count() == 2


def test_its_samples_are_its_energy_and_nobody_is_sure_of_it(charge_point: ChargePoint) -> None:
    """A register of 900 kWh is not what was charged."""
    begun = begins()
    write(charge_point, [begun], NOW)
    number = begun.transaction_id
    taken = samples(900_000, 900_200, 900_450)
    more = with_values(loaded(number), 900_000, 900_200, 900_450)
    write(charge_point, [more, RecordMeterValues(0, number, taken)], NOW)
    row = Transaction.objects.get()
    assert (row.energy, row.seq_no) == (Decimal(450), 3)
    assert Samples.objects.filter(transaction=number).count() == 3
    ended_at = NOW + timedelta(minutes=3)
    found = at_stop(loaded(number), Decimal(900_500), ended_at, METER)
    assert (found.wh, found.source, found.confidence) == (Decimal(500), "samples", "low")
    lost = closed(loaded(number), "Other")
    assert (lost.energy, lost.meter_stop, lost.confidence) == (Decimal(450), 900_450, "low")
    end = StopTransaction(
        number, Decimal(900_500), ended_at, found.wh, "EVDisconnected", energy_source=found.source
    )
    write(charge_point, [end], ended_at)
    row.refresh_from_db()
    assert (row.state, row.energy, row.seq_no) == ("stopped", Decimal(500), 3)


def test_without_samples_nothing_is_known_of_its_energy(charge_point: ChargePoint) -> None:
    begun = begins()
    write(charge_point, [begun], NOW)
    found = at_stop(loaded(begun.transaction_id), Decimal(900_500), NOW, METER)
    assert (found.wh, found.source, found.confidence) == (Decimal(0), "none", "low")
    assert closed(loaded(begun.transaction_id), "Other").meter_stop is None


def test_a_register_that_counts_the_session_shows_no_life_of_the_meter(
    charge_point: ChargePoint,
) -> None:
    begun = begins(flags=("session-register",))
    write(charge_point, [begun, UpdateTransaction(begun.transaction_id, energy=Decimal(70))], NOW)
    assert closed(loaded(begun.transaction_id), "Other").meter_stop is None


def test_its_id_is_its_chargers_and_may_come_again(charge_point: ChargePoint) -> None:
    """Two chargers may say the same; one says it twice where its clock or counter began anew."""
    write(charge_point, [begins()], NOW)
    other = ChargePoint.objects.create(identity="other")
    write(other, [begins()], NOW)
    write(charge_point, [begins(occurrence=1)], NOW)
    write(charge_point, [begins(wire_id=WIRE_ID.upper())], NOW)
    assert Transaction.objects.count() == 4
    with pytest.raises(IntegrityError), transaction.atomic():
        write(charge_point, [begins()], NOW)


def test_the_words_of_a_start_make_one_session_in_1_6_only(charge_point: ChargePoint) -> None:
    """Promise 2: in 2.0.1 two cars may be plugged in within the same second, with no word of them
    but the ids."""
    told: dict[str, Any] = {"connector": 1, "meter_start": Decimal(0), "seq_no": None}
    write(charge_point, [begins(**told)], NOW)
    write(charge_point, [begins(**told, wire_id="another")], NOW)
    write(charge_point, [begins(**told, wire_id="")], NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        write(charge_point, [begins(**told, wire_id="")], NOW)


def test_receivers_of_changes_are_told(charge_point: ChargePoint, settings: Any) -> None:
    settings.OCPP_SESSIONS_CHANGED = [f"{__name__}.noted"]
    NOTED.clear()
    write(charge_point, [begins()], NOW)
    [after] = NOTED
    assert (after.connector, after.meter_start, after.state) == (None, None, "active")


NOTED: list[Session] = []


def noted(changes: Any) -> None:
    """A receiver."""
    NOTED.extend(change.after for change in changes)
