"""Writing the log: messages, commands, quarantine, security events."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from levity.db.rows import insert_rows, update_rows, upsert_rows
from levity.ocpp.effects import (
    AUTOMATIC,
    LookAgain,
    NoteSecurityEvent,
    Quarantine,
    RecordIdTag,
    ResolveQuarantined,
    SendCall,
)
from levity.ocpp.models import (
    ChargePoint,
    Command,
    IdTag,
    Message,
    QuarantinedMessage,
    SecurityEvent,
)
from levity.ocpp.references import payload_hash
from levity.ocpp.store.budget import KEPT_WHOLE, SAMPLE, log_budget
from levity.ocpp.store.values import Outcome, each
from levity.ocpp.wire.frames import storable
from levity_ws.rpc.envelope import Received

__all__ = [
    "finish_commands",
    "hasten_commands",
    "queue_commands",
    "record_id_tags",
    "resolve_quarantined",
    "write_messages",
    "write_quarantine",
    "write_security_events",
]

log = logging.getLogger(__name__)


def write_messages(outcomes: Sequence[Outcome]) -> None:
    """Insert the rows of the message log: every frame but the answers to our Calls."""
    insert_rows(
        Message,
        (
            "charge_point_id",
            "connection",
            "seq",
            "sender",
            "unique_id",
            "action",
            "transaction",
            "request",
            "response",
            "error_code",
            "error_description",
            "received_at",
            "answered_at",
        ),
        [
            (
                outcome.charge_point.id,
                outcome.arrival.connection,
                outcome.arrival.event.seq,
                "cp",
                outcome.unique_id,
                outcome.action,
                outcome.transaction_id,
                log_budget.kept(
                    outcome.charge_point.id, outcome.action, storable(outcome.arrival.event.text)
                ),
                outcome.answer,
                outcome.error_code,
                outcome.error_description,
                outcome.arrival.at,
                outcome.arrival.at if outcome.answer else None,
            )
            for outcome in outcomes
            if outcome.charge_point is not None
            and isinstance(outcome.arrival.event, Received)
            and outcome.command is None
        ],
    )


def queue_commands(outcomes: Sequence[Outcome]) -> None:
    """Queue the Calls that handlers and middleware asked for."""
    rows = []
    for outcome, charge_point, effect in each(outcomes, SendCall):
        at = outcome.arrival.at
        due = at + effect.delay
        # Whoever wrote the middleware is to see it, and the charger's frame is not to blame.
        calls = outcome.arrival.version.calls
        wrong = calls.wrong_with(effect.action, effect.payload)
        if wrong:
            log.error("%s asks for a Call that is none: %s", effect.source or "middleware", wrong)
        payload = effect.payload if isinstance(effect.payload, Mapping) else {}
        shown, secret = calls.conceal(effect.action, payload)
        connector, status = effect.only_while or (None, "")
        rows.append(
            (
                charge_point.id,
                effect.action[:64],
                orjson.dumps(shown).decode(),
                secret,
                "failed" if wrong else "queued",
                str(uuid4()),
                not effect.this_connection,
                due,
                due + effect.expires_after if effect.expires_after else None,
                outcome.arrival.connection if effect.this_connection else None,
                connector,
                status,
                effect.only_since,
                effect.key or None,
                effect.source,
                at,
                at if wrong else None,
                f"never sent: {wrong}" if wrong else "",
            )
        )
    insert_rows(
        Command,
        (
            "charge_point_id",
            "action",
            "payload",
            "secret",
            "state",
            "unique_id",
            "queue_offline",
            "not_before",
            "expires_at",
            "connection",
            "only_connector",
            "only_status",
            "only_since",
            "idempotency_key",
            "source",
            "created_at",
            "finished_at",
            "error_description",
        ),
        rows,
        new_only=True,
    )


def hasten_commands(outcomes: Sequence[Outcome]) -> None:
    """Let starts that were put off for somebody else's sake look now whether they may go.

    After the charge points' rows are written: whoever puts one off has locked that row, and has
    read what stood in it, before or after this.
    """
    served = {
        charge_point.id: outcome.arrival.at
        for outcome, charge_point, _ in each(outcomes, LookAgain)
    }
    if served:
        at = max(served.values())
        Command.objects.filter(
            charge_point__in=served,
            state=Command.State.QUEUED,
            source=AUTOMATIC,
            # One that was not looked at yet is still for its connection, and has its delay.
            connection=None,
            not_before__gt=at,
        ).update(not_before=at)


def finish_commands(outcomes: Sequence[Outcome]) -> None:
    """Write how Calls of ours ended, with the command and in the message log."""
    late: set[int] = set()
    commands: dict[int, tuple[Any, ...]] = {}
    messages: list[tuple[Any, ...]] = []
    for outcome in outcomes:
        answer, event = outcome.command, outcome.arrival.event
        if answer is None or not isinstance(event, Received):
            continue
        at, calls = outcome.arrival.at, outcome.arrival.version.calls
        if answer.late and outcome.charge_point and outcome.charge_point.evidence_until:
            late.add(outcome.charge_point.id)
        commands[answer.command_id] = (
            answer.command_id,
            answer.state,
            answer.late,
            answer.result,
            answer.result_status,
            answer.error_code,
            answer.error_description,
            at,
        )
        messages.append(
            (
                answer.connection,
                answer.unique_id,
                "cs",
                log_budget.kept(
                    outcome.charge_point.id if outcome.charge_point else 0,
                    outcome.action,
                    calls.stored_answer(outcome.action, storable(event.text)),
                ),
                at,
                answer.error_code,
                answer.error_description,
            )
        )
    update_rows(
        Command,
        (
            "id",
            "state",
            "answered_late",
            "result",
            "result_status",
            "error_code",
            "error_description",
            "finished_at",
        ),
        list(commands.values()),
    )
    update_rows(
        Message,
        (
            "connection",
            "unique_id",
            "sender",
            "response",
            "answered_at",
            "error_code",
            "error_description",
        ),
        messages,
        key=3,
    )
    # It is slow, and loses nothing: no evidence is needed any more.
    update_rows(ChargePoint, ("id", "evidence_until"), [(pk, None) for pk in sorted(late)])


def write_quarantine(outcomes: Sequence[Outcome]) -> None:
    """Keep what was answered but is not recorded; count what came before."""
    rows: dict[tuple[int, str, str], tuple[Any, ...]] = {}
    for outcome, charge_point, effect in each(outcomes, Quarantine):
        key = (charge_point.id, outcome.action, payload_hash(outcome.payload))
        text, cut = _within_budget(charge_point.id, outcome.payload)
        rows[key] = (
            *key,
            outcome.unique_id,
            outcome.arrival.connection,
            text,
            f"{effect.reason[: 255 - len(cut)]}{cut}",
            effect.transaction_id,
            outcome.arrival.at,
            outcome.arrival.at,
            outcome.arrival.at if effect.resolution else None,
            effect.resolution,
            effect.transaction_id if effect.resolution else None,
        )
    upsert_rows(
        QuarantinedMessage,
        (
            "charge_point_id",
            "action",
            "payload_hash",
            "unique_id",
            "connection",
            "payload",
            "reason",
            "transaction",
            "received_at",
            "last_received_at",
            "resolved_at",
            "resolution",
            "resolved_to_id",
        ),
        list(rows.values()),
        key=("charge_point_id", "action", "payload_hash"),
        update=("last_received_at",),
        add=("repeated",),
    )


def _within_budget(charge_point: int, payload: Any) -> tuple[str, str]:
    """What quarantine keeps of this payload, and what is to be said of it: the figures of a session
    always, its samples within the budget of the log."""
    text = orjson.dumps(payload).decode()
    if len(text) <= KEPT_WHOLE:
        return text, ""
    why = log_budget.why_not(charge_point, len(text))
    if not why:
        return text, ""
    figures = {
        name[:64]: value
        for name, value in (payload.items() if isinstance(payload, dict) else ())
        if not isinstance(value, dict | list) and len(str(value)) <= SAMPLE
    }
    return orjson.dumps(dict(list(figures.items())[:20])).decode(), f" (without its samples: {why})"


def resolve_quarantined(outcomes: Sequence[Outcome]) -> None:
    """Note what has found its transaction; a person's own word stays."""
    rows = [
        (
            effect.quarantined_id,
            outcome.arrival.at,
            effect.resolution,
            effect.transaction_id,
        )
        for outcome, _, effect in each(outcomes, ResolveQuarantined)
    ]
    update_rows(QuarantinedMessage, ("id", "resolved_at", "resolution", "resolved_to_id"), rows)


def write_security_events(outcomes: Sequence[Outcome]) -> None:
    """Insert the security events."""
    insert_rows(
        SecurityEvent,
        ("charge_point_id", "type", "detail", "at", "received_at"),
        [
            (
                charge_point.id,
                effect.type[:64],
                effect.detail,
                effect.at or outcome.arrival.at,
                outcome.arrival.at,
            )
            for outcome, charge_point, effect in each(outcomes, NoteSecurityEvent)
        ],
    )


def record_id_tags(outcomes: Sequence[Outcome]) -> None:
    """Note unknown tags for approval, each once."""
    new = {
        effect.id_tag.lower(): (effect.id_tag, "Recorded", outcome.arrival.at)
        for outcome, _, effect in each(outcomes, RecordIdTag)
    }
    rows = [new[key] for key in sorted(new)]
    insert_rows(IdTag, ("id_tag", "status", "created_at"), rows, new_only=True)
