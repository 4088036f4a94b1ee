"""Write what a batch did, in a fixed number of statements."""

from collections.abc import Sequence
from datetime import datetime

from levity.db.rows import written_together
from levity.ocpp import events
from levity.ocpp.changes import changes_told
from levity.ocpp.effects import (
    AdjustTransaction,
    StartTransaction,
    StopTransaction,
    UpdateTransaction,
)
from levity.ocpp.store.calls import finish_commands, hasten_commands, queue_commands
from levity.ocpp.store.certificates import write_certificate_answers, write_certificate_requests
from levity.ocpp.store.configuration import write_configuration
from levity.ocpp.store.evidence import settle_by_evidence
from levity.ocpp.store.file_jobs import write_file_jobs
from levity.ocpp.store.handshakes import write_handshakes
from levity.ocpp.store.happened import needs_rows, tell_batch
from levity.ocpp.store.hours import changed_sessions
from levity.ocpp.store.kept import write_kept
from levity.ocpp.store.key_changes import forget_secrets, write_key_changes
from levity.ocpp.store.late_samples import join_early_values, join_named_values
from levity.ocpp.store.ledger import (
    touch,
    write_adjusted,
    write_aliases,
    write_charge_points,
    write_connectors,
    write_transactions,
)
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.messages.writing import write_messages
from levity.ocpp.store.noted import (
    record_id_tags,
    resolve_quarantined,
    write_quarantine,
    write_security_events,
)
from levity.ocpp.store.presence import write_presence
from levity.ocpp.store.samples.writing import write_meter_values
from levity.ocpp.store.values import Outcome, Outcomes
from levity_ws.rpc.envelope import Spooled

__all__ = ["apply", "sessions_of"]


OF_SESSIONS = (AdjustTransaction, StartTransaction, StopTransaction, UpdateTransaction)


@written_together()
def apply(
    outcomes: Sequence[Outcome], loaded: Loaded, edge: str, reply_to: str, now: datetime
) -> None:
    """Record these outcomes. Runs inside the batch's database transaction."""
    outcomes = fresh = Outcomes(outcomes)
    if any(outcome.known for outcome in outcomes):
        fresh = Outcomes(outcome for outcome in outcomes if not outcome.known)
    write_handshakes(fresh, loaded.handshakes, edge)
    write_presence(fresh, loaded, edge, reply_to, now)
    touch(fresh, loaded)
    write_charge_points(fresh)
    types = events.wanted(renew=False)
    by_rows = bool(types) and needs_rows(outcomes)
    with changes_told(
        lambda: sessions_of(outcomes),
        with_events=by_rows,
        of_hours=lambda: changed_sessions(outcomes, loaded),
    ):
        # One that is known has no effects; but for the end of a session that has a second id now.
        write_transactions(outcomes)
        write_adjusted(outcomes)
        write_aliases(outcomes)
        write_connectors(outcomes)
        write_meter_values(outcomes)
        join_early_values(fresh)
        join_named_values(outcomes)
    write_messages(fresh)
    queue_commands(fresh)
    hasten_commands(fresh)
    record_id_tags(fresh)
    forget_secrets(fresh)
    write_key_changes(fresh)
    write_certificate_answers(fresh)
    write_configuration(fresh)
    write_file_jobs(fresh)
    settle_by_evidence(fresh)
    finish_commands(fresh)
    write_certificate_requests(fresh)
    write_kept(fresh)
    write_quarantine(fresh)
    resolve_quarantined(outcomes)
    write_security_events(fresh)
    if types:
        tell_batch(outcomes, loaded, types, with_sessions=not by_rows)


def sessions_of(outcomes: Sequence[Outcome]) -> set[int]:
    """The ids of the sessions that these outcomes may change."""
    found: set[int] = set()
    for outcome in outcomes:
        for effect in outcome.effects:
            if isinstance(effect, OF_SESSIONS):
                found.add(effect.transaction_id)
        event = outcome.arrival.event
        if isinstance(event, Spooled) and event.transaction:
            # Samples that named it may join it.
            found.add(outcome.alias[1] if outcome.alias else event.transaction)
    return found
