"""A session whose charger will not end it is ended here, in the records, by a person.

The charger is not told: RemoteStopTransaction is for that.
"""

from dataclasses import replace

from django.db import transaction as database
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.decisions import sessions
from levity.ocpp.effects import StopTransaction
from levity.ocpp.models import Transaction
from levity.ocpp.request import with_flags
from levity.ocpp.rules.unended import closed
from levity.ocpp.store.late_samples import transaction_state

__all__ = ["CHANGE", "IsOver", "end_session", "foreseen_end"]

CHANGE = "ocpp.change_transaction"


class IsOver(NotPossible):
    """The session has ended already."""


def foreseen_end(row: Transaction) -> StopTransaction:
    """How it would end: at its last sample, with the energy that is known by then."""
    return closed(transaction_state(row), "Other")


def end_session(item: Transaction, who: Who, why: str = "") -> Transaction:
    """End it at its last sample, provisionally: a StopTransaction of the charger replaces it.

    Raises `IsOver`, also if it has ended a moment before.
    """
    check(item, who, CHANGE)
    with database.atomic():
        sessions.take_turn(item.charge_point)
        row = Transaction.objects.select_for_update(of=("self",)).get(pk=item.pk)
        if row.state != Transaction.State.ACTIVE:
            raise IsOver(f"transaction {item.pk} has already ended")
        before = {"state": row.state, "energy": row.energy}
        state = transaction_state(row)
        state = replace(state, flags=" ".join(with_flags(state.flags, ("by-hand",))))
        sessions.write(row.charge_point, (closed(state, "Other"),), timezone.now())
        row.refresh_from_db()
        after = {"state": row.state, "energy": row.energy}
        note(who, [row], f"ended manually: {why}" if why else "ended manually", before, after)
    return row
