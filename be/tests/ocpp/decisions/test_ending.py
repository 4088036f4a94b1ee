"""A session is ended by a person once, with who, why and what it was."""

import pytest

from levity.ocpp.decisions.ending import IsOver, end_session, foreseen_end
from levity.ocpp.models import AuditEntry, Connector, Transaction
from tests.ocpp.decisions.people import audit_of, chief
from tests.ocpp.ledger_chargers import Charger, at, meter_value


def test_it_ends_as_it_was_foreseen_and_the_audit_has_both_figures(charger: Charger) -> None:
    started = charger.started()
    charger.meter(started, meter_value(at(5), 1400), when=at(5))
    row = Transaction.objects.get()
    foreseen = foreseen_end(row)
    ended = end_session(row, chief(), "the cable was cut")
    assert (ended.state, ended.energy, ended.stopped_at) == (
        "orphaned",
        foreseen.energy,
        foreseen.stopped_at,
    )
    assert "by-hand" in ended.flags
    assert not Connector.objects.filter(transaction=row).exists()
    assert audit_of(row) == [("chief", "ended manually: the cable was cut")]
    entry = AuditEntry.objects.get()
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["state"], entry.after["state"]) == ("active", "orphaned")
    assert entry.after["energy"] == str(ended.energy)


def test_it_is_ended_once(charger: Charger) -> None:
    charger.started()
    row = Transaction.objects.get()
    end_session(row, None)
    with pytest.raises(IsOver) as over:
        end_session(row, None)
    assert over.value.sentence == f"Transaction {row.pk} has already ended."
    assert AuditEntry.objects.count() == 1
